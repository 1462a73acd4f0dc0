"""The small samples, run as a reader would run them.   usage: programs_test.py FOLDER_OF_THE_PROGRAMS"""

import re
import socket
import struct
import subprocess
import sys
import unittest

from serving import PATIENCE

PROGRAMS = sys.argv.pop(1)


def run(name, *arguments):
    return subprocess.run([f'{PROGRAMS}/{name}', *arguments], capture_output=True, text=True, timeout=4 * PATIENCE, check=False)


class Hello(unittest.TestCase):
    def test_says_hello(self):
        done = run('hello')
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r'^hello from core \d+, the answer is 42\n$')


class Skynet(unittest.TestCase):
    def test_sums_a_million_leaves(self):
        for arguments in ([], ['1'], ['2']):
            done = run('skynet', *arguments)
            self.assertRegex(done.stdout, r'^sum 499999500000 in \d+\.\d ms\n$', done.stderr)
            self.assertEqual(done.returncode, 0)

    def test_refuses_what_is_no_number_of_cores(self):
        for wrong in (['two'], ['0'], ['-1'], ['1', '2'], ['99999'], ['']):
            done = run('skynet', *wrong)
            self.assertEqual(done.returncode, 2, wrong)
            self.assertTrue(done.stderr.startswith('skynet: '), done.stderr)


class DiningPhilosophers(unittest.TestCase):
    def test_nobody_starves(self):
        for arguments, count, meals, most in (([], 5, 500, 2), (['2', '50'], 2, 100, 1), (['101', '20'], 101, 2020, 50)):
            done = run('dining_philosophers', *arguments)
            match = re.fullmatch(rf'{count} philosophers had {meals} meals, at most (\d+) at once\n', done.stdout)
            self.assertTrue(match, done.stdout + done.stderr)
            self.assertTrue(1 <= int(match.group(1)) <= most, done.stdout)
            self.assertEqual(done.returncode, 0)

    def test_refuses_what_makes_no_party(self):
        for wrong in (['1'], ['five'], ['5', '0'], ['5', '-1'], ['5', '5', '5'], ['']):
            done = run('dining_philosophers', *wrong)
            self.assertEqual(done.returncode, 2, wrong)
            self.assertTrue(done.stderr.startswith('dining_philosophers: '), done.stderr)


def receive(connection, size):
    """`size` bytes, in however many pieces they come."""
    pieces = []
    while size > 0 and (data := connection.recv(size)):
        pieces.append(data)
        size -= len(data)
    return b''.join(pieces)


class EchoServer(unittest.TestCase):
    def setUp(self):
        self.server = subprocess.Popen([f'{PROGRAMS}/echo_server', '0'], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        match = re.fullmatch(r'echoing on 127\.0\.0\.1:(\d+)\n', self.server.stdout.readline())
        self.address = ('127.0.0.1', int(match.group(1)))

    def end(self):
        self.server.kill()
        self.server.wait()
        self.server.stdout.close()

    def test_sends_back_what_each_client_sends(self):
        clients = [socket.create_connection(self.address, timeout=PATIENCE) for _ in range(20)]
        for round_ in range(3):
            for i, client in enumerate(clients):
                client.sendall(b'%d:%d' % (i, round_) * 1000)
            for i, client in enumerate(clients):
                expected = b'%d:%d' % (i, round_) * 1000
                self.assertEqual(receive(client, len(expected)), expected)
        for client in clients:
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(client.recv(1), b'')
            client.close()

    def test_names_an_address_in_use(self):
        done = run('echo_server', str(self.address[1]))
        self.assertEqual(done.returncode, 1)
        self.assertIn(f'127.0.0.1:{self.address[1]}', done.stderr)
        self.assertIn('in use', done.stderr)

    def test_names_a_port_that_is_none(self):
        done = run('echo_server', 'seven')
        self.assertEqual(done.returncode, 1)
        self.assertIn('seven', done.stderr)


class ChatServer(unittest.TestCase):
    def setUp(self):
        self.server = subprocess.Popen([f'{PROGRAMS}/chat_server', '0'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        match = re.fullmatch(r'chatting on 127\.0\.0\.1:(\d+)\n', self.server.stdout.readline())
        self.address = ('127.0.0.1', int(match.group(1)))
        self.addCleanup(self.end)

    def end(self):
        self.server.kill()
        self.assertEqual(self.server.communicate()[1], '')

    def enter(self):
        guest = socket.create_connection(self.address, timeout=PATIENCE)
        self.addCleanup(guest.close)
        return guest, guest.makefile('r')

    def test_all_see_what_one_writes(self):
        first, first_sees = self.enter()
        self.assertEqual(first_sees.readline(), '* guest 1 comes in\n')
        second, second_sees = self.enter()
        for sees in (first_sees, second_sees):
            self.assertEqual(sees.readline(), '* guest 2 comes in\n')
        second.sendall(b'hello\r\n')
        for sees in (first_sees, second_sees):
            self.assertEqual(sees.readline(), 'guest 2: hello\n')
        # Its end is a reset.
        second.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        second_sees.close()
        second.close()
        self.assertEqual(first_sees.readline(), '* guest 2 leaves\n')
        first.shutdown(socket.SHUT_WR)
        self.assertEqual(first_sees.readline(), '')


if __name__ == '__main__':
    unittest.main()
