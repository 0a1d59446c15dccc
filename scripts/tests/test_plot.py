"""Figures of runs and of scaling, and folders that hold neither."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from plotting import runs as data, scaling, servers
from preparation import plotting
from preparation.errors import InputError
from tests.support import SCRIPTS, with_plotting
from tests.test_scaling import row


def rounds(method, count, evaluated=True):
    for number in range(1, count + 1):
        line = {"round": number, "method": method, "clients": [0, 1], "trainLoss": 0.6, "rho": 0.4 / number,
                "rhoFedIT": 0.5 / number, "rhoOptimum": 0.2 / number,
                "bytes": {"logicalUp": 1000 * number, "logicalDown": 500, "gathered": 400, "broadcast": 300},
                "seconds": {"train": {"minimum": 1, "mean": 2, "maximum": 3}}}
        if evaluated and number % 2 == 0:
            line |= {"personalised": {"accuracy": 0.8, "loss": 0.4}, "global": {"accuracy": 0.7, "loss": 0.5},
                     "gap": 0.1}
        yield line


class FolderTestCase(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def run_folder(self, name, method, count=4, evaluated=True):
        folder = self.folder / name
        folder.mkdir(parents=True)
        lines = (json.dumps(line) + "\n" for line in rounds(method, count, evaluated))
        (folder / "rounds.jsonl").write_text("".join(lines))
        return folder

    def plot(self, *arguments):
        return subprocess.run([sys.executable, str(SCRIPTS / "plot.py"), *map(str, arguments)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class ReadingTests(FolderTestCase):
    def test_rounds_without_a_figure_are_left_out(self):
        run = data.find(self.run_folder("one", "fedit"))[0]
        self.assertEqual(run.series("global", "accuracy"), ([2, 4], [0.7, 0.7]))
        self.assertEqual(run.mean("bytes", "logicalUp"), 2500)
        self.assertEqual(run.mean("oracle", "accuracy"), 0)

    def test_a_comparison_is_its_runs(self):
        self.run_folder("both/fedit-seed1", "fedit")
        self.run_folder("both/florana-seed1", "florana")
        self.run_folder("both/florana-seed2", "florana")
        found = data.find(self.folder / "both")
        self.assertEqual(data.labels(found), ["fedit", "florana (florana-seed1)", "florana (florana-seed2)"])

    def test_what_is_no_run_is_refused_with_its_place(self):
        folder = self.run_folder("broken", "fedit")
        for text, problem in (("", "expected a line a round"), ("{\n", "rounds.jsonl:1: expected a JSON object"),
                              ('{"round": 1}\n', "rounds.jsonl:1: expected a round with method, bytes, seconds")):
            (folder / "rounds.jsonl").write_text(text)
            with self.assertRaisesRegex(InputError, problem):
                data.find(folder)
        with self.assertRaisesRegex(InputError, "found nothing"):
            data.find(self.folder / "absent")

    def test_lines_that_are_no_servers_are_refused_with_their_place(self):
        path = self.folder / servers.NAME
        for text, problem in (("", "found none"), ("{\n", "found Expecting"), ('{"mode": "root", "ranks": 2}\n',
                              "servers.jsonl:1: .* found no cohort, seconds")):
            path.write_text(text)
            with self.assertRaisesRegex(InputError, problem):
                servers.read(path)

    def test_an_empty_folder_is_refused_in_one_line(self):
        done = self.plot(self.folder)
        self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
        self.assertIn("expected rounds.jsonl, scaling.csv, servers.jsonl, or folders of runs", done.stderr)

    def test_matplotlib_is_pinned(self):
        lines = plotting.ENVIRONMENT.requirements.read_text().splitlines()
        pinned = [line for line in lines if not line.startswith("#")]
        self.assertTrue(all(line.count("==") == 1 for line in pinned) and pinned[0].startswith("matplotlib=="), pinned)


@with_plotting
class FigureTests(FolderTestCase):
    def assert_drawn(self, done, folder, names):
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(done.stdout.split()), sorted(str(folder / name) for name in names))
        for name in names:
            start = (folder / name).read_bytes()[:8]
            self.assertEqual(start, b"\x89PNG\r\n\x1a\n" if name.endswith("png") else b"<?xml ve", name)

    def test_one_run_has_its_figures_beside_its_data(self):
        folder = self.run_folder("one", "florana")
        names = ["accuracy", "rho", "phases", "bytes"]
        self.assert_drawn(self.plot(folder), folder, [f"{name}.png" for name in names])
        done = self.plot(folder, "--format", "svg", "--output", self.folder / "figures")
        self.assert_drawn(done, self.folder / "figures", [f"{name}.svg" for name in names])

    def test_several_runs_share_figures_in_the_folder_around_them(self):
        folders = [self.run_folder("a", "fedit", evaluated=False), self.run_folder("b", "florana", evaluated=False)]
        self.assert_drawn(self.plot(*folders), self.folder.resolve(), ["rho.png", "phases.png", "bytes.png"])

    def test_scaling_is_drawn_by_ranks_and_by_clients(self):
        by_ranks = [row("strong", ranks, clients, 100 * ranks, 4 / ranks) for clients in (8, 16) for ranks in (1, 2, 4)]
        for name, rows in (("clients", [row("weak", 2, clients, 100) for clients in (2, 4)]), ("ranks", by_ranks),
                           ("merged", scaling.merged([by_ranks]))):
            scaling.write(rows, self.folder / name / "scaling.csv")
            self.assert_drawn(self.plot(self.folder / name), self.folder / name, ["scaling.png", "scaling-phases.png"])

    def test_curves_are_those_of_the_table(self):
        from plotting import scaling_figures
        figure = scaling_figures.curves([row("strong", ranks, 8, 90 * ranks + 10, 4 / ranks) for ranks in (1, 2, 4)])
        seconds, efficiency = figure.axes
        self.assertEqual(list(seconds.lines[0].get_xdata()), [1, 2, 4])
        self.assertEqual(list(seconds.lines[0].get_ydata()), [4, 2, 1])
        self.assertEqual([round(value, 6) for value in efficiency.lines[0].get_ydata()], [1, 0.95, 0.925])

    def test_servers_are_drawn_side_by_side_for_every_number_of_ranks(self):
        lines = [{"mode": mode, "ranks": ranks, "cohort": clients, "seconds": clients / ranks / speed}
                 for ranks in (2, 4) for clients in (32, 8) for mode, speed in (("root", 1), ("sharded", 2))]
        folder = self.folder / "servers"
        folder.mkdir()
        (folder / servers.NAME).write_text("".join(json.dumps(line) + "\n" for line in lines))
        self.assert_drawn(self.plot(folder), folder, ["servers.png"])
        from plotting import server_figures
        two, four = server_figures.exchange(servers.read(folder / servers.NAME)).axes
        self.assertEqual([line.get_label() for line in two.lines], ["root", "sharded"])
        self.assertEqual(list(four.lines[1].get_xdata()), [8, 32])
        self.assertEqual(list(four.lines[1].get_ydata()), [1, 4])

    def test_rho_lies_in_its_band(self):
        from plotting import figures
        axis = figures.rho(data.find(self.run_folder("one", "florana"))).axes[0]
        high, low, rho = (list(line.get_ydata()) for line in axis.lines)
        self.assertTrue(all(a < b < c for a, b, c in zip(low, rho, high)))
