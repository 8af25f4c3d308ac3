"""The live room; `python -m live --help` lists the verbs. The code is in `live/command_line.py`."""

from live.command_line import main
from workshop import cli

if __name__ == "__main__":
    cli.run(main)
