"""What file_server allows: time, connections, descriptors; and how it starts and ends.

usage: file_server_limits_test.py FOLDER_OF_THE_PROGRAMS"""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from serving import PATIENCE, Server, write

PROGRAM = sys.argv.pop(1) + '/file_server'


class Limits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = tempfile.mkdtemp(prefix='weft-limits-')
        cls.addClassCleanup(shutil.rmtree, cls.files)
        write(cls.files, 'a', 'A')
        write(cls.files, 'large', bytes(32 << 20))

    def serve(self, *options, before=None):
        return Server(PROGRAM, self.files, *options, before=before)

    def until(self, condition):
        """Waits for `condition`, which the server makes true when it gets to it."""
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end, 'it never came')
            time.sleep(0.01)


class Times(Limits):
    def test_a_header_has_its_time(self):
        with self.serve('--header-time', '1') as server:
            with server.connect() as half, server.connect() as silent, server.connect() as dripping:
                half.send(b'GET /a HT')
                try:
                    while True:
                        dripping.send(b'x')
                        time.sleep(0.02)
                except OSError:
                    pass
                self.assertIn(b' 408 ', half.rest())
                self.assertEqual(silent.rest(), b'')

    def test_every_request_has_its_own_time(self):
        with self.serve('--header-time', '2') as server, server.connect() as client:
            for _ in range(4):
                client.send(b'GET /a HTTP/1.1\r\n')
                time.sleep(0.6)
                client.send(b'Host: test\r\n\r\n')
                self.assertEqual(client.answer().status, 200)

    def test_a_body_has_its_time(self):
        with self.serve('--header-time', '1') as server, server.connect() as client:
            client.send(b'POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nx')
            self.assertEqual(client.answer().status, 405)
            self.assertEqual(client.rest(), b'')

    def test_an_idle_connection_ends_without_a_word(self):
        with self.serve('--idle-time', '0.3') as server, server.connect() as client:
            self.assertEqual(client.get('/a').status, 200)
            self.assertEqual(client.rest(), b'')

    def test_a_client_that_does_not_read_is_left(self):
        with self.serve('--stall-time', '0.3') as server:
            without = server.descriptors()
            with server.connect() as client:
                client.request('/large')
                client.head()
                self.until(lambda: server.descriptors() == without)
                self.assertLess(len(client.rest()), 32 << 20)

    def test_a_file_that_shrinks_ends_the_answer_early(self):
        path = write(self.files, 'shrinking', bytes(32 << 20))
        with self.serve() as server:
            with server.connect() as client:
                client.request('/shrinking')
                client.head()
                os.truncate(path, 0)
                self.assertLess(len(client.rest()), 32 << 20)
            with server.connect() as client:
                self.assertEqual(client.get('/a').status, 200)


class Counts(Limits):
    def test_requests_per_connection(self):
        with self.serve('--requests-per-connection', '3') as server, server.connect() as client:
            for _ in range(5):
                client.request('/a')
            self.assertEqual([client.answer().fields.get('connection') for _ in range(3)], [None, None, 'close'])
            self.assertEqual(client.rest(), b'')

    def test_connections_at_once(self):
        with self.serve('--connections', '3') as server:
            clients = [server.connect() for _ in range(3)]
            for client in clients:
                self.assertEqual(client.get('/a').status, 200)
            with server.connect() as fourth:
                self.assertEqual(fourth.rest(), b'')
            clients[0].socket.close()

            def is_served():
                with server.connect() as next_one:
                    try:
                        return next_one.get('/a').status == 200
                    except OSError:
                        return False
                    except EOFError:
                        return False
            self.until(is_served)
            for client in clients[1:]:
                self.assertEqual(client.get('/a').status, 200)
                client.socket.close()

    def test_connections_that_come_together(self):
        with self.serve('--connections', '30', '--cores', '2') as server:
            server.process.send_signal(signal.SIGSTOP)
            clients = [server.connect() for _ in range(300)]
            server.process.send_signal(signal.SIGCONT)

            def is_served(client):
                try:
                    return client.get('/a').status == 200
                except (OSError, EOFError):
                    return False
            self.assertEqual(sum(map(is_served, clients)), 30)
            for client in clients:
                client.socket.close()

    def test_two_hundred_connections_at_once(self):
        with self.serve() as server:
            clients = [server.connect() for _ in range(200)]
            for _ in range(5):
                for client in clients:
                    client.request('/a')
                for client in clients:
                    self.assertEqual(client.answer().body, b'A')
            for client in clients:
                client.socket.close()

    def test_out_of_descriptors(self):
        def few():
            resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60))
        with self.serve('--cores', '2', before=few) as server:
            # One that comes and goes: UBSan's first look at each virtual table takes two descriptors of the server's.
            alone = server.descriptors()
            with server.connect() as early:
                self.assertEqual(early.get('/a').status, 200)
            self.until(lambda: server.descriptors() == alone)
            with server.connect() as first:
                self.assertEqual(first.get('/a').status, 200)
                crowd = [server.connect() for _ in range(100)]
                self.until(lambda: server.descriptors() == 60)
                # The connection goes on, and says why it has no file.
                self.assertEqual(first.get('/a').status, 503)
                self.assertEqual(first.get('/a').fields['retry-after'], '1')
                for client in crowd:
                    client.socket.close()
                self.until(lambda: first.get('/a').status == 200)
            with server.connect() as late:
                self.assertEqual(late.get('/a').status, 200)

    def test_no_descriptor_left_to_list_a_folder(self):
        os.makedirs(self.files + '/listed', exist_ok=True)
        with self.serve('--cores', '1', '--listing') as server, server.connect() as client:
            self.assertEqual(client.get('/listed/').status, 200)
            taken = {int(number) for number in os.listdir(f'/proc/{server.process.pid}/fd')}
            first_free = min(set(range(len(taken) + 1)) - taken)
            soft, hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
            # The folder takes the one that is left, so its list finds none.
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (first_free + 1, hard))
            refused = client.get('/listed/')
            self.assertEqual((refused.status, refused.fields['retry-after']), (503, '1'))
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
            self.assertEqual(client.get('/listed/').status, 200)


