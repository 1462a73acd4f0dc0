"""The demo runs by itself from its beginning to its end.   usage: demo_test.py FOLDER_OF_THE_PROGRAMS"""

import os
import subprocess
import sys
import unittest

from serving import PATIENCE

BUILD = os.path.dirname(os.path.abspath(sys.argv.pop(1)))
DEMO = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), 'samples', 'demo')


def run(*arguments):
    return subprocess.run([sys.executable, DEMO, *arguments], capture_output=True, text=True, timeout=3 * PATIENCE, check=False)


class Demo(unittest.TestCase):
    def test_shows_both_tables_and_ends(self):
        done = run(BUILD, '--seconds', '9')
        self.assertEqual((done.returncode, done.stderr), (0, ''), done.stdout)
        for text in ('requests/s', 'p99.9', 'switches', 'steals', 'polls', 'parks', 'large.bin (16 MiB)'):
            self.assertIn(text, done.stdout)

    def test_says_what_is_missing(self):
        done = run('/nonexistent')
        self.assertEqual(done.returncode, 1)
        self.assertIn('file_server is not at /nonexistent', done.stderr)


if __name__ == '__main__':
    unittest.main()
