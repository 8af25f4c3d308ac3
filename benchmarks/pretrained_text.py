"""How the texts of a trained network read, beside those of an n-gram and text that neither has seen.

    python benchmarks/pretrained_text.py pretrained/char_rnn/verse --data VERSE --words WORDS

Draws 10 texts of 2,000 characters at the default temperature. WORDS is a list of words, one a line, such as
/usr/share/dict/american-english-large of Debian's package wamerican-large. Prints for the network, for an n-gram of
order 6 and for as many excerpts of the held-out text: the share of words that are in the list, distinct words among the
words of a text, runs of four words that a text has before, and the longest passage that 100 texts share with the
training text. A few minutes on two cores.
"""

import argparse
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from char_rnn import dataset
from char_rnn.trained import Trained
from workshop import load
from workshop.text.overlap import longest_copied

TEXTS, LENGTH, COPY_TEXTS = 10, 2_000, 100
ORDER, RUN = 6, 4


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, apostrophes inside them included."""
    return re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower())


def statistics(texts: Sequence[str], known: set[str]) -> dict[str, float]:
    """Means over texts: the shares of known words, of distinct words, and of repeated runs of four words."""
    rows = []
    for text in texts:
        words = words_of(text)
        runs = [tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1)]
        in_list = sum(word in known or word.removesuffix("'s") in known for word in words)
        rows.append((in_list / len(words), len(set(words)) / len(words), 1 - len(set(runs)) / len(runs)))
    return dict(zip(("known", "distinct", "repeated"), np.mean(rows, axis=0).tolist(), strict=True))


def ngram_writer(train: np.ndarray, symbols: int) -> Callable[[np.random.Generator], np.ndarray]:
    """A function that draws LENGTH symbols, each from those that follow the last ORDER - 1 somewhere in `train`."""
    context = ORDER - 1
    places = symbols ** np.arange(context, dtype=np.int64)
    codes = np.lib.stride_tricks.sliding_window_view(train.astype(np.int64), context)[:-1] @ places
    order = np.argsort(codes, kind="stable")
    ranked = codes[order]

    def write(rng: np.random.Generator) -> np.ndarray:
        start = rng.integers(len(train) - context)
        text = [*train[start : start + context].tolist()]
        for _ in range(LENGTH):
            code = np.dot(text[-context:], places)
            first, end = np.searchsorted(ranked, code, "left"), np.searchsorted(ranked, code, "right")
            text.append(int(train[order[rng.integers(first, end)] + context]))
        return np.array(text[context:])

    return write


def longest(ids: Sequence[np.ndarray], train: np.ndarray) -> int:
    """The length of the longest passage that one of the texts shares with the training text, in characters."""
    return max(longest_copied(one, train).length for one in ids)


def main() -> None:
    """Draw, count and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="what it was trained on")
    parser.add_argument("--words", type=Path, required=True, help="a list of words, one a line")
    args = parser.parse_args()

    net = load(args.experiment)
    assert isinstance(net, Trained)
    text = dataset.load(args.data, net.experiment.record.arguments["val_split"], vocabulary=net.vocabulary)
    known = {word.strip().lower() for word in args.words.read_text("utf-8").splitlines()}
    written = [net.generate(length=LENGTH, seed=seed) for seed in range(COPY_TEXTS)]
    write = ngram_writer(text.train, len(net.vocabulary))
    counted = [write(np.random.default_rng(seed)) for seed in range(COPY_TEXTS)]
    starts = np.linspace(0, len(text.held_out) - LENGTH, TEXTS).astype(int)
    unseen = [text.held_out[start : start + LENGTH] for start in starts]
    encoded = [net.vocabulary.encode(one) for one in written]

    rows = {
        "network": (written[:TEXTS], longest(encoded, text.train)),
        f"{ORDER}-gram": ([net.vocabulary.decode(one) for one in counted[:TEXTS]], longest(counted, text.train)),
        "held out": ([net.vocabulary.decode(one) for one in unseen], longest(unseen, text.train)),
    }
    print(f"{args.experiment}, temperature {net.temperature}\n")
    print("| texts of | words in the list | distinct words | repeated runs of 4 | longest shared passage |")
    print("| --- | ---: | ---: | ---: | ---: |")
    result = {}
    for name, (texts, shared) in rows.items():
        found = statistics(texts, known)
        shares = " | ".join(f"{share:.1%}" for share in found.values())
        print(f"| {name} | {shares} | {shared} |")
        result[name] = {key: round(share, 4) for key, share in found.items()} | {"shared": shared}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
