"""What tests of the program beside real PEFT models share: where it is, the tiny model, and a scratch folder."""

import tempfile
import unittest
from pathlib import Path

from preparation.environment import ROOT, program
from tests.support import PYTORCH_MISSING, with_pytorch

if not PYTORCH_MISSING:
    from transformers.utils import logging
    logging.set_verbosity_error()
    logging.disable_progress_bar()

PROGRAM = program("debug")
TINY = ROOT / "Tests/TransformerTests/Golden/tiny"


@with_pytorch
@unittest.skipUnless(PROGRAM.exists(), f"needs the built program: {PROGRAM}")
class PEFTTestCase(unittest.TestCase):
    """Each test has its own folder. The program is $FLORANA, or that of the debug build."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
