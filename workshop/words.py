"""Words that are the same everywhere: numbers with their nouns, and what a baseline is called."""

#: What the models of symbols are called that a network is compared with.
NGRAM = "n-gram"


def plural(count: int, what: str) -> str:
    """Return a number of things in words."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")
