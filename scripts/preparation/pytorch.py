"""PyTorch, transformers and PEFT: those of the running interpreter, or of `.build-pytorch`, an environment of their own.

The wheel of PyTorch for CPU is looked for where pip is set up to look (an index or a folder of wheels), then in
PyTorch's own index. The CUDA build of PyPI, several gigabytes, is never taken in its place.
"""

import importlib.util
import os
import subprocess
import sys

from .downloads import last_error
from .environment import ROOT
from .errors import InputError

FOLDER = ROOT / ".build-pytorch"
PYTHON = FOLDER / "bin" / "python"
REQUIREMENTS = ROOT / "scripts" / "requirements-pytorch.txt"
PREPARED = FOLDER / "prepared-requirements.txt"
PYTORCH_INDEX = "https://download.pytorch.org/whl/cpu"


def missing():
    """Those of the three packages that the running interpreter lacks."""
    return [name for name in ("torch", "transformers", "peft") if not importlib.util.find_spec(name)]


def enter():
    """Returns where the packages are at hand; else goes on in `.build-pytorch`, made at the first call."""
    if not missing():
        return
    if os.path.realpath(sys.prefix) == os.path.realpath(FOLDER):
        raise InputError(f"{FOLDER}: expected {', '.join(missing())}, found none; remove the folder")
    install()
    os.execv(PYTHON, [str(PYTHON)] + sys.argv)


def install():
    """Makes `.build-pytorch` unless it holds what requirements-pytorch.txt names; returns whether it had to."""
    wanted = REQUIREMENTS.read_bytes()
    if PREPARED.is_file() and PREPARED.read_bytes() == wanted:
        return False
    print(f"Making {FOLDER.name} (1.2 GB)", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
    errors = []
    for place in ([], ["--extra-index-url", PYTORCH_INDEX]):
        error = pip_install(place)
        if error is None:
            PREPARED.write_bytes(wanted)
            return True
        errors.append(error)
    raise InputError(f"pip could not install {REQUIREMENTS.name}: as it is set up: {errors[0]}; "
                     f"with {PYTORCH_INDEX}: {errors[1]}")


def pip_install(place):
    """pip's last error, or None. A network that swallows packets costs a minute, not pip's quarter of an hour."""
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "2",
               "--timeout", "20", "--requirement", str(REQUIREMENTS), *place]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return last_error(done.stdout) if done.returncode else None
