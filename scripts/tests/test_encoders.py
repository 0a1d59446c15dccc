"""Adapters of every kind of encoder between the program and real PEFT: what one writes the other reads, and the logits
are the same.

Needs PyTorch, transformers, PEFT and the built program ($FLORANA, or .build/debug/florana); is skipped without them.
"""

import contextlib
import functools
import shutil

from tests.peft_support import GOLDEN, PEFTTestCase, copy_model, write_data
from tests.support import PYTORCH_MISSING

if not PYTORCH_MISSING:
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import AutoModelForSequenceClassification

SETTINGS = """
model: {{ path: model }}
adapter: {{ rank: 4, targets: [{targets}] }}
data: {{ path: data, maximum-length: 16 }}
clients: {{ count: 3 }}
training: {{ rounds: 2, steps: 3, batch: 4, learning-rate: 5e-3 }}
"""
# `dense` names no layer of the head, which PEFT saves whole.
TARGETS = {"tiny-roberta": ["query", "dense"], "tiny-mpnet": ["q", "o", "dense"]}


def for_each_kind(test):
    """The test of every kind in turn, with its model and data in place, its targets and the rows to test with."""

    @functools.wraps(test)
    def tests(self):
        for name, targets in TARGETS.items():
            with self.subTest(name), self.prepared(name) as rows:
                test(self, targets, rows)

    return tests


class EncoderTests(PEFTTestCase):
    @contextlib.contextmanager
    def prepared(self, name):
        try:
            copy_model(GOLDEN / name, self.folder / "model")
            yield write_data(self.folder / "data")
        finally:
            for path in self.folder.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def base(self, folder="model"):
        return AutoModelForSequenceClassification.from_pretrained(
            self.folder / folder, num_labels=3, dtype=torch.float32)

    def load(self, adapter, base="model"):
        return PeftModel.from_pretrained(self.base(base), str(self.folder / adapter))

    def simulate(self, targets, method):
        (self.folder / "run.yaml").write_text(SETTINGS.format(targets=", ".join(targets)))
        self.florana("simulate", "run.yaml", "--quiet", "--output", "run", "--set", f"method.name={method}")

    def saved(self, number, targets):
        """A random adapter with its head, as PEFT saves it."""
        model = get_peft_model(self.base(), LoraConfig(
            task_type="SEQ_CLS", r=4, lora_alpha=8 + number, target_modules=targets))
        generator = torch.Generator().manual_seed(number)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
        model.save_pretrained(str(self.folder / f"adapter-{number}"))
        return model

    @for_each_kind
    def test_peft_loads_what_was_trained(self, targets, rows):
        self.simulate(targets, "fedit")
        self.assert_same_logits(rows, self.load("run/adapter"), self.evaluated("model", "run/adapter"))

    @for_each_kind
    def test_transformers_loads_a_changed_base(self, targets, rows):
        self.simulate(targets, "fedex-lora")
        self.assert_same_logits(
            rows, self.load("run/adapter", base="run/base"), self.evaluated("run/base", "run/adapter"))

    @for_each_kind
    def test_what_peft_saved_is_read_and_aggregated(self, targets, rows):
        models = [self.saved(number, targets) for number in (1, 2)]
        self.assert_same_logits(rows, models[0], self.evaluated("model", "adapter-1"))
        self.florana("aggregate", "--method", "florana-matrix", "--output", "merged", "adapter-1", "adapter-2")
        merged = self.load("merged")
        self.assert_same_logits(rows, merged, self.evaluated("model", "merged"))
        self.assert_mean_of_heads(merged, models)

    def assert_mean_of_heads(self, merged, models):
        head = lambda model: model.get_base_model().classifier.modules_to_save["default"].state_dict()
        first, second = map(head, models)
        self.assertEqual(len(first), 4)
        for name, tensor in head(merged).items():
            self.assertLess((tensor - (first[name] + second[name]) / 2).abs().max().item(), 1e-6)
