"""Checksums and atomic replacement of files and folders."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from .errors import InputError


def sha256(path):
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def matches(path, checksum):
    return path.is_file() and sha256(path) == checksum


def require_checksum(path, checksum):
    """Removes a file that is not what was pinned, and says so."""
    found = sha256(path)
    if found != checksum:
        path.unlink()
        raise InputError(f"{path.name}: expected SHA-256 {checksum}, found {found}; the file was removed")


def require_file(path, what):
    if not path.is_file():
        raise InputError(f"{path}: expected {what}, found no such file")


def read_text(path, what):
    """A UTF-8 text without a byte order mark; line ends are kept as they are."""
    require_file(path, what)
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected UTF-8, found another byte at offset {error.start}") from None


@contextlib.contextmanager
def replaced_folder(target):
    """Lends a temporary sibling to fill; it takes the place of `target` only when all went well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sibling = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield sibling
        sibling.chmod(0o755)
        swap(sibling, target)
    finally:
        shutil.rmtree(sibling, ignore_errors=True)


def swap(sibling, target):
    """A full folder cannot be renamed over: the old one steps aside first."""
    if target.exists():
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
        os.rename(target, aside / target.name)
        os.rename(sibling, target)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        os.rename(sibling, target)
