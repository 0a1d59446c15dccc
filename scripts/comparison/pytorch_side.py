"""The local step in PyTorch and PEFT: forward, backward and AdamW of LoRA and a classifier over a frozen BERT."""

import time

import peft
import torch
import transformers
from peft import LoraConfig, TaskType, get_peft_model
from transformers import BertForSequenceClassification

ADAPTER_RANK, ALPHA, TARGETS, LEARNING_RATE = 8, 16, ["query", "value"], 2e-3
WARM_UP_STEPS = 2


def prepare():
    """One thread, and quiet."""
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def versions():
    return f"torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}"


def new_model(folder, labels, attention):
    """The model as users of PEFT have it; no dropout. A is random, B is zero."""
    torch.manual_seed(1)
    base = BertForSequenceClassification.from_pretrained(
        folder, num_labels=labels, attn_implementation=attention, dtype=torch.float32,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    config = LoraConfig(task_type=TaskType.SEQ_CLS, r=ADAPTER_RANK, lora_alpha=ALPHA, lora_dropout=0.0,
                        target_modules=TARGETS)
    return get_peft_model(base, config).train()


def measure(folder, batches, labels, attention):
    """Tokens that are not padding, a second, over all batches after a few that warm up; first and last loss."""
    model = new_model(folder, labels, attention)
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


def step(model, optimizer, batch):
    optimizer.zero_grad(set_to_none=True)
    loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    return loss.item()


def padded(rows, labels):
    """Rows padded to the longest of the batch; no mask where there is nothing to mask."""
    width = max(map(len, rows))
    inputs = {"input_ids": torch.tensor([row + [0] * (width - len(row)) for row in rows]),
              "labels": torch.tensor(labels)}
    if any(len(row) < width for row in rows):
        inputs["attention_mask"] = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    return inputs
