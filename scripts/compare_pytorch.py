#!/usr/bin/env python3
"""Times the local training step of florana against PyTorch + PEFT: one thread each, in turns, in one sitting.

The step is forward, backward and AdamW of LoRA (r 8, alpha 16, on the projections of queries and values) in Float32
without dropout. Loads:

    full       all-MiniLM-L6-v2 with a classifier, full rows (32 of 64 tokens)
    ragged     the same on real rows of a data set, which PyTorch pads to the longest of the batch; only real tokens
               count. Both sides get the same rows: of N steps of B rows, row i of step b is row
               ⌊(i·N + b)·n / (N·B)⌋ of the n training rows
    decoder    SmolLM2-135M-Instruct, full rows (8 of 64 tokens), every token but the first predicted
    generate   greedy generation by it with the cache: 8 prompts of 64 tokens, 64 new ones; against transformers'

    scripts/compare_pytorch.py [--loads full,ragged] [--repeats 5] [--steps 20] [--json]

Needs a release build, the models, data/sentiment, and what scripts/requirements-pytorch.txt names: of the running
interpreter, or of .build-pytorch, which the first call makes (1.2 GB).
"""

import argparse
import json
import os
import statistics
from pathlib import Path
from typing import Callable, NamedTuple

from comparison import florana_side
from preparation import errors, pytorch, tensorfile
from preparation.environment import DATA, MODELS, program
from preparation.files import require_file

DECODER_ROWS, DECODER_LENGTH, NEW_TOKENS = 8, 64, 64


class Load(NamedTuple):
    """What both sides do: each takes no argument and returns an object with tokensPerSecond."""

    ours: Callable
    theirs: Callable


def main():
    arguments = parse()
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")  # read when PyTorch is loaded
    pytorch.ENVIRONMENT.enter()
    from comparison import pytorch_side

    pytorch_side.prepare()
    loads = {name: LOADS[name](arguments, pytorch_side) for name in arguments.loads}
    results = {name: [] for name in loads}
    for turn in range(arguments.repeats):
        for name, load in loads.items():
            results[name].append(in_turns(turn, load.ours, load.theirs))
    report(arguments, pytorch_side.versions(), results)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loads", type=named_loads, default=["full", "ragged"], metavar="NAME,…")
    parser.add_argument("--model", type=Path, default=MODELS / "all-MiniLM-L6-v2", metavar="DIR")
    parser.add_argument("--decoder", type=Path, default=MODELS / "SmolLM2-135M-Instruct", metavar="DIR")
    parser.add_argument("--data", type=Path, default=DATA / "sentiment", metavar="DIR")
    parser.add_argument("--florana", type=Path, default=program(), metavar="PROGRAM")
    parser.add_argument("--batch", type=int, default=32, metavar="ROWS")
    parser.add_argument("--length", type=int, default=64, metavar="TOKENS", help="of the full rows (64)")
    parser.add_argument("--steps", type=int, default=20, help="steps of one measurement (20)")
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each side and load (5)")
    parser.add_argument("--attention", default="sdpa", choices=["sdpa", "eager"], help="of PyTorch (sdpa)")
    parser.add_argument("--json", action="store_true", help="one JSON object a load in place of the table")
    return parser.parse_args()


def named_loads(text):
    names = text.split(",")
    for name in names:
        if name not in LOADS:
            raise argparse.ArgumentTypeError(f"expected {', '.join(LOADS)}, found {name!r}")
    return names


def classifier_load(arguments, options, batches, labels, pytorch_side):
    step = ["step", "--model", arguments.model, "--batch", arguments.batch, "--steps", arguments.steps, *options]
    model = lambda: pytorch_side.classifier(arguments.model, labels, arguments.attention)
    return Load(lambda: florana_side.measure(arguments.florana, step), lambda: pytorch_side.measure(model(), batches))


def full_load(arguments, pytorch_side):
    """The token ids do not matter for time."""
    row = lambda number: [101] + [1996 + (number * 31 + place) % 5000 for place in range(arguments.length - 2)] + [102]
    rows = [row(number) for number in range(arguments.batch)]
    batch = (rows, [number % 2 for number in range(arguments.batch)])
    return classifier_load(arguments, ["--length", arguments.length], [batch] * arguments.steps, 2, pytorch_side)


def ragged_load(arguments, pytorch_side):
    for name in ("dataset.json", "train.safetensors"):
        require_file(arguments.data / name, "a prepared data set (scripts/prepare_data.py sentiment)")
    tensors = tensorfile.read(arguments.data / "train.safetensors")
    labels = len(json.loads((arguments.data / "dataset.json").read_text(encoding="utf-8"))["labels"])
    batches = [real_batch(tensors, step, arguments) for step in range(arguments.steps)]
    return classifier_load(arguments, ["--data", arguments.data], batches, labels, pytorch_side)


def decoder_load(arguments, pytorch_side):
    shape = ["--batch", DECODER_ROWS, "--length", DECODER_LENGTH, "--steps", arguments.steps]
    model = lambda: pytorch_side.decoder(arguments.decoder, arguments.attention)
    return Load(
        lambda: florana_side.measure(arguments.florana, ["step", "--model", arguments.decoder, *shape]),
        lambda: pytorch_side.measure(model(), [(decoder_rows(), None)] * arguments.steps))


def generation_load(arguments, pytorch_side):
    shape = ["--prompts", DECODER_ROWS, "--length", DECODER_LENGTH, "--new-tokens", NEW_TOKENS]
    model = lambda: pytorch_side.decoder(arguments.decoder, arguments.attention)
    return Load(
        lambda: florana_side.measure(arguments.florana, ["generate", "--model", arguments.decoder, *shape]),
        lambda: pytorch_side.measure_generation(model(), decoder_rows(), NEW_TOKENS))


LOADS = {"full": full_load, "ragged": ragged_load, "decoder": decoder_load, "generate": generation_load}


def decoder_rows():
    return [[100 + (number * 31 + place) % 5000 for place in range(DECODER_LENGTH)] for number in range(DECODER_ROWS)]


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
