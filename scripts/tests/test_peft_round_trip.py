"""`florana aggregate` between real PEFT models: adapters that PEFT saved go in, what comes out PEFT loads, and its
logits are those of the product computed here in Float64 from the scalings and deltas that PEFT itself holds.

Needs PyTorch, transformers, PEFT and the built program ($FLORANA, or .build/debug/florana); is skipped without them.
"""

import json
import subprocess
import tempfile
from pathlib import Path

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


def in_order(products):
    """A delta for each layer, in the models' order."""
    rest = iter(products)
    return lambda modules: next(rest)


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
        output = Path(tempfile.mkdtemp(dir=self.folder))
        figures = output / "figures.json"
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
        """Aggregates, and holds what comes out against the base model with `delta`; returns folder and figures."""
        output, figures = self.aggregate(method, paths)
        self.assert_logits_of(output, paths, delta, base)
        return output, figures

    def assert_logits_of(self, output, paths, delta, base=bert):
        models = [self.load(path, base) for path in paths]
        with torch.no_grad():
            tokens = torch.tensor(TOKENS)
            expected = self.reference(models, base, delta)(tokens).logits
            found = self.load(output, base)(tokens).logits
            untouched = base().to(torch.float64).eval()(tokens).logits
        self.assertLess((found - expected).abs().max().item(), 1e-5)
        self.assertGreater((untouched - expected).abs().max().item(), 1e-2)

    @staticmethod
    def mean_of_products(modules):
        return sum(p * m.get_delta_weight("default") for p, m in zip(WEIGHTS, modules))

    @staticmethod
    def factors(modules):
        """A and scaled B of every module, padded with zeros to the largest rank."""
        rank = max(m.r["default"] for m in modules)
        pairs = [(m.lora_A["default"].weight, m.scaling["default"] * m.lora_B["default"].weight) for m in modules]
        return [(torch.nn.functional.pad(a, (0, 0, 0, rank - len(a))),
                 torch.nn.functional.pad(b, (0, rank - len(a)))) for a, b in pairs]

    def combination(self, modules, of_b, of_a):
        pairs = self.factors(modules)
        return sum(p * b for p, (_, b) in zip(of_b, pairs)) @ sum(q * a for q, (a, _) in zip(of_a, pairs))

    def product_of_means(self, modules):
        return self.combination(modules, WEIGHTS, WEIGHTS)

    def weighted_by_norms(self, modules):
        """HetLoRA's: weights proportional to the norms of the products."""
        norms = [torch.linalg.matrix_norm(m.get_delta_weight("default")) for m in modules]
        weights = [norm / sum(norms) for norm in norms]
        return self.combination(modules, weights, weights)

    def corrected(self, modules):
        """LoRA-FAIR's: the mean of A, and the B that is best for it, held to the mean of B by λ = 0.01."""
        pairs = self.factors(modules)
        a, b = (sum(p * pair[i] for p, pair in zip(WEIGHTS, pairs)) for i in (0, 1))
        moment = a @ a.T + 0.01 * torch.eye(len(a), dtype=a.dtype)
        missing = (self.mean_of_products(modules) - b @ a) @ a.T
        return (b + torch.linalg.solve(moment, missing.T).T) @ a

    def rho(self, models, delta):
        """Distance of `delta` from the mean of the products over that mean, all layers together."""
        ideal, error = 0, 0
        for name in layers(models[0]):
            modules = [layers(model)[name] for model in models]
            target = self.mean_of_products(modules)
            ideal += target.square().sum().item()
            error += (delta(modules) - target).square().sum().item()
        return (error / ideal) ** 0.5

    def best(self, rank):
        return lambda modules: truncated(self.mean_of_products(modules), rank(modules))

    def largest_rank(self, modules):
        return max(m.r["default"] for m in modules)

    def test_averaging_of_different_scalings(self):
        paths = [self.save(1), self.save(2, lora_alpha=5), self.save(3, lora_alpha=6, use_rslora=True)]
        self.assert_same_logits("fedit", paths, self.product_of_means)

    def test_the_optimum_of_different_scalings(self):
        paths = [self.save(1, use_rslora=True), self.save(2), self.save(3, lora_alpha=3)]
        _, figures = self.assert_same_logits("florana-matrix", paths, self.best(self.largest_rank))
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
        output, _ = self.assert_same_logits("florana-matrix", paths, self.best(self.largest_rank))
        merged = json.loads((output / "adapter_config.json").read_text())
        self.assertTrue(merged["rank_pattern"] and merged["alpha_pattern"])

    def test_half_precision(self):
        paths = [self.save(1, dtype=torch.float16), self.save(2, dtype=torch.bfloat16), self.save(3)]
        self.assert_same_logits("fedit", paths, self.product_of_means)

    def references(self):
        """What each method makes of a layer's modules; `florana` has no closed form and a test of its own."""
        best = self.best(self.largest_rank)
        return {"fedit": self.product_of_means, "flexlora": best, "florana-matrix": best,
                "hetlora": self.weighted_by_norms, "lora-fair": self.corrected}

    def assert_every_method(self, methods, paths):
        models = [self.load(path, bert) for path in paths]
        for method in methods:
            with self.subTest(method=method):
                delta = self.references()[method]
                _, figures = self.assert_same_logits(method, paths, delta)
                with torch.no_grad():
                    self.assertAlmostEqual(figures["rho"], self.rho(models, delta), 6)

    def test_every_method(self):
        settings = [{}, {"lora_alpha": 5}, {"lora_alpha": 6, "use_rslora": True}]
        paths = [self.save(number + 1, **s) for number, s in enumerate(settings)]
        self.assert_every_method(self.references(), paths)

    def test_every_method_that_takes_different_adapter_ranks(self):
        paths = [self.save(1, r=2), self.save(2, r=5, lora_alpha=3), self.save(3, r=3, use_rslora=True)]
        self.assert_every_method(["flexlora", "florana-matrix", "hetlora"], paths)

    def test_the_estimator_is_a_combination_that_no_change_of_coefficients_betters(self):
        paths = [self.save(1), self.save(2, lora_alpha=5), self.save(3, use_rslora=True)]
        output, figures = self.aggregate("florana", paths)
        self.assertLess(figures["rho"], figures["rhoFedIT"])
        self.assertGreater(figures["rho"], figures["rhoOptimum"])
        found = layers(self.load(output, bert))
        models = [self.load(path, bert) for path in paths]
        with torch.no_grad():
            products = [self.assert_stationary([layers(model)[name] for model in models], found[name])
                        for name in found]
            self.assert_logits_of(output, paths, in_order(products))
            rho = self.rho(models, in_order(products))
        self.assertAlmostEqual(figures["rho"], rho, 6)

    def assert_stationary(self, modules, found):
        """Solves for the coefficients, and for those that are best for the other factor's; returns the product."""
        pairs, [(a, b)] = self.factors(modules), self.factors([found])
        target = self.mean_of_products(modules)
        of_a = self.solved([pair[0] for pair in pairs], a)
        of_b = self.solved([pair[1] for pair in pairs], b)
        product = self.combination(modules, of_b, of_a)
        reached = (product - target).square().sum().item()
        better_b = self.solved([pair[1] @ a for pair in pairs], target, exact=False)
        better_a = self.solved([b @ pair[0] for pair in pairs], target, exact=False)
        for p, q in ((better_b, of_a), (of_b, better_a)):
            best = (self.combination(modules, p, q) - target).square().sum().item()
            self.assertLess(reached, best * (1 + 1e-4))
        return product

    def solved(self, terms, target, exact=True):
        """The coefficients whose sum of `terms` is nearest to `target`, or equal to it where `exact`."""
        columns = torch.stack([term.flatten() for term in terms], 1)
        coefficients = torch.linalg.lstsq(columns, target.flatten().unsqueeze(1)).solution.squeeze(1)
        if exact:
            error = (columns @ coefficients - target.flatten()).abs().max().item()
            self.assertLess(error, 1e-6 * target.abs().max().item())
        return coefficients.tolist()

    def test_transposed_base_weights(self):
        settings = {"base": gpt2, "task_type": "CAUSAL_LM", "target_modules": ["c_attn"], "fan_in_fan_out": True}
        paths = [self.save(number, **settings) for number in (1, 2, 3)]
        self.assert_same_logits("florana-matrix", paths, self.best(self.largest_rank), base=gpt2)
