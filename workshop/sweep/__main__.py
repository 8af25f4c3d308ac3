"""Train the same lesson many times with other arguments, and say which are best.

    python -m workshop.sweep PLAN.toml

The command's name; the code is in `workshop/sweep/command_line.py`.
"""

from workshop import cli
from workshop.sweep.command_line import main

if __name__ == "__main__":
    cli.run(main)
