"""Whether `train.py` takes the arguments of a plan: asked of it before the first trial, in one call."""

import re
import subprocess
import sys

from workshop.errors import UserError
from workshop.nearest import did_you_mean
from workshop.sweep.plan import Plan, words

#: Of an answer, so many characters are shown.
_LONGEST_ANSWER = 500


def check(plan: Plan) -> None:
    """See that each argument is one of the lesson's, and each value one that it can have.

    Every value of every argument stands on one command line; argparse looks at all of them before it comes to the
    `--help` behind them. What depends on several arguments together, a trial says when it begins.

    Raises:
        UserError: an argument or a value is not valid.
    """
    # A switch that is off has no word; what can be off has to be a switch.
    as_switch = [{name: value is False or value for name, value in trial.items()} for trial in plan.trials]
    values = {word: None for trial in as_switch for word in words(trial)}
    command = [sys.executable, str(plan.lesson.folder / "train.py"), *values, "--help"]
    asked = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if asked.returncode:
        answer = (asked.stderr.strip().splitlines() or ["no answer"])[-1].removeprefix("error: ")
        raise UserError(f"the plan cannot be trained: {answer[:_LONGEST_ANSWER]}")
    known = set(re.findall(r"--(\w+)", asked.stdout))
    for name in dict.fromkeys(name for trial in plan.trials for name in trial):
        if name not in known:
            near = did_you_mean(name, sorted(known))
            raise UserError(f"the plan cannot be trained: {plan.lesson.name} has no argument {name}{near}")
