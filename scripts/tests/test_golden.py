"""The golden numbers of the Swift tests, computed anew by PyTorch and PEFT, and the comparison itself."""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from make_golden import REAL
from preparation.environment import MODELS, ROOT
from preparation.errors import InputError
from tests.support import PYTORCH_MISSING, SCRIPTS, with_pytorch

if not PYTORCH_MISSING:
    from golden import comparison
    from safetensors.torch import load_file, save_file

GOLDEN = ROOT / "Tests/TransformerTests/Golden"
LACKING = [name for name in REAL if not (MODELS / name / "model.safetensors").exists()]


@with_pytorch
class GoldenTests(unittest.TestCase):
    @unittest.skipIf(LACKING, f"needs models/{', models/'.join(LACKING)}")
    def test_the_committed_numbers_are_reproduced(self):
        command = [sys.executable, str(SCRIPTS / "make_golden.py"), "--check"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def copy(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        return Path(shutil.copytree(GOLDEN, Path(scratch.name) / "golden"))

    def assert_told(self, folder, part):
        with self.assertRaisesRegex(InputError, part):
            comparison.require_same(GOLDEN, folder)

    def test_another_number_is_found(self):
        folder = self.copy()
        self.assertGreater(comparison.require_same(GOLDEN, folder), 10)
        path = folder / "tiny/expected-all.safetensors"
        tensors = load_file(path)
        name = sorted(name for name, tensor in tensors.items() if tensor.is_floating_point())[0]
        tensors[name].view(-1)[0] += 1e-4 * tensors[name].abs().max()
        save_file(tensors, path)
        self.assert_told(folder, f"expected-all.safetensors: {name}")

    def test_other_files_and_settings_are_found(self):
        folder = self.copy()
        text = (folder / "index.json").read_text()
        (folder / "index.json").write_text(text.replace('"computedIn": "F64"', '"computedIn": "F32"'))
        self.assert_told(folder, "index.json: .*computedIn")
        (folder / "index.json").unlink()
        self.assert_told(folder, "index.json: expected in both")
