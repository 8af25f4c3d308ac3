"""The OSC server of trained networks; `python -m workshop.osc --help` lists its arguments."""

from workshop import cli
from workshop.osc.command_line import main

if __name__ == "__main__":
    cli.run(main)
