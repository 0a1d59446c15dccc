"""PyTorch, transformers and PEFT: those of the running interpreter, or a folder of their own."""

import importlib.util
import os
import subprocess
import sys

from preparation.environment import ROOT
from preparation.errors import InputError

NEEDED = ["torch==2.13.0+cpu", "transformers==5.23.0", "peft==0.21.2"]
FOLDER = ROOT / ".build-pytorch"
PYTORCH_INDEX = "https://download.pytorch.org/whl/cpu"  # the +cpu wheels stand only there


def enter():
    """Returns where the packages are at hand; else goes on in `.build-pytorch`, made at the first call."""
    if all(importlib.util.find_spec(name.split("==")[0]) for name in NEEDED):
        return
    python = FOLDER / "bin" / "python"
    if os.path.realpath(sys.prefix) == os.path.realpath(FOLDER):
        raise InputError(f"{FOLDER}: expected {', '.join(NEEDED)}, found only some of them; remove the folder")
    if not (FOLDER / "complete").exists():
        make(python)
    os.execv(python, [str(python)] + sys.argv)


def make(python):
    print(f"Making .build-pytorch with {', '.join(NEEDED)}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *NEEDED]
    attempts = [command, command + ["--extra-index-url", PYTORCH_INDEX]]
    if not any(subprocess.run(attempt, stderr=subprocess.DEVNULL).returncode == 0 for attempt in attempts):
        raise InputError(f"pip could not install {', '.join(NEEDED)}, neither as it is set up nor with {PYTORCH_INDEX}")
    (FOLDER / "complete").touch()
