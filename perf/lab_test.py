"""Tests of how lab.py accounts for waiting: python3 -m unittest perf/lab_test.py"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from lab import kept_away, since  # pylint: disable=wrong-import-position


class WaitingTest(unittest.TestCase):
    def test_a_single_thread_waits_for_others_only(self):
        self.assertEqual(kept_away([(1000, 70)]), 70)

    def test_threads_that_take_turns_are_undisturbed(self):
        # Two workers on one core; a worker and its log writer.
        self.assertEqual(kept_away([(500, 450), (480, 490)]), 0)
        self.assertEqual(kept_away([(900, 80), (100, 90), (0, 0)]), 0)

    def test_what_their_turns_do_not_explain_was_others(self):
        self.assertEqual(kept_away([(900, 150), (100, 90)]), 50)
        self.assertEqual(kept_away([(500, 700), (400, 600)]), 300)

    def test_nothing_that_ran(self):
        self.assertEqual(kept_away([]), 0)

    def test_counts_by_thread(self):
        before = {"a": (100, 10), "gone": (50, 5)}
        after = {"a": (150, 30), "new": (7, 3)}
        self.assertEqual(since(before, after), [(50, 20), (7, 3)])


if __name__ == "__main__":
    unittest.main()
