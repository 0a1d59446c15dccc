"""The base model that a run of `flora` or `fedex-lora` leaves, in real transformers and PEFT: with the run's adapter
its logits are those of `florana evaluate`.

Needs PyTorch, transformers, PEFT and the built program ($FLORANA, or .build/debug/florana); is skipped without them.
"""

import os
import shutil

from tests.peft_support import TINY, PEFTTestCase, copy_model, write_data
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


class ChangedBaseTests(PEFTTestCase):
    def setUp(self):
        super().setUp()
        copy_model(TINY, self.folder / "model")
        (self.folder / "run.yaml").write_text(SETTINGS)
        self.rows = write_data(self.folder / "data")

    def trained(self, method):
        """Runs the method; returns the logits of each test row as florana finds them."""
        self.florana("simulate", "run.yaml", "--quiet", "--output", "run", "--set", f"method.name={method}")
        return self.evaluated("run/base", "run/adapter")

    def load(self, base):
        model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=3, dtype=torch.float32)
        return PeftModel.from_pretrained(model, str(self.folder / "run/adapter"))

    def test_the_logits_are_the_runs(self):
        for method in ("flora", "fedex-lora"):
            with self.subTest(method):
                expected = self.trained(method)
                self.assert_same_logits(self.rows, self.load(self.folder / "run/base"), expected)
                with self.assertRaises(AssertionError):
                    self.assert_same_logits(self.rows, self.load(self.folder / "model"), expected)
                shutil.rmtree(self.folder / "run")

    def test_peft_finds_the_base_of_a_folder_that_was_moved(self):
        expected = self.trained("flora")
        moved = (self.folder / "run").rename(self.folder / "elsewhere")
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(moved)
        model = AutoPeftModelForSequenceClassification.from_pretrained("adapter", num_labels=3)
        self.assert_same_logits(self.rows, model, expected)

    def test_a_checkpoint_in_half_precision(self):
        weights = self.folder / "model/model.safetensors"
        save_file({name: t.half() for name, t in load_file(weights).items()}, weights, metadata={"format": "pt"})
        expected = self.trained("fedex-lora")
        self.assert_same_logits(self.rows, self.load(self.folder / "run/base"), expected)
        stored = load_file(self.folder / "run/base/model.safetensors")
        changed = [name for name, tensor in stored.items() if tensor.dtype == torch.float32]
        self.assertEqual(len(changed), 6)
        self.assertTrue(all(name.endswith(("query.weight", "output.dense.weight")) for name in changed))
