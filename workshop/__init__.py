"""What any command needs to fail, to write files and to speak politely. It knows no music, no network and no server.

The rooms are packages in here, each with the sentence that says what belongs in it. They build on each other from the
first to the last, never the other way round (`ROOMS`); a lesson builds on all of them, and nothing in here imports a
lesson. A module beside this one that is named like a command (`python -m workshop.doctor`) is only that command's name.
"""

import os
from pathlib import Path

# TensorFlow talks about itself while it is imported; what a person has to know, the workshop says.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

#: The clone: every path that the workshop works with is given relative to it or by the user.
ROOT = Path(__file__).resolve().parent.parent

#: The rooms in the order in which they build on each other.
ROOMS = ("networks", "run", "text", "notes", "audio", "datasets", "host")

#: Modules that are only the name of a command: they import from their room, and nothing imports them.
COMMANDS = ("abc_to_midi", "docs", "doctor", "server_files", "services", "trainings", "tunes")
