"""Tensor files, checksums, and folders that are replaced in one move."""

import json
import struct
import tempfile
import unittest
from pathlib import Path

from preparation import tensorfile
from preparation.errors import InputError
from preparation.files import replaced_folder, require_checksum


class FolderTestCase(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)


class TensorFileTests(FolderTestCase):
    TENSORS = {"kinds": ("U8", [0, 255, 1]), "tokens": ("I32", [-1, 2**31 - 1]), "offsets": ("I64", [0, 2**40])}

    def test_numbers_come_back(self):
        path = self.folder / "t.safetensors"
        tensorfile.write(path, self.TENSORS)
        self.assertEqual(tensorfile.read(path), {name: values for name, (_, values) in self.TENSORS.items()})

    def test_layout(self):
        path = self.folder / "t.safetensors"
        tensorfile.write(path, self.TENSORS)
        content = path.read_bytes()
        (length,) = struct.unpack_from("<Q", content)
        header = json.loads(content[8 : 8 + length])
        self.assertEqual(length % 8, 0)
        self.assertEqual(header["offsets"], {"dtype": "I64", "shape": [2], "data_offsets": [0, 16]})
        self.assertEqual(header["tokens"], {"dtype": "I32", "shape": [2], "data_offsets": [16, 24]})
        self.assertEqual(header["kinds"], {"dtype": "U8", "shape": [3], "data_offsets": [24, 27]})
        self.assertEqual(len(content), 8 + length + 27)

    def test_numbers_that_do_not_fit_are_refused(self):
        for kind, value in (("U8", 256), ("I32", 2**31)):
            with self.assertRaises(OverflowError):
                tensorfile.write(self.folder / "t", {"x": (kind, [value])})


class ReplacedFolderTests(FolderTestCase):
    def test_the_old_folder_stays_when_filling_fails(self):
        target = self.folder / "data"
        for content in ("old", None):
            try:
                with replaced_folder(target) as sibling:
                    (sibling / "file").write_text(content or "half")
                    if content is None:
                        raise RuntimeError
            except RuntimeError:
                pass
        self.assertEqual((target / "file").read_text(), "old")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["data"])

    def test_the_new_folder_takes_the_place_of_a_full_one(self):
        target = self.folder / "data"
        for name in ("first", "second"):
            with replaced_folder(target) as sibling:
                (sibling / name).touch()
        self.assertEqual([path.name for path in target.iterdir()], ["second"])
        self.assertEqual(target.stat().st_mode & 0o777, 0o755)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["data"])


class ChecksumTests(FolderTestCase):
    def test_a_file_that_is_not_what_was_pinned_is_removed(self):
        path = self.folder / "wheel"
        path.write_text("something else")
        with self.assertRaisesRegex(InputError, "wheel: expected SHA-256 abc, found f41f3f"):
            require_checksum(path, "abc")
        self.assertFalse(path.exists())
