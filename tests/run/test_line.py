"""The line between workers: who has said that it is done may end in any way."""

import socket
import struct
import time

import pytest

from workshop.run import line
from workshop.run.cluster import Place


@pytest.mark.parametrize(("said", "lost"), [(b'{"over": 1}\n', []), (b"", [1])])
def test_a_connection_that_is_reset_is_a_loss_before_the_end_alone(
    said: bytes, lost: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    first = line.Line(Place(("127.0.0.1:9", "127.0.0.1:9"), 0), str, lambda: None)
    monkeypatch.setattr(first, "end", ended.append)
    monkeypatch.setattr(line, "GRACE_SECONDS", 0)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as other:
        first._add(1, server.accept()[0])
        first._watch_all()
        other.sendall(said)
        time.sleep(0.2)
        # Closed so, it is reset, as where something that was said to it is not read.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    first._threads[0].join(10)
    first.close()
    assert ended == lost
