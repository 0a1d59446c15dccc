"""A small tokenizer, a scratch folder, and the command run as a user does."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from preparation import plotting, pytorch, tensorfile

SCRIPTS = Path(__file__).resolve().parent.parent
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "film", "a", "\"quoted", "is", "it"]
PYTORCH_MISSING = ", ".join(pytorch.ENVIRONMENT.missing())
PLOTTING_MISSING = ", ".join(plotting.ENVIRONMENT.missing())
with_plotting = unittest.skipIf(PLOTTING_MISSING, f"not installed: {PLOTTING_MISSING} (scripts/prepare_plotting.py)")
with_pytorch = unittest.skipIf(PYTORCH_MISSING, f"not installed: {PYTORCH_MISSING} (scripts/prepare_pytorch.py)")


def write_tokenizer(folder):
    """Words between [CLS] and [SEP], and, as in some published files, with padding and truncation switched on."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_padding(length=32)
    tokenizer.enable_truncation(4)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"max_position_embeddings": 256}))


def write_chat_tokenizer(folder):
    """A few words (all others are number 0), and the two marks of a chat model."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["[UNK]", "user", "assistant", "add", "mul"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    tokenizer.save(str(folder / "tokenizer.json"))


class PreparationTestCase(unittest.TestCase):
    """Each test has its own folder with a model's tokenizer."""

    write_tokenizer = staticmethod(write_tokenizer)

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.model, self.output = self.folder / "model", self.folder / "data" / "mine"
        self.model.mkdir()
        self.write_tokenizer(self.model)

    def file(self, name, *lines):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return path

    def rows(self, name, *rows):
        return self.file(name, *(json.dumps(row) for row in rows))

    def prepare(self, *arguments):
        command = [sys.executable, str(SCRIPTS / "prepare_data.py"), *map(str, arguments),
                   "--model", str(self.model), "--output", str(self.output)]
        # The cache is empty and pip has no index: a test that reaches for the network fails.
        offline = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache"), "PIP_NO_INDEX": "1"}
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=offline)

    def prepared(self, *arguments):
        """Prepares, and returns dataset.json and the tensors of both splits."""
        done = self.prepare(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        splits = [tensorfile.read(self.output / f"{name}.safetensors") for name in ("train", "test")]
        return (json.loads((self.output / "dataset.json").read_text(encoding="utf-8")), *splits)

    def assert_refused(self, done, *parts):
        """One line on standard error with all the parts, exit status 2, and no folder left."""
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)
        left = list(self.output.parent.iterdir()) if self.output.parent.exists() else []
        self.assertEqual(left, [])


def ragged(tensors, name):
    offsets = tensors["offsets"]
    return [tensors[name][start:end] for start, end in zip(offsets, offsets[1:])]
