"""A random RoBERTa and a random MPNet of two layers: what sets them apart from BERT, at a few kilobytes."""

import torch
from transformers import MPNetConfig, MPNetModel, RobertaConfig, RobertaModel

from . import reference as ref
from . import tiny

LENGTHS = {"tiny-roberta": [7, 40, 1, 18], "tiny-mpnet": [7, 140, 1, 33]}  # beyond 128 all distances share a bucket
TARGETS = {
    "tiny-roberta": ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"],
    "tiny-mpnet": ["q", "k", "v", "o", "intermediate.dense", "output.dense"],
}
VOCABULARY, PADDING = 99, 1
SHARED = {"vocab_size": VOCABULARY, "num_hidden_layers": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-5,
          "pad_token_id": PADDING, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
FURTHEST = 200  # the distance up to which buckets are stored
SETTINGS = {
    name: {"labels": tiny.LABELS, "adapterRank": 4, "alpha": 16, "targets": TARGETS[name],
           "training": tiny.SETTINGS["training"],
           "note": "the second row has a padding token within: it is seen, but not counted among the positions"}
    for name in TARGETS
}


def write(golden):
    """Writes golden/tiny-roberta and golden/tiny-mpnet and returns their settings for the index."""
    roberta = lambda: RobertaModel(RobertaConfig(
        hidden_size=32, num_attention_heads=4, intermediate_size=64, max_position_embeddings=42, type_vocab_size=1,
        **SHARED))
    mpnet = lambda: MPNetModel(MPNetConfig(
        hidden_size=24, num_attention_heads=3, intermediate_size=32, max_position_embeddings=144, **SHARED))
    for seed, (name, make) in enumerate({"tiny-roberta": roberta, "tiny-mpnet": mpnet}.items()):
        write_model(ref.folder_of(golden, name), make(), LENGTHS[name], TARGETS[name], 60 + 10 * seed)
    ref.write_tensors(golden / "tiny-mpnet" / "buckets.safetensors", {"buckets": buckets()})
    return SETTINGS


def write_model(folder, model, lengths, targets, seed):
    generator = torch.Generator().manual_seed(seed)
    tiny.save(model, folder, generator)
    rows = lambda lengths: tiny.random_rows(lengths, generator, VOCABULARY, type_count=1)
    batch, training = rows(lengths), rows([3 + (7 * i) % 23 for i in range(tiny.STEPS * tiny.ROWS)])
    batch.rows[1][5] = PADDING
    ref.write_tensors(folder / "batch.safetensors", batch.tensors())
    ref.write_tensors(folder / "training.safetensors", training.tensors())
    tiny.write_adapted(folder, "all", targets, batch, list(training.slices(tiny.ROWS)), seed + 1, head=0.2)


def buckets():
    """Of the distances from -FURTHEST to FURTHEST, as MPNet computes them."""
    from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

    return MPNetEncoder.relative_position_bucket(torch.arange(-FURTHEST, FURTHEST + 1)).to(torch.int32)
