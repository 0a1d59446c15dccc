"""The error that ends a script with one line instead of a traceback."""

import sys


class InputError(Exception):
    """Something from outside is wrong: the message says what was expected, what was found, and where."""


def run(main):
    """Runs `main`; an `InputError` becomes one line on standard error and exit status 2."""
    try:
        main()
    except InputError as error:
        sys.exit(report(error))
    except KeyboardInterrupt:
        sys.exit(130)


def report(error):
    print(f"error: {error}", file=sys.stderr)
    return 2
