"""GLUE's own layouts: columns, quotes, labels, groups."""

from tests.support import PreparationTestCase, ragged


class GLUETests(PreparationTestCase):
    def glue(self, task, train, dev, dev_name="dev.tsv"):
        """Prepares from tables given as rows of columns."""
        for name, rows in (("train.tsv", train), (dev_name, dev)):
            self.file(f"glue/{name}", *("\t".join(row) for row in rows))
        return ["glue", task, "--input", self.folder / "glue"]

    def test_sst2_keeps_quotes_as_letters(self):
        head = ["sentence", "label"]
        description, train, test = self.prepared(*self.glue(
            "SST-2", [head, ['"quoted film ', "1"], ["bad", "0"]], [head, ["good", "1"]]))
        self.assertEqual(ragged(train, "tokens"), [[2, 8, 6, 3], [2, 5, 3]])
        self.assertEqual((train["labels"], test["labels"]), ([1, 0], [1]))
        self.assertEqual(description["labels"], ["negative", "positive"])
        self.assertNotIn("tokenTypes", train)

    def test_cola_has_no_header_and_groups_by_source(self):
        description, train, test = self.prepared(*self.glue(
            "CoLA", [["gj04", "1", "", "a film"], ["ad03", "0", "*", "film a"]], [["zz", "1", "", "it"]]))
        self.assertEqual(description["groups"], ["ad03", "gj04", "zz"])
        self.assertEqual((train["groups"], test["groups"]), ([1, 0], [2]))
        self.assertEqual(ragged(train, "tokens"), [[2, 7, 6, 3], [2, 6, 7, 3]])

    def test_pair_tasks(self):
        layouts = {
            "MRPC": (["Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"], ["1", "7", "8", "it is", "good"], 1),
            "QQP": (["id", "qid1", "qid2", "question1", "question2", "is_duplicate"],
                    ["0", "1", "2", "it is", "good", "0"], 0),
            "QNLI": (["index", "question", "sentence", "label"], ["0", "it is", "good", "not_entailment"], 1),
            "RTE": (["index", "sentence1", "sentence2", "label"], ["0", "it is", "good", "entailment"], 0),
            "WNLI": (["index", "sentence1", "sentence2", "label"], ["0", "it is", "good", "1"], 1),
        }
        for task, (head, row, label) in layouts.items():
            with self.subTest(task=task):
                _, train, test = self.prepared(*self.glue(task, [head, row], [head, row]))
                self.assertEqual(ragged(train, "tokens"), [[2, 10, 9, 3, 4, 3]])
                self.assertEqual(ragged(train, "tokenTypes"), [[0, 0, 0, 0, 1, 1]])
                self.assertEqual(test["labels"], [label])

    def test_mnli_drops_rows_without_a_gold_label(self):
        head = ["index", "promptID", "pairID", "genre", "sentence1", "sentence2", "label1", "gold_label"]
        row = lambda genre, gold: ["0", "p", "q", genre, "it is", "good", "neutral", gold]
        description, train, test = self.prepared(*self.glue(
            "MNLI", [head, row("fiction", "neutral"), row("travel", "contradiction")],
            [head, row("fiction", "-"), row("travel", "entailment")], "dev_matched.tsv"))
        self.assertEqual((train["labels"], test["labels"], test["groups"]), ([1, 2], [0], [1]))
        self.assertEqual(description["groups"], ["fiction", "travel"])

    def test_qqp_skips_the_rows_that_the_benchmark_broke(self):
        head = ["id", "qid1", "qid2", "question1", "question2", "is_duplicate"]
        rows = [head, ["0", "1", "2", "it is"], ["1", "3", "4", "a", "a", "1"]]
        description, train, _ = self.prepared(*self.glue("QQP", rows, rows))
        self.assertEqual((description["splits"]["train"]["rows"], train["labels"]), (1, [1]))

    def test_published_copies(self):
        rows = [{"premise": "it is", "hypothesis": "good", "label": 2, "idx": 0}]
        for name in ("train.jsonl", "validation_matched.jsonl"):
            self.rows(f"glue/{name}", *rows)
        description, train, _ = self.prepared("glue", "MNLI", "--input", self.folder / "glue")
        self.assertEqual((ragged(train, "tokens"), train["labels"]), ([[2, 10, 9, 3, 4, 3]], [2]))
        self.assertNotIn("groups", description)

    def test_errors_name_file_and_line(self):
        head, good = ["sentence", "label"], ["good", "1"]
        for rows, parts in (([head, good, ["bad"]], ["train.tsv:3", "“label”"]),
                            ([head, ["bad", "2"]], ["train.tsv:2", "found “2”"]),
                            ([["text", "label"], good], ["train.tsv:1", "“sentence”", "text, label"])):
            self.assert_refused(self.prepare(*self.glue("SST-2", rows, [head, good])), *parts)

    def test_a_folder_without_the_tables(self):
        done = self.prepare("glue", "RTE", "--input", self.folder)
        self.assert_refused(done, str(self.folder), "train.tsv and dev.tsv", "validation.jsonl")
