"""A part of the starter sets, for all that is followed command by command in a copy of the workshop: what takes long
there is reading the data and counting it, each time.

    python tests/few_data.py data

makes them in the folder. To `workshop.datasets` they are sets that the user has modified, which it leaves alone. What
makes the whole sets has tests of its own (tests/datasets), and the demo from a ZIP file makes and trains on them.
"""

import shutil
import sys
from pathlib import Path

from workshop.audio import drum_loops
from workshop.datasets import loops, tunes

#: How many of each are left: tunes, which a page copies 499 of, and sounds of each instrument; one of so many songs of
#: drum loops is made.
TUNES, SOUNDS, SONGS = 500, 3, 16
#: Sounds that the pages name beside the first ones.
NAMED = {"house_118.wav", "rock_092.wav"}


def make(data: Path) -> None:
    """Make what is missing in a folder `data`, and leave a part of it."""
    tunes.main(["--data_dir", str(data)])
    _leave(sorted((data / "midi" / "tunes").glob("*.mid"))[TUNES:])
    # The lesson that learns from an hour of piano gets minutes of it.
    shutil.copytree(data / "audio" / "starter" / "piano", data / "audio" / "piano")
    for instrument in (data / "audio" / "starter").iterdir():
        _leave(sorted(instrument.glob("*.wav"))[SOUNDS:])
    songs = drum_loops.songs()[::SONGS]
    drum_loops.songs = lambda: songs
    loops.export(data / "audio" / "loops")


def _leave(files: list[Path]) -> None:
    """Delete these files, but for those that the pages name."""
    for file in files:
        if file.name not in NAMED:
            file.unlink()


if __name__ == "__main__":
    make(Path(sys.argv[1]))
