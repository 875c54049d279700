"""Ending in order, and the memory that slow readers cost."""
import signal
import threading
import time

from . import events
from .harness import equal, expect, test
from .http import NDJSON, PATH, Connection, check_trailer, stored

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
