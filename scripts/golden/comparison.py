"""Whether golden numbers that were computed anew are those that are committed."""

import json

import torch
from safetensors.torch import load_file

from preparation.errors import InputError

# Another CPU sums in another order; the numbers are computed in Float64 and stored in Float32.
TOLERANCE = 1e-6


def require_same(committed, computed):
    """Compares the two folders file by file; returns how many there are. Raises InputError at the first difference."""
    names = sorted({path.relative_to(folder) for folder in (committed, computed)
                    for path in folder.rglob("*") if path.is_file()})
    for name in names:
        for folder in (committed, computed):
            if not (folder / name).is_file():
                raise InputError(f"{committed / name}: expected in both folders, found in one")
        compare = compare_tensors if name.suffix == ".safetensors" else compare_json
        compare(committed / name, computed / name)
    return len(names)


def compare_json(committed, computed):
    found, expected = (json.loads(path.read_text()) for path in (committed, computed))
    for index in (found, expected):
        index.get("versions", {}).pop("python", None)
    if found != expected:
        keys = sorted(key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key))
        raise InputError(f"{committed}: expected what is computed now, found another {', '.join(keys)}")


def compare_tensors(committed, computed):
    found, expected = load_file(committed), load_file(computed)
    if found.keys() != expected.keys():
        raise InputError(f"{committed}: expected {', '.join(sorted(expected))}, found {', '.join(sorted(found))}")
    for name, tensor in expected.items():
        if not same(found[name], tensor):
            raise InputError(f"{committed}: {name}: expected what is computed now, found other numbers")


def same(found, expected):
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return False
    if not expected.is_floating_point():
        return torch.equal(found, expected)
    return bool((found - expected).abs().max() <= TOLERANCE * expected.abs().max())
