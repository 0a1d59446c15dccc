"""What `florana benchmark servers --json` printed: one line a mode and number of clients, of one or several jobs."""

import json

from preparation.errors import InputError

NAME = "servers.jsonl"
NEEDED = ["mode", "ranks", "cohort", "seconds"]


def read(path):
    """The lines as dictionaries."""
    rows = []
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                rows.append(checked(json.loads(line), f"{path}:{number}"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: expected lines of florana benchmark servers --json, found {error}") from None
    if not rows:
        raise InputError(f"{path}: expected lines of florana benchmark servers --json, found none")
    return rows


def checked(row, place):
    missing = [name for name in NEEDED if not isinstance(row, dict) or name not in row]
    if missing:
        raise InputError(f"{place}: expected a line of florana benchmark servers --json, found no {', '.join(missing)}")
    return row
