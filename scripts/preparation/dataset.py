"""Tokenises a source and writes a data-set folder: dataset.json, and SPLIT.safetensors for train, test and others.

Rows stand one after another, ragged: row i is tokens[offsets[i] ..< offsets[i + 1]]. What rows hold besides tokens is
the task's: labels here, prompts and answers in generation.py.
"""

import hashlib
import json
from pathlib import Path

from . import generation, tensorfile
from .errors import InputError
from .files import read_text, replaced_folder, require_file, sha256
from .rows import Encoded

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

    def tokenizer(self):
        """The model's own, which neither fills rows up nor cuts them."""
        tokenizer = load_tokenizer(self.file)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    def encode(self, rows):
        """Encodings with the model's own marks ([CLS] … [SEP]), truncated, never padded."""
        tokenizer = self.tokenizer()
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
    if not path.is_file() or path.read_text().strip() != stamp or not (folder / "dataset.json").is_file():
        return False
    description = json.loads((folder / "dataset.json").read_text())
    kinds = ("safetensors", "jsonl") if "grader" in description else ("safetensors",)
    return all((folder / f"{split}.{kind}").is_file() for split in description["splits"] for kind in kinds)


def write(folder, source, tokenisation, stamp):
    """Writes the folder in one move and returns what dataset.json says."""
    task = generation.Generation(source.grader, tokenisation) if source.grader else Classification(source, tokenisation)
    for name, rows in source.splits.items():
        if not rows:
            raise InputError(f"{source.description}: expected rows for {name}, found none")
    groups = sorted({row.group for rows in source.splits.values() for row in rows if row.group is not None})
    with replaced_folder(folder) as sibling:
        splits = {name: write_split(sibling, name, rows, groups, task) for name, rows in source.splits.items()}
        description = describe(folder.name, source, groups, task, tokenisation, splits)
        (sibling / "dataset.json").write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n")
        for name, text in source.notices.items():
            (sibling / name).write_text(text)
        (sibling / STAMP).write_text(stamp + "\n")
    return description


def describe(name, source, groups, task, tokenisation, splits):
    description = {"format": FORMAT, "version": VERSION, "name": name, **task.description}
    if groups:
        description["groups"] = groups
    return {**description, "tokenizer": {"sha256": tokenisation.sha256},
            "maximumLength": tokenisation.maximum_length, "source": source.description, "splits": splits}


def write_split(folder, name, rows, groups, task):
    """The files of one split; returns its numbers of rows and tokens."""
    encoded = task.encode(rows)
    offsets = [0]
    for tokens in encoded.tokens:
        offsets.append(offsets[-1] + len(tokens))
    tensors = {"tokens": ("I32", [token for tokens in encoded.tokens for token in tokens]), "offsets": ("I64", offsets),
               **encoded.tensors}
    if groups:
        group_of = {name: index for index, name in enumerate(groups)}
        tensors["groups"] = ("I32", [group_of[row.group] for row in encoded.rows])
    tensorfile.write(folder / f"{name}.safetensors", tensors)
    if encoded.lines:
        (folder / f"{name}.jsonl").write_text("".join(line + "\n" for line in encoded.lines), encoding="utf-8")
    dropped = len(rows) - len(encoded.rows)
    return {"rows": len(encoded.rows), "tokens": offsets[-1], **({"dropped": dropped} if dropped else {})}


class Classification:
    """Texts, or pairs of texts, with a label each."""

    def __init__(self, source, tokenisation):
        self.description = {"task": "classification", "labels": source.labels}
        self.label_of = {name: index for index, name in enumerate(source.labels)}
        self.tokenisation = tokenisation

    def encode(self, rows):
        encodings = self.tokenisation.encode(rows)
        tensors = {"labels": ("I32", [self.label_of[row.label] for row in rows])}
        if any(row.pair is not None for row in rows):
            tensors["tokenTypes"] = ("U8", [kind for encoding in encodings for kind in encoding.type_ids])
        return Encoded(rows, [encoding.ids for encoding in encodings], tensors)