class Ends(Limits):
    def busy(self, server, count):
        clients = [server.connect() for _ in range(count)]
        for i, client in enumerate(clients):
            if i % 4 == 0:
                client.request('/large')  # Never read to the end.
            elif i % 4 == 1:
                client.send(b'GET /a')
            elif i % 4 == 2:
                self.assertEqual(client.get('/a').status, 200)
        for client in clients[::4]:
            client.head()
        return clients

    def test_ends_soon_when_told_to(self):
        taken = []
        for how in (signal.SIGTERM, signal.SIGINT):
            with self.serve('--stats') as server:
                clients = self.busy(server, 40)
                start = time.monotonic()
                server.stop(how)
                taken.append(time.monotonic() - start)
                self.assertRegex(server.output, r'^ *core +fibers +switches +steals +polls +parks\n +0 ')
                for client in clients:
                    client.socket.close()
        self.assertLess(min(taken), 2)  # The better one of two: the machine may be busy too.

    def test_an_answer_under_way_arrives(self):
        with self.serve() as server, server.connect() as client:
            client.request('/large')
            head = client.head()
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(len(client.rest()), int(head.fields['content-length']))
            self.assertEqual(server.process.wait(PATIENCE), 0)


class Starts(Limits):
    def refuse(self, status, says, *arguments):
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, status, (arguments, done.stderr))
        self.assertIn(says, done.stderr)
        self.assertEqual(done.stdout, '')

    def test_bad_arguments(self):
        self.refuse(2, 'DIR')
        self.refuse(2, '--frobnicate', self.files, '--frobnicate')
        self.refuse(2, '70000', self.files, '--port', '70000')
        self.refuse(2, 'http', self.files, '--port', 'http')
        self.refuse(2, '"localhost"', self.files, '--address', 'localhost')
        self.refuse(2, '0', self.files, '--cores', '0')
        self.refuse(2, 'sometimes', self.files, '--reactor', 'sometimes')
        self.refuse(2, '-1', self.files, '--header-time=-1')

    def test_bad_places(self):
        self.refuse(1, self.files + '/none', self.files + '/none')
        self.refuse(1, self.files + '/a', self.files + '/a')
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            self.refuse(1, f'127.0.0.1:{port}', self.files, '--port', port)

    def test_help(self):
        done = subprocess.run([PROGRAM, '--help'], capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0)
        for option in ('--port', '--address', '--cores', '--listing', '--stats'):
            self.assertIn(option, done.stdout)

    def test_every_number_of_cores_and_every_reactor(self):
        for options in (['--cores', '1'], ['--cores', '4'], ['--reactor', 'dedicated'], ['--reactor', 'inlined']):
            with self.serve(*options) as server:
                clients = [server.connect() for _ in range(10)]
                for client in clients:
                    self.assertEqual(client.get('/a').body, b'A')
                for client in clients:
                    client.socket.close()

    @unittest.skipUnless(os.path.exists('/proc/net/if_inet6') and open('/proc/net/if_inet6').read(), 'no IPv6 here')
    def test_ipv6(self):
        with self.serve('--address', '::1') as server, server.connect() as client:
            self.assertTrue(server.url.startswith('http://[::1]:'))
            self.assertEqual(client.get('/a').status, 200)


if __name__ == '__main__':
    unittest.main()
