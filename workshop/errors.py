"""The one exception that a person is meant to read."""


class UserError(Exception):
    """Something that the user can put right: one sentence that names the file or argument, the reason, and what to do.

    Scripts print it without a traceback and exit with status 2.
    """
