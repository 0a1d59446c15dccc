#!/usr/bin/env python3
"""Draws what runs have left: accuracy and gap by round, ρ between its two bounds, time by phase, bytes by method; and
of `florana scaling` the seconds and the efficiency by ranks or clients, of `florana benchmark servers` the exchange's.

    scripts/plot.py runs/sentiment-20260131-120000          figures beside the run's data
    scripts/plot.py runs/methods                            the runs of a comparison, in one set of figures
    scripts/plot.py runs/a runs/b --output figures --format svg
    scripts/plot.py runs/sweep                              a folder with scaling.csv
    scripts/plot.py runs/servers                            a folder with servers.jsonl: benchmark servers --json

Figures of several folders land in --output, by default in the folder around them. matplotlib is that of the running
interpreter, or of .build-plotting, which the first call makes.
"""

import argparse
import os
from pathlib import Path

from preparation import errors, plotting as environment
from preparation.errors import InputError
from plotting import runs as data, scaling, servers


def main():
    arguments = parse()
    folders = [Path(folder) for folder in arguments.folders]
    tables = [folder / scaling.NAME for folder in folders if (folder / scaling.NAME).is_file()]
    runs = [run for folder in folders for run in found(folder)]
    if len(tables) > 1:
        raise InputError(f"expected one folder with {scaling.NAME}, found {len(tables)}; "
                         "merge them with scripts/merge_scaling.py")
    rows = scaling.read(tables[0]) if tables else None
    exchanges = [folder / servers.NAME for folder in folders if (folder / servers.NAME).is_file()]
    lines = [line for path in exchanges for line in servers.read(path)]
    environment.ENVIRONMENT.enter()
    output = Path(arguments.output) if arguments.output else common(folders)
    for name, figure in drawn(runs, rows, lines):
        for path in save(figure, output, name, arguments.format or ["png"]):
            print(path)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", metavar="RUN_DIR", help="the folder of a run, a comparison or a sweep")
    parser.add_argument("--output", metavar="DIR", help="where the figures go")
    parser.add_argument("--format", action="append", choices=["png", "svg", "pdf"], help="may be repeated (png)")
    return parser.parse_args()


def found(folder):
    """The folder's runs; a folder without any has to hold another table."""
    runs = data.find(folder)
    tables = [scaling.NAME, servers.NAME]
    if not runs and not any((folder / name).is_file() for name in tables):
        raise InputError(f"{folder}: expected rounds.jsonl, {', '.join(tables)}, or folders of runs; found none of them")
    return runs


def common(folders):
    return folders[0] if len(folders) == 1 else Path(os.path.commonpath([folder.resolve() for folder in folders]))


def drawn(runs, rows, lines):
    """Names and figures, without those that have nothing to show."""
    from plotting import figures, scaling_figures, server_figures
    result = []
    if runs:
        result += [("accuracy", figures.accuracy_and_gap(runs)), ("rho", figures.rho(runs)),
                   ("phases", figures.phases(runs)), ("bytes", figures.bytes_by_method(runs))]
    if rows:
        result += [("scaling", scaling_figures.curves(rows)), ("scaling-phases", scaling_figures.phases(rows))]
    if lines:
        result.append(("servers", server_figures.exchange(lines)))
    return [(name, figure) for name, figure in result if figure is not None]


def save(figure, folder, name, formats):
    paths = [folder / f"{name}.{ending}" for ending in dict.fromkeys(formats)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in paths:
            figure.savefig(path, dpi=150)
    except OSError as error:
        raise InputError(f"{folder}: expected a folder that can be written, found {error}") from None
    return paths


if __name__ == "__main__":
    errors.run(main)
