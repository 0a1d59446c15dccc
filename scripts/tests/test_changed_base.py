"""The base model that a run of `flora` or `fedex-lora` leaves, in real transformers and PEFT: with the run's adapter
its logits are those of `florana evaluate`.

Needs PyTorch, transformers, PEFT and the built program ($FLORANA, or .build/debug/florana); is skipped without them.
"""

import json
import os
import random
import shutil
import subprocess

from preparation import tensorfile
from tests.peft_support import PROGRAM, TINY, PEFTTestCase
from tests.support import PYTORCH_MISSING

if not PYTORCH_MISSING:
    import torch
    from peft import AutoPeftModelForSequenceClassification, PeftModel
    from safetensors.torch import load_file, save_file
    from transformers import AutoModelForSequenceClassification

SETTINGS = """
model: { path: model }
adapter: { rank: 4, targets: [query, output.dense] }
data: { path: data, maximum-length: 16 }
clients: { count: 3 }
training: { rounds: 2, steps: 3, batch: 4, learning-rate: 5e-3 }
"""


def write_data(folder):
    """Random rows of 99 tokens and three labels."""
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


class ChangedBaseTests(PEFTTestCase):
    def setUp(self):
        super().setUp()
        shutil.copytree(TINY, self.folder / "model", ignore=lambda _, names: [
            name for name in names if name not in ("config.json", "model.safetensors")])
        (self.folder / "run.yaml").write_text(SETTINGS)
        self.rows = write_data(self.folder / "data")

    def florana(self, *arguments):
        done = subprocess.run([str(PROGRAM), *arguments], cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def trained(self, method):
        """Runs the method; returns the logits of each test row as florana finds them."""
        self.florana("simulate", "run.yaml", "--quiet", "--output", "run", "--set", f"method.name={method}")
        self.florana("evaluate", "--model", "run/base", "--adapter", "run/adapter", "--data", "data",
                     "--predictions", "rows.jsonl")
        return [json.loads(line)["logits"] for line in (self.folder / "rows.jsonl").read_text().splitlines()]

    def assert_same_logits(self, model, expected):
        model.eval()
        with torch.no_grad():
            for tokens, logits in zip(self.rows, expected):
                found = model(torch.tensor([tokens])).logits[0].tolist()
                self.assertLess(max(abs(x - y) for x, y in zip(found, logits)), 1e-5)

    def load(self, base):
        model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=3, dtype=torch.float32)
        return PeftModel.from_pretrained(model, str(self.folder / "run/adapter"))

    def test_the_logits_are_the_runs(self):
        for method in ("flora", "fedex-lora"):
            with self.subTest(method):
                expected = self.trained(method)
                self.assert_same_logits(self.load(self.folder / "run/base"), expected)
                with self.assertRaises(AssertionError):
                    self.assert_same_logits(self.load(self.folder / "model"), expected)
                shutil.rmtree(self.folder / "run")

    def test_peft_finds_the_base_of_a_folder_that_was_moved(self):
        expected = self.trained("flora")
        moved = (self.folder / "run").rename(self.folder / "elsewhere")
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(moved)
        model = AutoPeftModelForSequenceClassification.from_pretrained("adapter", num_labels=3)
        self.assert_same_logits(model, expected)

    def test_a_checkpoint_in_half_precision(self):
        weights = self.folder / "model/model.safetensors"
        save_file({name: t.half() for name, t in load_file(weights).items()}, weights, metadata={"format": "pt"})
        expected = self.trained("fedex-lora")
        self.assert_same_logits(self.load(self.folder / "run/base"), expected)
        stored = load_file(self.folder / "run/base/model.safetensors")
        changed = [name for name, tensor in stored.items() if tensor.dtype == torch.float32]
        self.assertEqual(len(changed), 6)
        self.assertTrue(all(name.endswith(("query.weight", "output.dense.weight")) for name in changed))
