"""What a source of data yields: labelled texts or problems to be answered, and how rows are split."""

import hashlib
from typing import Any, Dict, List, NamedTuple, Optional


class Row(NamedTuple):
    """One example; `label` and `group` are names, a pair has two texts."""

    text: str
    label: str
    pair: Optional[str] = None
    group: Optional[str] = None


class Problem(NamedTuple):
    """One example of a generation task: a question, the answer to learn, and the facts that answers are graded by."""

    question: str
    answer: str
    facts: Dict[str, Any]
    group: Optional[str] = None

    @property
    def text(self):
        return self.question


class Source(NamedTuple):
    """A data set before tokenisation; its rows are labelled, or problems when a grader is named."""

    description: str
    labels: List[str]
    train: Optional[List]  # None when there is nothing to train on
    test: List
    notices: Dict[str, str] = {}  # file name → text to be kept beside the data, such as a licence
    grader: Optional[str] = None
    others: Dict[str, List] = {}  # further splits to test on, by name

    @property
    def splits(self):
        """The rows of every split, by name."""
        train = {} if self.train is None else {"train": self.train}
        return {**train, "test": self.test, **self.others}


class Encoded(NamedTuple):
    """The rows of a split that are kept, as they are written."""

    rows: List
    tokens: List[List[int]]  # of each row
    tensors: Dict[str, Any]  # besides tokens, offsets and groups
    lines: List[str] = []  # JSON, one a row


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
