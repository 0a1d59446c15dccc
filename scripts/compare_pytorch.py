#!/usr/bin/env python3
"""Times the local training step of florana against PyTorch + PEFT: one thread each, in turns, in one sitting.

The step is forward, backward and AdamW of LoRA (r 8, alpha 16, query and value) and a classifier over
all-MiniLM-L6-v2 in Float32 without dropout. Two loads: full rows (32 of 64 tokens) and real rows of a data set,
which PyTorch pads to the longest of the batch; only real tokens count. Both sides get the same rows: of N steps of
B rows, row i of step b is row ⌊(i·N + b)·n / (N·B)⌋ of the n training rows.

    scripts/compare_pytorch.py [--repeats 5] [--steps 20] [--json]

Needs a release build, models/all-MiniLM-L6-v2, data/sentiment, and what scripts/requirements-pytorch.txt names: of the
running interpreter, or of .build-pytorch, which the first call makes (1.2 GB).
"""

import argparse
import json
import os
import statistics
from pathlib import Path

from comparison import florana_side
from preparation import errors, pytorch, tensorfile
from preparation.environment import DATA, MODELS, program
from preparation.files import require_file


def main():
    arguments = parse()
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")  # read when PyTorch is loaded
    pytorch.ENVIRONMENT.enter()
    from comparison import pytorch_side

    pytorch_side.prepare()
    loads = {"full": full_load(arguments), "ragged": ragged_load(arguments)}
    results = {name: [] for name in loads}
    for turn in range(arguments.repeats):
        for name, (options, batches, labels) in loads.items():
            ours = lambda: florana_side.measure(arguments.florana, options)
            theirs = lambda: pytorch_side.measure(arguments.model, batches, labels, arguments.attention)
            results[name].append(in_turns(turn, ours, theirs))
    report(arguments, pytorch_side.versions(), results)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=MODELS / "all-MiniLM-L6-v2", metavar="DIR")
    parser.add_argument("--data", type=Path, default=DATA / "sentiment", metavar="DIR")
    parser.add_argument("--florana", type=Path, default=program(), metavar="PROGRAM")
    parser.add_argument("--batch", type=int, default=32, metavar="ROWS")
    parser.add_argument("--length", type=int, default=64, metavar="TOKENS", help="of the full rows (64)")
    parser.add_argument("--steps", type=int, default=20, help="steps of one measurement (20)")
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each side and load (5)")
    parser.add_argument("--attention", default="sdpa", choices=["sdpa", "eager"], help="of PyTorch (sdpa)")
    parser.add_argument("--json", action="store_true", help="one JSON object a load in place of the table")
    return parser.parse_args()


def full_load(arguments):
    """florana's options, PyTorch's batches and the number of labels. The token ids do not matter for time."""
    row = lambda number: [101] + [1996 + (number * 31 + place) % 5000 for place in range(arguments.length - 2)] + [102]
    rows = [row(number) for number in range(arguments.batch)]
    batch = (rows, [number % 2 for number in range(arguments.batch)])
    return step_options(arguments) + ["--length", arguments.length], [batch] * arguments.steps, 2


def ragged_load(arguments):
    for name in ("dataset.json", "train.safetensors"):
        require_file(arguments.data / name, "a prepared data set (scripts/prepare_data.py sentiment)")
    tensors = tensorfile.read(arguments.data / "train.safetensors")
    labels = len(json.loads((arguments.data / "dataset.json").read_text(encoding="utf-8"))["labels"])
    batches = [real_batch(tensors, step, arguments) for step in range(arguments.steps)]
    return step_options(arguments) + ["--data", arguments.data], batches, labels


def step_options(arguments):
    return ["--model", arguments.model, "--batch", arguments.batch, "--steps", arguments.steps]


def real_batch(tensors, step, arguments):
    """Rows spread over the whole data set in every batch: its files are ordered by domain."""
    offsets, count = tensors["offsets"], len(tensors["labels"])
    drawn = arguments.steps * arguments.batch
    chosen = [(place * arguments.steps + step) * count // drawn for place in range(arguments.batch)]
    return [tensors["tokens"][offsets[i] : offsets[i + 1]] for i in chosen], [tensors["labels"][i] for i in chosen]


def in_turns(turn, ours, theirs):
    """Both measurements; who goes first changes, so that neither always finds the machine as the other left it."""
    if turn % 2 == 0:
        first = ours()
        return {"florana": first, "pytorch": theirs()}
    first = theirs()
    return {"florana": ours(), "pytorch": first}


def report(arguments, versions, results):
    if arguments.json:
        for name, turns in results.items():
            print(json.dumps({"load": name, "versions": versions, "turns": turns, "ratio": ratios(turns)}))
        return
    print(f"{versions}, one thread, attention {arguments.attention}; "
          f"medians of {arguments.repeats} turns of {arguments.steps} steps (smallest – largest)")
    print(f"{'load':8} {'florana tokens/s':26} {'PyTorch tokens/s':26} {'ratio':22} loss first → last")
    for name, turns in results.items():
        speeds = [spread([turn[side]["tokensPerSecond"] for turn in turns], 0) for side in ("florana", "pytorch")]
        losses = " | ".join(loss_span(turns[-1][side]) for side in ("florana", "pytorch"))
        print(f"{name:8} {speeds[0]:26} {speeds[1]:26} {spread(ratios(turns), 2):22} {losses}")


def ratios(turns):
    """How many times as fast florana was, turn by turn."""
    return [turn["florana"]["tokensPerSecond"] / turn["pytorch"]["tokensPerSecond"] for turn in turns]


def spread(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} – {max(values):.{digits}f})"


def loss_span(measurement):
    first, last = measurement.get("lossFirst"), measurement.get("lossLast")
    return "–" if first is None or last is None else f"{first:.3f} → {last:.3f}"


if __name__ == "__main__":
    errors.run(main)
