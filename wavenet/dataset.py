"""Sound files on disk -> values of mu-law, uint8 [N] each, some of the files held out whole.

All of it is the same for every lesson that learns such values, so it is done in `workshop/audio/library.py`.
"""

from workshop.audio.library import describe, load

__all__ = ["describe", "load"]
