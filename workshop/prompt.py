"""A prompt on which a person goes on with what a script has made: IPython's, Python's own, or a notebook's cells."""

import os
import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from workshop import cli
from workshop.errors import UserError


def run(main: Callable[[], int | None]) -> None:
    """Run the `main` of a script that ends in `converse`: exits as `cli.run` does, but not before the prompt that
    `python -i` opens after a script.
    """
    try:
        cli.run(main)
    except SystemExit as ended:
        if not sys.flags.interactive:
            raise
        if ended.code:
            # `python -i` would open a prompt on which nothing is there.
            os._exit(int(ended.code))


def converse(names: Mapping[str, Any], greeting: str) -> None:
    """Let a person use these names, until the prompt is left; where one is open already, or `python -i` is going to
    open one, they are there from now on. A `UserError` is answered by its sentence.

    Args:
        names: what they are called on the prompt, and what they stand for.
        greeting: printed first.
    """
    if shell := running_shell():
        print(greeting)
        shell.push(dict(names))
        _answer_in_a_sentence(shell)
    elif sys.flags.interactive:
        print(greeting)
        vars(sys.modules["__main__"]).update(names)
        sys.excepthook = _sentence_or(sys.excepthook)
    else:
        _open_ipython(names, greeting)


def running_shell() -> Any:
    """The shell of IPython or of a notebook that this process runs in; None where there is none."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def in_notebook() -> bool:
    """Whether what is shown is shown in a notebook."""
    return hasattr(running_shell(), "kernel")


def _open_ipython(names: Mapping[str, Any], greeting: str) -> None:
    from IPython.terminal.ipapp import TerminalIPythonApp
    from traitlets.config import Config

    config = Config()
    config.TerminalInteractiveShell.banner1 = f"{greeting}\n"
    config.TerminalInteractiveShell.confirm_exit = False
    config.TerminalInteractiveShell.enable_tip = False
    app = TerminalIPythonApp.instance(config=config, user_ns=dict(names))
    app.initialize([])
    _answer_in_a_sentence(app.shell)
    app.start()


def _answer_in_a_sentence(shell: Any) -> None:
    def say(shell: Any, kind: type, error: UserError, trace: TracebackType, tb_offset: int | None = None) -> None:
        print(cli.answer(error), file=sys.stderr)

    shell.set_custom_exc((UserError,), say)


def _sentence_or(otherwise: Callable[..., Any]) -> Callable[..., Any]:
    def answer(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, UserError):
            print(cli.answer(error), file=sys.stderr)
        else:
            otherwise(kind, error, trace)

    return answer
