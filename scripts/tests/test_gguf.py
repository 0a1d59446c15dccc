"""GGUF files: the block formats, the order of rotated rows, what is written for Hugging Face, and refusals."""

import json
import struct
import tempfile
import unittest
from pathlib import Path

import numpy

from preparation import llama
from preparation.errors import InputError
from preparation.gguf import GGUFFile
from tests.gguf_support import FLOAT32, Q4_1, Q8_0, STRING, TINY_METADATA, floats, gguf, tiny_llama


def only(shape, form, content):
    return GGUFFile(gguf({}, {"x": (shape, form, content)}), "x.gguf").read("x").tolist()


class BlockTests(unittest.TestCase):
    def test_q4_1_takes_low_halves_first(self):
        packed = bytes((15 - i) << 4 | i for i in range(16))
        block = struct.pack("<ee", 0.5, -3) + packed
        expected = [i * 0.5 - 3 for i in range(16)] + [(15 - i) * 0.5 - 3 for i in range(16)]
        other = struct.pack("<ee", 2, 0.25) + bytes([0x10]) * 16
        self.assertEqual(only((2, 32), Q4_1, block + other), [expected, [0.25] * 16 + [2.25] * 16])

    def test_q4_1_is_rounded_once(self):
        block = struct.pack("<ee", 1.0009765625, 3e-5) + bytes([0x77]) * 16
        half = struct.unpack("<e", struct.pack("<e", 3e-5))[0]
        self.assertEqual(only((1, 32), Q4_1, block)[0][0], float(numpy.float32(7 * 1.0009765625 + half)))

    def test_q8_0_is_signed(self):
        numbers = list(range(-128, -112)) + list(range(112, 128))
        block = struct.pack("<e32b", 0.25, *numbers)
        self.assertEqual(only((32,), Q8_0, block), [n * 0.25 for n in numbers])

    def test_f32_rows_and_columns(self):
        self.assertEqual(only((2, 3), FLOAT32, floats(range(6))), [[0, 1, 2], [3, 4, 5]])


class RefusalTests(unittest.TestCase):
    def refused(self, content, pattern):
        with self.assertRaisesRegex(InputError, pattern):
            GGUFFile(content, "x.gguf")

    def test_another_beginning_and_another_version(self):
        self.refused(b"PK\3\4" + bytes(40), "x.gguf: expected a GGUF file")
        self.refused(gguf({}, {}, version=2), "x.gguf: expected GGUF version 3, found 2")

    def test_an_unknown_format(self):
        self.refused(gguf({}, {"x": ((256,), 12, bytes(144))}), "x: expected a tensor of format F32, .*found format 12")

    def test_a_row_that_is_no_whole_block(self):
        self.refused(gguf({}, {"x": ((2, 48), Q8_0, bytes(102))}), "x: expected rows of whole Q8_0 blocks of 32")

    def test_what_no_table_can_say(self):
        self.refused(gguf({"general.alignment": (4, 0)}, {}), "expected a positive general.alignment, found 0")
        self.refused(gguf({}, {"x": ((), FLOAT32, bytes(4))}), "x: expected a tensor with dimensions, found none")

    def test_an_end_too_soon(self):
        content = gguf(TINY_METADATA, {"x": ((64,), FLOAT32, bytes(256))})
        self.refused(content[:-1], f"x: expected {len(content)} bytes at least, found {len(content) - 1}")
        for end in (3, 20, 60, 400):
            self.refused(content[:end], "x.gguf: expected [0-9]+ bytes at offset")

    def test_an_unknown_kind_of_value(self):
        content = gguf({"k": (4, 0)}, {}).replace(struct.pack("<I", 4), struct.pack("<I", 13), 1)
        self.refused(content, "expected a kind of value up to 12, found 13")


