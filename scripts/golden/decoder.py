"""What the decoders' fixtures share: sequences of a prompt and an answer, their loss, and greedy continuations.

Rows are computed one by one, positions from 0, without padding.
"""

import torch
from transformers import AutoModelForCausalLM

from . import reference as ref

SMALLEST_MARGIN = 1e-3  # between the best two logits of a greedy choice, so that rounding cannot turn it


class Sequences(ref.Rows):
    """Rows of token ids, and how many leading tokens of each are its prompt."""

    def __init__(self, rows, prompts):
        super().__init__(rows, prompts)
        self.prompts = prompts

    def tensors(self):
        return self.packed() | {"promptLengths": torch.tensor(self.prompts, dtype=torch.int32)}

    def outputs(self, model):
        """`logits.N` of each row, tokens × vocabulary, and `loss`: the mean over all answers' tokens, each predicted
        by the logits of the token before it."""
        logits = [model(torch.tensor([row])).logits[0] for row in self.rows]
        predictions = torch.cat([row[prompt - 1 : -1] for row, prompt in zip(logits, self.prompts)])
        targets = torch.tensor(sum((row[prompt:] for row, prompt in zip(self.rows, self.prompts)), []))
        loss = torch.nn.functional.cross_entropy(predictions, targets)
        return {"loss": loss} | {f"logits.{i}": row for i, row in enumerate(logits)}

    def beginnings(self):
        """The prompts alone."""
        return [row[:prompt] for row, prompt in zip(self.rows, self.prompts)]


def causal(folder):
    """The model of a folder in Float64.

    transformers' own norms and plain attention step down to Float32 whatever the parameters are: PyTorch's norm and
    attention compute the same in the type that they are given. The angles of rotary positions stay Float32.
    """
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="sdpa", dtype=torch.float32)
    for name, module in list(model.named_modules()):
        if type(module).__name__.endswith("RMSNorm"):
            model.set_submodule(name, exact_norm(module))
    return model.double().eval()


def exact_norm(module):
    norm = torch.nn.RMSNorm(module.weight.shape, eps=module.variance_epsilon)
    norm.weight = module.weight
    return norm


def outputs(model, batch):
    with torch.no_grad():
        return batch.outputs(model)


def greedy(model, prompts, limit, stop):
    """The packed continuations of prompts: `limit` tokens at most, the stop token included."""
    return ref.Rows([continuation(model, prompt, limit, stop) for prompt in prompts]).packed()


def continuation(model, prompt, limit, stop):
    output = model.generate(
        input_ids=torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        do_sample=False, max_new_tokens=limit, eos_token_id=stop, pad_token_id=stop,
        return_dict_in_generate=True, output_logits=True)
    for logits in output.logits:
        best, second = logits[0].topk(2).values
        assert best - second > SMALLEST_MARGIN, f"too close a choice: {best - second}"
    return output.sequences[0, len(prompt) :].tolist()
