"""The byte-level BPE of a GGUF file as the files that `tokenizers` and transformers read."""

from .errors import InputError

CONTROL = 3  # the token types of llama.cpp
# How text is cut before the merges, by the name that llama.cpp gives it.
DIGITS_ONE_BY_ONE = [
    {"type": "Digits", "individual_digits": True},
    {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
]
PRE_TOKENIZERS = {"smollm": DIGITS_ONE_BY_ONE}


def files(file):
    """The content of tokenizer.json, tokenizer_config.json and special_tokens_map.json."""
    return {"tokenizer.json": tokenizer(file), "tokenizer_config.json": configuration(file),
            "special_tokens_map.json": special_tokens(file)}


def tokenizer(file):
    require(file, "tokenizer.ggml.model", ["gpt2"])
    require(file, "tokenizer.ggml.pre", list(PRE_TOKENIZERS))
    tokens = file.fact("tokenizer.ggml.tokens")
    parts = PRE_TOKENIZERS[file.fact("tokenizer.ggml.pre")]
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": control_tokens(file),
        "normalizer": None, "pre_tokenizer": {"type": "Sequence", "pretokenizers": parts},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": [merge.split(" ") for merge in file.fact("tokenizer.ggml.merges")],
        },
    }


def require(file, key, known):
    found = file.fact(key)
    if found not in known:
        raise InputError(f"{file.name}: {key}: expected {', '.join(known)}, found {found}")


def control_tokens(file):
    kinds = zip(file.fact("tokenizer.ggml.tokens"), file.fact("tokenizer.ggml.token_type"))
    return [{"id": number, "content": token, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": True} for number, (token, kind) in enumerate(kinds) if kind == CONTROL]


def configuration(file):
    return {
        "tokenizer_class": "PreTrainedTokenizerFast", "add_prefix_space": False,
        "clean_up_tokenization_spaces": False, "model_max_length": file.fact("llama.context_length"),
        **special_tokens(file), "chat_template": file.fact("tokenizer.chat_template"),
    }


def special_tokens(file):
    tokens = file.fact("tokenizer.ggml.tokens")
    named = {"bos_token": "bos", "eos_token": "eos", "pad_token": "padding", "unk_token": "unknown"}
    return {ours: tokens[file.fact(f"tokenizer.ggml.{theirs}_token_id")] for ours, theirs in named.items()}
