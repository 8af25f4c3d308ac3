"""Build or serve the tutorial.

    python -m workshop.docs

The command's name; the code is in `workshop/host/docs.py`.
"""

from workshop import cli
from workshop.host.docs import main

if __name__ == "__main__":
    cli.run(main)
