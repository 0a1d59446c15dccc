#!/usr/bin/env python3
"""Times the server's estimate of one layer against NumPy: one thread each, in turns, in one sitting, same numbers.

    scripts/compare_numpy.py [--clients 8 32 128 512] [--dimensions 4096x4096] [--adapter-rank 16] [--repeats 3]
                             [--spread 0.1] [--dense-svd] [--json]

For every number of clients:
    florana         against dense alternating least squares from the averages: W* is formed and contracted with
                    the factors, for as many sweeps as florana took
    florana-matrix  against the QR of the stacked factors and the SVD of their core
    florana-matrix  against the truncated SVD of the dense W* (with --dense-svd: minutes at 4096x4096)
Both sides take processor time of one thread: the machine may be shared. NumPy works in Float32 as the factors are.

Needs a release build of florana, numpy and scipy.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")  # read when NumPy is loaded

import numpy  # noqa: E402
import scipy.linalg  # noqa: E402

from preparation.environment import program  # noqa: E402


def main():
    arguments = parse()
    rows = [row for clients in arguments.clients for row in compare(arguments, clients)]
    if arguments.json:
        for row in rows:
            print(json.dumps(row))
    else:
        print_table(rows)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, nargs="+", default=[8, 32, 128, 512])
    parser.add_argument("--dimensions", default="4096x4096")
    parser.add_argument("--adapter-rank", type=int, default=16)
    parser.add_argument("--spread", type=float, default=0.1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--dense-svd", action="store_true", help="also the full SVD of the dense update")
    parser.add_argument("--florana", type=Path, default=program())
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def compare(arguments, clients):
    outputs, inputs = (int(side) for side in arguments.dimensions.replace("×", "x").split("x"))
    rank = arguments.adapter_rank
    a = factors(clients, rank, inputs, 0, arguments.spread)
    b = factors(clients, outputs, rank, 1, arguments.spread)
    pairs = [("florana", "dense ALS", alternating), ("florana-matrix", "QR + SVD", stacked_svd)]
    if arguments.dense_svd:
        pairs.append(("florana-matrix", "dense SVD", dense_svd))
    for method, name, estimate in pairs:
        ours, theirs = [], []
        for _ in range(arguments.repeats):
            ours.append(florana(arguments, clients, method))
            start = time.thread_time()
            found = estimate(b, a, ours[0].get("sweeps"))
            theirs.append(time.thread_time() - start)
        seconds = statistics.median(result["seconds"] for result in ours)
        other = statistics.median(theirs)
        yield {
            "clients": clients, "method": method, "seconds": seconds,
            "ratioToProduct": statistics.median(result["ratio"] for result in ours),
            "numpy": name, "numpySeconds": other, "timesFaster": other / seconds,
            "rho": ours[0].get("rho"), "numpyRho": rho(b, a, *found),
        }  # fmt: skip


def florana(arguments, clients, method):
    command = [
        arguments.florana, "benchmark", "estimate", "--clients", clients, "--dimensions", arguments.dimensions,
        "--adapter-rank", arguments.adapter_rank, "--method", method, "--spread", arguments.spread,
        "--repeats", arguments.repeats, "--json",
    ]  # fmt: skip
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"compare_numpy: florana ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def factors(clients, rows, columns, part, spread):
    """The factors of `florana benchmark estimate`: clients × rows × columns, Float32."""
    size = rows * columns
    common = uniform(part, 0, size)
    own = (uniform(part, (client + 1) * size, size) for client in range(clients))
    return numpy.stack([(common + spread * noise).astype(numpy.float32) for noise in own]).reshape(
        clients, rows, columns
    )


def uniform(part, start, count):
    """Numbers start … of a SplitMix64 sequence as uniform numbers of mean 0 and variance 1."""
    counter = numpy.arange(start + 1, start + count + 1, dtype=numpy.uint64) + numpy.uint64(part << 60)
    mixed = counter * numpy.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    unit = ((mixed ^ (mixed >> numpy.uint64(31))) >> numpy.uint64(11)).astype(numpy.float64) * 2.0**-53
    return (2 * unit - 1) * 3.0**0.5


def stacks(b, a):
    """The outputs × n and n × inputs stacks whose product, divided by the clients, is W*."""
    return b.transpose(1, 0, 2).reshape(b.shape[1], -1), a.reshape(-1, a.shape[2])


def alternating(b, a, sweeps):
    """Dense W*, then alternating least squares for the coefficients from the averages."""
    clients = len(a)
    left, right = stacks(b, a)
    ideal = left @ right / clients
    p = q = numpy.full(clients, 1 / clients)
    for _ in range(sweeps):
        mean_a = numpy.tensordot(q.astype(numpy.float32), a, 1)
        p = solve(b, ideal @ mean_a.T, mean_a @ mean_a.T)
        mean_b = numpy.tensordot(p.astype(numpy.float32), b, 1)
        q = solve(a.transpose(0, 2, 1), ideal.T @ mean_b, mean_b.T @ mean_b)
    return numpy.tensordot(p.astype(numpy.float32), b, 1), numpy.tensordot(q.astype(numpy.float32), a, 1)


def solve(blocks, image, moment):
    """The coefficients of one side: blocks are clients × rows × rank, image is rows × rank."""
    clients = len(blocks)
    flat = numpy.ascontiguousarray(blocks).reshape(clients, -1)
    weighted = (flat.reshape(-1, len(moment)) @ moment).reshape(clients, -1)
    hessian = (weighted @ flat.T).astype(numpy.float64)
    linear = (flat @ image.reshape(-1)).astype(numpy.float64)
    return scipy.linalg.lstsq(hessian, linear, cond=1e-12)[0]


def stacked_svd(b, a, _):
    """The rank-r optimum by the QR of the stacked factors and the SVD of their core."""
    rank = a.shape[1]
    left, right = stacks(b, a)
    basis_left, core_left = numpy.linalg.qr(left)
    basis_right, core_right = numpy.linalg.qr(right.T)
    u, values, v = numpy.linalg.svd(core_left @ core_right.T / len(a), full_matrices=False)
    roots = numpy.sqrt(values[:rank])
    return basis_left @ (u[:, :rank] * roots), (roots[:, None] * v[:rank]) @ basis_right.T


def dense_svd(b, a, _):
    rank = a.shape[1]
    left, right = stacks(b, a)
    u, values, v = scipy.linalg.svd(left @ right / len(a), full_matrices=False)
    roots = numpy.sqrt(values[:rank])
    return u[:, :rank] * roots, roots[:, None] * v[:rank]


def rho(b, a, found_b, found_a):
    """The distance from the dense W* in Float64, by rows: one dense matrix of Float64 is much at once."""
    left, right = stacks(b, a)
    right, found_a = right.astype(numpy.float64), found_a.astype(numpy.float64)
    error = ideal = 0.0
    for start in range(0, len(left), 512):
        rows = slice(start, start + 512)
        tile = left[rows].astype(numpy.float64) @ right / len(a)
        difference = tile - found_b[rows].astype(numpy.float64) @ found_a
        ideal += numpy.vdot(tile, tile)
        error += numpy.vdot(difference, difference)
    return float(numpy.sqrt(error / ideal))


def print_table(rows):
    print("clients  method          ms        of product  against     ms         times faster  rho         NumPy's rho")
    for row in rows:
        print(
            f"{row['clients']:7}  {row['method']:14}  {1e3 * row['seconds']:8.1f}  {row['ratioToProduct']:10.2f}"
            f"  {row['numpy']:10}  {1e3 * row['numpySeconds']:9.1f}  {row['timesFaster']:12.1f}"
            f"  {row['rho']:.6g}  {row['numpyRho']:.6g}"
        )


if __name__ == "__main__":
    main()
