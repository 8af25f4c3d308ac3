"""The settings of a student's server in a class; what they say is in workshop/classroom."""

from workshop.classroom.pages import pages

c = get_config()  # noqa: F821 # Jupyter gives it to this file
c.ServerProxy.servers = pages()
c.ServerApp.jpserver_extensions = {"jupyter_server_proxy": True, "workshop.classroom.activity": True}
# A login shell, which is the default, would read /etc/profile and lose the way to the workshop's Python.
c.ServerApp.terminado_settings = {"shell_command": ["bash"]}
