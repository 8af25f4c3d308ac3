"""Exports networks for the player, and plays them.

    python -m workshop.player export verse tunes --to my_networks
    python -m workshop.player serve my_networks

The command's name; the code is in `workshop/player/command_line.py`.
"""

from workshop import cli
from workshop.player.command_line import main

if __name__ == "__main__":
    cli.run(main)
