"""The local step in PyTorch and PEFT: forward, backward and AdamW of LoRA over a frozen model; and generation."""

import time

import peft
import torch
import transformers
from peft import LoraConfig, TaskType, get_peft_model
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

ADAPTER_RANK, ALPHA, LEARNING_RATE = 8, 16, 2e-3
WARM_UP_STEPS = 2


def prepare():
    """One thread, and quiet."""
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def versions():
    return f"torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}"


def classifier(folder, labels, attention):
    """An encoder with a classifier, as users of PEFT have it; no dropout. A is random, B is zero."""
    base = AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=labels, attn_implementation=attention, dtype=torch.float32,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    return adapted(base, TaskType.SEQ_CLS, ["q", "v"] if base.config.model_type == "mpnet" else ["query", "value"])


def decoder(folder, attention):
    base = AutoModelForCausalLM.from_pretrained(folder, attn_implementation=attention, dtype=torch.float32)
    return adapted(base, TaskType.CAUSAL_LM, ["q_proj", "v_proj"])


def adapted(base, task, targets):
    torch.manual_seed(1)
    config = LoraConfig(task_type=task, r=ADAPTER_RANK, lora_alpha=ALPHA, lora_dropout=0.0, target_modules=targets)
    return get_peft_model(base, config).train()


def measure(model, batches):
    """Tokens that are not padding, a second, over all batches after a few that warm up; first and last loss. Labels
    are one a row; None asks for every token but the first."""
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE, weight_decay=0.0)
    inputs = [padded(*batch) for batch in batches]
    for batch in inputs[:WARM_UP_STEPS]:
        step(model, optimizer, batch)
    started = time.perf_counter()
    losses = [step(model, optimizer, batch) for batch in inputs]
    seconds = time.perf_counter() - started
    tokens = sum(len(row) for rows, _ in batches for row in rows)
    return {"tokensPerSecond": tokens / seconds, "lossFirst": losses[0], "lossLast": losses[-1]}


def measure_generation(model, prompts, new_tokens):
    """New tokens a second of greedy generation with the cache, the first of each prompt left out."""
    model.eval()
    inputs = torch.tensor(prompts)

    def seconds(count):
        started = time.perf_counter()
        with torch.inference_mode():
            made = model.generate(input_ids=inputs, attention_mask=torch.ones_like(inputs), max_new_tokens=count,
                                  min_new_tokens=count, do_sample=False)
        assert made.shape[1] == inputs.shape[1] + count
        return time.perf_counter() - started

    seconds(2)
    first = seconds(1)
    return {"tokensPerSecond": len(prompts) * (new_tokens - 1) / (seconds(new_tokens) - first)}


def step(model, optimizer, batch):
    optimizer.zero_grad(set_to_none=True)
    loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    return loss.item()


def padded(rows, labels):
    """Rows padded to the longest of the batch; no mask where there is nothing to mask."""
    width = max(map(len, rows))
    inputs = {"input_ids": torch.tensor([row + [0] * (width - len(row)) for row in rows])}
    inputs["labels"] = inputs["input_ids"] if labels is None else torch.tensor(labels)
    if any(len(row) < width for row in rows):
        inputs["attention_mask"] = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    return inputs
