"""The samples about channels, run as a reader would run them.   usage: channels_test.py FOLDER_OF_THE_PROGRAMS"""

import re
import socket
import subprocess
import sys
import unittest

from serving import PATIENCE

PROGRAMS = sys.argv.pop(1)


def run(name, *arguments):
    return subprocess.run([f'{PROGRAMS}/{name}', *arguments], capture_output=True, text=True, timeout=4 * PATIENCE, check=False)


class PrimeSieve(unittest.TestCase):
    def test_prints_primes(self):
        primes = [n for n in range(2, 550) if all(n % d for d in range(2, n))]
        for count in (0, 1, 100):
            done = run('prime_sieve', str(count))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual([int(line) for line in done.stdout.split()], primes[:count])

    def test_refuses_what_is_no_count(self):
        for wrong in (['-1'], ['ten'], ['1', '2'], ['']):
            done = run('prime_sieve', *wrong)
            self.assertEqual(done.returncode, 2, wrong)
            self.assertIn('usage', done.stderr)


class Pipeline(unittest.TestCase):
    def test_finds_the_longest_chain(self):
        for limit, expected in (('2', '1 has the longest chain: 0 steps'), ('10', '9 has the longest chain: 19 steps'),
                                ('100000', '77031 has the longest chain: 350 steps')):
            done = run('pipeline', limit)
            self.assertEqual(done.stdout, f'below {limit}, {expected}\n', done.stderr)
            self.assertEqual(done.returncode, 0)

    def test_refuses_what_is_no_limit(self):
        for wrong in (['1'], ['-5'], ['many'], ['1', '2']):
            self.assertEqual(run('pipeline', *wrong).returncode, 2, wrong)


class ChatServer(unittest.TestCase):
    def setUp(self):
        self.server = subprocess.Popen([f'{PROGRAMS}/chat_server', '0'], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        match = re.fullmatch(r'chatting on 127\.0\.0\.1:(\d+)\n', self.server.stdout.readline())
        self.address = ('127.0.0.1', int(match.group(1)))

    def end(self):
        self.server.kill()
        self.server.wait()
        self.server.stdout.close()

    def guest(self):
        connection = socket.create_connection(self.address, timeout=PATIENCE)
        self.addCleanup(connection.close)
        lines = connection.makefile('rw', newline='\n')
        self.addCleanup(lines.close)
        return connection, lines

    def test_passes_on_what_each_guest_writes(self):
        _, first = self.guest()
        self.assertEqual(first.readline(), '* guest 1 comes in\n')
        connection, second = self.guest()
        for each in (first, second):
            self.assertEqual(each.readline(), '* guest 2 comes in\n')
        first.write('hello\r\nyou there\n')
        first.flush()
        for each in (first, second):
            self.assertEqual(each.readline(), 'guest 1: hello\n')
            self.assertEqual(each.readline(), 'guest 1: you there\n')
        second.write('bye')  # No whole line: nobody sees it.
        second.flush()
        connection.shutdown(socket.SHUT_WR)
        self.assertEqual(first.readline(), '* guest 2 leaves\n')
        first.write('x' * 5000 + '\n')
        first.flush()
        self.assertEqual(first.readline(), 'guest 1: ' + 'x' * 1000 + '\n')

    def test_names_a_port_that_is_none(self):
        done = run('chat_server', 'seven')
        self.assertEqual(done.returncode, 1)
        self.assertIn('seven', done.stderr)


if __name__ == '__main__':
    unittest.main()
