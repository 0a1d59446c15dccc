"""SVAMP (Patel et al., 2021): short word problems. Those of one step are kept, answered `63 + 50 = 113 #### 113`.

The operation is the group; one row in ten, by its text, is for testing.
"""

import json
import re
from fractions import Fraction
from pathlib import Path

from ..errors import InputError
from ..files import read_text, require_file, sha256
from ..rows import Problem, Source, split, without_duplicates

GRADER = "number"
FIELDS = ("Body", "Question", "Equation", "Answer", "Type")
STEP = re.compile(r"\(?\s*([\d.]+)\s*([-+*/])\s*([\d.]+)\s*\)?")
COMPUTE = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b}
MISSPELT = {"Common-Divison": "Common-Division"}


def inputs(arguments):
    require_file(Path(arguments.input), "the JSON of SVAMP")
    return {"file": sha256(Path(arguments.input))}


def load(arguments):
    path = Path(arguments.input)
    try:
        values = json.loads(read_text(path, "the JSON of SVAMP"))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: expected JSON, found an error: {error.msg}") from None
    if not isinstance(values, list):
        raise InputError(f"{path}: expected a list of problems, found {type(values).__name__}")
    rows = [problem(f"{path}: problem {number}", entry) for number, entry in enumerate(values, 1)]
    train, test = split(without_duplicates([row for row in rows if row]))
    return Source("SVAMP, problems of one step (Patel et al., 2021)", [], train, test, grader=GRADER)


def problem(place, entry):
    """None for a problem of several steps, and for one whose equation does not give its answer."""
    missing = [name for name in FIELDS if not isinstance(entry, dict) or name not in entry]
    if missing:
        raise InputError(f"{place}: expected “{missing[0]}”, found none")
    step = STEP.fullmatch(str(entry["Equation"]).strip())
    if not step:
        return None
    first, second = Fraction(step.group(1)), Fraction(step.group(3))
    if step.group(2) == "/" and second == 0:
        return None
    result = COMPUTE[step.group(2)](first, second)
    if result != Fraction(str(entry["Answer"])):
        return None
    expression, number = f"{plain(first)} {step.group(2)} {plain(second)}", plain(result)
    return Problem(question(entry), f"{expression} = {number} #### {number}",
                   {"number": number, "expression": expression}, MISSPELT.get(entry["Type"], entry["Type"]))


def question(entry):
    """The two parts as sentences: the source leaves the point after the first out."""
    body = str(entry["Body"]).strip()
    return f"{body}{'' if body.endswith(('.', '?', '!')) else '.'} {str(entry['Question']).strip()}"


def plain(value):
    """36.0 as 36, 1.5 as 1.5."""
    return str(value.numerator) if value.denominator == 1 else repr(float(value))
