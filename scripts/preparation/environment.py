"""The project's own folders, its Python environment, `.venv`, and its build and launcher."""

import functools
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MODELS = ROOT / "models"
DATA = ROOT / "data"


def cache():
    """Where downloads are kept: `$XDG_CACHE_HOME/florana`, by default `~/.cache/florana`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "florana"


def program(configuration="release"):
    """florana: `$FLORANA`, by default that of the build folder which `$MPI_PKGCONFIG` selects."""
    return Path(os.environ.get("FLORANA") or ROOT / mpi()[0] / configuration / "florana")


def launcher():
    """The name of mpirun, which `$MPI_PKGCONFIG` selects and `$MPIRUN` overrides."""
    return mpi()[1]


def sharing():
    """The launcher's options that let ranks share cores."""
    return mpi()[2:]


@functools.cache
def mpi():
    """What environment.sh chooses: build folder, launcher, and the options of ranks that share cores."""
    script = 'source "$0" && printf "%s\\n" "$FLORANA_BUILD" "$MPIRUN" "${sharing[@]}"'
    command = ["bash", "-c", script, str(ROOT / "scripts/environment.sh")]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def enter():
    """Starts the running script again in `.venv` when that exists and is not the interpreter yet."""
    environment = ROOT / ".venv"
    python = environment / "bin" / "python"
    if Path(sys.prefix).resolve() != environment.resolve() and python.exists():
        os.execv(python, [str(python)] + sys.argv)


def shown(path):
    """A path as a reader of the output wants it: relative to the working folder when it lies below."""
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