class LlamaTests(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def write(self, change={}, tensors={}, data_type="float32"):
        content = gguf({**TINY_METADATA, **change}, {**tiny_llama(), **tensors})
        llama.write(self.folder, content, "x.gguf", data_type)

    def stored(self):
        """Header and numbers of model.safetensors, read by hand."""
        content = (self.folder / "model.safetensors").read_bytes()
        (length,) = struct.unpack_from("<Q", content)
        header = json.loads(content[8 : 8 + length])
        kinds = {"F32": "<f4", "BF16": "<u2"}
        read = lambda e: numpy.frombuffer(content[slice(*(8 + length + o for o in e["data_offsets"]))],
                                          kinds[e["dtype"]]).reshape(e["shape"])
        return header.pop("__metadata__"), {name: read(entry) for name, entry in header.items()}

    def test_rows_of_queries_and_keys_come_back_to_halves(self):
        self.write()
        metadata, tensors = self.stored()
        self.assertEqual(metadata, {"format": "pt"})
        original = numpy.frombuffer(tiny_llama()["blk.0.attn_q.weight"][2], "<f4").reshape(8, 8)
        found = tensors["model.layers.0.self_attn.q_proj.weight"]
        self.assertTrue((found == original[[0, 2, 1, 3, 4, 6, 5, 7]]).all())
        first = lambda part: tensors[f"model.layers.0.self_attn.{part}_proj.weight"][:, 0].tolist()
        self.assertEqual(first("k"), [3, 3.125, 3.0625, 3.1875])
        self.assertEqual(first("v"), [4, 4.0625, 4.125, 4.1875])

    def test_a_longer_head_is_split_in_the_middle(self):
        rows = numpy.arange(16.0).reshape(16, 1)
        one = [0, 2, 4, 6, 1, 3, 5, 7]
        self.assertEqual(llama.half_split(rows, 2)[:, 0].tolist(), one + [8 + n for n in one])

    def test_names_and_configuration(self):
        self.write()
        names = set(self.stored()[1])
        layer = "model.layers.0."
        parts = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj",
                 "mlp.up_proj", "mlp.down_proj", "input_layernorm", "post_attention_layernorm"]
        outside = {"model.embed_tokens.weight", "model.norm.weight"}
        self.assertEqual(names, outside | {f"{layer}{part}.weight" for part in parts})
        config = json.loads((self.folder / "config.json").read_text())
        expected = {"hidden_size": 8, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4,
                    "rms_norm_eps": 1e-05, "rope_theta": 1e5, "tie_word_embeddings": True, "eos_token_id": 0}
        self.assertEqual({key: config[key] for key in expected}, expected)

    def test_an_output_of_its_own(self):
        self.write(tensors={"output.weight": ((10, 8), FLOAT32, floats([1] * 80))})
        self.assertEqual(self.stored()[1]["lm_head.weight"].shape, (10, 8))
        self.assertFalse(json.loads((self.folder / "config.json").read_text())["tie_word_embeddings"])

    def test_bfloat16_is_rounded_to_even(self):
        bits = [0x3F808000, 0x3F818000, 0x3F808001, 0xBF817FFF]
        values = numpy.array(bits, "<u4").view("<f4")
        found = numpy.frombuffer(llama.encoded(values, "BF16"), "<u2").tolist()
        self.assertEqual(found, [0x3F80, 0x3F82, 0x3F81, 0xBF81])
        self.write(data_type="bfloat16")
        self.assertEqual(self.stored()[1]["model.norm.weight"].dtype, numpy.uint16)

    def test_the_tokenizer_splits_digits_and_keeps_control_tokens_whole(self):
        from tokenizers import Tokenizer

        self.write()
        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        self.assertEqual(tokenizer.encode("ab a12<|end|>").ids, [7, 8, 5, 6, 0])
        self.assertEqual(tokenizer.decode([7, 8, 5, 6, 0]), "ab a12")
        kept = json.loads((self.folder / "tokenizer_config.json").read_text())
        expected = {"bos_token": "<|start|>", "eos_token": "<|end|>", "chat_template": "{{ x }}"}
        self.assertEqual({key: kept[key] for key in expected}, expected)

    def refused(self, pattern, **arguments):
        with self.assertRaisesRegex(InputError, pattern):
            self.write(**arguments)

    def test_what_is_no_such_model_is_refused(self):
        self.refused("architecture llama, found qwen2", change={"general.architecture": (STRING, "qwen2")})
        self.refused("tokenizer.ggml.pre: expected smollm, found llama-bpe",
                     change={"tokenizer.ggml.pre": (STRING, "llama-bpe")})
        self.refused("tokenizer.ggml.model: expected gpt2, found llama",
                     change={"tokenizer.ggml.model": (STRING, "llama")})
        self.refused("positions without scaling, found yarn", change={"llama.rope.scaling.type": (STRING, "yarn")})
        self.refused("tensors of a LLaMA, found rope_freqs.weight",
                     tensors={"rope_freqs.weight": ((2,), FLOAT32, floats([1, 1]))})
        self.refused("tensors of a LLaMA, found blk.0.attn_q.bias",
                     tensors={"blk.0.attn_q.bias": ((8,), FLOAT32, floats([1] * 8))})

    def test_a_fact_that_is_missing(self):
        metadata = {key: value for key, value in TINY_METADATA.items() if key != "llama.rope.freq_base"}
        with self.assertRaisesRegex(InputError, "x.gguf: expected llama.rope.freq_base in the metadata"):
            llama.write(self.folder, gguf(metadata, tiny_llama()), "x.gguf", "float32")
