"""The split, and the two sources that are fetched: their parsing on small texts, their sizes on the real ones."""

import hashlib
import unittest
from argparse import Namespace

from preparation import environment
from preparation.rows import Row, split, without_duplicates
from preparation.sources import sentiment, wordnet


class SplitTests(unittest.TestCase):
    def test_one_in_ten_by_the_text_alone(self):
        rows = [Row(f"text {number}", "x") for number in range(2000)]
        train, test = split(rows)
        again = split(rows[::-1])
        self.assertEqual({row.text for row in test}, {row.text for row in again[1]})
        self.assertEqual(len(train) + len(test), 2000)
        self.assertTrue(150 < len(test) < 250, len(test))
        self.assertTrue(all(int(hashlib.sha256(r.text.encode()).hexdigest(), 16) % 10 == 0 for r in test))

    def test_the_first_of_equal_texts_stays(self):
        rows = [Row("b", "1"), Row("a", "1"), Row("b", "0")]
        self.assertEqual(without_duplicates(rows), [Row("b", "1"), Row("a", "1")])


class SentimentTests(unittest.TestCase):
    def test_ratings_become_labels(self):
        text = "1\t0.5\tgood &amp; new\r\n2\t-0.4\tmeh\r\n3\t-3.2\tbad \u0085thing\r\n"
        rows = list(sentiment.domain_rows(text, "tweets"))
        self.assertEqual(rows, [Row("good & new", "positive", group="tweets"),
                                Row("bad \u0085thing", "negative", group="tweets")])

    @unittest.skipUnless((environment.cache() / "packages" / sentiment.PACKAGE.file).exists(),
                         "the sentiment package is not in the cache: scripts/prepare_data.py sentiment")
    def test_sizes_of_the_real_data(self):
        source = sentiment.load(Namespace())
        self.assertEqual((len(source.train), len(source.test)), (17464, 1946))
        self.assertEqual({row.group for row in source.test}, {"movie", "nyt", "tweets", "amazon"})
        self.assertFalse({row.text for row in source.train} & {row.text for row in source.test})


class WordNetTests(unittest.TestCase):
    LINES = [
        "  1 This software is provided to you  ", "  2 by Princeton.  ",
        '00000001 05 n 01 cat 0 000 | a small feline; "the cat sat"; "a cat"  ',
        "00000002 18 n 01 cook 0 000 | one who cooks; a chef  ",
        "00000003 03 n 01 thing 0 000 | a class that is not wanted  ",
        "00000004 05 n 01 x 0 000 | in two classes  ", "00000005 20 n 01 y 0 000 | in two classes  ", ""]

    def test_definitions_without_examples_and_without_the_ambiguous(self):
        self.assertEqual(wordnet.definitions(self.LINES),
                         {"a small feline": "animal", "one who cooks; a chef": "person"})

    def test_the_licence_loses_its_line_numbers(self):
        self.assertEqual(wordnet.licence(self.LINES), "This software is provided to you\nby Princeton.\n")

    @unittest.skipUnless((wordnet.INSTALLED / "data.noun").exists(), "the Debian package wordnet-base is not installed")
    def test_the_real_data_is_balanced_and_the_same_each_time(self):
        source = wordnet.load(Namespace(input=None))
        rows = source.train + source.test
        counts = {label: sum(row.label == label for row in rows) for label in source.labels}
        self.assertEqual(set(counts.values()), {1500})
        self.assertEqual((len(source.train), len(source.test), len(counts)), (10802, 1198, 8))
        self.assertEqual(len({row.text for row in rows}), 12000)


if __name__ == "__main__":
    unittest.main()
