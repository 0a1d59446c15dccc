"""Worked problems from templates (Mirzadeh et al., GSM-Symbolic, arXiv 2410.05229), as packed in reasoning-gym 0.1.25.

The template is the group. The templates are made from GSM8K's test problems: who trains on these rows must not test on
GSM8K.
"""

import importlib
import random
import sys
import types

from ..downloads import Package, fetch
from ..rows import Problem, Source

GRADER = "number"
PACKAGE = Package(
    "reasoning-gym==0.1.25", "reasoning_gym-0.1.25-py3-none-any.whl",
    "7f17a3eddb13c015d7d4a755ed576a061df889faf9468bcc2cca334ebe9e0435")
FOLDER = "reasoning_gym.arithmetic.gsm_symbolic"
BROKEN = {32, 35, 37, 61, 63, 65, 74, 76, 77, 79, 86, 87, 90, 97, 98}  # the package's own list, tasks_need_fix
TRAIN_PER_TEMPLATE, TEST_PER_TEMPLATE = 40, 5
MOST_TRIES = 400


def inputs(arguments):
    return {"package": PACKAGE.sha256, "rows": [TRAIN_PER_TEMPLATE, TEST_PER_TEMPLATE], "seed": arguments.seed}


def load(arguments):
    """85 templates; a problem that was made twice stays once, in training or in testing."""
    train, test = [], []
    for template, generate in sorted(generators(fetch(PACKAGE)).items()):
        rows = problems(template, generate, random.Random(f"{arguments.seed}/{template}"))
        test += rows[:TEST_PER_TEMPLATE]
        train += rows[TEST_PER_TEMPLATE:]
    return Source("GSM-Symbolic of reasoning-gym 0.1.25; made from GSM8K's test problems", [], train, test,
                  grader=GRADER)


def problems(template, generate, numbers):
    """Different problems of a template: as many as are wanted, or as it has."""
    rows = {}
    for _ in range(MOST_TRIES):
        made = generate(numbers, 1.0)
        number = str(made["answer"]).replace(",", "")
        working = made["metadata"]["answer_cot"].rsplit("####", 1)[0].strip()
        # The worked answer may end in 16.0 where the answer is 16.
        rows.setdefault(made["question"], Problem(
            made["question"], f"{working}\n#### {number}", {"number": number}, f"template {template:02}"))
        if len(rows) == TRAIN_PER_TEMPLATE + TEST_PER_TEMPLATE:
            break
    return list(rows.values())


def generators(wheel):
    """The template's functions by number. The package's own start would load all of its games and what they need."""
    for name in (FOLDER.split(".")[0], FOLDER.rsplit(".", 1)[0], FOLDER):
        hollow = types.ModuleType(name)
        hollow.__path__ = [f"{wheel}/{name.replace('.', '/')}"]
        sys.modules[name] = hollow
    found = {}
    for name in ("generators_00_49", "generators_50_99"):
        for key, value in vars(importlib.import_module(f"{FOLDER}.{name}")).items():
            if key.startswith("generate_"):
                found[int(key.removeprefix("generate_"))] = value
    return {number: generate for number, generate in found.items() if number not in BROKEN}
