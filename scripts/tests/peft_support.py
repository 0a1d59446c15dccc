"""What tests of the program beside real PEFT models share: where it is, tiny models and data, a scratch folder."""

import json
import random
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from preparation import tensorfile
from preparation.environment import ROOT, program
from tests.support import PYTORCH_MISSING, with_pytorch

if not PYTORCH_MISSING:
    import torch
    from transformers.utils import logging
    logging.set_verbosity_error()
    logging.disable_progress_bar()

PROGRAM = program("debug")
GOLDEN = ROOT / "Tests/TransformerTests/Golden"
TINY = GOLDEN / "tiny"


def copy_model(golden, folder):
    """The model alone of a folder of fixtures."""
    shutil.copytree(golden, folder, ignore=lambda _, names: [
        name for name in names if name not in ("config.json", "model.safetensors")])


def write_data(folder):
    """Writes random rows of 99 tokens with three labels, and returns those to test with."""
    numbers, splits = random.Random(5), {}
    folder.mkdir()
    for name, count in (("train", 60), ("test", 12)):
        rows = [[numbers.randrange(99) for _ in range(numbers.randint(3, 14))] for _ in range(count)]
        offsets = [sum(map(len, rows[:i])) for i in range(count + 1)]
        tensorfile.write(folder / f"{name}.safetensors", {
            "tokens": ("I32", sum(rows, [])), "offsets": ("I64", offsets),
            "labels": ("I32", [numbers.randrange(3) for _ in rows]), "groups": ("I32", [0] * count)})
        splits[name] = {"rows": count, "tokens": offsets[-1]}
    (folder / "dataset.json").write_text(json.dumps({
        "format": "florana-dataset", "version": 1, "name": "random", "task": "classification",
        "labels": ["a", "b", "c"], "groups": ["all"], "tokenizer": {"sha256": "none"}, "maximumLength": 16,
        "splits": splits}))
    return rows


@with_pytorch
@unittest.skipUnless(PROGRAM.exists(), f"needs the built program: {PROGRAM}")
class PEFTTestCase(unittest.TestCase):
    """Each test has its own folder. The program is $FLORANA, or that of the debug build."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def florana(self, *arguments):
        done = subprocess.run([str(PROGRAM), *arguments], cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def evaluated(self, model, adapter):
        """The logits of each test row as florana finds them."""
        self.florana("evaluate", "--model", str(model), "--adapter", str(adapter), "--data", "data",
                     "--predictions", "rows.jsonl")
        return [json.loads(line)["logits"] for line in (self.folder / "rows.jsonl").read_text().splitlines()]

    def assert_same_logits(self, rows, model, expected):
        model.eval()
        with torch.no_grad():
            for tokens, logits in zip(rows, expected):
                found = model(torch.tensor([tokens])).logits[0].tolist()
                self.assertLess(max(abs(x - y) for x, y in zip(found, logits)), 1e-5)
