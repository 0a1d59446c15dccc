#!/usr/bin/env python3
"""Makes .build-plotting: an environment with matplotlib at the version of scripts/requirements-plotting.txt. Does
nothing when it is there. Exit status 2: it cannot be made here, and why.

    scripts/prepare_plotting.py
"""

from preparation import errors, plotting

if __name__ == "__main__":
    errors.run(lambda: plotting.ENVIRONMENT.command(__doc__))
