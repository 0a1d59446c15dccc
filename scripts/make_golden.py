#!/usr/bin/env python3
"""Writes the golden numbers that TransformerTests compare with (Tests/TransformerTests/Golden).

For developers; the fixtures are committed. Needs, besides Python 3.10 or newer:
    pip install torch==2.13.0+cpu transformers==5.23.0 peft==0.21.2 tokenizers==0.23.3 safetensors==0.8.0
(the +cpu wheel stands in PyTorch's own index), and the weights that scripts/fetch_model.py fetches.

    scripts/make_golden.py [--model models/all-MiniLM-L6-v2] [--output Tests/TransformerTests/Golden]
"""

import argparse
import json
import platform
from importlib.metadata import version
from pathlib import Path

import torch
import transformers
from safetensors import safe_open

from golden import minilm, tiny

ROOT = Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "all-MiniLM-L6-v2")
    parser.add_argument("--output", type=Path, default=ROOT / "Tests" / "TransformerTests" / "Golden")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    settings = {"tiny": tiny.write(arguments.output), "minilm": minilm.write(arguments.output, arguments.model)}
    write_index(arguments.output, settings)
    for path in arguments.output.rglob("*.safetensors"):
        path.chmod(0o644)


def write_index(golden, settings):
    """Names, kinds and shapes of every stored tensor, the settings, and what computed them."""
    packages = ["torch", "transformers", "peft", "tokenizers", "safetensors"]
    versions = {"python": platform.python_version()} | {name: version(name) for name in packages}
    files = {str(p.relative_to(golden)): tensor_table(p) for p in sorted(golden.rglob("*.safetensors"))}
    index = {"versions": versions, "computedIn": "F64", "settings": settings, "files": files}
    (golden / "index.json").write_text(json.dumps(index, indent=1) + "\n")


def tensor_table(path):
    with safe_open(str(path), "pt") as file:
        slices = {name: file.get_slice(name) for name in sorted(file.keys())}
        return {name: f"{s.get_dtype()} {s.get_shape()}" for name, s in slices.items()}


if __name__ == "__main__":
    main()
