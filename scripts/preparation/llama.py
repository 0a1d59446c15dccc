"""A LLaMA in a GGUF file as the folder that Hugging Face's LlamaForCausalLM reads.

llama.cpp rotates neighbouring pairs of a head's coordinates and therefore stores the rows of the query and key
projections in another order (convert_hf_to_gguf.py, `permute`); here they come back.
"""

import json
import re

import numpy

from . import bytelevel, tensorfile
from .errors import InputError
from .gguf import GGUFFile

OUTSIDE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
INSIDE = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}
KINDS = {"float32": "F32", "bfloat16": "BF16"}


def write(folder, content, name, data_type):
    """Writes config.json, model.safetensors (in `data_type`, one of KINDS) and the tokenizer's files."""
    file = GGUFFile(content, name)
    found = file.fact("general.architecture")
    if found != "llama":
        raise InputError(f"{name}: expected the architecture llama, found {found}")
    write_json(folder / "config.json", configuration(file))
    for file_name, value in bytelevel.files(file).items():
        write_json(folder / file_name, value)
    write_weights(folder / "model.safetensors", file, KINDS[data_type])


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def configuration(file):
    """config.json, from the metadata."""
    fact = lambda key: file.fact(f"llama.{key}")
    if file.metadata.get("llama.rope.scaling.type", "none") != "none":
        raise InputError(f"{file.name}: expected rotary positions without scaling, "
                         f"found {fact('rope.scaling.type')}")
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama",
        "attention_bias": False, "mlp_bias": False, "hidden_act": "silu",
        "hidden_size": fact("embedding_length"), "intermediate_size": fact("feed_forward_length"),
        "num_hidden_layers": fact("block_count"), "num_attention_heads": fact("attention.head_count"),
        "num_key_value_heads": fact("attention.head_count_kv"), "head_dim": fact("rope.dimension_count"),
        "max_position_embeddings": fact("context_length"), "vocab_size": fact("vocab_size"),
        "rms_norm_eps": shortest(fact("attention.layer_norm_rms_epsilon")),
        "rope_theta": shortest(fact("rope.freq_base")), "tie_word_embeddings": "output.weight" not in file.tensors,
        "bos_token_id": file.fact("tokenizer.ggml.bos_token_id"),
        "eos_token_id": file.fact("tokenizer.ggml.eos_token_id"),
        "pad_token_id": file.fact("tokenizer.ggml.padding_token_id"),
    }


def shortest(number):
    """The decimal that a Float32 was rounded from: 1e-05, not 9.999999747378752e-06."""
    return float(str(numpy.float32(number)))


def write_weights(path, file, kind):
    heads = {"attn_q": file.fact("llama.attention.head_count"), "attn_k": file.fact("llama.attention.head_count_kv")}
    blocks = {}
    for name, tensor in file.tensors.items():
        parts = part_names(file, name)
        content = lambda name=name, heads=heads.get(parts[0]): encoded(numbers(file, name, heads), kind)
        blocks[parts[1]] = tensorfile.Block(kind, tensor.shape, content)
    tensorfile.write_blocks(path, blocks, metadata={"format": "pt"})


def part_names(file, name):
    """The part that a tensor belongs to as llama.cpp calls it, and the tensor's name in Hugging Face's folder."""
    match = re.fullmatch(r"(?:blk\.(\d+)\.)?(\w+)\.weight", name)
    layer, part = match.groups() if match else (None, None)
    theirs = (OUTSIDE if layer is None else INSIDE).get(part)
    if theirs is None:
        raise InputError(f"{file.name}: expected the tensors of a LLaMA, found {name}")
    return part, f"{theirs}.weight" if layer is None else f"model.layers.{layer}.{theirs}.weight"


def numbers(file, name, heads):
    """A tensor's numbers; `heads` is how many heads its rows are rotated in, if they are."""
    found = file.read(name)
    return found if heads is None else half_split(found, heads)


def half_split(rows, heads):
    """Rows (2i, 2i + 1) of each head to where Hugging Face rotates them: (i, i + half the head)."""
    pairs = rows.reshape(heads, -1, 2, rows.shape[1])
    return pairs.swapaxes(1, 2).reshape(rows.shape)


def encoded(values, kind):
    """Little-endian bytes; BF16 is rounded to nearest, to even between two."""
    if kind == "F32":
        return values.astype("<f4").tobytes()
    bits = numpy.ascontiguousarray(values, "<f4").view("<u4")
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype("<u2").tobytes()
