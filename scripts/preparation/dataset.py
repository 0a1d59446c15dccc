"""Tokenises a source and writes a data-set folder: dataset.json, train.safetensors, test.safetensors.

Rows stand one after another, ragged: row i is tokens[offsets[i] ..< offsets[i + 1]].
"""

import hashlib
import json
from pathlib import Path

from . import tensorfile
from .errors import InputError
from .files import read_text, replaced_folder, require_file, sha256

FORMAT, VERSION = "florana-dataset", 1
STAMP = ".prepared"
SHORTEST = 5  # two texts of one token each and the three marks around them


class Tokenisation:
    """A model's tokeniser and the longest row that is kept, in tokens."""

    def __init__(self, model, maximum_length):
        self.file = Path(model) / "tokenizer.json"
        self.maximum_length = maximum_length
        require_file(self.file, "the tokenizer of a model (scripts/fetch_model.py fetches one)")
        check_length(maximum_length, Path(model) / "config.json")
        self.sha256 = sha256(self.file)

    def encode(self, rows):
        """Encodings with the model's own marks ([CLS] … [SEP]), truncated, never padded."""
        tokenizer = load_tokenizer(self.file)
        tokenizer.no_padding()
        tokenizer.enable_truncation(self.maximum_length)
        return tokenizer.encode_batch([row.text if row.pair is None else (row.text, row.pair) for row in rows])


def load_tokenizer(file):
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise InputError("the Python package tokenizers is missing: run scripts/setup.sh, which makes .venv") from None
    return Tokenizer.from_file(str(file))


def check_length(length, config):
    """Positions beyond the model's own have no embedding."""
    limit = None
    if config.is_file():
        limit = json.loads(read_text(config, "a model's configuration")).get("max_position_embeddings")
    if length < SHORTEST or (limit and length > limit):
        upper = f" and {limit} (max_position_embeddings of {config})" if limit else " and the model's positions"
        raise InputError(f"--maximum-length: expected a number between {SHORTEST}{upper}, found {length}")


def fingerprint(inputs, tokenisation):
    """A checksum of everything that the prepared files depend on."""
    facts = [FORMAT, VERSION, inputs, tokenisation.sha256, tokenisation.maximum_length]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def is_prepared(folder, stamp):
    """Whether the folder was written from the same inputs before."""
    path = folder / STAMP
    complete = all((folder / name).is_file() for name in ("dataset.json", "train.safetensors", "test.safetensors"))
    return complete and path.is_file() and path.read_text().strip() == stamp


def write(folder, source, tokenisation, stamp):
    """Writes the folder in one move and returns what dataset.json says."""
    for name, rows in (("train", source.train), ("test", source.test)):
        if not rows:
            raise InputError(f"{source.description}: expected rows for {name}, found none")
    groups = sorted({row.group for row in source.train + source.test if row.group is not None})
    with replaced_folder(folder) as sibling:
        splits = {}
        for name, rows in (("train", source.train), ("test", source.test)):
            splits[name] = write_split(sibling / f"{name}.safetensors", rows, source.labels, groups, tokenisation)
        description = describe(folder.name, source, groups, tokenisation, splits)
        (sibling / "dataset.json").write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n")
        for name, text in source.notices.items():
            (sibling / name).write_text(text)
        (sibling / STAMP).write_text(stamp + "\n")
    return description


def describe(name, source, groups, tokenisation, splits):
    description = {"format": FORMAT, "version": VERSION, "name": name, "task": "classification",
                   "labels": source.labels}
    if groups:
        description["groups"] = groups
    return {**description, "tokenizer": {"sha256": tokenisation.sha256},
            "maximumLength": tokenisation.maximum_length, "source": source.description, "splits": splits}


def write_split(path, rows, labels, groups, tokenisation):
    """One file of tensors; returns its numbers of rows and tokens."""
    encodings = tokenisation.encode(rows)
    offsets = [0]
    for encoding in encodings:
        offsets.append(offsets[-1] + len(encoding.ids))
    label_of = {name: index for index, name in enumerate(labels)}
    tensors = {
        "tokens": ("I32", [token for encoding in encodings for token in encoding.ids]),
        "offsets": ("I64", offsets),
        "labels": ("I32", [label_of[row.label] for row in rows]),
    }
    if groups:
        group_of = {name: index for index, name in enumerate(groups)}
        tensors["groups"] = ("I32", [group_of[row.group] for row in rows])
    if any(row.pair is not None for row in rows):
        tensors["tokenTypes"] = ("U8", [kind for encoding in encodings for kind in encoding.type_ids])
    tensorfile.write(path, tensors)
    return {"rows": len(rows), "tokens": offsets[-1]}
