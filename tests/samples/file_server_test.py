"""file_server against curl.   usage: file_server_test.py FOLDER_OF_THE_PROGRAMS

Ends with 77 where curl is missing."""

import email
import email.utils
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from serving import PATIENCE, Server, write

PROGRAM = sys.argv.pop(1) + '/file_server'
LARGE = bytes(hashlib.sha256(b'seed').digest()) * (1 << 20)  # 32 MiB


class Curl(unittest.TestCase):
    """One server for all tests of a class."""

    options = ()

    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.mkdtemp(prefix='weft-files-')
        cls.addClassCleanup(shutil.rmtree, cls.top)
        cls.files = os.path.join(cls.top, 'served')
        write(cls.files, 'small.txt', 'hello\n')
        write(cls.files, 'empty.bin', '')
        write(cls.files, 'ten.dat', '0123456789')
        write(cls.files, 'folder/index.html', '<p>index</p>')
        write(cls.files, 'folder/page.HTML', '<p>page</p>')
        write(cls.files, 'bare/one file & <two>.txt', 'odd')
        write(cls.files, 'large.bin', LARGE)
        write(cls.top, 'secret/password', 'secret')
        with open(os.path.join(cls.files, 'sparse.bin'), 'wb') as sparse:
            sparse.seek((5 << 30) - 4)
            sparse.write(b'tail')
        cls.server = Server(PROGRAM, cls.files, *cls.options)
        cls.addClassCleanup(cls.server.__exit__, None)

    def curl(self, path, *options):
        """(status, fields, body)"""
        done = subprocess.run(['curl', '--silent', '--show-error', '--include', '--path-as-is', *options, self.server.url + path],
                              capture_output=True, timeout=2 * PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        head, _, body = done.stdout.partition(b'\r\n\r\n')
        start, _, fields = head.decode('latin-1').partition('\r\n')
        return int(start.split()[1]), email.message_from_string(fields), body

    def status(self, path, *options):
        return self.curl(path, *options)[0]


class Files(Curl):
    def test_serves_a_file_with_its_type_and_length(self):
        status, fields, body = self.curl('small.txt')
        self.assertEqual((status, body), (200, b'hello\n'))
        self.assertEqual(fields['Content-Type'], 'text/plain; charset=utf-8')
        self.assertEqual(fields['Content-Length'], '6')
        self.assertEqual(self.curl('folder/page.HTML')[1]['Content-Type'], 'text/html; charset=utf-8')
        self.assertEqual(self.curl('ten.dat')[1]['Content-Type'], 'application/octet-stream')

    def test_serves_an_empty_file(self):
        self.assertEqual(self.curl('empty.bin')[::2], (200, b''))

    def test_head_says_what_get_would(self):
        for path in ('small.txt', 'large.bin', 'sparse.bin', 'folder/', 'nothing', 'folder'):
            status, fields, body = self.curl(path, '--head')
            self.assertEqual(body, b'')
            if path != 'sparse.bin':
                expected = self.curl(path)
                self.assertEqual((status, fields['Content-Length']), (expected[0], expected[1]['Content-Length']))
            else:
                self.assertEqual(fields['Content-Length'], str(5 << 30))

    def test_a_large_file_arrives_whole(self):
        self.assertEqual(hashlib.sha256(self.curl('large.bin')[2]).digest(), hashlib.sha256(LARGE).digest())

    def test_index_and_folders(self):
        self.assertEqual(self.curl('folder/')[::2], (200, b'<p>index</p>'))
        status, fields, _ = self.curl('folder')
        self.assertEqual((status, fields['Location']), (301, '/folder/'))
        self.assertEqual(self.status('bare/'), 403)
        self.assertEqual(self.status(''), 403)
        self.assertEqual(self.status('small.txt/'), 404)

    def test_a_redirect_stays_on_the_server_and_in_its_line(self):
        os.makedirs(os.path.join(self.files, 'a\r\nSet-Cookie: b'), exist_ok=True)
        status, fields, _ = self.curl('/a%0d%0aSet-Cookie:%20b')
        self.assertEqual((status, fields['Location']), (301, '/a%0D%0ASet-Cookie%3A%20b/'))
        self.assertIsNone(fields['Set-Cookie'])

    def test_what_is_not_there(self):
        for path in ('nothing', 'nothing/', 'folder/nothing', 'small.txt/x', 'x' * 300, 'x/' * 2000):
            self.assertEqual(self.status(path), 404, path[:50])

    def test_methods(self):
        for method in ('POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'):
            status, fields, _ = self.curl('small.txt', '--request', method, '--data', 'x=y')
            self.assertEqual((status, fields['Allow']), (405, 'GET, HEAD'), method)
        self.assertEqual(self.status('small.txt', '--request', 'FROB'), 501)

    def test_a_query_is_no_part_of_the_name(self):
        self.assertEqual(self.curl('small.txt?v=1&x=/../..')[::2], (200, b'hello\n'))

    def test_one_connection_serves_many_requests(self):
        urls = [self.server.url + name for name in ('small.txt', 'nothing', 'ten.dat', 'folder/', 'small.txt')]
        done = subprocess.run(['curl', '--silent', '--write-out', '%{http_code} %{num_connects}\n', '--output', '/dev/null'] +
                              sum((['--output', '/dev/null', url] for url in urls), [])[2:],
                              capture_output=True, text=True, timeout=PATIENCE, check=True)
        self.assertEqual(done.stdout.split('\n')[:-1], ['200 1', '404 0', '200 0', '200 0', '200 0'])


class Ranges(Curl):
    def range(self, text, *options, path='ten.dat'):
        status, fields, body = self.curl(path, '--header', 'Range: ' + text, *options)
        return status, fields['Content-Range'], body

    def test_one_range(self):
        self.assertEqual(self.range('bytes=2-4'), (206, 'bytes 2-4/10', b'234'))
        self.assertEqual(self.range('bytes=7-'), (206, 'bytes 7-9/10', b'789'))
        self.assertEqual(self.range('bytes=-3'), (206, 'bytes 7-9/10', b'789'))
        self.assertEqual(self.range('bytes=-99'), (206, 'bytes 0-9/10', b'0123456789'))
        self.assertEqual(self.range('bytes=5-999999999999999999999999'), (206, 'bytes 5-9/10', b'56789'))
        self.assertEqual(self.range('BYTES=0-0'), (206, 'bytes 0-0/10', b'0'))

    def test_a_range_outside_of_the_file(self):
        self.assertEqual(self.range('bytes=10-')[:2], (416, 'bytes */10'))
        self.assertEqual(self.range('bytes=-0')[:2], (416, 'bytes */10'))
        self.assertEqual(self.range('bytes=0-', path='empty.bin')[:2], (416, 'bytes */0'))

    def test_what_is_no_range_is_ignored(self):
        for text in ('bytes=', 'bytes=x-y', 'bytes=4-2', 'bytes=+1-2', 'lines=1-2', 'bytes 1-2', 'bytes=1', 'bytes=--1',
                     'bytes=' + ','.join(['0-0'] * 17), 'bytes=0-,0-,0-'):
            self.assertEqual(self.range(text), (200, None, b'0123456789'), text)

    def test_several_ranges_come_as_parts(self):
        status, fields, body = self.curl('ten.dat', '--header', 'Range: bytes=0-1, 4-5,-2,50-60')
        self.assertEqual(status, 206)
        message = email.message_from_bytes(b'Content-Type: ' + fields['Content-Type'].encode() + b'\r\n\r\n' + body)
        parts = [(part['Content-Range'], part.get_payload()) for part in message.get_payload()]
        self.assertEqual(parts, [('bytes 0-1/10', '01'), ('bytes 4-5/10', '45'), ('bytes 8-9/10', '89')])
        self.assertEqual(len(body), int(fields['Content-Length']))

    def test_head_takes_no_notice_of_ranges(self):
        self.assertEqual(self.curl('ten.dat', '--head', '--header', 'Range: bytes=99-')[0], 200)

    def test_ranges_of_a_large_file_put_together_are_the_file(self):
        step = len(LARGE) // 3 + 1
        pieces = [self.range(f'bytes={start}-{start + step - 1}', path='large.bin')[2] for start in range(0, len(LARGE), step)]
        self.assertEqual(b''.join(pieces), LARGE)

    def test_a_range_beyond_four_gibibytes(self):
        size = 5 << 30
        self.assertEqual(self.range('bytes=-4', path='sparse.bin'), (206, f'bytes {size - 4}-{size - 1}/{size}', b'tail'))

    def test_if_range(self):
        os.utime(os.path.join(self.files, 'ten.dat'), (1e9, 1e9))
        _, fields, _ = self.curl('ten.dat')
        for value, status in ((fields['ETag'], 206), (fields['Last-Modified'], 206), ('"other"', 200), ('W/' + fields['ETag'], 200),
                              ('Sat, 01 Jan 2000 00:00:00 GMT', 200), ('nonsense', 200)):
            self.assertEqual(self.status('ten.dat', '--header', 'Range: bytes=0-1', '--header', 'If-Range: ' + value), status, value)


class Conditions(Curl):
    def test_etags(self):
        etag = self.curl('small.txt')[1]['ETag']
        for value, status in ((etag, 304), ('W/' + etag, 304), ('"x", ' + etag, 304), ('*', 304), ('"x"', 200), (etag[1:-1], 200)):
            answer = self.curl('small.txt', '--header', 'If-None-Match: ' + value)
            self.assertEqual(answer[0], status, value)
            self.assertEqual(answer[1]['ETag'], etag)
            self.assertEqual(answer[2], b'' if status == 304 else b'hello\n')
        for value, status in ((etag, 200), ('*', 200), ('"x"', 412), ('W/' + etag, 412)):
            self.assertEqual(self.status('small.txt', '--header', 'If-Match: ' + value), status, value)

    def test_a_file_of_the_future_is_no_younger_than_its_answer(self):
        write(self.files, 'future.txt', 'x')
        os.utime(os.path.join(self.files, 'future.txt'), (4102444800, 4102444800))
        fields = self.curl('future.txt')[1]
        modified, now = (email.utils.parsedate_to_datetime(fields[name]) for name in ('Last-Modified', 'Date'))
        self.assertLessEqual(modified, now)

    def test_dates(self):
        os.utime(os.path.join(self.files, 'small.txt'), (784111777, 784111777))
        self.assertEqual(self.curl('small.txt')[1]['Last-Modified'], 'Sun, 06 Nov 1994 08:49:37 GMT')
        for value, status in (('Sun, 06 Nov 1994 08:49:37 GMT', 304), ('Sunday, 06-Nov-94 08:49:37 GMT', 304),
                              ('Sun Nov  6 08:49:37 1994', 304), ('Sun, 06 Nov 1994 08:49:36 GMT', 200), ('yesterday', 200)):
            self.assertEqual(self.status('small.txt', '--header', 'If-Modified-Since: ' + value), status, value)
        self.assertEqual(self.status('small.txt', '--header', 'If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT'), 412)

    def test_an_etag_outweighs_a_date(self):
        later = 'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT'
        self.assertEqual(self.status('small.txt', '--header', later), 304)
        self.assertEqual(self.status('small.txt', '--header', later, '--header', 'If-None-Match: "x"'), 200)

    def test_a_change_makes_another_etag(self):
        path = write(self.files, 'changing', 'one')
        before = self.curl('changing')[1]['ETag']
        write(self.files, 'changing', 'two')
        os.utime(path, ns=(1, 2))
        self.assertEqual(self.status('changing', '--header', 'If-None-Match: ' + before), 200)


class Escapes(Curl):
    """No way out of the directory. A subclass runs the same without openat2()."""

    follows_links = True

    def test_dots(self):
        for path in ('../secret/password', '..', 'folder/../../secret/password', '%2e%2e/secret/password', '..%2fsecret%2fpassword',
                     '%2e%2e%2fsecret/password', './../secret/password', 'folder/%2E./.%2e/secret/password', '.%2e/', 'x/../../y'):
            self.assertEqual(self.status(path), 400, path)
        for path in ('..%5csecret%5cpassword', '%252e%252e/secret/password', '.../secret/password', '..;/secret/password'):
            self.assertEqual(self.status(path), 404, path)
        self.assertEqual(self.curl('folder/../small.txt')[::2], (200, b'hello\n'))
        self.assertEqual(self.curl('.//./folder/./../small.txt')[::2], (200, b'hello\n'))

    def test_broken_escapes_and_zero_bytes(self):
        for path in ('%', '%2', '%zz', 'small.txt%00', '%00', 'small.txt%00.html', 'a%0', '%u0041', '%-1'):
            self.assertEqual(self.status(path), 400, path)

    def test_an_absolute_name_stays_inside(self):
        self.assertEqual(self.status('/etc/passwd'), 404)
        self.assertEqual(self.status('%2fetc%2fpasswd'), 404)

    def test_links(self):
        links = {'inside': 'small.txt', 'outside': '../secret/password', 'absolute': os.path.join(self.top, 'secret/password'),
                 'up': '..', 'loop': 'loop', 'process': '/proc/self/root/etc/passwd', 'folder/deep': '../../secret'}
        for name, target in links.items():
            path = os.path.join(self.files, name)
            if not os.path.lexists(path):
                os.symlink(target, path)
        if self.follows_links:
            self.assertEqual(self.curl('inside')[::2], (200, b'hello\n'))
        else:
            self.assertIn(self.status('inside'), (403, 404))
        for path in ('outside', 'absolute', 'up/secret/password', 'up/', 'up', 'loop', 'process', 'folder/deep/password', 'folder/deep'):
            status, _, body = self.curl(path)
            self.assertIn(status, (403, 404), path)
            self.assertNotIn(b'secret', body)

    def test_what_is_no_file(self):
        path = os.path.join(self.files, 'pipe')
        if not os.path.lexists(path):
            os.mkfifo(path)
        self.assertEqual(self.status('pipe'), 403)

    @unittest.skipIf(os.geteuid() == 0, 'root may read everything')
    def test_a_file_that_may_not_be_read(self):
        os.chmod(write(self.files, 'forbidden', 'x'), 0)
        self.assertEqual(self.status('forbidden'), 403)


class EscapesByComponent(Escapes):
    options = ('--no-openat2',)
    follows_links = False


class Listing(Curl):
    options = ('--listing',)

    def test_lists_a_folder(self):
        status, fields, body = self.curl('bare/')
        self.assertEqual((status, fields['Content-Type']), (200, 'text/html; charset=utf-8'))
        self.assertIn(b'<a href="./one%20file%20%26%20%3Ctwo%3E.txt">one file &amp; &lt;two&gt;.txt</a>', body)
        self.assertEqual(self.curl('bare/./one%20file%20%26%20%3Ctwo%3E.txt')[::2], (200, b'odd'))
        self.assertIn(b'<a href="./folder/">folder/</a>', self.curl('')[2])

    def test_an_index_goes_before(self):
        self.assertEqual(self.curl('folder/')[2], b'<p>index</p>')


if __name__ == '__main__':
    if shutil.which('curl') is None:
        sys.exit(77)
    unittest.main()
