"""List and stop trainings.

    python -m workshop.trainings

The command's name; the code is in `workshop/run/trainings.py`.
"""

from workshop import cli
from workshop.run.trainings import main

if __name__ == "__main__":
    cli.run(main)
