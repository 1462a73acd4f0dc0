"""file_server byte by byte: pipelining, splits, and requests that must not be forgiven.

usage: file_server_wire_test.py FOLDER_OF_THE_PROGRAMS"""

import re
import shutil
import sys
import tempfile
import unittest

from serving import Server, write

PROGRAM = sys.argv.pop(1) + '/file_server'
GOOD = b'GET /a HTTP/1.1\r\nHost: test\r\n\r\n'


class Wire(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = tempfile.mkdtemp(prefix='weft-wire-')
        cls.addClassCleanup(shutil.rmtree, cls.files)
        write(cls.files, 'a', 'A')
        write(cls.files, 'large', bytes(200_000))
        for i in range(100):
            write(cls.files, f'numbered/{i}', f'number {i}')
        cls.server = Server(PROGRAM, cls.files)
        cls.addClassCleanup(cls.server.__exit__, None)

    def statuses(self, data):
        """What the server says to `data` before it closes the connection."""
        with self.server.connect() as client:
            client.send(data)
            return [int(status) for status in re.findall(rb'HTTP/1\.1 (\d+) ', client.rest())]


class Requests(Wire):
    def test_a_request_may_come_in_any_two_pieces(self):
        request = b'GET /a?x HTTP/1.1\r\nHost: test\r\nX: y  z \r\n\r\n'
        clients = [self.server.connect() for _ in range(1, len(request))]
        for i, client in enumerate(clients, 1):
            client.send(request[:i])
        for i, client in enumerate(clients, 1):
            client.send(request[i:])
        for i, client in enumerate(clients, 1):
            answer = client.answer()
            self.assertEqual((answer.status, answer.body), (200, b'A'), i)
            client.socket.close()

    def test_a_request_may_come_byte_by_byte(self):
        with self.server.connect() as client:
            for byte in GOOD * 2:
                client.send(bytes([byte]))
            self.assertEqual([client.answer().status for _ in range(2)], [200, 200])

    def test_pipelined_requests_are_answered_in_order(self):
        with self.server.connect() as client:
            client.send(b''.join(b'GET /numbered/%d HTTP/1.1\r\nHost: test\r\n\r\n' % i for i in range(100)))
            for i in range(100):
                self.assertEqual(client.answer().body, b'number %d' % i)

    def test_pipelined_requests_of_all_kinds(self):
        with self.server.connect() as client:
            kinds = [('GET', '/a', 200), ('HEAD', '/large', 200), ('GET', '/none', 404), ('GET', '/large', 200), ('POST', '/a', 405),
                     ('GET', '/%', 400), ('HEAD', '/none', 404), ('GET', '/a', 200)] * 5
            for method, target, _ in kinds:
                client.request(target, method=method)
            for method, target, status in kinds:
                answer = client.answer(method != 'HEAD')
                self.assertEqual(answer.status, status, (method, target))
                if (method, target) == ('GET', '/large'):
                    self.assertEqual(answer.body, bytes(200_000))

    def test_empty_lines_before_a_request_are_forgiven(self):
        with self.server.connect() as client:
            client.send(b'\r\n\r\n' + GOOD + b'\r\n' + GOOD)
            self.assertEqual([client.answer().status for _ in range(2)], [200, 200])

    def test_the_absolute_form_of_a_target(self):
        with self.server.connect() as client:
            for target in ('http://test/a', 'http://other:99/a?b'):
                self.assertEqual(client.get(target).body, b'A')
            self.assertEqual(client.get('http://test').status, 403)
            for target in ('https://test/a', 'a', '*', '/a#b'):
                self.assertEqual(client.get(target).status, 400, target)

    def test_who_keeps_a_connection(self):
        for version, fields, keeps in (('HTTP/1.1', [], True), ('HTTP/1.1', ['Connection: close'], False),
                                       ('HTTP/1.1', ['Connection: x, Close'], False), ('HTTP/1.0', [], False),
                                       ('HTTP/1.0', ['Connection: keep-alive'], True)):
            with self.server.connect() as client:
                answer = client.get('/a', *fields, version=version)
                self.assertEqual((answer.version, answer.status, answer.body), ('HTTP/1.1', 200, b'A'))
                if keeps:
                    self.assertEqual(client.get('/a', version=version).status, 200)
                    self.assertEqual(answer.fields.get('connection'), 'keep-alive' if version == 'HTTP/1.0' else None)
                else:
                    self.assertEqual(answer.fields['connection'], 'close')
                    self.assertEqual(client.rest(), b'')

    def test_a_client_that_only_listens_any_more_gets_its_answer(self):
        with self.server.connect() as client:
            client.send(GOOD)
            client.socket.shutdown(1)
            self.assertEqual(client.answer().body, b'A')
            self.assertEqual(client.rest(), b'')


class Bodies(Wire):
    def test_a_small_body_is_read_past(self):
        for body in (b'x' * 10, b'y' * 60_000, GOOD):
            with self.server.connect() as client:
                client.send(b'POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n%s' % (len(body), body) + GOOD)
                self.assertEqual([client.answer().status for _ in range(2)], [405, 200])
        with self.server.connect() as client:
            client.send(b'GET /a HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc' + GOOD)
            self.assertEqual([client.answer().status for _ in range(2)], [200, 200])

    def test_answers_do_not_wait_for_the_body_of_the_next_request(self):
        with self.server.connect() as client:
            client.send(GOOD + b'POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n')
            self.assertEqual(client.answer().status, 200)
            # An answer that came only when the body was given up would have ended the connection.
            client.send(b'abcde' + GOOD)
            self.assertEqual([client.answer().status for _ in range(2)], [405, 200])

    def test_another_body_ends_the_connection(self):
        for fields, body in ((b'Content-Length: 100000\r\n', b'z' * 100_000), (b'Content-Length: 18446744073709551615\r\n', b'z' * 1000),
                             (b'Transfer-Encoding: chunked\r\n', b'1\r\nx\r\n0\r\n\r\n' + GOOD),
                             (b'Content-Length: 5\r\nExpect: 100-continue\r\n', b'')):
            self.assertEqual(self.statuses(b'POST /a HTTP/1.1\r\nHost: test\r\n' + fields + b'\r\n' + body), [405], fields)


# Each of these loses the place in the stream, or might for another server on the way. What follows is not looked at.
HOSTILE = {
    'a bare LF': (400, b'GET /a HTTP/1.1\nHost: test\n\n'),
    'a bare LF after a field': (400, b'GET /a HTTP/1.1\r\nHost: test\n\r\n'),
    'a bare LF at the end': (400, b'GET /a HTTP/1.1\r\nHost: test\r\n\n'),
    'a bare LF before': (400, b'\n' + GOOD),
    'a bare CR': (400, b'GET /a HTTP/1.1\rHost: test\r\n\r\n'),
    'two CR': (400, b'GET /a HTTP/1.1\r\nHost: test\r\r\n\r\n'),
    'a zero byte in a value': (400, b'GET /a HTTP/1.1\r\nHost: test\r\nX: a\0b\r\n\r\n'),
    'a zero byte in the target': (400, b'GET /a\0 HTTP/1.1\r\nHost: test\r\n\r\n'),
    'a control character': (400, b'GET /a HTTP/1.1\r\nHost: test\r\nX: \x1b[2J\r\n\r\n'),
    'DEL': (400, b'GET /a HTTP/1.1\r\nHost: test\r\nX: \x7f\r\n\r\n'),
    'a folded line': (400, b'GET /a HTTP/1.1\r\nHost: test\r\nX: a\r\n b\r\n\r\n'),
    'a folded line with TAB': (400, b'GET /a HTTP/1.1\r\nHost: test\r\nTransfer-Encoding:\r\n\tchunked\r\n\r\n'),
    'a field that begins with a space': (400, b'GET /a HTTP/1.1\r\n Host: test\r\nHost: test\r\n\r\n'),
    'a space before the colon': (400, b'GET /a HTTP/1.1\r\nHost: test\r\nContent-Length : 5\r\n\r\n'),
    'no colon': (400, b'GET /a HTTP/1.1\r\nHost: test\r\nnonsense\r\n\r\n'),
    'no name': (400, b'GET /a HTTP/1.1\r\nHost: test\r\n: x\r\n\r\n'),
    'a name that is no token': (400, b'GET /a HTTP/1.1\r\nHost: test\r\nX(y): z\r\n\r\n'),
    'no host': (400, b'GET /a HTTP/1.1\r\nX: y\r\n\r\n'),
    'two hosts': (400, b'GET /a HTTP/1.1\r\nHost: test\r\nHost: test\r\n\r\n'),
    'two hosts of 1.0': (400, b'GET /a HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n'),
    'a host with a path': (400, b'GET /a HTTP/1.1\r\nHost: test/x\r\n\r\n'),
    'a host with a user': (400, b'GET /a HTTP/1.1\r\nHost: user@test\r\n\r\n'),
    'a list of hosts': (400, b'GET /a HTTP/1.1\r\nHost: a, b\r\n\r\n'),
    'length and chunked': (400, b'POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    'chunked and length': (400, b'POST /a HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n'),
    'two lengths': (400, b'POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nxxxxx'),
    'one length twice': (400, b'POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nxxxxx'),
    'a list of lengths': (400, b'POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 5, 5\r\n\r\nxxxxx'),
    'a length with a sign': (400, b'POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: +5\r\n\r\nxxxxx'),
    'a negative length': (400, b'POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: -1\r\n\r\nxxxxx'),
    'a length in hex': (400, b'POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 0x5\r\n\r\nxxxxx'),
    'an empty length': (400, b'POST /a HTTP/1.1\r\nHost: test\r\nContent-Length:\r\n\r\nxxxxx'),
    'a length with words': (400, b'POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 5 5\r\n\r\nxxxxx'),
    'a length too large': (400, b'POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 18446744073709551616\r\n\r\nxxxxx'),
    'chunked twice': (400, b'POST /a HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n'),
    'chunked of 1.0': (400, b'POST /a HTTP/1.0\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    'chunked, chunked': (501, b'POST /a HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked, chunked\r\n\r\n'),
    'almost chunked': (501, b'POST /a HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: xchunked\r\n\r\n'),
    'another coding': (501, b'POST /a HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: gzip\r\n\r\n'),
    'two codings': (501, b'POST /a HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'),
    'no coding': (501, b'POST /a HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: identity\r\n\r\n'),
    'no version': (400, b'GET /a\r\n\r\n'),
    'no target': (400, b'GET HTTP/1.1\r\nHost: test\r\n\r\n'),
    'two spaces': (400, b'GET  /a HTTP/1.1\r\nHost: test\r\n\r\n'),
    'a TAB for a space': (400, b'GET\t/a HTTP/1.1\r\nHost: test\r\n\r\n'),
    'a space in the target': (400, b'GET /a b HTTP/1.1\r\nHost: test\r\n\r\n'),
    'a space at the end': (400, b'GET /a HTTP/1.1 \r\nHost: test\r\n\r\n'),
    'a space before': (400, b' GET /a HTTP/1.1\r\nHost: test\r\n\r\n'),
    'no method': (400, b'G@T /a HTTP/1.1\r\nHost: test\r\n\r\n'),
    'a version in small letters': (400, b'GET /a http/1.1\r\nHost: test\r\n\r\n'),
    'half a version': (400, b'GET /a HTTP/1\r\nHost: test\r\n\r\n'),
    'a long version': (400, b'GET /a HTTP/1.11\r\nHost: test\r\n\r\n'),
    'version 2.0': (505, b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    'version 1.2': (505, b'GET /a HTTP/1.2\r\nHost: test\r\n\r\n'),
    'version 0.9': (505, b'GET /a HTTP/0.9\r\nHost: test\r\n\r\n'),
    'TLS': (400, bytes.fromhex('16030100a5010000a10303') + bytes(range(32)) * 4),
    'noise': (400, bytes(range(256)) * 4),
    'a bad list in Connection': (400, b'GET /a HTTP/1.1\r\nHost: test\r\nConnection: (\r\n\r\n'),
    'a long target': (414, b'GET /' + b'a' * 9000 + b' HTTP/1.1\r\nHost: test\r\n\r\n'),
    'an endless target': (414, b'GET /' + b'a' * 500_000),
    'a long field': (431, b'GET /a HTTP/1.1\r\nHost: test\r\nX: ' + b'x' * 9000 + b'\r\n\r\n'),
    'an endless field': (431, b'GET /a HTTP/1.1\r\nHost: test\r\nX: ' + b'x' * 500_000),
    'many fields': (431, b'GET /a HTTP/1.1\r\nHost: test\r\n' + b''.join(b'X%d: y\r\n' % i for i in range(100)) + b'\r\n'),
    'a large header': (431, b'GET /a HTTP/1.1\r\nHost: test\r\n' + b''.join(b'X%d: %s\r\n' % (i, b'y' * 5000) for i in range(8)) + b'\r\n'),
    'endless empty lines': (431, b'\r\n' * 100_000),
}


class Refusals(Wire):
    def test_the_hostile_corpus(self):
        for name, (status, data) in HOSTILE.items():
            with self.subTest(name):
                self.assertEqual(self.statuses(data + GOOD), [status])

    def test_the_hostile_corpus_behind_a_good_request(self):
        for name, (status, data) in HOSTILE.items():
            with self.subTest(name):
                self.assertEqual(self.statuses(GOOD + data + GOOD), [200, status])

    def test_the_hostile_corpus_byte_by_byte(self):
        clients = {name: self.server.connect() for name, (_, data) in HOSTILE.items() if len(data) < 500}
        alive = dict(clients)
        for i in range(500):
            for name in list(alive):
                data = HOSTILE[name][1]
                try:
                    if i < len(data):
                        alive[name].send(data[i:i + 1])
                except OSError:
                    del alive[name]
        for name, client in clients.items():
            with self.subTest(name):
                rest = client.rest()
                # Whoever goes on sending after the refusal may lose it to a reset.
                if rest:
                    self.assertEqual(int(rest.split()[1]), HOSTILE[name][0])
                client.socket.close()

    def test_just_within_the_limits(self):
        with self.server.connect() as client:
            self.assertEqual(client.get('/' + 'a' * 8000).status, 404)
            self.assertEqual(client.get('/a', 'X: ' + 'x' * 8000).status, 200)
            self.assertEqual(client.get('/a', *(f'X{i}: y' for i in range(99))).status, 200)
            self.assertEqual(client.get('/a', *(f'X{i}: {"y" * 7900}' for i in range(4))).status, 200)

    def test_the_server_is_well_after_all_that(self):
        with self.server.connect() as client:
            self.assertEqual(client.get('/a').body, b'A')


if __name__ == '__main__':
    unittest.main()
