"""Clients that are greedy or dishonest: they are refused, and cost little."""
import glob
import gzip
import json
import re
import socket

import lz4.frame
import zstandard

from . import events
from .harness import equal, expect, test
from .http import NDJSON, PATH, Connection, call, post, read, stored
from .slow import FORM, JSON, MIB, works_as_ever


def exchange(server, data):
    """Sends bytes as they are; the answers' status lines and whether the server then closes the connection."""
    with socket.create_connection((server.host, server.port), 60) as one:
        try:
            one.sendall(data)
        except OSError:
            pass  # refused before its end; the answer is there
        got = b""
        try:
            while part := one.recv(65536):
                got += part
        except ConnectionResetError:
            pass
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", got)]


EVENT = b'{"timestamp":1785542400000}'
POST = b"POST %s HTTP/1.1" % PATH.encode()
PING = b"GET /wsapi/ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def smuggled(fields, body=b"", line=POST):
    return line + b"\r\nHost: a\r\nContent-Type: application/x-ndjson\r\n" + fields + b"\r\n\r\n" + body + PING


CHUNKED = b"Transfer-Encoding: chunked"
LENGTH = b"Content-Length: %d" % len(EVENT)
CHUNK = b"%x\r\n%s\r\n0\r\n\r\n" % (len(EVENT), EVENT)

# Behind each stands another request, which is answered only where the first one is not cut as it should be. All of
# these get one answer, 400, and the end; nothing is stored.
REFUSED = {
    "both lengths": smuggled(LENGTH + b"\r\n" + CHUNKED, CHUNK),
    "both, chunked first": smuggled(CHUNKED + b"\r\n" + LENGTH, CHUNK),
    "two lengths": smuggled(LENGTH + b"\r\nContent-Length: 0", EVENT),
    "two equal lengths": smuggled(LENGTH + b"\r\n" + LENGTH, EVENT),
    "a list of lengths": smuggled(b"Content-Length: 27, 27", EVENT),
    "a length with a sign": smuggled(b"Content-Length: +27", EVENT),
    "a negative length": smuggled(b"Content-Length: -1", EVENT),
    "a hexadecimal length": smuggled(b"Content-Length: 0x1b", EVENT),
    "a length with a unit": smuggled(b"Content-Length: 27 B", EVENT),
    "no length": smuggled(b"Content-Length: ", EVENT),
    "a length beyond 64 bits": smuggled(b"Content-Length: 18446744073709551643", EVENT),
    "a length of a comma": smuggled(b"Content-Length: ,", EVENT),
    "space before the colon": smuggled(b"Content-Length : 27", EVENT),
    "space before the colon of chunked": smuggled(b"Transfer-Encoding : chunked", CHUNK),
    "a folded field": smuggled(b"X-A: b\r\n " + LENGTH, EVENT),
    "a folded chunked": smuggled(b"Transfer-Encoding:\r\n chunked", CHUNK),
    "chunked is not last": smuggled(b"Transfer-Encoding: chunked, identity", CHUNK),
    "chunked twice": smuggled(b"Transfer-Encoding: chunked, chunked", CHUNK),
    "chunked in two fields": smuggled(CHUNKED + b"\r\n" + CHUNKED, CHUNK),
    "an unknown transfer coding": smuggled(b"Transfer-Encoding: cow", CHUNK),
    "nearly chunked": smuggled(b"Transfer-Encoding: xchunked", CHUNK),
    "chunked in quotes": smuggled(b'Transfer-Encoding: "chunked"', CHUNK),
    "chunked behind a vertical tab": smuggled(b"Transfer-Encoding: \x0bchunked", CHUNK),
    "an empty transfer coding": smuggled(b"Transfer-Encoding: ", CHUNK),
    "an empty transfer coding before a length": smuggled(b"Transfer-Encoding: \r\n" + LENGTH, EVENT),
    "a chunk size with a sign": smuggled(CHUNKED, b"+" + CHUNK),
    "a chunk size with 0x": smuggled(CHUNKED, b"0x" + CHUNK),
    "a chunk size of nothing": smuggled(CHUNKED, b"\r\n" + CHUNK),
    "a chunk size with a space": smuggled(CHUNKED, b" " + CHUNK),
    "a chunk size beyond 64 bits": smuggled(CHUNKED, b"1000000000000001b\r\n" + EVENT + b"\r\n0\r\n\r\n"),
    "a chunk that is longer than it says": smuggled(CHUNKED, b"5\r\n" + EVENT + b"\r\n0\r\n\r\n"),
    "a chunk without its CRLF": smuggled(CHUNKED, b"1b\r\n" + EVENT + b"0\r\n\r\n"),
    "a chunk size ended by LF": smuggled(CHUNKED, b"1b\n" + EVENT + b"\r\n0\r\n\r\n"),
    "a chunk ended by LF": smuggled(CHUNKED, b"1b\r\n" + EVENT + b"\n0\r\n\r\n"),
    "a chunk extension with LF": smuggled(CHUNKED, b"1b;a\nb\r\n" + EVENT + b"\r\n0\r\n\r\n"),
    "a CR alone in a field": smuggled(b"X-A: b\r" + LENGTH, EVENT),
    "a NUL in a field": smuggled(b"X-A: b\0\r\n" + LENGTH, EVENT),
    "a field without a colon": smuggled(b"Content-Length 27\r\n" + LENGTH, EVENT),
    "a field without a name": smuggled(b": x\r\n" + LENGTH, EVENT),
    "a field name of bytes": smuggled(b"X\xff: x\r\n" + LENGTH, EVENT),
    "space before the first field": POST + b"\r\n Host: a\r\n%s\r\n\r\n" % LENGTH + EVENT + PING,
    "HTTP/1.2": smuggled(LENGTH, EVENT, line=b"POST %s HTTP/1.2" % PATH.encode()),
    "HTTP/0.9": b"GET /wsapi/ping\r\n" + PING,
    "no target": smuggled(LENGTH, EVENT, line=b"POST HTTP/1.1"),
    "two targets": smuggled(LENGTH, EVENT, line=b"POST %s /x HTTP/1.1" % PATH.encode()),
    "a small letter in HTTP": smuggled(LENGTH, EVENT, line=b"POST %s HTTp/1.1" % PATH.encode()),
    "LF at the end of the first line": POST + b"\nHost: a\r\n%s\r\n\r\n" % LENGTH + EVENT + PING,
    "LF at the end of a field": smuggled(b"X-A: b\n" + LENGTH, EVENT),
    "LF for the empty line": POST + b"\r\nHost: a\r\n%s\r\n\n" % LENGTH + EVENT + PING,
}
# Read in the one way that RFC 9112 allows. The statuses of their answers, and those of what follows.
SOUND = {
    "a length": (smuggled(LENGTH, EVENT), [201, 200]),
    "a length with zeros": (smuggled(b"Content-Length: 0027", EVENT), [201, 200]),
    "chunked": (smuggled(CHUNKED, CHUNK), [201, 200]),
    "chunked in capitals": (smuggled(b"Transfer-Encoding: CHUNKED", CHUNK), [201, 200]),
    "a chunk size with zeros": (smuggled(CHUNKED, b"000" + CHUNK), [201, 200]),
    "a chunk extension": (smuggled(CHUNKED, b'1b;a=b;c="d"\r\n' + EVENT + b"\r\n0\r\n\r\n"), [201, 200]),
    "a trailer": (smuggled(CHUNKED, CHUNK[:-2] + b"X-A: b\r\n\r\n"), [201, 200]),
    "a GET with a body": (smuggled(LENGTH, EVENT, line=b"GET /wsapi/ping HTTP/1.1"), [200, 200]),
    "a GET with chunks": (smuggled(CHUNKED, CHUNK, line=b"GET /wsapi/ping HTTP/1.1"), [200, 200]),
    "no body": (smuggled(b"X-A: b"), [201, 200]),
    # Nothing that follows is a request; it may be told so.
    "an end": (smuggled(LENGTH + b"\r\nConnection: close", EVENT), [201]),
    "HTTP/1.0": (smuggled(LENGTH, EVENT, line=b"POST %s HTTP/1.0" % PATH.encode()), [201]),
    "HTTP/1.0 and chunked": (smuggled(CHUNKED, CHUNK, line=b"POST %s HTTP/1.0" % PATH.encode()), [201]),
    "another protocol": (smuggled(LENGTH + b"\r\nConnection: Upgrade\r\nUpgrade: websocket", EVENT), [201]),
    "HTTP/2 without TLS": (smuggled(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA",
                                    line=b"GET /wsapi/ping HTTP/1.1"), [200]),
    "a tunnel": (smuggled(LENGTH, EVENT, line=b"CONNECT a:80 HTTP/1.1"), [400]),
}


