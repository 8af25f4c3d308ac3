"""What all lessons share. It knows files, runs, screens and sounds; it does not know any model.

Nothing in here imports a lesson, and nothing in here knows what a lyric, a melody or a waveform should be like. What a
new lesson would have to copy from its neighbours belongs here; what only one lesson needs stays with that lesson.
"""

import os
from pathlib import Path

# TensorFlow talks about itself while it is imported; what a person has to know, the workshop says.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

#: The clone: every path that the workshop works with is given relative to it or by the user.
ROOT = Path(__file__).resolve().parent.parent

#: Each lesson's folder and the port of its TensorBoard, in the order of the lessons.
TENSORBOARD_PORTS = {"char_rnn": 7006, "midi_rnn": 7007, "wavenet": 7008}

#: JupyterLab's port.
LAB_PORT = 8888

#: The port of the site that docs/ is made into.
DOCS_PORT = 7000
