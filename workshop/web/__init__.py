"""The page in the browser on which trained networks are played: its server, and in `static` the page itself."""
