"""What tests with real PEFT models share: whether the packages are there, the built program, and a scratch folder."""

import os
import tempfile
import unittest
from pathlib import Path

try:
    import peft  # noqa: F401
    import torch  # noqa: F401
    from transformers.utils import logging
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    MISSING = None
except ImportError as error:
    MISSING = f"needs torch, transformers and peft: {error}"

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(os.environ.get("FLORANA", ROOT / ".build/debug/florana"))
TINY = ROOT / "Tests/TransformerTests/Golden/tiny"


@unittest.skipIf(MISSING, MISSING)
@unittest.skipUnless(PROGRAM.exists(), f"needs the built program: {PROGRAM}")
class PEFTTestCase(unittest.TestCase):
    """Each test has its own folder. The program is $FLORANA, or .build/debug/florana."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
