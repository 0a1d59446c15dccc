"""A random BERT of two layers: every kind of layer, target and row length at a few kilobytes."""

import torch
from peft import TaskType
from transformers import BertConfig, BertModel

from . import reference as ref

LABELS = 3
LENGTHS = [7, 40, 1, 18]
ADAPTERS = {
    "all": ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"],
    "query-value": ["query", "value"],
}
STEPS, ROWS = 10, 4
LEARNING_RATE = {"adamw": 1e-3, "sgd": 5e-2}
SETTINGS = {
    "labels": LABELS, "adapterRank": 4, "alpha": 16, "targets": ADAPTERS,
    "training": {
        "steps": STEPS, "batch": ROWS, "clipNorm": 1.0, "schedule": "linear", "warmUp": 2,
        "adamw": {"learningRate": LEARNING_RATE["adamw"], "betas": [0.9, 0.999], "epsilon": 1e-8,
                  "weightDecay": 0.01},
        "sgd": {"learningRate": LEARNING_RATE["sgd"], "momentum": 0.9, "weightDecay": 0.01,
                "note": "torch.optim.SGD: the decay is added to the clipped gradient"},
    },
}


def write(golden):
    """Writes golden/tiny and returns its settings for the index."""
    folder = ref.folder_of(golden, "tiny")
    generator = torch.Generator().manual_seed(1)
    write_model(folder, generator)
    batch = random_rows(LENGTHS, generator)
    training = random_rows([3 + (7 * i) % 23 for i in range(STEPS * ROWS)], generator)
    ref.write_tensors(folder / "batch.safetensors", batch.tensors())
    ref.write_tensors(folder / "training.safetensors", training.tensors())
    base = BertModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).double().eval()
    ref.write_tensors(folder / "expected-base.safetensors", ref.hidden_states(base, batch))
    for number, (name, targets) in enumerate(ADAPTERS.items()):
        write_adapted(folder, name, targets, batch, list(training.slices(ROWS)), seed=10 + number)
    return SETTINGS


def write_model(folder, generator):
    """A model whose every parameter matters: biases and norms are random too, attention is far from flat."""
    config = BertConfig(
        vocab_size=99, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=40, type_vocab_size=2, hidden_act="gelu", layer_norm_eps=1e-12,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    save(BertModel(config), folder, generator)


def save(model, folder, generator):
    ref.fill(model.parameters(), generator, 0.25)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("LayerNorm.weight"):
                parameter.add_(1)
    model.save_pretrained(str(folder))


def random_rows(lengths, generator, vocabulary=99, type_count=2):
    draw = lambda high, n, low=0: torch.randint(low, high, (n,), generator=generator).tolist()
    rows = [draw(vocabulary, n, low=1) for n in lengths]
    types = [[0] * (n // 2) + [type_count - 1] * (n - n // 2) if n > 5 else [0] * n for n in lengths]
    return ref.Batch(rows, types, draw(LABELS, len(lengths)))


def write_adapted(folder, name, targets, batch, batches, seed, head=0.5):
    """Hidden states, logits, loss, gradients and training curves with an adapter whose head deviates by `head`."""
    adapter = folder / f"adapter-{name}"
    base = lambda: ref.classifier(folder, LABELS)
    ref.write_adapter(base(), adapter, TaskType.SEQ_CLS, targets, 4, 16, (0.2, 0.1, head), seed)
    fresh = lambda: ref.adapted(base(), adapter)
    model = fresh()
    expected = ref.hidden_states(ref.encoder(model), batch) | ref.loss_and_gradients(model, batch)
    ref.write_tensors(folder / f"expected-{name}.safetensors", expected)
    curves = {}
    for optimizer, make in optimizers().items():
        curve = ref.training_curve(fresh(), batches, make, clip_norm=1.0, warm_up=2)
        curves |= ref.prefixed(optimizer, curve)
    ref.write_tensors(folder / f"curves-{name}.safetensors", curves)


def optimizers():
    adamw, sgd = LEARNING_RATE["adamw"], LEARNING_RATE["sgd"]
    return {
        "adamw": lambda p: torch.optim.AdamW(p, lr=adamw, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01),
        "sgd": lambda p: torch.optim.SGD(p, lr=sgd, momentum=0.9, weight_decay=0.01),
    }
