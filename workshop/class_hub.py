"""Be the hub of a class, or prepare it.

    python -m workshop.class_hub

The command's name; the code is in `workshop/classroom/command_line.py`.
"""

from workshop import cli
from workshop.classroom.command_line import main

if __name__ == "__main__":
    cli.run(main)
