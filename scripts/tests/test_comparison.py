"""The side-by-side timing without PyTorch: reading florana's figures, the rows of a batch, ratios."""

import argparse
import contextlib
import io
import tempfile
import unittest
from argparse import Namespace
from pathlib import Path
from unittest import mock

import compare_pytorch
from comparison import florana_side
from preparation.errors import InputError

TENSORS = {"tokens": list(range(100)), "offsets": [2 * i for i in range(11)], "labels": [i % 2 for i in range(10)]}


class FloranaSideTests(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.program = Path(scratch.name) / "florana"

    def write(self, script):
        self.program.write_text("#!/bin/sh\n" + script)
        self.program.chmod(0o755)

    def test_the_figures_are_found_among_other_lines(self):
        self.write("""echo starting; echo '[1]'; echo '{"tokensPerSecond": '"$#"', "threads": '$OMP_NUM_THREADS'}'""")
        found = florana_side.measure(self.program, ["step", "--batch", 32])
        self.assertEqual(found, {"tokensPerSecond": 5, "threads": 1})

    def test_failures_are_told(self):
        for script, told in (("echo no such model >&2; exit 2", "exit status 2: no such model"),
                             ("echo '{}'", "expected a JSON line with tokensPerSecond")):
            self.write(script)
            with self.assertRaisesRegex(InputError, told):
                florana_side.measure(self.program, [])

    def test_a_program_that_is_not_built(self):
        with self.assertRaisesRegex(InputError, "build it with swift build -c release"):
            florana_side.measure(self.program, [])


class LoadTests(unittest.TestCase):
    def test_batches_share_out_the_rows_without_repeats(self):
        arguments = Namespace(steps=2, batch=5)
        batches = [compare_pytorch.real_batch(TENSORS, step, arguments) for step in range(2)]
        self.assertEqual(batches[0], ([[0, 1], [4, 5], [8, 9], [12, 13], [16, 17]], [0] * 5))
        self.assertEqual(batches[1][1], [1] * 5)

    def test_few_draws_reach_the_end_of_the_data(self):
        rows, _ = compare_pytorch.real_batch(TENSORS, 0, Namespace(steps=1, batch=3))
        self.assertEqual(rows, [[0, 1], [6, 7], [12, 13]])

    def test_both_sides_get_full_rows_of_the_wanted_shape(self):
        calls, load = self.full_load(batch=3, length=7, steps=4)
        load.ours(), load.theirs()
        self.assertEqual(calls[0], ["step", "--model", "m", "--batch", 3, "--steps", 4, "--length", 7])
        model, batches = calls[1]
        self.assertEqual(model, ("m", 2, "sdpa"))
        self.assertEqual((len(batches), [len(row) for row in batches[0][0]]), (4, [7, 7, 7]))

    def full_load(self, **shape):
        calls = []
        fake = Namespace(classifier=lambda *options: options, measure=lambda *options: calls.append(options))
        ours = mock.patch.object(florana_side, "measure", lambda program, options: calls.append(options))
        ours.start()
        self.addCleanup(ours.stop)
        arguments = Namespace(model="m", florana="florana", attention="sdpa", **shape)
        return calls, compare_pytorch.full_load(arguments, fake)

    def test_unknown_loads_are_refused(self):
        self.assertEqual(compare_pytorch.named_loads("ragged,generate"), ["ragged", "generate"])
        with self.assertRaisesRegex(argparse.ArgumentTypeError, "expected full, ragged, decoder, generate, found"):
            compare_pytorch.named_loads("full,other")


class ReportTests(unittest.TestCase):
    def test_the_sides_take_turns_in_going_first(self):
        order = []
        for turn in range(2):
            compare_pytorch.in_turns(turn, lambda: order.append("ours"), lambda: order.append("theirs"))
        self.assertEqual(order, ["ours", "theirs", "theirs", "ours"])

    def test_the_table_has_medians_ratios_and_losses(self):
        turn = lambda ours, theirs: {"florana": {"tokensPerSecond": ours, "lossFirst": 0.7, "lossLast": 0.25},
                                     "pytorch": {"tokensPerSecond": theirs}}
        turns = [turn(300, 100), turn(200, 100), turn(100, 100)]
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            compare_pytorch.report(Namespace(json=False, repeats=3, steps=9, attention="sdpa"), "v", {"full": turns})
        for part in ("200 (100 – 300)", "2.00 (1.00 – 3.00)", "0.700 → 0.250 | –"):
            self.assertIn(part, printed.getvalue())
