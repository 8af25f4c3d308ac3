"""How likely each character or event of something that was made had been, for the page."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from workshop.errors import UserError
from workshop.networks.likelihoods import Likelihoods
from workshop.web.handlers import Threaded
from workshop.web.networks import Networks
from workshop.web.results import Results

#: Places that are looked at, and of how many symbols the page hears at each.
MOST_PLACES, MOST_SYMBOLS = 2000, 6


class Likely(Threaded):
    """What a network expected at each place of a text or of notes that it has made."""

    def initialize(self, networks: Networks, results: Results, threads: ThreadPoolExecutor) -> None:
        """Take what all requests share."""
        self._networks, self._results, self._threads = networks, results, threads

    async def get(self, name: str) -> None:
        """Answer with the places: what stands there, how likely it was, and the likeliest symbols."""
        self.finish(await self.in_thread(self._look, name))

    def _look(self, name: str) -> dict[str, Any]:
        made = self._results.get(name)
        if not len(made.symbols):
            raise UserError("of a sound this is not shown here: `heatmap` in a session of audio_rnn draws it")
        return as_places(self._networks.likelihoods(made.source, made.symbols[:MOST_PLACES]))


def as_places(found: Likelihoods) -> dict[str, Any]:
    """What the page hears: the names, and of each place its symbol, its probability, and the likeliest with theirs."""
    likeliest = found.likeliest(MOST_SYMBOLS)
    return {
        "names": list(found.names),
        "places": [
            {
                "symbol": int(symbol),
                "probability": round(float(row[symbol]), 4),
                "likeliest": [[int(one), round(float(row[one]), 4)] for one in best],
            }
            for symbol, row, best in zip(found.symbols, found.probabilities, likeliest, strict=True)
        ],
    }
