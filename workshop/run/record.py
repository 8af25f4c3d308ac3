"""What run.json says of a run: all that `sample.py`, a page or another computer needs to know, each part with a type.

Nothing in it depends on the current folder: paths are relative to the clone, or absolute (`workshop.places`).
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from workshop.checks import Finite, NotNegative, Positive, Whole
from workshop.words import NGRAM

#: Version of the layout, to be raised when older code could not read it any more. `version_1.py` upgrades older ones.
FORMAT = 2


class DataInfo(msgspec.Struct, kw_only=True):
    """What is said of the data in every lesson; a lesson derives its own from it.

    Attributes:
        path: the file or folder.
        fingerprint: other data have another one.
        files: how many were found.
        used: how many are trained or measured on.
        skipped: how many could not be used; skipped.txt says why.
        duplicate_files: how many hold the same as another one.
        symbols: how many are trained on, and how many are held out, in the lesson's unit.
    """

    path: str
    fingerprint: str
    files: Whole
    used: Whole
    skipped: Whole
    duplicate_files: Whole
    symbols: tuple[Whole, Whole]


class Measured(msgspec.Struct, omit_defaults=True):
    """A measurement on the held-out data: after so many steps and epochs, the mean loss; and that of training, at the
    end of an epoch.
    """

    step: Whole
    epoch: NotNegative
    validation: Finite
    train: Finite | None = None


class Best(msgspec.Struct):
    """The lowest loss on held-out data, and the step after which it was measured."""

    validation: Finite
    step: Whole


class Sampling(msgspec.Struct):
    """The softmax temperature of the previews, which is the default of `sample.py`."""

    temperature: Positive


class Origin(msgspec.Struct):
    """The trained network that a training began with (`--init_from`).

    Attributes:
        path: its experiment's folder.
        created: when its own training was begun.
        step: of the checkpoint whose weights were taken.
        fingerprint: of the data that it was trained on.
        shared: symbols of the new data that it knows.
        new: symbols of the new data that it does not know.
        ngram: loss in nats of the best n-gram that has counted both its data and the new one; None where its data was
            not there any more.
    """

    path: str
    created: str
    step: Whole
    fingerprint: str
    shared: Whole
    new: Whole
    ngram: Finite | None = None


class Record(msgspec.Struct, kw_only=True):
    """What run.json holds.

    Attributes:
        format: version of this layout.
        lesson: name of the lesson.
        created: when the run was begun, in ISO 8601 like `updated`, the time of the last change.
        versions: of Python, of the packages that matter, and the name of the system.
        message: `--message`.
        arguments: those of `train.py` which describe the run, among them its one seed.
        network: the arguments of a function in `model.py`, and under "name" which one.
        init_from: the trained network whose weights it began with; None for random ones.
        data: what was trained on, as the lesson's own `DataInfo` has it.
        baseline: loss in nats of the simple model of each order.
        baseline_kind: what these models are called.
        sampling: defaults for generating.
        status: how far it is, in words.
        step: training steps that its latest checkpoint has seen.
        epoch: whole epochs.
        minutes: how long it trained.
        history: all measurements.
        best: the best of them.
        previewed: the step that was shown last.
    """

    format: Annotated[int, Meta(ge=FORMAT, le=FORMAT)] = FORMAT
    lesson: str
    created: str
    updated: str = ""
    versions: dict[str, str]
    message: str = ""
    arguments: dict[str, Any]
    network: dict[str, Any]
    init_from: Origin | None = None
    data: dict[str, Any]
    baseline: dict[str, Finite]
    baseline_kind: str = NGRAM
    sampling: Sampling
    status: str = "started"
    step: Whole = 0
    epoch: Whole = 0
    minutes: NotNegative = 0.0
    history: list[Measured] = []
    best: Best | None = None
    previewed: Whole | None = None
