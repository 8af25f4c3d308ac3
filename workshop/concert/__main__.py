"""A page of the class's pieces, and a page that plays two at a time blind.

    python -m workshop.concert page PROGRAM.toml
    python -m workshop.concert listen PAIRS.toml

The command's name; the code is in `workshop/concert/command_line.py`.
"""

from workshop import cli
from workshop.concert.command_line import main

if __name__ == "__main__":
    cli.run(main)
