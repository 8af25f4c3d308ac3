"""A training that is quiet is not idle: a student's server counts it as activity, so that the hub lets it end."""

from datetime import UTC, datetime
from typing import Any

from workshop.run import trainings

#: Seconds between two looks. The hub asks far less often.
LOOK_SECONDS = 30.0

#: The name of our time among those of the server's last activities.
ENTRY = "workshop_training"


def note(times: dict[str, datetime], now: datetime) -> None:
    """Enter `now` among the times of a server's last activities while a training of the workshop runs."""
    if trainings.running():
        times[ENTRY] = now


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """What JupyterLab's server asks a module that extends it."""
    return [{"module": "workshop.classroom.activity"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Look for trainings from now on, for as long as the server runs."""
    from tornado.ioloop import PeriodicCallback

    times = server.web_app.settings["last_activity_times"]
    PeriodicCallback(lambda: note(times, datetime.now(UTC)), LOOK_SECONDS * 1000).start()
