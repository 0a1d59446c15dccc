#!/usr/bin/env python3
"""Makes .build-pytorch: an environment with PyTorch for CPU, transformers and PEFT at the versions of
scripts/requirements-pytorch.txt. Does nothing when it is there. Exit status 2: it cannot be made here, and why.

    scripts/prepare_pytorch.py
"""

import argparse

from preparation import errors, pytorch


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    environment = pytorch.ENVIRONMENT
    print(f"{environment.folder.name}: {'made' if environment.install() else 'up to date'}")


if __name__ == "__main__":
    errors.run(main)
