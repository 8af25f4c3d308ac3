"""List, fetch, check and inspect data sets.

    python -m workshop.datasets

The command's name; the code is in `workshop/datasets/command_line.py`.
"""

from workshop import cli
from workshop.datasets.command_line import main

if __name__ == "__main__":
    cli.run(main)
