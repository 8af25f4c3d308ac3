"""Write the lists of servers, after a lesson was added.

    python -m workshop.server_files

The command's name; the code is in `workshop/host/server_files.py`.
"""

from workshop import cli
from workshop.host.server_files import main

if __name__ == "__main__":
    cli.run(main)
