#!/usr/bin/env python3
"""Writes the golden numbers that TransformerTests compare with (Tests/TransformerTests/Golden).

For developers; the fixtures are committed. Needs the weights that scripts/fetch_model.py fetches and what
scripts/requirements-pytorch.txt names: of the running interpreter, or of .build-pytorch, which the first call makes.

    scripts/make_golden.py [--models models] [--output Tests/TransformerTests/Golden]
    scripts/make_golden.py --check          computes them anew and compares: writes nothing, exit status 2 on a difference;
                                            those of all-mpnet-base-v2 where that has been fetched
"""

import argparse
import json
import platform
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from preparation import errors, pytorch
from preparation.environment import MODELS, ROOT
from preparation.files import require_file

REAL = ["all-MiniLM-L6-v2", "SmolLM2-135M-Instruct"]
LARGE = "all-mpnet-base-v2"

def main():
    arguments = parse()
    for name in REAL if arguments.check else [*REAL, LARGE]:
        require_file(weights(arguments.models, name), "the weights that scripts/fetch_model.py fetches")
    pytorch.ENVIRONMENT.enter()
    if not arguments.check:
        return write(arguments.output, arguments.models)
    from golden import comparison

    with tempfile.TemporaryDirectory() as scratch:
        write(Path(scratch), arguments.models, arguments.output)
        print(f"{comparison.require_same(arguments.output, Path(scratch))} files of golden numbers: reproduced")
        if not weights(arguments.models, LARGE).exists():
            print(f"those of {LARGE}, which is not there: taken as they stand")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=MODELS, metavar="DIR", help=f"with {', '.join(REAL)} and {LARGE}")
    parser.add_argument("--output", type=Path, default=ROOT / "Tests" / "TransformerTests" / "Golden", metavar="DIR")
    parser.add_argument("--check", action="store_true", help="compare with what stands there")
    return parser.parse_args()


def weights(models, name):
    return models / name / "model.safetensors"


def write(golden, models, committed=None):
    """Writes all; what needs the large model is taken from `committed` where that model is not there."""
    import torch
    import transformers

    from golden import minilm, mpnet, smollm2, tiny, tiny_decoders, tiny_encoders

    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    minilm_folder, smollm2_folder = (models / name for name in REAL)
    settings = {"tiny": tiny.write(golden), "minilm": minilm.write(golden, minilm_folder)}
    settings |= tiny_decoders.write(golden) | {"smollm2": smollm2.write(golden, smollm2_folder)}
    settings |= tiny_encoders.write(golden)
    has_large = committed is None or weights(models, LARGE).exists()
    settings["mpnet"] = mpnet.write(golden, models / LARGE) if has_large else taken_over("mpnet", committed, golden)
    write_index(golden, settings)
    for path in golden.rglob("*.safetensors"):
        path.chmod(0o644)


def taken_over(name, committed, golden):
    """Copies a folder of fixtures and returns its settings."""
    shutil.copytree(committed / name, golden / name)
    return json.loads((committed / "index.json").read_text())["settings"][name]


def write_index(golden, settings):
    """Names, kinds and shapes of every stored tensor, the settings, and what computed them."""
    packages = ["torch", "transformers", "peft", "tokenizers", "safetensors"]
    versions = {"python": platform.python_version()} | {name: version(name) for name in packages}
    files = {str(p.relative_to(golden)): tensor_table(p) for p in sorted(golden.rglob("*.safetensors"))}
    index = {"versions": versions, "computedIn": "F64", "settings": settings, "files": files}
    (golden / "index.json").write_text(json.dumps(index, indent=1) + "\n")


def tensor_table(path):
    from safetensors import safe_open

    with safe_open(str(path), "pt") as file:
        slices = {name: file.get_slice(name) for name in sorted(file.keys())}
        return {name: f"{s.get_dtype()} {s.get_shape()}" for name, s in slices.items()}


if __name__ == "__main__":
    errors.run(main)
