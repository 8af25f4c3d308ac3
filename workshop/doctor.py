"""Check this computer.

    python -m workshop.doctor

The command's name; the code is in `workshop/host/doctor.py`.
"""

from workshop import cli
from workshop.host.doctor import main

if __name__ == "__main__":
    cli.run(main)
