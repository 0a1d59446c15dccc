"""Python environments besides `.venv`, for packages that only some scripts need: made at the first call."""

import argparse
import importlib.util
import os
import subprocess
import sys

from .downloads import last_error
from .environment import ROOT
from .errors import InputError


class ExtraEnvironment:
    """The packages of the running interpreter, or of a folder of their own with what a file of requirements pins.

    `indexes` are looked at after the places that pip is set up with.
    """

    def __init__(self, name, requirements, packages, size, indexes=()):
        self.folder = ROOT / name
        self.requirements = ROOT / "scripts" / requirements
        self.packages = packages
        self.size = size
        self.indexes = indexes

    @property
    def python(self):
        return self.folder / "bin" / "python"

    @property
    def prepared(self):
        """A copy of the requirements that the folder was made from."""
        return self.folder / "prepared-requirements.txt"

    def missing(self):
        """Those of the packages that the running interpreter lacks."""
        return [name for name in self.packages if not importlib.util.find_spec(name)]

    def enter(self):
        """Returns where the packages are at hand; else goes on in the folder, made at the first call."""
        if not self.missing():
            return
        if os.path.realpath(sys.prefix) == os.path.realpath(self.folder):
            raise InputError(f"{self.folder}: expected {', '.join(self.missing())}, found none; remove the folder")
        self.install()
        os.execv(self.python, [str(self.python)] + sys.argv)

    def command(self, description):
        """The script that makes the folder and says whether it had to."""
        parser = argparse.ArgumentParser(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.parse_args()
        print(f"{self.folder.name}: {'made' if self.install() else 'up to date'}")

    def install(self):
        """Makes the folder unless it holds what the requirements name; returns whether it had to."""
        wanted = self.requirements.read_bytes()
        if self.prepared.is_file() and self.prepared.read_bytes() == wanted:
            return False
        print(f"Making {self.folder.name} ({self.size})", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(self.folder)], check=True)
        errors = []
        for index in (None, *self.indexes):
            error = self.pip_install(["--extra-index-url", index] if index else [])
            if error is None:
                self.prepared.write_bytes(wanted)
                return True
            errors.append(f"{f'with {index}' if index else 'as it is set up'}: {error}")
        raise InputError(f"pip could not install {self.requirements.name}: {'; '.join(errors)}")

    def pip_install(self, place):
        """pip's last error, or None. A network that swallows packets costs a minute, not pip's quarter of an hour."""
        command = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "2",
                   "--timeout", "20", "--requirement", str(self.requirements), *place]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return last_error(done.stdout) if done.returncode else None