@test
def refuses_smuggled_requests(setting):
    """What two readers of HTTP could cut in two ways gets one 400 and the end; what is sound is read in its one way."""
    server = setting.serve()
    wrong = [(name, got) for name, data in REFUSED.items() if (got := exchange(server, data)) != [400]]
    equal(wrong, [], "requests that are not refused")
    equal(read(server), [], "events stored")
    wrong = [(name, got) for name, (data, wanted) in SOUND.items()
             if (got := exchange(server, data)) != wanted and got != wanted + [400] * (len(wanted) == 1)]
    equal(wrong, [], "requests that are read in another way")
    equal(set(read(server)), {events.floored(EVENT)}, "events stored")


CODINGS = {
    "gzip": gzip.compress, "x-gzip": gzip.compress, "lz4": lz4.frame.compress,
    "zstd": lambda raw: zstandard.ZstdCompressor().compress(raw),
}


@test
def takes_coded_bodies(setting):
    """Bodies in gzip, LZ4 and Zstandard, of one frame or many, are stored as what they hold."""
    server, lines = setting.serve(), events.numbered(3000)
    body = b"".join(line + b"\n" for line in lines)
    for number, (name, encode) in enumerate(CODINGS.items()):
        many = b"".join(encode(body[at:at + 10_007]) for at in range(0, len(body), 10_007))
        for coded in (encode(body), many):
            equal(post(server, coded, {"Content-Encoding": name}).json["accepted"], len(lines), name)
        data = json.dumps({"data": [json.loads(line) for line in lines]}).encode()
        answer = call(server, "POST", PATH, {"Content-Type": JSON, "Content-Encoding": name}, encode(data))
        equal((answer.status, answer.body), (201, b"ok"), name)
    equal(len(read(server)), 3 * len(CODINGS) * len(lines), "events")


