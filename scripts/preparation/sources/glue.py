"""GLUE (Wang et al., 2019): tab-separated files as the benchmark ships them, or JSON lines of Hugging Face `datasets`.

    datasets.load_dataset("glue", "sst2")["train"].to_json("DIR/train.jsonl")      # and validation.jsonl

The development rows are the test split: the benchmark's own test rows have no labels.
"""

import csv
from pathlib import Path
from typing import List, NamedTuple, Optional

from ..errors import InputError
from ..files import read_text, sha256
from ..rows import Row, Source
from . import jsonl

csv.field_size_limit(1 << 24)
ENTAILMENT = ["entailment", "not_entailment"]


class Task(NamedTuple):
    """Columns by their names in the first line; CoLA has no such line, so its columns are named here."""

    labels: List[str]  # in the order of the numbers that the files use
    text: str
    pair: Optional[str] = None
    label: str = "label"
    group: Optional[str] = None
    columns: Optional[List[str]] = None
    development: str = "dev"
    dropped_label: Optional[str] = None
    broken_rows: bool = False  # the benchmark's own file has rows that lack columns
    published: Optional[List[str]] = None  # names of the texts in Hugging Face's copy, where they differ


TASKS = {
    "SST-2": Task(["negative", "positive"], "sentence"),
    "CoLA": Task(["unacceptable", "acceptable"], "sentence", group="source",
                 columns=["source", "label", "mark", "sentence"]),
    "MRPC": Task(["not_equivalent", "equivalent"], "#1 String", "#2 String", "Quality",
                 published=["sentence1", "sentence2"]),
    "QQP": Task(["not_duplicate", "duplicate"], "question1", "question2", "is_duplicate", broken_rows=True),
    "QNLI": Task(ENTAILMENT, "question", "sentence"),
    "RTE": Task(ENTAILMENT, "sentence1", "sentence2"),
    "WNLI": Task(ENTAILMENT[::-1], "sentence1", "sentence2"),
    "MNLI": Task(["entailment", "neutral", "contradiction"], "sentence1", "sentence2", "gold_label", group="genre",
                 development="dev_matched", dropped_label="-", published=["premise", "hypothesis"]),
}


def inputs(arguments):
    return {"task": arguments.task, **{path.name: sha256(path) for path in input_files(arguments)}}


def load(arguments):
    task = TASKS[arguments.task]
    read = read_published if input_files(arguments)[0].suffix == ".jsonl" else read_table
    train, test = (list(read(path, task)) for path in input_files(arguments))
    return Source(f"GLUE {arguments.task}", task.labels, train, test)


def input_files(arguments):
    """The files of the two splits: TSV if it is there, else JSON lines."""
    folder, development = Path(arguments.input), TASKS[arguments.task].development
    published = development.replace("dev", "validation")
    for pair in (("train.tsv", f"{development}.tsv"), ("train.jsonl", f"{published}.jsonl")):
        if all((folder / name).is_file() for name in pair):
            return [folder / name for name in pair]
    raise InputError(f"{folder}: expected train.tsv and {development}.tsv of GLUE {arguments.task}, "
                     f"or train.jsonl and {published}.jsonl, found neither pair")


def read_table(path, task):
    """Rows of a TSV file. Quotes are letters like any other: GLUE never quotes."""
    lines = read_text(path, "a table of GLUE").replace("\r\n", "\n").rstrip("\n").split("\n")
    reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    names = task.columns or next(reader, [])
    wanted = [name for name in (task.text, task.pair, task.label, task.group) if name]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise InputError(f"{path}:1: expected the column “{missing[0]}”, found {', '.join(names) or 'nothing'}")
    for columns in reader:
        row = table_row(f"{path}:{reader.line_num}", dict(zip(names, columns)), wanted, task)
        if row:
            yield row


def table_row(place, values, wanted, task):
    missing = [name for name in wanted if name not in values]
    if missing and task.broken_rows:
        return None
    if missing:
        raise InputError(f"{place}: expected the column “{missing[0]}”, found only {len(values)} columns")
    if values[task.label] == task.dropped_label:
        return None
    pair = values[task.pair].strip() if task.pair else None
    return Row(values[task.text].strip(), label_name(place, values[task.label], task), pair,
               values[task.group] if task.group else None)


def label_name(place, found, task):
    """Labels stand as numbers or as names."""
    names = {str(number): name for number, name in enumerate(task.labels)}
    name = names.get(found, found)
    if name not in task.labels:
        raise InputError(f"{place}: expected one of {', '.join(task.labels)}, found “{found}”")
    return name


def read_published(path, task):
    """Rows of Hugging Face's copy, which has numbered labels and no groups."""
    text, pair = task.published or [task.text, task.pair]
    for place, values in jsonl.objects(path):
        label = label_name(place, str(jsonl.field(place, values, "label", (int, str))), task)
        second = jsonl.field(place, values, pair, str).strip() if pair else None
        yield Row(jsonl.field(place, values, text, str).strip(), label, second)
