"""JSON lines: the format on disk, pairs, labels and groups, and every way to be wrong."""

from tests.support import PreparationTestCase, ragged

GOOD, BAD = {"text": "a good film", "label": "yes"}, {"text": "bad", "label": "no"}


class JSONLinesTests(PreparationTestCase):
    def run_on(self, train, test=None, *options):
        test = test or self.rows("test.jsonl", GOOD)
        return ["jsonl", "--train", train, "--test", test, *options]

    def test_single_texts(self):
        description, train, test = self.prepared(*self.run_on(self.rows("train.jsonl", GOOD, BAD, BAD)))
        self.assertEqual(ragged(train, "tokens"), [[2, 7, 4, 6, 3], [2, 5, 3], [2, 5, 3]])
        self.assertEqual(train["labels"], [1, 0, 0])
        self.assertEqual(sorted(train), ["labels", "offsets", "tokens"])
        self.assertEqual(ragged(test, "tokens"), [[2, 7, 4, 6, 3]])
        self.assertEqual(description["labels"], ["no", "yes"])
        self.assertEqual(description["splits"], {"train": {"rows": 3, "tokens": 11}, "test": {"rows": 1, "tokens": 5}})
        self.assertEqual((description["format"], description["version"]), ("florana-dataset", 1))
        self.assertEqual((description["name"], description["task"]), ("mine", "classification"))
        self.assertNotIn("groups", description)

    def test_pairs_have_token_types(self):
        rows = [{"text": "it is", "second": "good", "label": 0}, {"text": "it", "second": "is bad", "label": 1}]
        train = self.rows("train.jsonl", *rows)
        _, tensors, _ = self.prepared(*self.run_on(train, train, "--pair-field", "second"))
        self.assertEqual(ragged(tensors, "tokens"), [[2, 10, 9, 3, 4, 3], [2, 10, 3, 9, 5, 3]])
        self.assertEqual(ragged(tensors, "tokenTypes"), [[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1]])

    def test_long_rows_are_cut_to_the_wanted_length(self):
        long = {"text": "it " * 40, "label": "yes"}
        _, tensors, _ = self.prepared(*self.run_on(self.rows("t.jsonl", long, BAD), None, "--maximum-length", 9))
        self.assertEqual(ragged(tensors, "tokens"), [[2] + [10] * 7 + [3], [2, 5, 3]])

    def test_number_labels_are_ordered_as_numbers(self):
        train = self.rows("train.jsonl", *({"text": "a", "label": n} for n in (10, 9, 2)))
        description, tensors, _ = self.prepared(*self.run_on(train, train))
        self.assertEqual(description["labels"], ["2", "9", "10"])
        self.assertEqual(tensors["labels"], [2, 1, 0])

    def test_groups_and_field_names(self):
        rows = [{"s": "a", "y": "p", "who": "bo"}, {"s": "is", "y": "q", "who": "al"}]
        train = self.rows("train.jsonl", *rows)
        options = ["--text-field", "s", "--label-field", "y", "--group-field", "who"]
        description, tensors, _ = self.prepared(*self.run_on(train, train, *options))
        self.assertEqual(description["groups"], ["al", "bo"])
        self.assertEqual(tensors["groups"], [1, 0])

    def test_a_second_run_does_nothing_and_a_changed_input_does(self):
        arguments = self.run_on(self.rows("train.jsonl", GOOD, BAD))
        self.prepared(*arguments)
        before = (self.output / "train.safetensors").stat().st_mtime_ns
        self.assertIn("up to date", self.prepare(*arguments).stdout)
        self.assertEqual((self.output / "train.safetensors").stat().st_mtime_ns, before)
        self.rows("train.jsonl", GOOD, BAD, BAD)
        description, *_ = self.prepared(*arguments)
        self.assertEqual(description["splits"]["train"]["rows"], 3)
        self.assertEqual([path.name for path in self.output.parent.iterdir()], ["mine"])

    def test_another_length_is_another_data_set(self):
        arguments = self.run_on(self.rows("train.jsonl", GOOD, BAD))
        self.prepared(*arguments)
        description, *_ = self.prepared(*arguments, "--maximum-length", 16)
        self.assertEqual(description["maximumLength"], 16)

    def test_broken_json_names_file_and_line(self):
        path = self.file("train.jsonl", '{"text": "a", "label": "yes"}', "", "{oops")
        self.assert_refused(self.prepare(*self.run_on(path)), f"{path}:3", "JSON")

    def test_missing_field(self):
        path = self.rows("train.jsonl", GOOD, {"txt": "a", "label": "yes"})
        self.assert_refused(self.prepare(*self.run_on(path)), f"{path}:2", "“text”", "“txt”")

    def test_wrong_kinds(self):
        for row, found in (({"text": 3, "label": "yes"}, "3"), ({"text": "a", "label": True}, "true"),
                           ({"text": "a", "label": None}, "null"), ({"text": "a", "label": 0.5}, "0.5")):
            path = self.rows("train.jsonl", GOOD, row)
            self.assert_refused(self.prepare(*self.run_on(path)), f"{path}:2", f"found {found}")

    def test_an_array_is_no_object(self):
        path = self.file("train.jsonl", "[1, 2]")
        self.assert_refused(self.prepare(*self.run_on(path)), f"{path}:1", "found list")

    def test_label_that_only_the_test_rows_have(self):
        test = self.rows("test.jsonl", GOOD, {"text": "a", "label": "perhaps"})
        done = self.prepare(*self.run_on(self.rows("train.jsonl", GOOD, BAD), test))
        self.assert_refused(done, f"{test}:2", "“perhaps”", "“no”, “yes”")

    def test_mixed_and_single_labels(self):
        mixed = self.rows("train.jsonl", GOOD, {"text": "a", "label": 1})
        self.assert_refused(self.prepare(*self.run_on(mixed)), "a string at", "train.jsonl:2")
        self.assert_refused(self.prepare(*self.run_on(self.rows("train.jsonl", GOOD))), "only “yes”")

    def test_missing_empty_and_foreign_encoded_files(self):
        missing = self.folder / "absent.jsonl"
        self.assert_refused(self.prepare(*self.run_on(missing)), str(missing))
        self.assert_refused(self.prepare(*self.run_on(self.file("empty.jsonl"))), "found")
        latin = self.folder / "latin.jsonl"
        latin.write_bytes('{"text": "caf\u00e9", "label": "yes"}\n'.encode("latin-1"))
        self.assert_refused(self.prepare(*self.run_on(latin)), str(latin), "UTF-8", "offset 13")

    def test_impossible_lengths(self):
        path = self.rows("train.jsonl", GOOD, BAD)
        for length in (4, 257):
            done = self.prepare(*self.run_on(path, None, "--maximum-length", length))
            self.assert_refused(done, "--maximum-length", f"found {length}", "256")

    def test_a_folder_with_other_things_is_left_alone(self):
        precious = self.file("data/mine/letter.txt", "dear")
        done = self.prepare(*self.run_on(self.rows("train.jsonl", GOOD, BAD)))
        self.assertEqual(done.returncode, 2)
        self.assertTrue(precious.exists())
