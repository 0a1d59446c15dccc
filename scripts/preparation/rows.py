"""What a source of data yields: labelled texts, and how rows are split."""

import hashlib
from typing import Dict, List, NamedTuple, Optional


class Row(NamedTuple):
    """One example; `label` and `group` are names, a pair has two texts."""

    text: str
    label: str
    pair: Optional[str] = None
    group: Optional[str] = None


class Source(NamedTuple):
    """A data set before tokenisation."""

    description: str
    labels: List[str]
    train: List[Row]
    test: List[Row]
    notices: Dict[str, str] = {}  # file name → text to be kept beside the data, such as a licence


def is_test(text):
    """One text in ten, by the text alone, so that the split never depends on order or on other rows."""
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % 10 == 0


def split(rows):
    """Train and test rows by `is_test`."""
    return [row for row in rows if not is_test(row.text)], [row for row in rows if is_test(row.text)]


def without_duplicates(rows):
    """The first row of every text."""
    first = {}
    for row in rows:
        first.setdefault(row.text, row)
    return list(first.values())
