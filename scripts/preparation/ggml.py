"""The block formats of quantised tensors, as ggml defines them (ggml-common.h), and how to undo them.

A format stores so many numbers in a block of so many bytes; `decode` takes blocks × bytes and gives blocks × numbers
in Float32, to the bit what ggml computes: products of a half and a small integer are exact, sums are rounded once.
"""

from typing import Callable, NamedTuple

import numpy


class Format(NamedTuple):
    """One way to store numbers."""

    name: str
    numbers: int  # in a block
    size: int  # of a block, in bytes
    decode: Callable[[numpy.ndarray], numpy.ndarray]


def halves(blocks, place):
    """The half-precision number that starts at byte `place` of each block, as a column."""
    return numpy.ascontiguousarray(blocks[:, place : place + 2]).view("<f2").astype(numpy.float32)


def decode_f32(blocks):
    return blocks.view("<f4").astype(numpy.float32)


def decode_f16(blocks):
    return blocks.view("<f2").astype(numpy.float32)


def decode_q4_1(blocks):
    """A scale, a minimum, and 16 bytes whose low halves are the first 16 numbers and whose high halves the others."""
    packed = blocks[:, 4:]
    numbers = numpy.concatenate([packed & 15, packed >> 4], axis=1).astype(numpy.float32)
    return numbers * halves(blocks, 0) + halves(blocks, 2)


def decode_q8_0(blocks):
    """A scale and 32 signed bytes."""
    return blocks[:, 2:].view(numpy.int8).astype(numpy.float32) * halves(blocks, 0)


# By the number that a GGUF file gives them.
FORMATS = {
    0: Format("F32", 1, 4, decode_f32),
    1: Format("F16", 1, 2, decode_f16),
    3: Format("Q4_1", 32, 20, decode_q4_1),
    8: Format("Q8_0", 32, 34, decode_q8_0),
}
