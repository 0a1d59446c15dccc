"""Random decoders of two layers: a LLaMA with an adapter on every projection, Qwen2 and Mistral stored otherwise."""

import torch
from peft import TaskType
from transformers import (LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, Qwen2Config,
                          Qwen2ForCausalLM)

from . import reference as ref
from .decoder import Sequences, causal, greedy, outputs

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
ADAPTER_RANK, ALPHA = 4, 8
LENGTHS, PROMPTS = [9, 32, 2, 17], [4, 21, 1, 16]
STEPS, ROWS = 10, 4
NEW_TOKENS = 12
STOP = {"tiny-llama": 21, "tiny-qwen2": 5, "tiny-mistral": 5}  # the first two end some continuations early
SHARED = {"hidden_act": "silu", "attention_dropout": 0.0, "bos_token_id": 1, "pad_token_id": None,
          "rms_norm_eps": 1e-5, "max_position_embeddings": 64, "num_hidden_layers": 2}
ANGLES = "rotary angles are F32, as transformers computes them"
GREEDY = {name: {"newTokens": NEW_TOKENS, "stopToken": STOP[name]} for name in ("tiny-llama", "tiny-qwen2")}
SETTINGS = {
    "tiny-llama": {
        "adapterRank": ADAPTER_RANK, "alpha": ALPHA, "targets": TARGETS, "greedy": GREEDY["tiny-llama"], "note": ANGLES,
        "training": {
            "steps": STEPS, "batch": ROWS, "clipNorm": 1.0, "schedule": "linear", "warmUp": 2,
            "adamw": {"learningRate": 1e-3, "betas": [0.9, 0.999], "epsilon": 1e-8, "weightDecay": 0.01},
        },
    },
    "tiny-qwen2": {"greedy": GREEDY["tiny-qwen2"], "storage": "BF16 in two files", "note": ANGLES},
    "tiny-mistral": {"storage": "F16", "note": ANGLES},
}


def write(golden):
    """Writes golden/tiny-llama, tiny-qwen2 and tiny-mistral and returns their settings for the index."""
    write_llama(ref.folder_of(golden, "tiny-llama"))
    write_qwen2(ref.folder_of(golden, "tiny-qwen2"))
    write_mistral(ref.folder_of(golden, "tiny-mistral"))
    return SETTINGS


def write_llama(folder):
    generator = torch.Generator().manual_seed(31)
    config = LlamaConfig(
        vocab_size=97, hidden_size=48, num_attention_heads=6, num_key_value_heads=2,
        intermediate_size=80, tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, eos_token_id=STOP["tiny-llama"], **SHARED)
    write_model(folder, LlamaForCausalLM(config), generator, torch.float32)
    batch = sequences(LENGTHS, PROMPTS, 97, generator)
    lengths = [3 + (7 * i) % 23 for i in range(STEPS * ROWS)]
    training = sequences(lengths, [1 + n // 3 for n in lengths], 97, generator)
    ref.write_tensors(folder / "batch.safetensors", batch.tensors())
    ref.write_tensors(folder / "training.safetensors", training.tensors())
    short = Sequences(batch.rows[:1], batch.prompts[:1])
    ref.write_tensors(folder / "expected-base.safetensors", outputs(causal(folder), short))
    write_adapted(folder, batch, list(training.slices(ROWS)))


def write_adapted(folder, batch, batches):
    """Logits, loss, gradients, ten steps and greedy continuations with the adapter."""
    adapter = folder / "adapter"
    ref.write_adapter(causal(folder).float(), adapter, TaskType.CAUSAL_LM, TARGETS, ADAPTER_RANK, ALPHA, (0.2, 0.1),
                      seed=32)
    fresh = lambda: ref.adapted(causal(folder), adapter)
    ref.write_tensors(folder / "expected.safetensors", ref.loss_and_gradients(fresh(), batch))
    make = lambda p: torch.optim.AdamW(p, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    curve = ref.training_curve(fresh(), batches, make, clip_norm=1.0, warm_up=2)
    ref.write_tensors(folder / "curve.safetensors", ref.prefixed("adamw", curve))
    continued = greedy(fresh().eval(), batch.beginnings(), NEW_TOKENS, STOP["tiny-llama"])
    ref.write_tensors(folder / "greedy.safetensors", continued)


def write_qwen2(folder):
    """Biases of queries, keys and values, an output of its own, BF16, and weights in two files."""
    generator = torch.Generator().manual_seed(41)
    config = Qwen2Config(
        vocab_size=29, hidden_size=24, num_attention_heads=3, num_key_value_heads=1,
        intermediate_size=32, tie_word_embeddings=False, use_sliding_window=False,
        rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}, eos_token_id=STOP["tiny-qwen2"], **SHARED)
    write_model(folder, Qwen2ForCausalLM(config), generator, torch.bfloat16, max_shard_size="10KB")
    batch = sequences(LENGTHS, PROMPTS, 29, generator)
    model = causal(folder)
    continued = greedy(model, batch.beginnings(), NEW_TOKENS, STOP["tiny-qwen2"])
    ref.write_tensors(folder / "batch.safetensors", batch.tensors())
    ref.write_tensors(folder / "expected.safetensors", outputs(model, batch))
    ref.write_tensors(folder / "greedy.safetensors", continued)


def write_mistral(folder):
    """Heads that are not as wide as the hidden size divided by their number, F16."""
    generator = torch.Generator().manual_seed(51)
    config = MistralConfig(
        vocab_size=29, hidden_size=24, num_attention_heads=2, num_key_value_heads=1, head_dim=8,
        intermediate_size=32, tie_word_embeddings=False, sliding_window=None,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, eos_token_id=STOP["tiny-mistral"], **SHARED)
    write_model(folder, MistralForCausalLM(config), generator, torch.float16)
    batch = sequences(LENGTHS, PROMPTS, 29, generator)
    expected = {name: tensor for name, tensor in outputs(causal(folder), batch).items() if name != "loss"}
    ref.write_tensors(folder / "batch.safetensors", batch.tensors())
    ref.write_tensors(folder / "expected.safetensors", expected)


def write_model(folder, model, generator, data_type, **options):
    """Every parameter matters: norms and biases are random too, attention is far from flat."""
    ref.fill(model.parameters(), generator, 0.25)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.add_(1)
    model.to(data_type).save_pretrained(str(folder), **options)
    (folder / "generation_config.json").unlink()


def sequences(lengths, prompts, vocabulary, generator):
    draw = lambda n: torch.randint(1, vocabulary, (n,), generator=generator).tolist()
    return Sequences([draw(n) for n in lengths], prompts)
