"""What `import workshop` does to what is imported after it."""

import subprocess
import sys

from workshop import ROOT


def test_keras_comes_without_scikit_learn_which_others_still_have() -> None:
    code = "import sys, workshop, keras\nprint('sklearn' in sys.modules)\nfrom sklearn.base import clone\nprint(clone)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    hidden, found = run.stdout.splitlines()
    assert hidden == "False"
    assert found.startswith("<function clone")
