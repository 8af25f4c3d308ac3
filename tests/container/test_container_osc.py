"""OSC from the container: a client on this computer asks, and hears paths of this computer."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from containers import Workshop, until
from osc_clients import Client

from workshop.host.ports import OSC_VARIABLE

pytestmark = pytest.mark.container


def test_a_client_on_this_computer_is_answered_with_its_own_paths(door: Workshop) -> None:
    with Client(patience=120) as client:
        client.to = int(door.env[OSC_VARIABLE])
        start = subprocess.Popen(
            [shutil.which("bash") or "bash", str(door.clone / "start.sh"), "osc", "verse"],
            env={**door.env, "WORKSHOP_ANSWER_TO": str(client.port)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            assert start.stderr
            said = ""
            while "files go to" not in said:
                said = start.stderr.readline()
                assert said, f"it ended with {start.wait()}"
            assert said.strip() == f"files go to {door.clone}/data/generated/osc"
            _, id, _, path, seed, text = client.ask("/text/generate", 3, 60, 0.7, 11, "oh")
            assert (id, seed) == (3, 11)
            assert Path(path).parent == door.clone / "data" / "generated" / "osc"
            assert Path(path).read_text("utf-8") == f"{text}\n"
            folder = str(door.clone / "data" / "generated" / "osc" / "mine")
            assert client.ask("/folder", folder) == ["/folder", folder]
            assert "is not in a folder that files may go to" in client.ask("/folder", "/etc")[1]
            # It finds the page's server, which may still begin, and its token, beside itself in the container.
            until(lambda: "no page of loops is open" in client.ask("/slots/tempo", 90)[1], "the page's server", 60)
            for number in range(20):
                client.send("/text/generate", number, 20)
            assert [client.hear()[1] for _ in range(20)] == list(range(20))
        finally:
            os.killpg(start.pid, signal.SIGINT)
        start.communicate(timeout=30)
    until(lambda: not door.inside("pgrep", "--full", "workshop.osc", status=None).strip(), "its end", 20)
