"""What `import workshop` does to what is imported after it."""

import subprocess
import sys

from workshop import ROOT


def test_keras_comes_without_what_it_only_offers_and_others_still_have_that() -> None:
    code = "import sys, workshop, keras\nprint({'sklearn', 'matplotlib'} & {*sys.modules})\n"
    code += "from sklearn.base import clone\nfrom matplotlib.figure import Figure\nprint(clone, Figure)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    hidden, found = run.stdout.splitlines()
    assert hidden == "set()"
    assert found.startswith("<function clone")


def test_others_get_them_while_keras_is_imported_in_another_thread() -> None:
    code = "import sys, types, workshop\nsys.modules['keras'] = types.ModuleType('keras')  # as far as it has come\n"
    code += "import matplotlib, sklearn\nprint(matplotlib.__name__)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout == "matplotlib\n"
