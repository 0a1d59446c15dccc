#!/usr/bin/env python3
"""Shows the memory that `florana aggregate` needs for many adapters of a large model: it makes them in a temporary
folder, aggregates them, and prints the time, the peak of resident memory, and of the part private to the process.

    scripts/aggregate_memory.py                                  64 adapters as of a 7B model: query, value, 32 layers
    scripts/aggregate_memory.py --adapters 16 --ranks 2 --method florana-matrix

Files that are mapped count as resident while their pages are in use; the private part is what no file backs.
"""

import argparse
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from array import array
from pathlib import Path

from preparation import environment

PREFIX = "base_model.model.model.layers"


def main():
    arguments = parse()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = random.Random(1)
        pool = array("f", (source.gauss(0, 0.02) for _ in range(1 << 20)))
        adapters = [make(folder / f"adapter-{i}", i, pool, arguments) for i in range(arguments.adapters)]
        size = sum((a / "adapter_model.safetensors").stat().st_size for a in adapters)
        print(f"{len(adapters)} adapters, {size / 1e6:.0f} MB")
        run(arguments, adapters, folder / "merged")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapters", type=int, default=64)
    parser.add_argument("--layers", type=int, default=32, help="blocks, each with a query and a value projection")
    parser.add_argument("--dimension", type=int, default=4096)
    parser.add_argument("--adapter-rank", type=int, default=16)
    parser.add_argument("--method", default="florana")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--program", type=Path, default=environment.program())
    return parser.parse_args()


def make(folder, number, pool, arguments):
    """An adapter of random numbers: each tensor is a cut of the pool from a place of its own."""
    folder.mkdir()
    settings = {"peft_type": "LORA", "r": arguments.adapter_rank, "lora_alpha": 32,
                "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    shapes = {"lora_A": [arguments.adapter_rank, arguments.dimension],
              "lora_B": [arguments.dimension, arguments.adapter_rank]}
    size = 4 * arguments.adapter_rank * arguments.dimension
    names = [(f"{PREFIX}.{layer}.self_attn.{module}.{side}.weight", shapes[side])
             for layer in range(arguments.layers) for module in ("q_proj", "v_proj") for side in shapes]
    header = {name: {"dtype": "F32", "shape": shape, "data_offsets": [i * size, (i + 1) * size]}
              for i, (name, shape) in enumerate(names)}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    numbers = random.Random(number)
    bytes_of_pool = memoryview(pool).cast("B")
    with open(folder / "adapter_model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _ in names:
            left = size
            while left:
                start = 4 * numbers.randrange(len(pool) // 2)
                piece = bytes_of_pool[start:start + min(left, len(bytes_of_pool) - start)]
                file.write(piece)
                left -= len(piece)
    return folder


def run(arguments, adapters, output):
    command = [arguments.program, "aggregate", "--method", arguments.method, "--output", output, *adapters]
    if arguments.ranks > 1:
        command = [environment.launcher(), *environment.sharing(), "-n", arguments.ranks, *command]
    started = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    peaks = {}
    while process.poll() is None:
        for pid in processes(arguments.program):
            watch(pid, peaks.setdefault(pid, {"VmHWM": 0, "RssAnon": 0}))
        time.sleep(0.1)
    lines = process.stdout.read().splitlines()
    if process.returncode:
        sys.exit(f"exit status {process.returncode}")
    print(lines[0], lines[-1], sep="\n")
    print(f"{arguments.method}, {arguments.ranks} ranks: {time.monotonic() - started:.1f} s")
    for peak in peaks.values():
        print(f"peak {peak['VmHWM'] / 1024:.0f} MiB resident, {peak['RssAnon'] / 1024:.0f} MiB of it private")


def processes(program):
    """The processes that run the program."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "exe") == str(program.resolve()):
                yield entry.name
        except OSError:
            continue


def watch(pid, peak):
    try:
        lines = Path("/proc", pid, "status").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        key, _, value = line.partition(":")
        if key in peak:
            peak[key] = max(peak[key], int(value.split()[0]))


if __name__ == "__main__":
    main()
