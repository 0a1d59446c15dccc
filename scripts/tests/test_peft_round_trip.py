"""`florana aggregate` between real PEFT models: adapters that PEFT saved go in, what comes out PEFT loads, and its
logits are those of the product computed here in Float64 from the scalings and deltas that PEFT itself holds.

Needs PyTorch, transformers, PEFT and the built program ($FLORANA, or .build/debug/florana); is skipped without them.
"""

import json
import subprocess

from tests.peft_support import PROGRAM, TINY, PEFTTestCase
from tests.support import PYTORCH_MISSING

if not PYTORCH_MISSING:
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model
    from peft.tuners.lora import LoraLayer
    from safetensors.torch import load_file, save_file
    from transformers import BertForSequenceClassification, GPT2Config, GPT2LMHeadModel

TOKENS = [[2, 17, 45, 3, 81, 60, 9], [5, 98, 33, 71, 12, 4, 50]]
WEIGHTS = [0.3, 0.5, 0.2]


def bert():
    return BertForSequenceClassification.from_pretrained(TINY, num_labels=3, attn_implementation="eager")


def gpt2():
    torch.manual_seed(4)
    config = GPT2Config(n_embd=32, n_layer=2, n_head=4, vocab_size=99, n_positions=16,
                        bos_token_id=None, eos_token_id=None)
    return GPT2LMHeadModel(config)


def layers(model):
    return {name: module for name, module in model.get_base_model().named_modules() if isinstance(module, LoraLayer)}


def truncated(matrix, rank):
    u, values, v = torch.linalg.svd(matrix)
    return u[:, :rank] * values[:rank] @ v[:rank]


class PEFTRoundTripTests(PEFTTestCase):
    def save(self, number, base=bert, dtype=None, **settings):
        """A random adapter as PEFT saves it, read back; `dtype` stores its tensors as that type."""
        settings = {"task_type": "SEQ_CLS", "r": 4, "lora_alpha": 16, "target_modules": ["query", "output.dense"],
                    **settings}
        model = get_peft_model(base(), LoraConfig(**settings))
        generator = torch.Generator().manual_seed(number)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if parameter.requires_grad:
                    parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
        path = self.folder / f"adapter-{number}"
        model.save_pretrained(str(path))
        if dtype:
            weights = path / "adapter_model.safetensors"
            save_file({n: t.to(dtype) for n, t in load_file(weights).items()}, weights, metadata={"format": "pt"})
        return path

    def load(self, path, base):
        return PeftModel.from_pretrained(base(), str(path)).to(torch.float64).eval()

    def aggregate(self, method, paths):
        output, figures = self.folder / "merged", self.folder / "merged.json"
        command = [PROGRAM, "aggregate", "--method", method, "--output", output, "--json", figures, *paths,
                   "--weights", "3,5,2"]
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return output, json.loads(figures.read_text())

    def reference(self, models, base, delta):
        """The base model with `delta` of each layer's modules added to its weight, and the mean of the heads."""
        model = base().to(torch.float64).eval()
        with torch.no_grad():
            for name in layers(models[0]):
                model.get_submodule(name).weight += delta([layers(m)[name] for m in models])
            if base is bert:
                heads = [m.get_base_model().classifier.modules_to_save["default"].state_dict() for m in models]
                model.classifier.load_state_dict(
                    {n: sum(p * h[n] for p, h in zip(WEIGHTS, heads)) for n in heads[0]})
        return model

    def assert_same_logits(self, method, paths, delta, base=bert):
        output, figures = self.aggregate(method, paths)
        models = [self.load(path, base) for path in paths]
        with torch.no_grad():
            tokens = torch.tensor(TOKENS)
            expected = self.reference(models, base, delta)(tokens).logits
            found = self.load(output, base)(tokens).logits
            untouched = base().to(torch.float64).eval()(tokens).logits
        self.assertLess((found - expected).abs().max().item(), 1e-5)
        self.assertGreater((untouched - expected).abs().max().item(), 1e-2)
        return figures

    @staticmethod
    def mean_of_products(modules):
        return sum(p * m.get_delta_weight("default") for p, m in zip(WEIGHTS, modules))

    @staticmethod
    def product_of_means(modules):
        a = sum(p * m.lora_A["default"].weight for p, m in zip(WEIGHTS, modules))
        b = sum(p * m.scaling["default"] * m.lora_B["default"].weight for p, m in zip(WEIGHTS, modules))
        return b @ a

    def best(self, rank):
        return lambda modules: truncated(self.mean_of_products(modules), rank(modules))

    def largest_rank(self, modules):
        return max(m.r["default"] for m in modules)

    def test_averaging_of_different_scalings(self):
        paths = [self.save(1), self.save(2, lora_alpha=5), self.save(3, lora_alpha=6, use_rslora=True)]
        self.assert_same_logits("fedit", paths, self.product_of_means)

    def test_the_optimum_of_different_scalings(self):
        paths = [self.save(1, use_rslora=True), self.save(2), self.save(3, lora_alpha=3)]
        figures = self.assert_same_logits("florana-matrix", paths, self.best(self.largest_rank))
        self.assertAlmostEqual(figures["rho"], figures["rhoOptimum"], 6)

    def test_different_adapter_ranks(self):
        paths = [self.save(1, r=2), self.save(2, r=5), self.save(3, r=3, use_rslora=True)]
        self.assert_same_logits("florana-matrix", paths, self.best(self.largest_rank))

    def test_patterns(self):
        pattern = {"rank_pattern": {"query": 2}, "alpha_pattern": {"layer.1.attention.self.query": 5, r"0\.output.*": 9}}
        paths = [self.save(1, **pattern), self.save(2, rank_pattern={"query": 2}), self.save(3, **pattern)]
        self.assert_same_logits("fedit", paths, self.product_of_means)

    def test_patterns_that_the_output_needs(self):
        paths = [self.save(1, rank_pattern={"query": 2}), self.save(2), self.save(3, r=3)]
        self.assert_same_logits("florana-matrix", paths, self.best(self.largest_rank))
        paths = [self.save(4, r=3, rank_pattern={"query": 2}, alpha_pattern={"layer.1.output.dense": 3}),
                 self.save(5, r=3, rank_pattern={"layer.0.attention.self.query": 5}), self.save(6, r=3)]
        (self.folder / "merged").rename(self.folder / "first")
        self.assert_same_logits("florana-matrix", paths, self.best(self.largest_rank))
        merged = json.loads((self.folder / "merged/adapter_config.json").read_text())
        self.assertTrue(merged["rank_pattern"] and merged["alpha_pattern"])

    def test_half_precision(self):
        paths = [self.save(1, dtype=torch.float16), self.save(2, dtype=torch.bfloat16), self.save(3)]
        self.assert_same_logits("fedit", paths, self.product_of_means)

    def test_the_estimator_lies_between_its_ends(self):
        paths = [self.save(number) for number in (1, 2, 3)]
        output, figures = self.aggregate("florana", paths)
        self.assertLess(figures["rho"], figures["rhoFedIT"])
        self.assertGreater(figures["rho"], figures["rhoOptimum"])
        self.load(output, bert)

    def test_transposed_base_weights(self):
        settings = {"base": gpt2, "task_type": "CAUSAL_LM", "target_modules": ["c_attn"], "fan_in_fan_out": True}
        paths = [self.save(number, **settings) for number in (1, 2, 3)]
        self.assert_same_logits("florana-matrix", paths, self.best(self.largest_rank), base=gpt2)
