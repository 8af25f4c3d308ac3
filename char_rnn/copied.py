"""Has the network learnt, or does it recite? The longest passage of a sample that stands in the training text, word for
word.
"""

from pathlib import Path
from typing import Any

import numpy as np

from char_rnn import dataset
from char_rnn.vocab import Vocabulary
from workshop.errors import UserError
from workshop.places import found
from workshop.text.overlap import longest_copied
from workshop.text.textfiles import find_text_files

#: Reading a longer training text again would take longer than writing the sample.
MAX_BYTES = 100_000_000
#: Most files and folders that are searched for texts: the path in a run.json from elsewhere may be any.
MAX_ENTRIES = 20_000
#: Characters of the passage that are shown.
SHOWN = 60


def report(ids: np.ndarray, vocabulary: Vocabulary, facts: dict[str, Any]) -> str:
    """One sentence on the longest passage that the samples `ids` [n, B] have in common with the training text that
    `facts` describe.
    """
    if not {"path", "characters", "val_split", "encoding_given", "fingerprint"} <= facts.keys():
        return "copied passages were not looked for, because run.json does not say what the training text was"
    path = found(facts["path"], "char_rnn") or Path(facts["path"])
    try:
        files = find_text_files(path, MAX_ENTRIES)
        if sum(file.stat().st_size for file in files) > MAX_BYTES:
            return "the training text is too long to look for copied passages in it"
        text = dataset.load(path, facts["val_split"], facts["encoding_given"], vocabulary)
    except UserError as error:
        return f"copied passages were not looked for, because the training text is not there any more: {error}"
    changed = "" if text.facts["fingerprint"] == facts["fingerprint"] else " (the text has changed since)"
    overlap, column = max(
        ((longest_copied(ids[:, k], text.train), k) for k in range(ids.shape[1])), key=lambda one: one[0].length
    )
    passage = vocabulary.decode(ids[overlap.sample_start : overlap.sample_start + overlap.length, column])
    shown = repr(passage if len(passage) <= SHOWN else passage[:SHOWN] + "...")
    return f"longest passage copied from the training text{changed}: {overlap.length} characters, {shown}"
