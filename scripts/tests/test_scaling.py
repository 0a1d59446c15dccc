"""Merging tables of scaling: the reference of a row, and tables that are wrong."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from plotting import scaling
from preparation.errors import InputError
from tests.support import SCRIPTS


def row(mode, ranks, clients, tokens_per_second, seconds=1.0):
    return {"mode": mode, "ranks": ranks, "hosts": 1, "clients": clients, "clientsPerRank": clients / ranks,
            "stepsPerClient": None, "secondsMean": seconds, "secondsMinimum": seconds, "secondsMaximum": seconds,
            "trainSecondsMaximum": seconds / 2, "tokensPerSecond": tokens_per_second, "speedUp": 1.0, "efficiency": 1.0}


class MergingTests(unittest.TestCase):
    def test_strong_rows_are_held_against_the_fewest_ranks_with_the_same_clients(self):
        merged = scaling.merged([
            [row("strong", 4, 8, 300), row("strong", 4, 16, 280)],
            [row("strong", 1, 8, 100), row("strong", 1, 16, 100)],
            [row("strong", 2, 8, 180), row("strong", 2, 16, 200)],
        ])
        self.assertEqual([(line["clients"], line["ranks"]) for line in merged],
                         [(8, 1), (8, 2), (8, 4), (16, 1), (16, 2), (16, 4)])
        self.assertEqual([line["rankSpeedUp"] for line in merged], [1, 1.8, 3, 1, 2, 2.8])
        self.assertEqual([line["rankEfficiency"] for line in merged], [1, 0.9, 0.75, 1, 1, 0.7])

    def test_weak_rows_are_held_against_the_fewest_ranks_with_as_many_clients_each(self):
        merged = scaling.merged([[row("weak", 2, 4, 100), row("weak", 2, 8, 110)],
                                 [row("weak", 6, 12, 270), row("weak", 6, 24, 330)]])
        self.assertEqual([(line["clientsPerRank"], line["ranks"]) for line in merged], [(2, 2), (2, 6), (4, 2), (4, 6)])
        self.assertEqual([round(line["rankEfficiency"], 12) for line in merged], [1, 0.9, 1, 1])

    def test_what_cannot_be_merged_is_refused(self):
        with self.assertRaisesRegex(InputError, "one mode, found strong and weak"):
            scaling.merged([[row("strong", 1, 2, 1)], [row("weak", 2, 2, 1)]])
        with self.assertRaisesRegex(InputError, "2 clients on 1 ranks twice"):
            scaling.merged([[row("strong", 1, 2, 1)], [row("strong", 1, 2, 1)]])


class FileTests(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def merge(self, *arguments):
        return subprocess.run([sys.executable, str(SCRIPTS / "merge_scaling.py"), *map(str, arguments)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_what_is_written_is_read_and_merged_again(self):
        for ranks in (1, 2):
            scaling.write([row("strong", ranks, 8, 100 * ranks)], self.folder / f"{ranks}" / "scaling.csv")
        output = self.folder / "new" / "scaling.csv"
        done = self.merge("--output", output, self.folder / "1/scaling.csv", self.folder / "2/scaling.csv")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = scaling.read(output)
        self.assertEqual([line["rankSpeedUp"] for line in rows], [1, 2])
        self.assertEqual(rows[0]["stepsPerClient"], None)
        self.assertEqual(rows, scaling.merged([rows]))
        self.assertIn("efficiency", done.stdout)
        self.assertEqual(list(output.parent.iterdir()), [output])

    def test_files_that_are_no_tables_are_refused_in_one_line(self):
        (self.folder / "other.csv").write_text("a,b\n1,2\n")
        (self.folder / "empty.csv").write_text(",".join(scaling.NEEDED) + "\n")
        (self.folder / "word.csv").write_text(",".join(scaling.NEEDED) + "\n" + "strong,1,x,1,1,1,1,1\n")
        for name, problem in (("other.csv", "no column mode"), ("empty.csv", "found none"), ("none.csv", "none.csv"),
                              ("word.csv", "word.csv:2: clients: expected a number, found x")):
            done = self.merge("--output", self.folder / "out.csv", self.folder / name)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertIn(problem, done.stderr)
        self.assertFalse((self.folder / "out.csv").exists())
