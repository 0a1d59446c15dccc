#!/usr/bin/env python3
"""Makes .build-plotting: an environment with matplotlib at the version of scripts/requirements-plotting.txt. Does
nothing when it is there. Exit status 2: it cannot be made here, and why.

    scripts/prepare_plotting.py
"""

import argparse

from preparation import errors, plotting


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    environment = plotting.ENVIRONMENT
    print(f"{environment.folder.name}: {'made' if environment.install() else 'up to date'}")


if __name__ == "__main__":
    errors.run(main)
