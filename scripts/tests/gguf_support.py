"""A GGUF file written number by number, so that what the reader expects stands here a second time."""

import struct

STRING, ARRAY = 8, 9
LAYOUTS = {4: "<I", 5: "<i", 6: "<f", 7: "<?"}
FLOAT32, Q4_1, Q8_0 = 0, 3, 8


def string(text):
    return struct.pack("<Q", len(text.encode())) + text.encode()


def value(kind, content):
    if kind == STRING:
        return string(content)
    if kind == ARRAY:
        element, contents = content
        return struct.pack("<IQ", element, len(contents)) + b"".join(value(element, c) for c in contents)
    return struct.pack(LAYOUTS[kind], content)


def gguf(metadata, tensors, version=3):
    """`metadata` is {key: (kind, content)}, `tensors` is {name: (shape outermost first, format, bytes)}."""
    pairs = b"".join(string(key) + struct.pack("<I", kind) + value(kind, content)
                     for key, (kind, content) in metadata.items())
    table, blocks = b"", b""
    for name, (shape, form, content) in tensors.items():
        dimensions = struct.pack(f"<I{len(shape)}Q", len(shape), *reversed(shape))
        table += string(name) + dimensions + struct.pack("<IQ", form, len(blocks))
        blocks += content + bytes(-len(content) % 32)
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata)) + pairs + table
    return head + bytes(-len(head) % 32) + blocks


def floats(values):
    return struct.pack(f"<{len(values)}f", *values)


TOKENS = ["<|end|>", "<|start|>", "a", "b", "Ġ", "1", "2", "ab", "Ġa", "12"]
TINY_METADATA = {
    "general.architecture": (STRING, "llama"), "llama.block_count": (4, 1), "llama.context_length": (4, 16),
    "llama.embedding_length": (4, 8), "llama.feed_forward_length": (4, 3), "llama.attention.head_count": (4, 2),
    "llama.attention.head_count_kv": (4, 1), "llama.rope.freq_base": (6, 1e5), "llama.vocab_size": (4, len(TOKENS)),
    "llama.attention.layer_norm_rms_epsilon": (6, 1e-5), "llama.rope.dimension_count": (4, 4),
    "tokenizer.ggml.model": (STRING, "gpt2"), "tokenizer.ggml.pre": (STRING, "smollm"),
    "tokenizer.ggml.tokens": (ARRAY, (STRING, TOKENS)), "tokenizer.ggml.token_type": (ARRAY, (5, [3, 3] + [1] * 8)),
    "tokenizer.ggml.merges": (ARRAY, (STRING, ["a b", "Ġ a", "1 2"])), "tokenizer.chat_template": (STRING, "{{ x }}"),
    **{f"tokenizer.ggml.{name}_token_id": (4, number)
       for name, number in (("bos", 1), ("eos", 0), ("unknown", 0), ("padding", 0))},
}


def tiny_llama():
    """One layer of two heads of four and one of keys and values; every number of a tensor is another."""
    shapes = {
        "token_embd": (len(TOKENS), 8), "blk.0.attn_norm": (8,), "blk.0.attn_q": (8, 8), "blk.0.attn_k": (4, 8),
        "blk.0.attn_v": (4, 8), "blk.0.attn_output": (8, 8), "blk.0.ffn_norm": (8,), "blk.0.ffn_gate": (3, 8),
        "blk.0.ffn_up": (3, 8), "blk.0.ffn_down": (8, 3), "output_norm": (8,),
    }
    count = lambda shape: shape[0] * (shape[1] if len(shape) > 1 else 1)
    return {f"{name}.weight": (shape, FLOAT32, floats([i + n / 128 for n in range(count(shape))]))
            for i, (name, shape) in enumerate(shapes.items())}
