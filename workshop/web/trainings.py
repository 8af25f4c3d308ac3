"""What the page asks of a training: to be started and stopped, how far it is, and its last preview."""

from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from workshop.web.handlers import TYPES, Threaded
from workshop.web.security import Refused
from workshop.web.sending import parsed
from workshop.web.training import Trainer


class Training(Threaded):
    """The training of the page."""

    def initialize(self, trainer: Trainer, threads: ThreadPoolExecutor) -> None:
        """Take what all requests share."""
        self._trainer, self._threads = trainer, threads

    async def get(self) -> None:
        """Answer with its state."""
        self.finish(await self.in_thread(self._trainer.state))


class Start(Training):
    """Starts one."""

    async def post(self) -> None:
        """Start it as the fields in the body say, and answer with its state.

        Raises:
            Refused: the body holds no fields, or a value is out of range, or one is running.
        """
        values = parsed(self.request.body)
        if not isinstance(values, dict):
            raise Refused("That is no question of the page.", HTTPStatus.BAD_REQUEST)
        await self.in_thread(self._trainer.start, values)
        await self.get()


class Stop(Training):
    """Stops it."""

    async def post(self) -> None:
        """Ask it to save and end, and answer with its state."""
        await self.in_thread(self._trainer.stop)
        await self.get()


class Preview(Training):
    """A file of its last preview."""

    async def get(self, suffix: str) -> None:  # type: ignore[override]
        """Answer with the picture or the sound."""
        content = await self.in_thread(self._trainer.preview, suffix)
        self.set_header("Content-Type", TYPES[suffix])
        self.finish(content)
