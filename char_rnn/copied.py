"""Memorisation check: the longest passage of a sample that is copied verbatim from the training text."""

import numpy as np

from char_rnn import dataset
from char_rnn.dataset import TextInfo
from char_rnn.vocab import Vocabulary
from workshop.errors import UserError
from workshop.places import found
from workshop.text.overlap import longest_copied
from workshop.text.textfiles import find_text_files
from workshop.words import plural

#: A longer training text is not searched: reading it would take longer than generating the sample.
MAX_BYTES = 100_000_000
#: Limit of files and folders to search for texts: the path in a foreign run.json may be anything.
MAX_ENTRIES = 20_000
#: Characters of the passage to print.
SHOWN = 60


def report(ids: np.ndarray, vocabulary: Vocabulary, facts: TextInfo) -> str:
    """Report the longest passage that samples share with the training text, in one sentence.

    Args:
        ids: the samples, int [n, B].
        vocabulary: that of the experiment.
        facts: what run.json says of the training text.
    """
    if not facts.symbols[0]:
        return "copied passages were not searched for: run.json does not name the training text"
    path = found(facts.path, "char_rnn")
    if path is None:
        return f"copied passages were not searched for: the training text, {facts.path}, is not on this computer"
    try:
        files = find_text_files(path, MAX_ENTRIES)
        if sum(file.stat().st_size for file in files) > MAX_BYTES:
            return "copied passages were not searched for: the training text is too long"
        text = dataset.load(path, encoding=facts.encoding_given, vocabulary=vocabulary)
    except UserError as error:
        return f"copied passages were not searched for: the training text cannot be read: {error}"
    changed = "" if text.facts.fingerprint == facts.fingerprint else " (the text has changed since)"
    train = text.ids[: facts.symbols[0]]
    overlap, column = max(
        ((longest_copied(ids[:, k], train), k) for k in range(ids.shape[1])), key=lambda one: one[0].length
    )
    passage = vocabulary.decode(ids[overlap.sample_start : overlap.sample_start + overlap.length, column])
    shown = repr(passage if len(passage) <= SHOWN else passage[:SHOWN] + "...")
    return f"longest passage copied from the training text{changed}: {plural(overlap.length, 'character')}, {shown}"
