"""Takes files of one's own from the page, and says whether they will train."""

from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from tornado.web import stream_request_body

from workshop.errors import UserError
from workshop.web import own_files
from workshop.web.handlers import Threaded
from workshop.web.own_files import Upload
from workshop.web.security import Guarded, Refused


@stream_request_body
class Mine(Guarded):
    """Takes a file, piece by piece."""

    _upload: Upload | None = None
    _problem = ""

    def prepare(self) -> None:
        """Begin, if the visitor may. Why a file is not taken is answered when all of it has come: before that, browsers
        do not listen.

        Raises:
            Refused: the visitor may not.
        """
        super().prepare()
        self.accept_body(own_files.LARGEST + 1)  # one more, so that it is refused with a sentence
        try:
            self._upload = Upload(self.get_query_argument("name", ""))
        except UserError as error:
            self._problem = str(error)

    def data_received(self, chunk: bytes) -> None:
        """Write a piece."""
        if self._upload and not self._problem:
            try:
                self._upload.write(chunk)
            except UserError as error:
                self._problem = str(error)

    def post(self) -> None:
        """Give the file its name, and answer with it.

        Raises:
            Refused: it is of no kind, empty or too large, or the folder or the disk is full.
        """
        try:
            if self._upload is None or self._problem:
                raise UserError(self._problem)
            file = self._upload.finish()
        except UserError as error:
            raise Refused(str(error), HTTPStatus.BAD_REQUEST) from error
        self.finish({"kind": self._upload.kind, "name": file.name})

    def on_finish(self) -> None:
        """Nothing half stays."""
        if self._upload:
            self._upload.give_up()

    def on_connection_close(self) -> None:
        """Nor when the browser goes away."""
        self.on_finish()


class Verdict(Threaded):
    """What `inspect` says of one's own files."""

    def initialize(self, threads: ThreadPoolExecutor) -> None:
        """Take what all requests share."""
        self._threads = threads

    async def post(self, kind: str) -> None:
        """Answer with the report and the command to train on them."""
        self.finish(await self.in_thread(own_files.verdict, kind))
