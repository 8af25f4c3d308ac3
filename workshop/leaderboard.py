"""A page of the experiments of a class, the best first.

    python -m workshop.leaderboard FOLDER...

The command's name; the code is in `workshop/concert/leaderboard.py`.
"""

from workshop import cli
from workshop.concert.leaderboard import main

if __name__ == "__main__":
    cli.run(main)
