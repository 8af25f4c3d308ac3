"""Words that are the same everywhere: numbers with their nouns, and what a baseline is called."""

#: What the models of symbols are called that a network is compared with.
NGRAM = "n-gram"


def plural(count: int, what: str) -> str:
    """Return a number of things in words."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def duration(seconds: float) -> str:
    """Seconds as one says them of a clock: 0:07, 12:30, 1:02:03."""
    minutes, seconds = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
