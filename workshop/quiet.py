"""Importing TensorFlow without its talk about itself."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Hold back what native libraries print to standard error, and print it after all if the block fails.

    No setting of TensorFlow silences its first lines without changing how it computes.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held_back:
        visible = os.dup(2)
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        except BaseException:
            held_back.seek(0)
            os.write(visible, held_back.read())
            raise
        finally:
            os.dup2(visible, 2)
            os.close(visible)
