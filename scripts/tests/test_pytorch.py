"""The environment with PyTorch: made once, and told in one line where it cannot be made."""

import contextlib
import io
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from preparation import pytorch
from preparation.errors import InputError


class InstallationTests(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name) / "environment"
        patch = mock.patch.object(pytorch.ENVIRONMENT, "folder", self.folder)
        patch.start()
        self.addCleanup(patch.stop)

    def test_what_cannot_be_had_is_told_and_not_taken_for_made(self):
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.folder), "PIP_CONFIG_FILE": os.devnull}
        with mock.patch.dict(os.environ, offline), contextlib.redirect_stderr(io.StringIO()):
            with self.assertRaisesRegex(InputError, "could not install requirements-pytorch.txt.*torch==2"):
                pytorch.ENVIRONMENT.install()
        self.assertFalse(pytorch.ENVIRONMENT.prepared.exists())

    def test_what_is_there_is_left_alone(self):
        self.folder.mkdir()
        pytorch.ENVIRONMENT.prepared.write_bytes(pytorch.ENVIRONMENT.requirements.read_bytes())
        self.assertFalse(pytorch.ENVIRONMENT.install())
        self.assertEqual(list(self.folder.iterdir()), [pytorch.ENVIRONMENT.prepared])


class RequirementsTests(unittest.TestCase):
    def test_every_package_is_pinned_and_pytorch_is_the_one_for_cpu(self):
        lines = [line for line in pytorch.ENVIRONMENT.requirements.read_text().splitlines() if not line.startswith("#")]
        self.assertTrue(all(line.count("==") == 1 for line in lines), lines)
        self.assertRegex(lines[0], r"^torch==.*\+cpu$")
