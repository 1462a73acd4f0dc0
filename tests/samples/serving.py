"""A file_server of the build under test, and a client that shows every byte."""

import os
import re
import signal
import socket
import subprocess
import tempfile

PATIENCE = 30  # Seconds after which a test that waits has failed; nothing waits this long when all is well.


class Answer:
    def __init__(self, head, body):
        lines = head.decode('latin-1').split('\r\n')
        self.version, status, self.reason = lines[0].split(' ', 2)
        self.status = int(status)
        self.fields = {}
        for line in lines[1:]:
            name, value = line.split(':', 1)
            self.fields[name.lower()] = value.strip()
        self.body = body


class Client:
    """One connection. Used with `with`."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode('latin-1'))

    def request(self, target, *fields, method='GET', version='HTTP/1.1'):
        self.send('\r\n'.join([f'{method} {target} {version}', 'Host: test', *fields, '', '']))

    def _more(self):
        data = self.socket.recv(1 << 16)
        self.unread += data
        return bool(data)

    def head(self):
        while b'\r\n\r\n' not in self.unread:
            if not self._more():
                raise EOFError(f'the stream ended after {self.unread!r}')
        head, self.unread = self.unread.split(b'\r\n\r\n', 1)
        return Answer(head, b'')

    def answer(self, has_body=True):
        answer = self.head()
        length = int(answer.fields.get('content-length', 0)) if has_body else 0
        while len(self.unread) < length:
            if not self._more():
                raise EOFError(f'the body ended after {len(self.unread)} of {length} bytes')
        answer.body, self.unread = self.unread[:length], self.unread[length:]
        return answer

    def get(self, target, *fields, method='GET', version='HTTP/1.1'):
        self.request(target, *fields, method=method, version=version)
        return self.answer(method != 'HEAD')

    def rest(self):
        """Everything up to the end of the stream."""
        pieces, self.unread = [self.unread], b''
        try:
            while data := self.socket.recv(1 << 20):
                pieces.append(data)
        except ConnectionResetError:
            pass
        return b''.join(pieces)


class Server:
    """A running file_server. Used with `with`, which stops it and checks that it ends well."""

    def __init__(self, program, folder, *options, before=None):
        self.errors = tempfile.TemporaryFile('w+')
        self.process = subprocess.Popen([program, folder, '--port', '0', *options], stdout=subprocess.PIPE, stderr=self.errors,
                                        text=True, preexec_fn=before)
        line = self.process.stdout.readline()
        match = re.fullmatch(r'listening on (http://(\[[^]]+\]|[^:]+):(\d+)/)\n', line)
        if not match:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f'file_server said {line!r} and {self.error_text()!r}')
        self.url, host, port = match.groups()
        self.address = (host.strip('[]'), int(port))
        self.output = ''

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.stop()
        self.process.stdout.close()
        said = self.error_text()
        self.errors.close()
        if kind is None:
            assert self.process.returncode == 0, f'file_server ended with {self.process.returncode}: {said}'
            assert not said, f'file_server complained: {said}'

    def error_text(self):
        self.errors.seek(0)
        return self.errors.read()

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        try:
            self.output = self.process.communicate(timeout=PATIENCE)[0]
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError('file_server did not end when told to') from None

    def connect(self):
        return Client(self.address)

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.process.pid}/fd'))


def write(folder, name, content):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return path
