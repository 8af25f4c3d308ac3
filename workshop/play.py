"""Play trained networks on a page in the browser.

    python -m workshop.play

The command's name; the code is in `workshop/web/command_line.py`.
"""

from workshop import cli
from workshop.web.command_line import main

if __name__ == "__main__":
    cli.run(main)
