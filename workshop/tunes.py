"""Make the starter sets.

    python -m workshop.tunes

The command's name; the code is in `workshop/datasets/tunes.py`.
"""

from workshop import cli
from workshop.datasets.tunes import main

if __name__ == "__main__":
    cli.run(main)
