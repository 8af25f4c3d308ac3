"""The hub's own commands, which its container runs.

    python -m workshop.class_hub run | passwords | fingerprint | alive

`./start.sh class` and docker-compose.yml call it.
"""

import argparse
import os
import sqlite3
import ssl
import sys
import urllib.request
from contextlib import suppress

from workshop import ROOT, cli
from workshop.classroom import certificate, disk, passwords, settings
from workshop.errors import UserError

#: JupyterHub's settings, which only call `workshop.classroom.hub`.
CONFIG = ROOT / "docker" / "class" / "jupyterhub_config.py"

#: In the hub's folder, where JupyterHub keeps the number of its proxy's process.
PROXY = "jupyterhub-proxy.pid"

#: A page of the hub that asks for nothing.
ALIVE = "https://127.0.0.1:8000/hub/health"


def new_passwords() -> None:
    """Make new passwords, and print them this once."""
    kept, student, teacher = passwords.make()
    passwords.write(kept, settings.FOLDER / "passwords.json")
    if settings.read().sign_in == settings.ACCOUNTS:
        print("Students sign up with passwords of their own; those are not changed by this.")
    else:
        print(f"Students sign in with any name and the password      {student}")
    print(f"The teacher signs in as '{passwords.TEACHER}' with the password     {teacher}")
    print("They are shown this once; './start.sh class passwords' makes new ones.", flush=True)


def show_fingerprint() -> None:
    """Print the certificate's fingerprint, by which a person recognises the server."""
    print(
        f"Its certificate's SHA-256    {certificate.fingerprint(settings.FOLDER / certificate.CERTIFICATE)}", flush=True
    )


def prepare() -> None:
    """Make the certificate and the passwords if they are missing, and a new certificate in time; say what is new.

    Raises:
        UserError: the hub's folder cannot be written, or a setting is wrong.
    """
    wanted = settings.read()
    try:
        settings.FOLDER.mkdir(parents=True, exist_ok=True)
        if certificate.is_wanted(settings.FOLDER):
            certificate.make(settings.FOLDER, ["localhost", "127.0.0.1", *wanted.hosts])
            show_fingerprint()
        if not (settings.FOLDER / "passwords.json").exists():
            new_passwords()
    except OSError as error:
        raise UserError(
            f"The hub cannot write in '{settings.FOLDER}' ({error.strerror}): make room on the disk."
        ) from None


def run() -> None:
    """Be the hub until it is stopped."""
    prepare()
    os.chdir(settings.FOLDER)
    # This is its container's first process, so whatever now has that number is not the proxy but the hub's own thread,
    # and JupyterHub would end it.
    (settings.FOLDER / PROXY).unlink(missing_ok=True)
    with suppress(OSError, sqlite3.Error):  # a full disk, of which the hub's pages warn
        disk.reserve(settings.FOLDER / settings.DATABASE)
    os.execvp("jupyterhub", ["jupyterhub", "--config", str(CONFIG)])  # noqa: S606


def alive() -> int:
    """0 if the hub answers; for the container's health check."""
    # It asks itself, by a name of no importance.
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting))
    try:
        with opener.open(ALIVE, timeout=3):
            return 0
    except OSError:
        return 1


def main() -> None:
    """Do what the command line asks for."""
    parser = cli.Parser(prog="python -m workshop.class_hub", description="The hub of a class on one server.")
    verbs = ("run", "prepare", "passwords", "fingerprint", "alive")
    parser.add_argument("what", choices=verbs, help="be the hub, or do one thing in its container")
    args: argparse.Namespace = parser.read()
    os.umask(0o077)
    if args.what == "alive":
        sys.exit(alive())
    {"run": run, "prepare": prepare, "passwords": new_passwords, "fingerprint": show_fingerprint}[args.what]()
