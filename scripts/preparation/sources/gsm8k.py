"""GSM8K (Cobbe et al., arXiv 2110.14168): JSON lines of a question and a worked answer that ends in `#### N`.

The number of steps, which the source marks as `<<48/2=24>>`, is the group.
"""

import re
from fractions import Fraction
from pathlib import Path

from ..errors import InputError
from ..files import require_file, sha256
from ..rows import Problem, Source
from . import jsonl

GRADER = "number"
STEP = re.compile(r"<<([^<>=]*)=([^<>=]*)>>")
FINAL = re.compile(r"####\s*(-?[\d,]+(?:\.\d+)?)\s*$")
EXPRESSION = re.compile(r"(?=.*[\d)] *[-+*/])(?!.*(//|\*\*))[\d .,$()+*/-]+")  # what florana's calculator reads
MANY_STEPS = 8


def inputs(arguments):
    files = {"train": Path(arguments.train), "test": Path(arguments.test)}
    for path in files.values():
        require_file(path, "JSON lines of GSM8K")
    return {name: sha256(path) for name, path in files.items()}


def load(arguments):
    train, test = (list(read_problems(Path(path))) for path in (arguments.train, arguments.test))
    return Source("GSM8K (Cobbe et al., 2021)", [], train, test, grader=GRADER)


def read_problems(path):
    for place, values in jsonl.objects(path):
        question, answer = (jsonl.field(place, values, name, str).strip() for name in ("question", "answer"))
        final = FINAL.search(answer)
        if not final:
            raise InputError(f"{place}: expected an answer that ends in “#### N”, found “{answer[-40:]}”")
        number = final.group(1).replace(",", "")
        yield Problem(question, answer, {"number": number, **last_expression(answer, number)}, steps(answer))


def last_expression(answer, number):
    """The last marked expression, when it gives the final number."""
    marked = STEP.findall(answer)
    if not marked or not EXPRESSION.fullmatch(marked[-1][0]):
        return {}
    try:
        result = Fraction(marked[-1][1].replace(",", ""))
    except (ValueError, ZeroDivisionError):
        return {}
    return {"expression": marked[-1][0]} if result == Fraction(number) else {}


def steps(answer):
    count = answer.count("<<")
    if count == 0:
        return "unmarked"
    return f"{MANY_STEPS} or more steps" if count >= MANY_STEPS else f"{count} step{'s' if count > 1 else ''}"
