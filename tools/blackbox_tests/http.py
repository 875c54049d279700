"""HTTP/1.1 by hand, so that trailers, interim answers, half-read bodies and cut connections can be seen."""
import dataclasses
import json
import socket
import ssl

import xxhash

from .harness import equal, expect

PATH = "/wsapi/interaction_data"
NDJSON = "application/x-ndjson"


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict
    body: bytes = b""
    trailers: dict = dataclasses.field(default_factory=dict)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def lines(self):
        return self.body.splitlines()

    @property
    def type(self):
        return self.headers.get("content-type", "").split(";")[0]


class Cut(Exception):
    """The connection ended in the middle of an answer."""


class Connection:
    def __init__(self, server, timeout=60, receive_buffer=None, authority=None):
        """- authority: PEM file of who vouches for the server, which is `localhost` and speaks TLS."""
        self.socket = socket.socket()
        self.socket.settimeout(timeout)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect((server.host, server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if authority:
            context = ssl.create_default_context(cafile=authority)
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.reader = self.socket.makefile("rb", 65536)
        self.host = f"{server.host}:{server.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reader.close()
        self.socket.close()

    def send(self, method, target, headers=None, body=None):
        fields = {"Host": self.host, **(headers or {})}
        if body is not None:
            fields["Content-Length"] = len(body)
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items()) + "\r\n"
        self.socket.sendall(head.encode() + (body or b""))

    def head(self):
        """The next answer's head, interim ones (1xx) too."""
        line = self._line()
        expect(line.startswith(b"HTTP/1.1 "), "not an HTTP answer:", line)
        return Answer(int(line.split()[1]), self._fields())

    def chunks(self, answer):
        """The body as it comes; fills in the trailers at its end."""
        if answer.headers.get("transfer-encoding", "").lower() == "chunked":
            while size := int(self._line().split(b";")[0], 16):
                yield self._exactly(size)
                self._exactly(2)
            answer.trailers = self._fields()
        else:
            left = int(answer.headers.get("content-length", 0))
            while left:
                chunk = self._exactly(min(left, 65536))
                left -= len(chunk)
                yield chunk

    def answer(self):
        answer = self.head()
        if answer.status >= 200 and answer.status not in (204, 304):
            answer.body = b"".join(self.chunks(answer))
        return answer

    def exchange(self, method, target, headers=None, body=None):
        self.send(method, target, headers, body)
        return self.answer()

    def _line(self):
        line = self.reader.readline()
        if not line.endswith(b"\n"):
            raise Cut(f"the connection ended behind {line!r}")
        return line.rstrip(b"\r\n")

    def _exactly(self, size):
        data = self.reader.read(size)
        if len(data) < size:
            raise Cut(f"the connection ended {size - len(data)} bytes early")
        return data

    def _fields(self):
        fields = {}
        while line := self._line():
            name, value = line.decode("latin-1").split(":", 1)
            fields[name.lower()] = value.strip()
        return fields


def call(server, method, target, headers=None, body=None, timeout=60):
    with Connection(server, timeout) as connection:
        return connection.exchange(method, target, headers, body)


def post(server, lines, headers=None, query=""):
    """POSTs NDJSON: bytes, or a list of lines or of values that become JSON."""
    if not isinstance(lines, bytes):
        lines = b"".join((x if isinstance(x, bytes) else json.dumps(x).encode()) + b"\n" for x in lines)
    return call(server, "POST", PATH + query, {"Content-Type": NDJSON, **(headers or {})}, lines)


def stored(server, lines, headers=None):
    """POSTs lines that must be accepted; the answer's JSON."""
    answer = post(server, lines, headers)
    equal(answer.status, 201, f"status ({answer.body[:300]!r})")
    return answer.json


def get(server, query="", accept=NDJSON):
    return call(server, "GET", PATH + (f"?{query}" if query else ""), {"Accept": accept})


def read(server, query=""):
    """A whole NDJSON answer with a right trailer; its lines."""
    answer = get(server, query)
    equal(answer.status, 200, f"status ({answer.body[:300]!r})")
    check_trailer(answer)
    return answer.lines


def check_trailer(answer, complete=True):
    declared = {name.strip().lower() for name in answer.headers.get("trailer", "").split(",")}
    names = {"daybook-count", "daybook-cursor", "daybook-xxh3", "daybook-complete"}
    expect(declared >= names, "the Trailer header declares", declared)
    expect(answer.trailers.keys() >= names - {"daybook-cursor"}, "the trailer has", answer.trailers)
    equal(answer.trailers["daybook-complete"], "true" if complete else "false", "Daybook-Complete")
    if answer.type == NDJSON:
        equal(int(answer.trailers["daybook-count"]), answer.body.count(b"\n"), "Daybook-Count")
    equal(answer.trailers["daybook-xxh3"], xxhash.xxh3_128_hexdigest(answer.body), "Daybook-XXH3")
