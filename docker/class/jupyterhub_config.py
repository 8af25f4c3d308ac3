"""JupyterHub's settings for a class; what they say is in workshop/classroom/hub.py."""

from workshop.classroom.hub import configure

configure(get_config())  # noqa: F821 # JupyterHub gives it to this file
