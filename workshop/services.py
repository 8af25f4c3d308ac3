"""Run the servers.

    python -m workshop.services

The command's name; the code is in `workshop/host/services.py`.
"""

import sys

from workshop.host.services import main

if __name__ == "__main__":
    sys.exit(main())
