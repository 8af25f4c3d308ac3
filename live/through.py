"""The voice that is no network: it passes what it hears."""

from workshop.run.voice import Block, Knobs


class Through:
    """Answers with what it hears; a `Voice`.

    Args:
        rate: samples a second.
    """

    #: The rate, where nobody asks for another one.
    RATE = 22050

    def __init__(self, rate: int):
        self.rate = rate

    def process(self, block: Block, knobs: Knobs) -> Block:
        """Pass a block."""
        return block
