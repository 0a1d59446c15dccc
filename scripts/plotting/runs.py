"""The rounds of runs, as `florana simulate` and `florana compare` leave them."""

import json
from dataclasses import dataclass
from pathlib import Path

from preparation.errors import InputError

PHASES = ["train", "pack", "wait", "gather", "estimate", "broadcast", "apply", "evaluate"]
BYTES = ["logicalUp", "logicalDown", "gathered", "broadcast"]


@dataclass(frozen=True)
class Run:
    folder: Path
    rounds: list

    @property
    def method(self):
        return self.rounds[0]["method"]

    def series(self, *keys):
        """The rounds that have a number under these keys, and the numbers."""
        pairs = [(row["round"], at(row, keys)) for row in self.rounds]
        pairs = [(number, value) for number, value in pairs if value is not None]
        return [number for number, _ in pairs], [value for _, value in pairs]

    def mean(self, *keys):
        """Over all rounds; 0 where none has the figure."""
        _, values = self.series(*keys)
        return sum(values) / len(values) if values else 0.0


def at(row, keys):
    for key in keys:
        row = row.get(key) if isinstance(row, dict) else None
    return row


def find(folder):
    """The runs in a folder: its own, or those of its subfolders, as a comparison has them."""
    if not folder.is_dir():
        raise InputError(f"{folder}: expected the folder of a run, found {'a file' if folder.exists() else 'nothing'}")
    if (folder / "rounds.jsonl").exists():
        return [read(folder)]
    return [read(path.parent) for path in sorted(folder.glob("*/rounds.jsonl"))]


def read(folder):
    path = folder / "rounds.jsonl"
    rounds = [parsed(line, f"{path}:{number}") for number, line in enumerate(lines(path), 1)]
    if not rounds:
        raise InputError(f"{path}: expected a line a round, found none: the run has not finished its first round")
    return Run(folder, rounds)


def lines(path):
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: expected a text file that can be read, found {error}") from None


def parsed(line, place):
    try:
        row = json.loads(line)
    except ValueError as error:
        raise InputError(f"{place}: expected a JSON object, found {error}") from None
    missing = [key for key in ("round", "method", "bytes", "seconds") if not isinstance(row, dict) or key not in row]
    if missing:
        raise InputError(f"{place}: expected a round with {', '.join(missing)}, found {line[:40]}")
    return row


def labels(runs):
    """Names that tell runs apart: their methods, with their folders where methods repeat."""
    methods = [run.method for run in runs]
    return [method if methods.count(method) == 1 else f"{method} ({run.folder.name})"
            for method, run in zip(methods, runs)]
