"""JSON lines of one's own: one object a line with a text, a label and, if wanted, a second text and a group."""

import json
from pathlib import Path

from ..errors import InputError
from ..files import read_text, require_file, sha256
from ..rows import Row, Source

KINDS = {str: "a string", int: "a whole number", list: "a list"}


def inputs(arguments):
    files = {"train": Path(arguments.train), "test": Path(arguments.test)}
    for path in files.values():
        require_file(path, "JSON lines")
    fields = [arguments.text_field, arguments.pair_field, arguments.label_field, arguments.group_field]
    return {"fields": fields, **{name: sha256(path) for name, path in files.items()}}


def load(arguments):
    """Labels are all strings or all whole numbers; their order is that of the sorted labels of the training rows."""
    train = read_rows(Path(arguments.train), arguments)
    test = read_rows(Path(arguments.test), arguments)
    labels = ordered_labels(train)
    for place, _, label in test:
        if str(label) not in labels:
            known = shortened(labels)
            raise InputError(f"{place}: expected a label of the training rows ({known}), found “{label}”")
    only_rows = lambda placed: [row for _, row, _ in placed]
    description = f"{Path(arguments.train).name}, {Path(arguments.test).name}"
    return Source(description, labels, only_rows(train), only_rows(test))


def read_rows(path, arguments):
    """Triples of the place, the row and the label as it stood in the file."""
    rows = []
    for place, values in objects(path):
        label = field(place, values, arguments.label_field, (str, int))
        optional = lambda name, kinds: field(place, values, name, kinds) if name else None
        group = optional(arguments.group_field, (str, int))
        row = Row(field(place, values, arguments.text_field, str), str(label), optional(arguments.pair_field, str),
                  None if group is None else str(group))
        rows.append((place, row, label))
    return rows


def ordered_labels(rows):
    """Numbers in the order of numbers, names in the order of letters."""
    kinds = {}
    for place, _, label in rows:
        kinds.setdefault(type(label), place)
    if len(kinds) > 1:
        text, number = kinds[str], kinds[int]
        raise InputError(f"expected labels of one kind, found a string at {text} and a number at {number}")
    labels = [str(label) for label in sorted({label for _, _, label in rows})]
    if rows and len(labels) < 2:
        raise InputError(f"{rows[0][0]}: expected two labels or more, found only “{labels[0]}”")
    return labels


def objects(path):
    """Pairs of the place (`file:line`) and the object of every line that is not empty."""
    for number, line in enumerate(read_text(path, "JSON lines").split("\n"), 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            values = json.loads(line)
        except json.JSONDecodeError as error:
            problem = f"an error at column {error.colno}: {error.msg}"
            raise InputError(f"{place}: expected a JSON object, found {problem}") from None
        if not isinstance(values, dict):
            raise InputError(f"{place}: expected a JSON object, found {type(values).__name__}")
        yield place, values


def field(place, values, name, kinds):
    """The value of a field, which has to be there and of one of the kinds; true and false are no numbers."""
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    expected = " or ".join(KINDS[kind] for kind in kinds)
    if name not in values:
        found = shortened(values) or "an empty object"
        raise InputError(f"{place}: expected {expected} in “{name}”, found only {found}")
    value = values[name]
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise InputError(f"{place}: expected {expected} in “{name}”, found {json.dumps(value)[:40]}")
    return value


def shortened(names):
    names = [f"“{name}”" for name in names]
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
