"""Pinned packages of PyPI, fetched by pip into the cache. pip refuses what has another SHA-256."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from . import environment
from .errors import InputError
from .files import matches, require_checksum


class Package(NamedTuple):
    """One file of PyPI."""

    requirement: str  # name==version
    file: str
    sha256: str


def fetch(package):
    """The path of the package's file in the cache; downloads it when it is not there or is not what was pinned."""
    folder = environment.cache() / "packages"
    path = folder / package.file
    if not matches(path, package.sha256):
        folder.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        download(package, folder)
        require_checksum(path, package.sha256)
    return path


def download(package, folder):
    """Hashes are checked by pip before it opens the file: a source package is never run unchecked."""
    kind = "--only-binary" if package.file.endswith(".whl") else "--no-binary"
    name = package.requirement.split("==")[0]
    with tempfile.TemporaryDirectory() as scratch:
        requirements = Path(scratch) / "requirements.txt"
        requirements.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                   "--require-hashes", kind, name, "--dest", str(folder), "--requirement", str(requirements)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0 or not (folder / package.file).is_file():
        raise InputError(f"pip could not download {package.requirement}: {last_error(done.stdout)}")


def last_error(output):
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["it said nothing"])[-1]
