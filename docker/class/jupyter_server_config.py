"""The settings of a student's server in a class; what they say is in workshop/classroom."""

from workshop.classroom.pages import pages

c = get_config()  # noqa: F821 # Jupyter gives it to this file
c.ServerProxy.servers = pages()
c.ServerApp.jpserver_extensions = {"jupyter_server_proxy": True, "workshop.classroom.activity": True}
