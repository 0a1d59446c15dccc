"""The stack-machine task: what a program is to do, in English → the program; made from a seed, eight families.

The words are those of florana's StackProgram: input lies on the stack, b above a, and the top is on the right.
A program is graded by what it does on hidden inputs, not by its words. Constants that a test row speaks of stand in no
training row; the split `long` has programs of more words than any in training.
"""

import random
from pathlib import Path
from typing import Callable, List, NamedTuple

from ..files import sha256
from ..rows import Problem, Source

GRADER = "program"
TRAIN_PER_FAMILY, TEST_PER_FAMILY = 500, 50
LONGEST_TRAINED, LONGEST = 12, 24  # words of a program
CONSTANTS = range(2, 100)
HELD_OUT = [constant for constant in CONSTANTS if constant % 7 == 3]
TRAINED = [constant for constant in CONSTANTS if constant % 7 != 3]
TESTS_PER_ROW = 6
LARGEST = 1 << 53
OPERATIONS = {
    "dup": lambda s: s + [s[-1]], "swap": lambda s: s[:-2] + [s[-1], s[-2]], "over": lambda s: s + [s[-2]],
    "drop": lambda s: s[:-1], "add": lambda s: s[:-2] + [s[-2] + s[-1]], "sub": lambda s: s[:-2] + [s[-2] - s[-1]],
    "mul": lambda s: s[:-2] + [s[-2] * s[-1]], "neg": lambda s: s[:-1] + [-s[-1]],
    "max": lambda s: s[:-2] + [max(s[-2:])], "min": lambda s: s[:-2] + [min(s[-2:])]}


class Family(NamedTuple):
    """One kind of program with the constants k and m; `meaning` is what it does, without the machine."""

    inputs: int
    texts: List[str]
    program: str
    meaning: Callable
    ordered: bool = False  # k below m


FAMILIES = {
    "scale": Family(1, ["multiply a by {k} and add {m}", "{k} times a, plus {m}"], "{k} mul {m} add",
                    lambda a, k, m: [k * a + m]),
    "polynomial": Family(1, ["the square of a plus {k} times a plus {m}", "a squared, plus {k} times a, plus {m}"],
                         "dup dup mul swap {k} mul add {m} add", lambda a, k, m: [a * a + k * a + m]),
    "combine": Family(2, ["{k} times a plus {m} times b", "multiply a by {k} and b by {m} and add both"],
                      "{m} mul swap {k} mul add", lambda a, b, k, m: [k * a + m * b]),
    "difference": Family(2, ["the difference a minus b, times {k}", "subtract b from a and multiply by {k}"],
                         "sub {k} mul", lambda a, b, k, m: [(a - b) * k]),
    "clamp": Family(1, ["a, but at least {k} and at most {m}", "limit a to the range from {k} to {m}"],
                    "{k} max {m} min", lambda a, k, m: [min(max(a, k), m)], True),
    "distance": Family(2, ["{k} times the distance between a and b", "how far a is from b, times {k}"],
                       "sub dup neg max {k} mul", lambda a, b, k, m: [abs(a - b) * k]),
    "extreme": Family(2, ["the larger of a and b, minus {k}", "subtract {k} from the maximum of a and b"],
                      "max {k} sub", lambda a, b, k, m: [max(a, b) - k]),
    "reorder": Family(2, ["b, and above it a plus {k}", "put b below and a plus {k} on top"], "swap {k} add",
                      lambda a, b, k, m: [b, a + k]),
}

STEPS = [  # on the top: texts, program, meaning
    (["add {k}"], "{k} add", lambda x, k: x + k), (["subtract {k}"], "{k} sub", lambda x, k: x - k),
    (["multiply by {k}"], "{k} mul", lambda x, k: x * k), (["negate", "change the sign"], "neg", lambda x, k: -x),
    (["raise to at least {k}"], "{k} max", lambda x, k: max(x, k)),
    (["cut to at most {k}"], "{k} min", lambda x, k: min(x, k)), (["square"], "dup mul", lambda x, k: x * x)]


def inputs(arguments):
    return {"generator": sha256(Path(__file__)), "seed": arguments.seed}


def load(arguments):
    """4,000 rows to train on, 400 with other constants and 400 longer ones to test with."""
    seen, splits = set(), {}
    plan = {"train": (TRAIN_PER_FAMILY, TRAINED, 0, LONGEST_TRAINED),
            "test": (TEST_PER_FAMILY, HELD_OUT, 0, LONGEST_TRAINED),
            "long": (TEST_PER_FAMILY, TRAINED, LONGEST_TRAINED + 1, LONGEST)}
    for split, (count, constants, shortest, longest) in plan.items():
        splits[split] = [row for name in FAMILIES for row in rows(
            name, count, constants, (shortest, longest), seen, random.Random(f"{arguments.seed}/{split}/{name}"))]
    return Source(f"programs of the stack machine, seed {arguments.seed}", [], splits["train"], splits["test"],
                  grader=GRADER, others={"long": splits["long"]})


def rows(name, count, constants, words, seen, numbers):
    """Different problems of a family whose programs have from words[0] to words[1] words."""
    made = []
    while len(made) < count:
        row = problem(name, constants, 9 if words[0] else 2, numbers)
        if row and words[0] <= len(row.answer.split()) <= words[1] and row.question not in seen:
            seen.add(row.question)
            made.append(row)
    return made


def problem(name, constants, most_steps, numbers):
    """A family's program and steps behind it; None when its numbers become too large or tell nothing."""
    family = FAMILIES[name]
    k, m = numbers.sample(constants, 2)
    if family.ordered:
        k, m = sorted((k, m))
    text, program, steps = numbers.choice(family.texts).format(k=k, m=m), family.program.format(k=k, m=m), []
    for _ in range(numbers.randint(0, most_steps)):
        texts, words, meaning = numbers.choice(STEPS)
        constant = numbers.choice(constants)
        text += "; then " + numbers.choice(texts).format(k=constant)
        program += " " + words.format(k=constant)
        steps.append((meaning, constant))
    tests = hidden_tests(family, (k, m), steps, numbers)
    if not tests or any(run(program, test["input"]) != test["output"] for test in tests):
        return None
    return Problem(f"{PLACES[family.inputs]} Write a program: {text}.", program, {"tests": tests}, name)


PLACES = {1: "On the stack: a.", 2: "On the stack: a, above it b."}


def hidden_tests(family, constants, steps, numbers):
    """Inputs around nought and around the constants, and what is right for them; nothing when all outputs are alike."""
    tests = []
    for index in range(TESTS_PER_ROW):
        near = numbers.choice(constants) if index % 2 else 0
        values = [near + numbers.randint(-12, 12) for _ in range(family.inputs)]
        output = family.meaning(*values, *constants)
        for meaning, constant in steps:
            output[-1] = meaning(output[-1], constant)
            if abs(output[-1]) >= LARGEST:
                return []
        tests.append({"input": values, "output": output})
    return tests if len({tuple(test["output"]) for test in tests}) >= TESTS_PER_ROW // 2 else []


def run(program, stack):
    """The machine, once more: what the English says and what the program does must be the same."""
    stack = list(stack)
    for word in program.split():
        stack = OPERATIONS[word](stack) if word in OPERATIONS else stack + [int(word)]
    return stack
