"""Where the music comes from: the catalogue, downloads, the starter sets, and inspecting data before training."""
