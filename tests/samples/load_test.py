"""file_server under load, by wrk and by http_load.   usage: load_test.py FOLDER_OF_THE_PROGRAMS

The part with wrk is skipped where wrk is missing."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from serving import PATIENCE, Server, write

PROGRAMS = sys.argv.pop(1)


def http_load(*arguments):
    return subprocess.run([PROGRAMS + '/http_load', *arguments], capture_output=True, text=True, timeout=2 * PATIENCE, check=False)


class Loaded(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = tempfile.mkdtemp(prefix='weft-load-')
        cls.addClassCleanup(shutil.rmtree, cls.files)
        write(cls.files, 'small', 'x' * 500)
        write(cls.files, 'medium', bytes(100_000))
        write(cls.files, 'empty', '')

    def setUp(self):
        self.server = Server(PROGRAMS + '/file_server', self.files)
        self.addCleanup(lambda: self.server.__exit__(None))

    def load(self, path, *arguments):
        done = http_load(self.server.url + path, '--json', *arguments)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return json.loads(done.stdout)


class Wrk(Loaded):
    @unittest.skipIf(shutil.which('wrk') is None, 'no wrk here')
    def test_wrk_finds_nothing_wrong(self):
        for path, connections in (('small', 50), ('medium', 20)):
            done = subprocess.run(['wrk', '-t', '2', '-c', str(connections), '-d', '1', self.server.url + path],
                                  capture_output=True, text=True, timeout=PATIENCE, check=True)
            self.assertGreater(int(re.search(r'(\d+) requests in', done.stdout).group(1)), 10)
            self.assertNotIn('Non-2xx', done.stdout)
            self.assertNotIn('Socket errors', done.stdout)


class HttpLoad(Loaded):
    def test_every_request_is_answered_once(self):
        for path, *arguments in (('small',), ('medium',), ('empty',), ('small', '--pipeline', '16'), ('medium', '--pipeline', '4'),
                                 ('small', '--head'), ('small', '--connections', '200'), ('none', '--status', '404'),
                                 ('small', '--cores', '1', '--connections', '1')):
            result = self.load(path, '--requests', '2500', *arguments)
            self.assertEqual((result['answers'], result['errors']['all']), (2500, 0), (path, arguments))

    def test_a_duration(self):
        start = time.monotonic()
        result = self.load('small', '--duration', '1.5')
        self.assertGreaterEqual(time.monotonic() - start, 1.5)
        self.assertAlmostEqual(result['seconds'], 1.5, delta=0.4)
        latency = result['latency_us']
        self.assertTrue(0 < latency['p50'] <= latency['p90'] <= latency['p99'] <= latency['p99.9'] <= latency['max'], latency)
        self.assertAlmostEqual(result['requests_per_second'] * result['seconds'] / result['answers'], 1, delta=0.01)
        self.assertGreater(sum(core['switches'] for core in result['cores']), 0)

    def test_text_for_people(self):
        done = http_load(self.server.url + 'small', '--requests', '100', '--stats')
        self.assertEqual(done.returncode, 0, done.stderr)
        for text in ('50 connections', '100 answers', 'requests/s', 'MB/s', 'p99.9', 'errors: 0', 'steals'):
            self.assertIn(text, done.stdout)

    def test_the_server_ends_while_it_is_loaded(self):
        alone = self.server.descriptors()
        load = subprocess.Popen([PROGRAMS + '/http_load', self.server.url + 'small', '--connections', '50', '--duration', '5', '--json'],
                                stdout=subprocess.PIPE, text=True)
        with load:
            end = time.monotonic() + PATIENCE
            while self.server.descriptors() < alone + 50:
                self.assertLess(time.monotonic(), end, 'the load never came')
                time.sleep(0.01)
            time.sleep(0.5)
            start = time.monotonic()
            self.server.stop(signal.SIGTERM)
            self.assertLess(time.monotonic() - start, 2)
            result = json.loads(load.communicate(timeout=PATIENCE)[0])
        self.assertEqual(load.returncode, 1)
        self.assertGreater(result['answers'], 0)
        errors = {kind: count for kind, count in result['errors'].items() if count > 0 and kind != 'all'}
        self.assertLessEqual(set(errors), {'connect', 'broken'})


class FalseServers(unittest.TestCase):
    """What http_load says of servers that answer wrongly."""

    def errors(self, *answers, arguments=()):
        """The kinds of errors when each connection gets one of `answers` and is closed."""
        with socket.create_server(('127.0.0.1', 0)) as listener:
            def serve():
                for answer in answers:
                    connection = listener.accept()[0]
                    with connection:
                        connection.recv(1000)
                        connection.sendall(answer)
                        if answer == b'':
                            connection.recv(1)  # Silent until the client leaves.
            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            done = http_load(f'http://127.0.0.1:{listener.getsockname()[1]}/', '--connections', '1', '--json', '--requests',
                             str(len(answers)), *arguments)
            thread.join(PATIENCE)
        result = json.loads(done.stdout)
        errors = {kind: count for kind, count in result['errors'].items() if count > 0 and kind != 'all'}
        self.assertEqual(done.returncode, 0 if not errors and result['answers'] > 0 else 1)
        return errors

    def test_each_kind_of_error(self):
        well = b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'
        self.assertEqual(self.errors(well, well), {})
        self.assertEqual(self.errors(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nok\r\n0\r\n\r\n', well), {})
        self.assertEqual(self.errors(b'HTTP/1.0 200 OK\r\n\r\nok', well), {})
        self.assertEqual(self.errors(well, well.replace(b'200', b'500')), {'status': 1})
        self.assertEqual(self.errors(well, b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nwho'), {'length': 1})
        self.assertEqual(self.errors(b'SSH-2.0-OpenSSH_9.2\r\n\r\n', well), {'grammar': 1})
        self.assertEqual(self.errors(b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok', well), {'broken': 1})
        self.assertEqual(self.errors(b'HTTP/1.1 200 O', well), {'broken': 1})
        self.assertEqual(self.errors(b'', well, arguments=['--timeout', '2']), {'timeout': 1})

    def test_nobody_listens(self):
        with socket.socket() as unused:
            unused.bind(('127.0.0.1', 0))
            done = http_load(f'http://127.0.0.1:{unused.getsockname()[1]}/', '--requests', '3', '--connections', '1')
        self.assertEqual(done.returncode, 1)
        self.assertIn('errors: 3  connect 3', done.stdout)

    def test_bad_arguments(self):
        for says, *arguments in (('URL',), ('https', 'https://127.0.0.1/'), ('host', 'http:///x'), ('port', 'http://127.0.0.1:99999/'),
                                 ('0', 'http://127.0.0.1/', '--connections', '0'), ('--requests', 'http://127.0.0.1/', '--requests', 'x'),
                                 ('--duration', 'http://127.0.0.1/', '--requests', '1', '--duration', '1')):
            done = http_load(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(says, done.stderr)


if __name__ == '__main__':
    unittest.main()
