"""MBPP (Austin et al., arXiv 2108.07732): Python functions from a sentence and three tests, which the prompt shows."""

from pathlib import Path

from ..files import require_file, sha256
from ..rows import Problem, Source
from . import jsonl

GRADER = "python"
TEST, TRAIN = range(11, 511), range(601, 975)  # task ids as its authors use them; 1–10 are for few-shot prompts


def inputs(arguments):
    require_file(Path(arguments.input), "JSON lines of MBPP")
    return {"file": sha256(Path(arguments.input))}


def load(arguments):
    rows = dict(problem(place, values) for place, values in jsonl.objects(Path(arguments.input)))
    part = lambda ids: [rows[number] for number in ids if number in rows]
    return Source("MBPP (Austin et al., 2021; CC-BY-4.0)", [], part(TRAIN), part(TEST), grader=GRADER)


def problem(place, values):
    """The task's number and the problem."""
    number = jsonl.field(place, values, "task_id", int)
    text, code, setup = (unix(jsonl.field(place, values, name, str)) for name in ("text", "code", "test_setup_code"))
    shown = "\n".join(unix(test) for test in jsonl.field(place, values, "test_list", list))
    question = f"{text.strip()}\nAnswer with Python code that passes these tests:\n{shown}"
    return number, Problem(question, code.rstrip(), {"tests": f"{setup}\n{shown}\n".lstrip()})


def unix(text):
    return text.replace("\r\n", "\n")
