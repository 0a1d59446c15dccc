#!/usr/bin/env python3
"""Holds `florana predict` against measurements on a cluster of network namespaces (scripts/cluster.sh).

    scripts/check_prediction.py [--fit 200mbit] [--rates 50mbit 1gbit] [--clients 8 24] [--ranks N…] [--limit PERCENT]

On links of the rate `--fit` it runs a federation of the first number of clients and times the collectives of its
network, on the first number of ranks. From these two alone it predicts the gather and the broadcast of a round at
every other rate and for every number of clients (and of ranks, where more than one is given); then it runs those
rounds and compares. A figure counts against `--limit` where a message has 1 MiB at least, but for broadcasts on another
number of ranks than the fit's with several ranks a host: what they send within hosts is not in the model, and the
errors are known (docs/scale.md). Beside each stands the machine's load: the processes that wanted its cores, of which
the cluster's own ranks are some.

Needs a release build, models/all-MiniLM-L6-v2 and data/sentiment. The clients take one short step: only the messages
matter, of 1.33 MB each. Exit status: 0 all that count within the limit, 1 some beyond it, 77 where no cluster can be
made.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from preparation import environment, errors
from preparation.environment import ROOT

MEBIBYTE = 1 << 20
NO_CLUSTER = 77
SIZES = "8,512,8KiB,32KiB,128KiB,512KiB,1MiB,2MiB,4MiB"
SETTINGS = {
    "adapter.targets": "[query, key, value, attention.output.dense, intermediate.dense, output.dense]",
    "adapter.rank": 8, "data.maximum-length": 8, "data.partition.kind": "iid", "data.partition.within": "null",
    "training.steps": 1, "training.batch": 2, "evaluate.personalised": "false", "evaluate.every": 1000,
    "evaluate.oracle": "false", "method.name": "fedit", "checkpoint.every": 0,
}


def main():
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="florana-prediction-") as scratch:
        folder = Path(arguments.output or scratch).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        fit = measure(arguments, folder, arguments.fit, arguments.clients[0], arguments.ranks[0])
        (fit / "collectives.jsonl").write_text(collectives(arguments, folder))
        print(predict(arguments, fit, arguments.fit, arguments.clients[0], arguments.ranks[0], ()), flush=True)
        beyond = [case for case in cases(arguments) if not compare(arguments, folder, fit, *case)]
    sys.exit(1 if beyond else 0)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", default="200mbit", metavar="RATE", help="of the links of the fit (200mbit)")
    parser.add_argument("--rates", nargs="+", default=["50mbit", "1gbit"], metavar="RATE", help="to predict")
    parser.add_argument("--clients", nargs="+", type=int, default=[8, 24], metavar="N", help="the fit's, others (8 24)")
    parser.add_argument("--ranks", nargs="+", type=int, default=[8], metavar="N", help="the fit's, others (8)")
    parser.add_argument("--slots", type=int, default=2, metavar="N", help="ranks of a host (2)")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="of every run; medians count (7)")
    parser.add_argument("--limit", type=float, default=15, metavar="PERCENT")
    parser.add_argument("--output", metavar="DIR", help="keep the runs here")
    parser.add_argument("--cluster", type=Path, default=ROOT / "scripts/cluster.sh", metavar="SCRIPT")
    parser.add_argument("--florana", type=Path, default=environment.program(), metavar="PROGRAM")
    arguments = parser.parse_args()
    for path in (arguments.cluster, arguments.florana):
        if not os.access(path, os.X_OK):
            parser.error(f"expected a program at {path}, found none")
    return arguments


def cases(arguments):
    """Rate, clients and ranks of everything to predict: all but the fit itself."""
    every = [
        (rate, clients, ranks)
        for ranks in arguments.ranks
        for rate in [arguments.fit] + arguments.rates
        for clients in arguments.clients
    ]
    return every[1:]


def compare(arguments, folder, fit, rate, clients, ranks):
    """Predicts, measures and prints one case; whether it is within the limit."""
    predicted = json.loads(predict(arguments, fit, rate, clients, ranks, ("--json",)))["methods"][0]
    rounds = read(measure(arguments, folder, rate, clients, ranks) / "rounds.jsonl")
    within = True
    for operation, bytes_key in [("gather", "gathered"), ("broadcast", "broadcast")]:
        seconds = [round["seconds"][operation]["maximum"] for round in rounds]
        measured = statistics.median(seconds)
        size = statistics.median(round["bytes"][bytes_key] for round in rounds) / (ranks - 1)
        error = predicted[f"{operation}Seconds"] / measured - 1
        exception = exempt(arguments, operation, size, ranks)
        within = within and not (exception is None and abs(error) * 100 > arguments.limit)
        print(
            f"{rate:>8} {clients:4d} clients {ranks:3d} ranks {operation:>10} {size / MEBIBYTE:8.2f} MiB  "
            f"predicted {predicted[f'{operation}Seconds']:8.4f} s  measured {measured:8.4f} s (fastest {min(seconds):8.4f})  "
            f"error {error * 100:+6.1f} %  load {os.getloadavg()[0]:.0f}{f'  (does not count: {exception})' if exception else ''}",
            flush=True)
    return within


def exempt(arguments, operation, size, ranks):
    """Why a figure does not count against the limit; None where it does."""
    if size < MEBIBYTE:
        return "under 1 MiB"
    if operation == "broadcast" and ranks != arguments.ranks[0] and arguments.slots > 1:
        return "messages within hosts are not in the model"
    return None


def predict(arguments, fit, rate, clients, ranks, options):
    network = (fit / "collectives.jsonl") if rate == arguments.fit else rate
    return program(
        [arguments.florana, "predict", fit, "--network", network, "--clients", clients, "--ranks", ranks,
         "--ranks-per-host", arguments.slots, "--method", "fedit", *options])


def measure(arguments, folder, rate, clients, ranks):
    """Runs a federation on links of a rate; returns its folder."""
    run = folder / f"{rate}-{clients}-clients-{ranks}-ranks"
    settings = {**SETTINGS, "clients.count": clients, "training.rounds": arguments.rounds}
    on_cluster(
        arguments, folder, rate, ranks,
        ["simulate", ROOT / "examples/sentiment.yaml", "--output", run, "--quiet"]
        + [word for key, value in settings.items() for word in ("--set", f"{key}={value}")])
    return run


def collectives(arguments, folder):
    """The collectives of the fit's network at all sizes, as JSON lines."""
    return on_cluster(
        arguments, folder, arguments.fit, arguments.ranks[0],
        ["benchmark", "collectives", "--operations", "gather,gatherv,broadcast", "--sizes", SIZES,
         "--iterations", 7, "--json"])


def on_cluster(arguments, folder, rate, ranks, command):
    hosts = (ranks + arguments.slots - 1) // arguments.slots
    return program(
        [arguments.cluster, "--hosts", hosts, "--slots", arguments.slots, "--rate", rate,
         "--share", folder, "--share", arguments.florana.resolve().parent,
         environment.launcher(), "-np", ranks, arguments.florana, *command])


def program(command):
    """Standard output of a command from the project's folder."""
    result = subprocess.run([str(word) for word in command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if result.returncode == NO_CLUSTER:
        sys.exit(NO_CLUSTER)
    if result.returncode != 0:
        raise errors.InputError(f"expected success of {' '.join(map(str, command))}, found status {result.returncode}")
    return result.stdout


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


if __name__ == "__main__":
    errors.run(main)
