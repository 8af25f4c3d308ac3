"""The baseline that a network has to beat: an interpolated Witten-Bell n-gram (Markov) model of a symbol sequence.

It counts what followed each context in the training sequence and knows nothing else, so a network whose held-out loss
stays above it has not learned more than local statistics. It works on any integer symbols: characters,
note events, quantised samples.

The smoothing is Witten and Bell, "The zero-frequency problem: estimating the probabilities of novel events in adaptive
text compression" (IEEE Transactions on Information Theory 37(4), 1991), in the interpolated form of Chen and Goodman,
"An empirical study of smoothing techniques for language modeling" (Computer Speech & Language 13(4), 1999).
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

#: Up to this many table cells per training symbol, counting in a table beats sorting (measured on 1 MB of text).
_TABLE_CELLS_PER_SYMBOL = 8


def evaluate(train: np.ndarray, held_out: np.ndarray, num_symbols: int, orders: Sequence[int]) -> dict[int, float]:
    """The mean loss of n-gram models of several orders on a held-out sequence, in nats per symbol.

    All orders up to the highest are computed on the way, so asking for more of them costs nothing.

    Args:
        train: integer symbols in [0, num_symbols), shape (train length,).
        held_out: the sequence that continues the training sequence, shape (held-out length,).
        num_symbols: size of the alphabet.
        orders: order n looks at n - 1 symbols of context; order 1 is the symbol frequencies alone.

    Returns:
        For each order, in ascending order, the mean of -ln p over all held-out symbols.

    Raises:
        ValueError: nothing is held out, a symbol is not an integer in [0, num_symbols), or an order is below 1.
    """
    if min(orders, default=1) < 1:
        raise ValueError(f"n-gram orders start at 1, got {list(orders)}")
    if len(held_out) == 0:
        raise ValueError("the held-out sequence is empty")
    models = islice(probabilities(train, held_out, num_symbols), max(orders, default=0))
    return {order: float(-np.log(p).mean()) for order, p in enumerate(models, start=1) if order in orders}


def probabilities(train: np.ndarray, held_out: np.ndarray, num_symbols: int) -> Iterator[np.ndarray]:
    """The probability that the models of order 1, 2, 3, ... without end give to each held-out symbol.

    With c the counts in the training sequence, T(h) the number of different symbols seen after the context h, and h'
    the context without its oldest symbol, p(w|h) = (c(h, w) + T(h) p(w|h')) / (c(h) + T(h)). Below order 1 stands the
    uniform distribution, so no symbol is impossible. A context that training never continued says nothing: p(w|h) =
    p(w|h'). The context of the first held-out symbols is the end of the training sequence.

    Args:
        train: integer symbols in [0, num_symbols), shape (train length,).
        held_out: the sequence that continues the training sequence, shape (held-out length,).
        num_symbols: size of the alphabet.

    Yields:
        p, shape (held-out length,), float64; a new array for each order.

    Raises:
        ValueError: a symbol is not an integer in [0, num_symbols).
    """
    train = _checked("train", train, num_symbols)
    held_out = _checked("held_out", held_out, num_symbols)
    p = np.full(len(held_out), 1 / num_symbols)
    # A context is known by its rank among those that training continues, -1 for all others. Ranks stay below the length
    # of training, so that the code of a context and a symbol, rank * num_symbols + symbol, is exact in 64 bits at any
    # order (while the length times num_symbols is below 2**63).
    train_contexts = np.zeros(len(train), dtype=np.int64)
    held_out_contexts = np.zeros(len(held_out), dtype=np.int64)
    num_contexts = 1
    while train_contexts.size and held_out_contexts.size:
        codes = train_contexts * num_symbols + train[-len(train_contexts) :]
        grams, train_contexts, counts = _rank(codes, num_contexts * num_symbols)
        contexts_of_grams = grams // num_symbols
        followers = np.bincount(contexts_of_grams, minlength=num_contexts)
        totals = np.bincount(contexts_of_grams, weights=counts, minlength=num_contexts)

        found = _find(grams, held_out_contexts * num_symbols + held_out)
        count = np.where(found >= 0, counts[found], 0)
        backoff = followers[held_out_contexts]
        # The very end of training can be a context that nothing follows: it has no followers, and p stays.
        known = (held_out_contexts >= 0) & (backoff > 0)
        p = np.where(known, (count + backoff * p) / np.where(known, totals[held_out_contexts] + backoff, 1), p)
        yield p

        # What was context and symbol at one place is the context of the next place, one symbol longer.
        held_out_contexts = np.concatenate((train_contexts[-1:], found[:-1]))
        train_contexts = train_contexts[:-1]
        num_contexts = len(grams)
    while True:
        yield p.copy()


def _checked(name: str, symbols: np.ndarray, num_symbols: int) -> np.ndarray:
    """The symbols as int64: codes are built from them, and a smaller type would overflow.

    Raises:
        ValueError: a symbol is not an integer in [0, num_symbols).
    """
    if not np.issubdtype(symbols.dtype, np.integer):
        raise ValueError(f"{name} holds {symbols.dtype} values; an n-gram model counts integer symbols")
    if symbols.size and (symbols.min() < 0 or symbols.max() >= num_symbols):
        found = f"{symbols.min()} to {symbols.max()}"
        raise ValueError(f"{name} holds symbols from {found}, outside 0 to {num_symbols - 1}")
    return symbols.astype(np.int64, copy=False)


def _rank(codes: np.ndarray, num_codes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The different codes in ascending order, the rank of each code among them, and how often each occurs.

    The same as `np.unique` with its inverse and counts, but without sorting where a table of `num_codes` cells is
    small.
    """
    if num_codes > _TABLE_CELLS_PER_SYMBOL * len(codes):
        return np.unique(codes, return_inverse=True, return_counts=True)
    table = np.bincount(codes, minlength=num_codes)
    different = np.flatnonzero(table)
    counts = table[different]
    table[different] = np.arange(len(different))
    return different, table[codes], counts


def _find(sorted_codes: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The index of each code in `sorted_codes` (not empty), -1 where it is missing."""
    index = np.minimum(np.searchsorted(sorted_codes, codes), len(sorted_codes) - 1)
    return np.where(sorted_codes[index] == codes, index, -1)
