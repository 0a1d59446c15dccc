"""The tables of `florana scaling`: read, and merged over numbers of ranks."""

import csv
from pathlib import Path

from preparation.errors import InputError

NAME = "scaling.csv"
ADDED = ["rankSpeedUp", "rankEfficiency"]
NEEDED = ["mode", "ranks", "clients", "clientsPerRank", "secondsMean", "tokensPerSecond", "speedUp", "efficiency"]
WORDS = {"mode"}


def read(path):
    """The rows of a table: figures as numbers, None where there is none."""
    path = Path(path)
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: expected a table that can be read, found {error}") from None
    if not rows:
        raise InputError(f"{path}: expected rows of florana scaling, found none")
    missing = [name for name in NEEDED if name not in rows[0]]
    if missing:
        raise InputError(f"{path}: expected a table of florana scaling, found no column {', '.join(missing)}")
    return [{name: number(name, text, f"{path}:{line}") for name, text in row.items()}
            for line, row in enumerate(rows, 2)]


def number(name, text, place):
    if name in WORDS or not text:
        return text or None
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except (TypeError, ValueError):
        raise InputError(f"{place}: {name}: expected a number, found {text}") from None


def series(row):
    """What rows of several numbers of ranks have in common: the whole work, or the work of a rank."""
    return row["clients"] if row["mode"] == "strong" else row["clientsPerRank"]


def merged(tables):
    """All rows by clients and ranks, beside the row of the fewest ranks with the same work (strong) or the same work a
    rank (weak): rankSpeedUp is trained tokens a second over that row's, rankEfficiency the same by rank."""
    rows = [row for table in tables for row in table]
    modes = sorted({row["mode"] for row in rows})
    if len(modes) > 1:
        raise InputError(f"expected tables of one mode, found {' and '.join(modes)}")
    seen = set()
    for row in rows:
        if (row["ranks"], row["clients"]) in seen:
            raise InputError(f"expected each number of clients once a number of ranks, found {row['clients']} clients "
                             f"on {row['ranks']} ranks twice")
        seen.add((row["ranks"], row["clients"]))
    rows.sort(key=lambda row: (series(row), row["ranks"]))
    first = {}
    result = []
    for row in rows:
        reference = first.setdefault(series(row), row)
        speed_up = row["tokensPerSecond"] / reference["tokensPerSecond"]
        result.append({**row, "rankSpeedUp": speed_up, "rankEfficiency": speed_up * reference["ranks"] / row["ranks"]})
    return result


def write(rows, path):
    """One line a row; the file is put in place as a whole."""
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path}: expected a file that can be written, found {error}") from None


def text(rows):
    """The figures of interest in aligned columns."""
    columns = [("ranks", "ranks", "{:d}"), ("clients", "clients", "{:d}"), ("round s", "secondsMean", "{:.3f}"),
               ("train s", "trainSecondsMaximum", "{:.3f}"), ("wait s", "waitSecondsMaximum", "{:.3f}"),
               ("gather s", "gatherSecondsMaximum", "{:.3f}"), ("estimate s", "estimateSecondsMaximum", "{:.3f}"),
               ("broadcast s", "broadcastSecondsMaximum", "{:.3f}"), ("tokens/s", "tokensPerSecond", "{:.0f}"),
               ("speed-up", "rankSpeedUp", "{:.2f}"), ("efficiency", "rankEfficiency", "{:.2f}")]
    cells = [[title for title, _, _ in columns]]
    cells += [["-" if row.get(name) is None else shape.format(row[name]) for _, name, shape in columns] for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(columns))]
    return "".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths)) + "\n" for line in cells)
