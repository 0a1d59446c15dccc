"""A writer of safetensors files, and a reader of those with the few tensors of a data set.

The layout (8 bytes of header length, a JSON header padded to 8 bytes, the data) is that of
https://github.com/huggingface/safetensors; the whole package is not needed for it.
"""

import json
import math
import struct
import sys
from array import array
from typing import Callable, NamedTuple, Sequence

TYPE_CODES = {"U8": "B", "I32": "i", "I64": "q"}
SIZES = {"U8": 1, "BF16": 2, "I32": 4, "F32": 4, "I64": 8}  # of one number, in bytes


class Block(NamedTuple):
    """One tensor: its bytes are made when they are written, so that a large file never stands in memory."""

    kind: str
    shape: Sequence[int]
    content: Callable[[], bytes]

    @property
    def size(self):
        return math.prod(self.shape) * SIZES[self.kind]


def write(path, tensors):
    """Writes one-dimensional tensors: `tensors` is {name: (kind, values)} with kind one of U8, I32 and I64."""
    arrays = {name: (kind, little_endian(array(TYPE_CODES[kind], values))) for name, (kind, values) in tensors.items()}
    write_blocks(path, {name: Block(kind, [len(values)], values.tobytes) for name, (kind, values) in arrays.items()})


def write_blocks(path, blocks, metadata=None):
    """Writes tensors, {name: Block}, and texts for `__metadata__`.

    Wide kinds come first, so that every tensor starts at a multiple of its size."""
    ordered = sorted(blocks.items(), key=lambda item: (-SIZES[item[1].kind], item[0]))
    header, offset = {"__metadata__": metadata} if metadata else {}, 0
    for name, block in ordered:
        header[name] = {"dtype": block.kind, "shape": list(block.shape), "data_offsets": [offset, offset + block.size]}
        offset += block.size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, block in ordered:
            file.write(block.content())


def read(path):
    """The tensors of such a file as {name: list of numbers}."""
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = little_endian(array(TYPE_CODES[entry["dtype"]], content[start:end])).tolist()
    return tensors


def little_endian(values):
    if sys.byteorder == "big":
        values.byteswap()
    return values
