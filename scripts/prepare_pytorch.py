#!/usr/bin/env python3
"""Makes .build-pytorch: an environment with PyTorch for CPU, transformers and PEFT at the versions of
scripts/requirements-pytorch.txt. Does nothing when it is there. Exit status 2: it cannot be made here, and why.

    scripts/prepare_pytorch.py
"""

from preparation import errors, pytorch

if __name__ == "__main__":
    errors.run(lambda: pytorch.ENVIRONMENT.command(__doc__))
