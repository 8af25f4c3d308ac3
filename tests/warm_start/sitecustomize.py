"""With this folder on PYTHONPATH, each `python .../script.py` is run by the Python that listens at WARM_PYTHON and has
loaded TensorFlow already (see warm.py), also where a program under test starts it.

Python imports a module of this name by itself, before anything else.
"""

import os
import sys
from pathlib import Path

if os.environ.get("WARM_PYTHON") and len(sys.orig_argv) > 1 and sys.orig_argv[1].endswith(".py"):
    warm = Path(__file__).parent.parent / "warm.py"
    words = [sys.executable, "-I", "-S", str(warm), os.environ["WARM_PYTHON"], *sys.orig_argv[1:]]
    os.execv(sys.executable, words)
