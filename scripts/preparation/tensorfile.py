"""A writer and a reader of the few tensors of a data set, as safetensors files.

The layout (8 bytes of header length, a JSON header padded to 8 bytes, the data) is that of
https://github.com/huggingface/safetensors; the whole package is not needed for it.
"""

import json
import struct
import sys
from array import array

TYPE_CODES = {"U8": "B", "I32": "i", "I64": "q"}


def write(path, tensors):
    """Writes one-dimensional tensors: `tensors` is {name: (kind, values)} with kind one of U8, I32 and I64.

    Wide kinds come first, so that every tensor starts at a multiple of its size."""
    ordered = sorted(tensors.items(), key=lambda item: (-array(TYPE_CODES[item[1][0]]).itemsize, item[0]))
    header, blocks, offset = {}, [], 0
    for name, (kind, values) in ordered:
        block = little_endian(array(TYPE_CODES[kind], values)).tobytes()
        header[name] = {"dtype": kind, "shape": [len(values)], "data_offsets": [offset, offset + len(block)]}
        blocks.append(block)
        offset += len(block)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blocks))


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
