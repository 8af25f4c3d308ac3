"""Takes what was recorded or played on the page, and gives a sound back to be heard."""

from http import HTTPStatus

from tornado.web import stream_request_body

from workshop.errors import UserError
from workshop.web import prompts
from workshop.web.prompts import Prompts
from workshop.web.security import Guarded, Refused
from workshop.web.sending import parsed


@stream_request_body
class Recording(Guarded):
    """Takes a WAV file, or notes."""

    def initialize(self, prompts: Prompts) -> None:
        """Take what all requests share."""
        self._prompts, self._body = prompts, bytearray()

    def prepare(self) -> None:
        """See that the visitor may.

        Raises:
            Refused: with the reason.
        """
        super().prepare()
        self.accept_body(prompts.LARGEST)

    def data_received(self, chunk: bytes) -> None:
        """Take a piece; there are at most so many as `prepare` has said."""
        self._body += chunk

    def post(self, makes: str) -> None:
        """Remember it, and answer with its name.

        Raises:
            Refused: it cannot be used.
        """
        try:
            content = bytes(self._body) if makes == "sound" else prompts.melody_file(parsed(bytes(self._body)))
            self.finish({"id": self._prompts.add(makes, content)})
        except UserError as error:
            raise Refused(str(error), HTTPStatus.BAD_REQUEST) from error


class Recorded(Guarded):
    """A sound that was recorded."""

    def initialize(self, prompts: Prompts) -> None:
        """Take what all requests share."""
        self._prompts = prompts

    def get(self, name: str) -> None:
        """Answer with the WAV file.

        Raises:
            Refused: it is forgotten.
        """
        try:
            content = self._prompts.content("sound", name)
        except UserError as error:
            raise Refused(str(error), HTTPStatus.BAD_REQUEST) from error
        self.set_header("Content-Type", "audio/wav")
        self.finish(content)
