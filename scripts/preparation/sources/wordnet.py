"""WordNet: the definition of a noun → its lexicographer class, eight classes of equal size."""

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from .. import environment
from ..errors import InputError
from ..files import read_text, sha256
from ..rows import Row, Source, split

INSTALLED = Path("/usr/share/wordnet")
CLASSES = {"05": "animal", "06": "artifact", "08": "body", "10": "communication", "13": "food", "18": "person",
           "20": "plant", "27": "substance"}  # numbers of lexnames(5WN)
ROWS_PER_CLASS = 1500
EXAMPLES = re.compile(r';\s*"')  # examples follow the definition in quotes
LINE_NUMBER = re.compile(r"^ +\d+ ")


def inputs(arguments):
    return {"data.noun": sha256(noun_file(arguments)), "classes": CLASSES, "rows": ROWS_PER_CLASS}


def load(arguments):
    """12,000 rows, 1,500 a class; which ones is decided by their checksums."""
    lines = read_text(noun_file(arguments), "WordNet's nouns").split("\n")
    rows = balanced(definitions(lines))
    train, test = split(rows)
    return Source("WordNet 3.0 noun definitions by lexicographer class", sorted(CLASSES.values()), train, test,
                  {"LICENSE": licence(lines)})


def definitions(lines):
    """{definition: class} of the chosen classes; a definition that stands in two classes is left out."""
    found = {}
    for line in lines:
        if not line or line.startswith(" "):
            continue
        label = CLASSES.get(line[9:11])
        text = EXAMPLES.split(line.partition(" | ")[2])[0].strip().rstrip(";").rstrip()
        if text:
            found[text] = label if found.get(text, label) == label else None
    return {text: label for text, label in found.items() if label}


def balanced(labels):
    """The rows with the smallest checksums of every class, in the order of the checksums."""
    ordered = sorted(labels, key=lambda text: hashlib.sha256(text.encode()).digest())
    rows = []
    for name in CLASSES.values():
        texts = [text for text in ordered if labels[text] == name]
        if len(texts) < ROWS_PER_CLASS:
            raise InputError(f"data.noun: expected {ROWS_PER_CLASS} definitions of class {name}, found {len(texts)}")
        rows += [Row(text, name) for text in texts[:ROWS_PER_CLASS]]
    return sorted(rows, key=lambda row: hashlib.sha256(row.text.encode()).digest())


def licence(lines):
    """WordNet's licence: the numbered lines at the head of the file, which must stay with the data."""
    head = [LINE_NUMBER.sub("", line).rstrip() for line in lines if line.startswith("  ")]
    return "\n".join(head) + "\n"


def noun_file(arguments):
    """data.noun of `--input`, of the installed package, or of the package unpacked into the cache."""
    if arguments.input:
        return Path(arguments.input) / "data.noun"
    unpacked = environment.cache() / "wordnet-base"
    for folder in (INSTALLED, unpacked):
        if (folder / "data.noun").is_file():
            return folder / "data.noun"
    unpack_package(unpacked)
    return unpacked / "data.noun"


def unpack_package(target):
    """Needs no root: apt downloads and checks the package, dpkg unpacks it."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            subprocess.run(["apt-get", "download", "wordnet-base"], cwd=scratch, check=True, capture_output=True)
            package = next(Path(scratch).glob("wordnet-base_*.deb"))
            subprocess.run(["dpkg", "-x", str(package), scratch], check=True, capture_output=True)
        except (OSError, StopIteration, subprocess.CalledProcessError):
            raise InputError("data.noun of WordNet is missing: install the Debian package wordnet-base, "
                             "or name the folder with --input") from None
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(scratch) / "usr/share/wordnet/data.noun", target)
