"""Turn tunes in ABC notation into MIDI and audio files.

    python -m workshop.abc_to_midi

The command's name; the code is in `workshop/datasets/abc_to_midi.py`.
"""

from workshop import cli
from workshop.datasets.abc_to_midi import main

if __name__ == "__main__":
    cli.run(main)