@test
def takes_segment_files(setting):
    """A segment file, sent as it lies, is a coded body: its events come in once more."""
    server, lines = setting.serve(), events.numbered(3000)
    stored(server, lines)
    equal(server.stop(), 0, "exit code")
    wanted = [events.floored(line) for line in lines]
    other = setting.serve(data=setting.path("other"))
    for verb, pattern, coding in (("seal", "hot/*.lz4", "lz4"), ("compact", "cold/*/*.zst", "zstd")):
        setting.command(verb, "--data", setting.data)
        files = glob.glob(setting.path("data", "interactions", pattern))
        expect(files, "no", pattern)
        for path in files:
            with open(path, "rb") as file:
                post(other, file.read(), {"Content-Encoding": coding})
        got = read(other, "order=arrival")
        equal(sorted(got[-len(wanted):]), sorted(wanted), pattern)


@test
def refuses_bombs(setting):
    """Bodies that grow a hundredfold and more are 413, 200 at once, and cost less than 192 MiB."""
    server = setting.serve()
    spaces = b" " * (64 * MIB)
    bombs = [(name, encode(spaces)) for name, encode in CODINGS.items()]
    deep = gzip.compress(gzip.compress(b" " * (512 * MIB), 9), 9)
    before = server.memory("VmRSS")
    connections = [Connection(server) for _ in range(200)]
    for number, connection in enumerate(connections):
        name, bomb = bombs[number % len(bombs)]
        fields = {"Content-Type": [NDJSON, FORM, JSON][number % 3], "Content-Encoding": name}
        connection.send("POST", PATH, fields, bomb)
    for connection in connections:
        answer = connection.answer()
        expect(answer.status in (413, 503), answer.status, answer.body)
        if answer.status == 413:
            equal(answer.json["reason"], "coding_ratio", "reason")
        connection.__exit__()
    # What a coding holds is never decoded again.
    expect(post(server, deep, {"Content-Encoding": "gzip"}).status == 400, "a bomb in a bomb")
    expect(post(server, deep, {"Content-Encoding": "gzip, gzip"}).status == 415, "two codings")
    grown = server.memory("VmHWM") - before
    expect(grown < 192 * MIB, f"it grew by {grown / MIB:.1f} MiB")
    equal(read(server), [], "events stored")


@test
def refuses_deep_json(setting):
    """JSON that is 10^6 deep is refused in each type, plain and coded, and costs less than 128 MiB."""
    server = setting.serve()
    before = server.memory("VmRSS")
    for open_, close in ((b"[", b"]"), (b'{"a":', b"}")):
        deep = open_ * 10**6 + b"1" + close * 10**6
        event = b'{"timestamp":1785542400000,"a":' + deep + b"}"
        bodies = [(NDJSON, event), (NDJSON, deep), (FORM, b"data=" + event), (FORM, b"data=" + deep),
                  (JSON, b'{"data":' + event + b"}"), (JSON, b'{"data":' + deep + b"}"), (JSON, deep),
                  (JSON, json.dumps({"data": event.decode()}).encode())]
        for type_, body in bodies:
            equal(call(server, "POST", PATH, {"Content-Type": type_}, body).status, 400, f"{type_} {body[:40]!r}")
            fields = {"Content-Type": type_, "Content-Encoding": "lz4"}
            coded = call(server, "POST", PATH, fields, lz4.frame.compress(body))
            expect(coded.status in (400, 413), f"{type_} {body[:40]!r} in LZ4: {coded.status}")
    grown = server.memory("VmHWM") - before
    expect(grown < 128 * MIB, f"it grew by {grown / MIB:.1f} MiB")
    works_as_ever(server, 0)


@test
def refuses_huge_headers(setting):
    """Headers of a megabyte, in one field or in many, are refused, 200 of them, and cost less than 128 MiB."""
    server = setting.serve()
    start = b"GET /wsapi/ping HTTP/1.1\r\nHost: a\r\n"
    heads = [start + b"X-Huge: " + b"x" * MIB, start + b"X-%d: y\r\n" * 100_000 % tuple(range(100_000)),
             b"GET /" + b"x" * MIB + b" HTTP/1.1\r\nHost: a\r\n", start + b"X" * MIB]
    before = server.memory("VmRSS")
    for head in heads:
        # Who is still sending when the connection ends may not see the answer.
        statuses = [status for _ in range(50) for status in exchange(server, head + b"\r\n\r\n")]
        expect(set(statuses) == {431} and len(statuses) <= 50, f"{head[:60]!r}: {statuses}")
    grown = server.memory("VmHWM") - before
    expect(grown < 128 * MIB, f"it grew by {grown / MIB:.1f} MiB")
    works_as_ever(server, 0)
