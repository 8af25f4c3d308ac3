"""Not a lesson: answers a forgotten `cd`. The scripts are char_rnn/sample.py, midi_rnn/sample.py, wavenet/sample.py."""

import sys
from pathlib import Path

from workshop.misplaced import answer

sys.exit(answer(Path(__file__)))
