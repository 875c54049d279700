"""Clients that are slow, in their thousands: they cost little, and hinder nobody."""
import resource
import socket
import time

from . import events
from .harness import equal, expect, test
from .http import NDJSON, PATH, Connection, read, stored

MIB = 1 << 20
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def many_descriptors():
    """As many as the system allows this process, and the servers that it starts."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def until(holds, what):
    """What the server does soon, not at once."""
    deadline = time.monotonic() + 60
    while not holds():
        expect(time.monotonic() < deadline, what)
        time.sleep(0.02)


class Crowd:
    """Raw connections that are closed together."""

    def __init__(self, server, count):
        self.sockets = []
        for _ in range(count):
            self.sockets.append(socket.create_connection((server.host, server.port), 60))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in self.sockets:
            one.close()

    def send(self, data):
        """Gives each client its bytes; one that the server has ended gets none."""
        for number, one in enumerate(self.sockets):
            try:
                one.send(data(number))
            except OSError:
                pass


def works_as_ever(server, turn):
    """A batch is stored, and read back."""
    base = 2 * events.BASE + turn * events.RESOLUTION
    lines = events.numbered(200, start=10**6 * turn, base=base, buckets=1)
    stored(server, lines)
    equal(len(read(server, f"start={base}&end={base + events.RESOLUTION - 1}")), len(lines), "events read back")


@test
def slow_connections_hinder_nobody(setting):
    """While 5,000 clients are silent or send a header byte by byte, others store and read as ever; slow headers end."""
    many_descriptors()
    server = setting.serve()
    before = server.memory("VmRSS")
    with Crowd(server, 5000) as crowd:
        until(lambda: server.descriptors("socket") > 5000, "5,000 connections are not accepted")
        start = b"GET %s HTTP/1.1\r\nHost: a\r\nX-Slow: " % PATH.encode()
        crowd.send(lambda number: start[:number % 2 * len(start)])
        for turn in range(10):
            works_as_ever(server, turn)
            crowd.send(lambda number: b"x"[:number % 2])
        grown = server.memory("VmHWM") - before
        expect(grown < 256 * MIB, f"it grew by {grown / MIB:.1f} MiB")

        def slow_ones_are_ended():
            crowd.send(lambda number: b"x"[:number % 2])
            return server.descriptors("socket") < 2600

        until(slow_ones_are_ended, "a header may go on for ever")
        expect(crowd.sockets[1].recv(4096).startswith(b"HTTP/1.1 408 "), "a slow header is not told so")
        works_as_ever(server, 10)
    until(lambda: server.descriptors("socket") < 100, "connections that have ended are not closed")
    works_as_ever(server, 11)


@test
def slow_bodies_hinder_nobody(setting):
    """500 clients that announce 16 MiB, plain, chunked or coded, and send them byte by byte, hold nobody's room."""
    many_descriptors()
    server = setting.serve()
    framings = [b"Content-Length: %d" % (16 * MIB), b"Transfer-Encoding: chunked",
                b"Content-Length: %d\r\nContent-Encoding: gzip" % (16 * MIB),
                b"Transfer-Encoding: chunked\r\nContent-Encoding: lz4",
                b"Content-Length: %d\r\nContent-Encoding: zstd" % MIB]
    begins = [b'{"', b'1000\r\n{"', b"\x1f\x8b\x08", b"1000\r\n\x04\x22\x4d\x18", b"\x28\xb5\x2f\xfd"]
    before = server.memory("VmRSS")
    with Crowd(server, 500) as crowd:
        head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: ".encode()
        types = [type_.encode() for type_ in (NDJSON, FORM, JSON)]
        crowd.send(lambda number: head + types[number % 3] + b"\r\n" + framings[number % len(framings)] + b"\r\n\r\n")
        for one in crowd.sockets:
            expect(one.recv(4096).startswith(b"HTTP/1.1 100 "), "a body that is slow is not begun")
        crowd.send(lambda number: begins[number % len(begins)])
        for turn in range(10):
            works_as_ever(server, turn)
            stored(server, events.numbered(4000, start=10**8 + turn * 4000, pad=1940))
            crowd.send(lambda number: b" ")
        grown = server.memory("VmHWM") - before
        expect(grown < 160 * MIB, f"it grew by {grown / MIB:.1f} MiB")
    until(lambda: server.descriptors("socket") < 100, "connections that have ended are not closed")
    equal(server.stop(), 0, "exit code")


@test
def byte_readers_cost_little_memory(setting):
    """500 clients that read the whole store a byte at a time cost less than 192 MiB, and hinder nobody."""
    many_descriptors()
    server = setting.serve()
    stored(server, events.numbered(4000, pad=1940, buckets=500))
    before = server.memory("VmRSS")
    forms = [("time", NDJSON), ("arrival", NDJSON), ("time", "application/json"), ("arrival", "application/x-lz4")]
    readers = [Connection(server, receive_buffer=4096) for _ in range(500)]
    for number, reader in enumerate(readers):
        order, accept = forms[number % len(forms)]
        reader.send("GET", f"{PATH}?order={order}", {"Accept": accept})
    for turn in range(10):
        for reader in readers:
            expect(len(reader.socket.recv(1)) == 1, "a slow answer has ended")
        works_as_ever(server, turn)
    grown = server.memory("VmHWM") - before
    expect(grown < 192 * MIB, f"it grew by {grown / MIB:.1f} MiB")
    for reader in readers:
        reader.__exit__()
    until(lambda: server.descriptors("socket") < 100, "connections that have ended are not closed")
