"""florana's side: what `florana benchmark … --json` measures."""

import json
import os
import subprocess

from preparation.errors import InputError


def measure(program, arguments):
    """The object with tokensPerSecond that the benchmark of these arguments prints; one BLAS thread, one rank."""
    command = [str(program), "benchmark", *map(str, arguments), "--json"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    except OSError as error:
        raise InputError(f"{program}: {error.strerror}: build it with swift build -c release") from None
    if done.returncode != 0:
        raise InputError(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr.strip()[-300:]}")
    for line in done.stdout.splitlines():
        found = parsed(line)
        if "tokensPerSecond" in found:
            return found
    found = done.stdout.strip()[:200]
    raise InputError(f"{' '.join(command)}: expected a JSON line with tokensPerSecond, found {found!r}")


def parsed(line):
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
