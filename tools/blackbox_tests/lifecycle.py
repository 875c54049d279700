"""Ending in order, and what readers cost that are slow, leave early or come all at once."""
import io
import random
import signal
import socket
import struct
import threading
import time

from . import events
from .harness import equal, expect, test
from .http import NDJSON, PATH, Connection, call, check_trailer, post, read, stored

MIB = 1 << 20


def fill(server, mebibytes):
    """Stores that many MiB of 2,000-byte events; the number of their bytes as they are read back."""
    count = mebibytes * MIB // 2000
    total = 0
    for start in range(0, count, 4000):
        batch = events.numbered(min(4000, count - start), start=start, pad=1940, buckets=500)
        stored(server, batch)
        total += sum(len(line) + 1 for line in batch)
    return total


def slowly(connection, answer, pause, until):
    """Reads a body, pausing at each chunk up to `until` bytes; yields the number of bytes so far."""
    body = bytearray()
    for chunk in connection.chunks(answer):
        body += chunk
        if len(body) < until:
            time.sleep(pause * len(chunk) / 65536)
        yield len(body)
    answer.body = bytes(body)


@test
def sigterm_finishes_streams(setting):
    """SIGTERM lets a slow client have its 50 MB to the last byte, ends followers with a trailer, and exits 0."""
    server = setting.serve()
    size = fill(server, 50)
    with Connection(server, receive_buffer=65536) as slow, Connection(server) as follower:
        follower.send("GET", f"{PATH}?follow=true&start={events.BASE * 2}", {"Accept": NDJSON})
        following = follower.head()
        equal(following.status, 200, "the follower's status")
        ended = threading.Thread(target=lambda: setattr(following, "body", b"".join(follower.chunks(following))))
        ended.start()
        slow.send("GET", PATH, {"Accept": NDJSON})
        answer = slow.head()
        told = False
        for received in slowly(slow, answer, pause=0.01, until=size * 9 // 10):
            if not told and received > 2 * MIB:
                server.signal(signal.SIGTERM)
                told = True
        equal(len(answer.body), size, "bytes received")
        check_trailer(answer)
        ended.join(30)
        expect(not ended.is_alive(), "the follower still hangs")
        check_trailer(following)
    equal(server.wait(), 0, "exit code")
    setting.command("verify", "--data", setting.data)


@test
def slow_readers_cost_little_memory(setting):
    """A slow reader of a store of 1 GiB makes the server grow by at most 64 MiB."""
    size = fill(setting.serve(), 128 if setting.quick else 1024)
    equal(setting.servers[-1].stop(), 0, "exit code")
    for order in ("arrival", "time"):
        server = setting.serve()
        server.forget_peak()
        before = server.memory("VmRSS")
        with Connection(server, receive_buffer=65536) as slow:
            slow.send("GET", f"{PATH}?order={order}", {"Accept": NDJSON})
            answer, received = slow.head(), 0
            for chunk in slow.chunks(answer):
                received += len(chunk)
                if received < 48 * MIB:
                    time.sleep(0.005 * len(chunk) / 65536)
            equal(received, size, "bytes received")
            equal(answer.trailers.get("daybook-complete"), "true", "Daybook-Complete")
        grown = server.memory("VmHWM") - before
        expect(grown <= 64 * MIB, f"in {order} order it grew by {grown / MIB:.1f} MiB")
        server.stop()


FORMS = [("order=arrival", NDJSON), ("order=time", NDJSON), ("order=time", "application/json"),
         ("order=arrival", "application/x-lz4"), ("order=time&limit=10000", NDJSON)]


def at_rest(server, sockets):
    """All open descriptors, once every connection has ended: that a client has gone is noticed soon, not at once."""
    deadline = time.monotonic() + 20
    while server.descriptors("socket") > sockets and time.monotonic() < deadline:
        time.sleep(0.02)
    equal(server.descriptors("socket"), sockets, "sockets without a client")
    return server.descriptors()


@test
def broken_off_answers_leave_nothing(setting):
    """1,000 readers that leave in the middle leave no descriptor and at most 64 MiB of memory behind."""
    server, chance = setting.serve(), random.Random(11)
    sockets = server.descriptors("socket")
    fill(server, 32 if setting.quick else 200)

    def begin(query, accept, count):
        with Connection(server, receive_buffer=65536) as reader:
            reader.send("GET", f"{PATH}?{query}", {"Accept": accept, "Connection": "close"})
            while count > 0 and (part := reader.socket.recv(min(count, 65536))):
                count -= len(part)
            if chance.random() < 0.5:  # a reset in place of an end
                reader.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    for form in FORMS * 8:
        begin(*form, 4 * MIB)
    descriptors, before = at_rest(server, sockets), server.memory("VmRSS")
    for _ in range(1000):
        begin(*chance.choice(FORMS), int(10 ** chance.uniform(0, 6.5)))
    equal(at_rest(server, sockets), descriptors, "descriptors afterwards")
    grown = server.memory("VmRSS") - before
    expect(grown < 64 * MIB, f"it grew by {grown / MIB:.1f} MiB")


@test
def slow_readers_hinder_nobody(setting):
    """While 32 clients read byte by byte, others store and read as ever, and the slow ones miss nothing."""
    server = setting.serve()
    size = fill(server, 8)
    readers = [Connection(server, receive_buffer=4096) for _ in range(32)]
    for number, reader in enumerate(readers):
        reader.send("GET", f"{PATH}?{FORMS[number % 2][0]}", {"Accept": NDJSON, "Connection": "close"})
    # An answer that has begun has its snapshot.
    slowly_read = [reader.socket.recv(1) for reader in readers]
    for turn in range(40):
        lines = events.numbered(50, start=10**9 + turn * 50, base=2 * events.BASE)
        stored(server, lines)
        equal(len(read(server, f"start={2 * events.BASE}")), 50 * (turn + 1), "events read beside them")
        slowly_read = [start + reader.socket.recv(1) for start, reader in zip(slowly_read, readers)]
    for reader, start in zip(readers, slowly_read):
        reader.reader = io.BytesIO(start + reader.reader.read())
        answer = reader.answer()
        equal(len(answer.body), size, "bytes of a slow reader")
        check_trailer(answer)
        reader.__exit__()


@test
def parallel_scans_share_memory(setting):
    """500 scans at a time of a store of 200 MB all come right, in bounded memory, and leave none behind."""
    server, parts = setting.serve(), 20 if setting.quick else 100
    sockets = server.descriptors("socket")
    lines, width = [], 5 * events.RESOLUTION
    for part in range(parts):
        batch = events.numbered(1000, start=part * 1000, pad=1940, buckets=5, base=events.BASE + part * width)
        stored(server, batch)
        lines.append([events.floored(line) for line in batch])

    def scan_500():
        scans = []
        for number in range(500):
            part, (query, accept) = number % parts, FORMS[number // parts % len(FORMS)]
            start = events.BASE + part * width
            reader = Connection(server, receive_buffer=16384)
            reader.send("GET", f"{PATH}?{query}&start={start}&end={start + width - 1}", {"Accept": accept})
            scans.append((reader, lines[part], query))
        answers = [reader.head() for reader, _, _ in scans]
        equal(server.descriptors("socket"), sockets + 500, "sockets of 500 scans")
        for (reader, wanted, query), answer in zip(scans, answers):
            answer.body = b"".join(reader.chunks(answer))
            check_trailer(answer)
            equal(answer.trailers["daybook-count"], "1000", query)
            if answer.type == NDJSON:
                wanted = wanted if "arrival" in query else sorted(wanted, key=events.bucket)
                expect(answer.lines == wanted, f"{query} differs")
            reader.__exit__()

    scan_500()
    descriptors, peak = at_rest(server, sockets), server.memory("VmHWM")
    expect(peak < 256 * 10**6, f"a peak of {peak / MIB:.1f} MiB")
    for _ in range(2):
        scan_500()
    equal(at_rest(server, sockets), descriptors, "descriptors afterwards")
    grown = server.memory("VmHWM") - peak
    expect(grown < 64 * MIB, f"the same again took {grown / MIB:.1f} MiB more")


def until(holds, what, seconds=30):
    end = time.monotonic() + seconds
    while not holds():
        expect(time.monotonic() < end, what)
        time.sleep(0.02)


@test
def a_server_that_ends_says_so(setting):
    """After SIGTERM new requests get 503 and a number that the log has, /readyz too, until what is in flight is out."""
    server = setting.serve()
    size = fill(server, 50)
    with Connection(server, receive_buffer=65536) as slow:
        slow.send("GET", PATH, {"Accept": NDJSON})
        answer = slow.head()
        server.signal(signal.SIGTERM)
        until(lambda: call(server, "GET", "/readyz").status == 503, "/readyz stays 200")
        equal(call(server, "GET", "/readyz").json["reasons"], ["stopping"], "reasons")
        equal(call(server, "GET", "/livez").status, 200, "/livez")
        refused = post(server, events.numbered(1))
        equal((refused.status, refused.headers["retry-after"]), (503, "1"), "a POST")
        equal(len(b"".join(slow.chunks(answer))), size, "bytes of the answer that was in flight")
    equal(server.wait(), 0, "exit code")
    said = [r for r in server.records if r.get("request") == refused.headers["x-request-id"]]
    equal([(r["level"], r["status"], r["reason"]) for r in said], [("error", 503, "stopping")], "lines of the POST")
    expect(b"127.0.0.1" not in "".join(line for line in server.log if "listening" not in line).encode(), server.stderr)


@test
def a_reader_that_never_reads_is_cut(setting):
    """A client that reads nothing holds a server up for less than 30 s; the exit code is 0, and the store is whole."""
    server = setting.serve()
    fill(server, 50)
    with Connection(server, receive_buffer=4096) as silent:
        silent.send("GET", PATH, {"Accept": NDJSON})
        silent.head()
        begin = time.monotonic()
        equal(server.stop(), 0, "exit code")
        seconds = time.monotonic() - begin
    expect(seconds < 30, "it took", seconds, "s")
    expect(any("are cut" in words for words in server.said), server.stderr)
    setting.command("verify", "--data", setting.data)


@test
def a_second_signal_stops_at_once(setting):
    """The second SIGTERM ends a server that has an answer in flight, with 143; nothing acknowledged is missing."""
    server = setting.serve()
    size = fill(server, 50)
    with Connection(server, receive_buffer=4096) as silent:
        silent.send("GET", PATH, {"Accept": NDJSON})
        silent.head()
        server.signal(signal.SIGTERM)
        until(lambda: call(server, "GET", "/readyz").status == 503, "/readyz stays 200")
        server.signal(signal.SIGTERM)
        equal(server.wait(), 143, "exit code")
    equal(sum(len(line) + 1 for line in read(setting.serve())), size, "bytes after a restart")


@test
def systemd_is_told(setting):
    """READY=1 comes when the address is listened on, STOPPING=1 at the signal; no core is ever dumped."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path := setting.path("notify"))
        manager.settimeout(30)
        server = setting.serve(environment={"NOTIFY_SOCKET": path})
        equal(manager.recv(64), b"READY=1", "the first word")
        with open(f"/proc/{server.pid}/limits") as limits:
            core = next(line for line in limits if line.startswith("Max core file size"))
        equal(core.split()[4:6], ["0", "0"], "limits of a core")
        equal(server.stop(), 0, "exit code")
        equal(manager.recv(64), b"STOPPING=1", "the second word")
