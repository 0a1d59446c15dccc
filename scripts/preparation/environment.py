"""The project's own folders and its Python environment, `.venv`."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MODELS = ROOT / "models"
DATA = ROOT / "data"


def cache():
    """Where downloads are kept: `$XDG_CACHE_HOME/florana`, by default `~/.cache/florana`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "florana"


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
