#!/usr/bin/env python3
"""Merges the tables that `florana scaling` left on several numbers of ranks into one, with the speed-up and the
efficiency of every row against the fewest ranks that did the same work (strong), or the same work a rank (weak).

    scripts/merge_scaling.py --output runs/sweep/scaling.csv runs/sweep/ranks-*/scaling.csv
"""

import argparse

from plotting import scaling
from preparation import errors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="+", metavar="CSV", help="a scaling.csv of each number of ranks")
    parser.add_argument("--output", required=True, metavar="CSV", help="the merged table")
    arguments = parser.parse_args()
    rows = scaling.merged([scaling.read(path) for path in arguments.tables])
    scaling.write(rows, arguments.output)
    print(f"{scaling.text(rows)}\nresults: {arguments.output}")


if __name__ == "__main__":
    errors.run(main)
