"""Run the servers.

    python -m workshop.services

The command's name; the code is in `workshop/host/services.py`.
"""

from workshop import cli
from workshop.host.services import main

if __name__ == "__main__":
    cli.run(main)
