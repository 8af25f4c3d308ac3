"""With this folder on PYTHONPATH, `python .../train.py`, `sample.py` and `benchmarks/*.py` are run by the Python that
listens at WARM_PYTHON and has loaded TensorFlow already (see warm.py), also where a program under test starts them.

Python imports a module of this name by itself, before anything else.
"""

import os
import sys
from pathlib import Path

script = Path(sys.orig_argv[1]) if len(sys.orig_argv) > 1 else Path()
is_ours = script.name in {"train.py", "sample.py"} or script.parent.name == "benchmarks"
if os.environ.get("WARM_PYTHON") and is_ours:
    warm = Path(__file__).parent.parent / "warm.py"
    words = [sys.executable, "-I", "-S", str(warm), os.environ["WARM_PYTHON"], *sys.orig_argv[1:]]
    os.execv(sys.executable, words)
