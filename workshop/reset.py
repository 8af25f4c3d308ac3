"""Put experiments aside, or delete them, their logs, or what can be made again.

    python -m workshop.reset

The command's name; the code is in `workshop/run/resetting.py`.
"""

from workshop import cli


def main() -> None:
    """Reset, as the command line says."""
    from workshop.audio import library
    from workshop.notes import midilibrary
    from workshop.run import compiled, resetting

    resetting.main((library.CACHE, midilibrary.CACHE, compiled.CACHE))


if __name__ == "__main__":
    cli.run(main)
