"""A reader of GGUF files of version 3: metadata, and tensors as Float32 arrays.

The format is that of https://github.com/ggml-org/ggml/blob/master/docs/gguf.md: a header, key and value pairs, the
table of tensors, and the tensors' bytes, each at a multiple of the alignment. Everything is little-endian.
"""

import math
import struct
from typing import NamedTuple, Tuple

import numpy

from .errors import InputError
from .ggml import FORMATS, Format

MAGIC, VERSION = b"GGUF", 3
ALIGNMENT = 32  # where the metadata names none
STRING, ARRAY = 8, 9
SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}


class Tensor(NamedTuple):
    """One row of the table; the shape is outermost dimension first, `offset` counts from the file's first byte."""

    shape: Tuple[int, ...]
    format: Format
    offset: int

    @property
    def size(self):
        return math.prod(self.shape) // self.format.numbers * self.format.size


class GGUFFile:
    """A parsed file: `metadata` by key, and `tensors`, the table by name."""

    def __init__(self, content, name):
        self.content, self.name = memoryview(content), name
        cursor = Cursor(self.content, name)
        if cursor.take(4) != MAGIC:
            raise InputError(f"{name}: expected a GGUF file, found another beginning")
        version = cursor.scalar("<I")
        if version != VERSION:
            raise InputError(f"{name}: expected GGUF version {VERSION}, found {version}")
        tensors, pairs = cursor.scalar("<Q"), cursor.scalar("<Q")
        self.metadata = dict(cursor.pair() for _ in range(pairs))
        table = [cursor.tensor() for _ in range(tensors)]
        alignment = self.metadata.get("general.alignment", ALIGNMENT)
        if not isinstance(alignment, int) or alignment < 1:
            raise InputError(f"{name}: expected a positive general.alignment, found {alignment}")
        start = -(-cursor.place // alignment) * alignment
        self.tensors = {name: Tensor(shape, format, start + offset) for name, shape, format, offset in table}
        for tensor in self.tensors:
            self.check(tensor)

    def check(self, name):
        tensor = self.tensors[name]
        if not tensor.shape:
            raise InputError(f"{self.name}: {name}: expected a tensor with dimensions, found none")
        if tensor.shape[-1] % tensor.format.numbers:
            raise InputError(f"{self.name}: {name}: expected rows of whole {tensor.format.name} blocks of "
                             f"{tensor.format.numbers}, found rows of {tensor.shape[-1]}")
        if tensor.offset + tensor.size > len(self.content):
            raise InputError(f"{self.name}: {name}: expected {tensor.offset + tensor.size} bytes at least, "
                             f"found {len(self.content)}")

    def read(self, name):
        """A tensor's numbers, outermost dimension first."""
        tensor = self.tensors[name]
        block = tensor.format.size
        stored = numpy.frombuffer(self.content, numpy.uint8, tensor.size, tensor.offset).reshape(-1, block)
        return tensor.format.decode(stored).reshape(tensor.shape)

    def fact(self, key):
        """A value of the metadata that has to be there."""
        if key not in self.metadata:
            raise InputError(f"{self.name}: expected {key} in the metadata, found none")
        return self.metadata[key]


class Cursor:
    """Reads one thing after another."""

    def __init__(self, content, name):
        self.content, self.name, self.place = content, name, 0

    def take(self, count):
        part = self.content[self.place : self.place + count]
        if len(part) < count:
            raise InputError(f"{self.name}: expected {count} bytes at offset {self.place}, found {len(part)}")
        self.place += count
        return part

    def scalar(self, layout):
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def string(self):
        part = bytes(self.take(self.scalar("<Q")))
        try:
            return part.decode()
        except UnicodeDecodeError:
            raise InputError(f"{self.name}: expected UTF-8 before offset {self.place}, found other bytes") from None

    def value(self, kind):
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            element, count = self.scalar("<I"), self.scalar("<Q")
            return [self.value(element) for _ in range(count)]
        if kind not in SCALARS:
            raise InputError(f"{self.name}: expected a kind of value up to 12, found {kind}")
        return self.scalar(SCALARS[kind])

    def pair(self):
        key = self.string()
        return key, self.value(self.scalar("<I"))

    def tensor(self):
        """Name, shape, format, and offset within the tensors' part of the file."""
        name = self.string()
        shape = [self.scalar("<Q") for _ in range(self.scalar("<I"))]  # innermost dimension first
        kind, offset = self.scalar("<I"), self.scalar("<Q")
        if kind not in FORMATS:
            known = ", ".join(format.name for format in FORMATS.values())
            raise InputError(f"{self.name}: {name}: expected a tensor of format {known}, found format {kind}")
        return name, tuple(reversed(shape)), FORMATS[kind], offset
