"""Not a lesson: answers a forgotten `cd`. The scripts are char_rnn/train.py, midi_rnn/train.py, wavenet/train.py."""

import sys
from pathlib import Path

from workshop.misplaced import answer

sys.exit(answer(Path(__file__)))
