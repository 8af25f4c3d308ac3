"""List and stop trainings.

    python -m workshop.trainings

The command's name; the code is in `workshop/run/trainings.py`.
"""

import sys

from workshop.run.trainings import main

if __name__ == "__main__":
    sys.exit(main())
