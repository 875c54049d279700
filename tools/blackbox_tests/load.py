"""Crews that keep servers busy, and writers of numbered events that remember what was acknowledged."""
import socket
import threading

from . import events
from .harness import equal
from .http import NDJSON, PATH, Connection, Cut


class Crew:
    """While it is entered, threads work, one for each list of arguments, until `stopping` is set; a fault fails the test."""

    def __init__(self, work, arguments):
        self.faults, self.stopping = [], threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(work, own)) for own in arguments]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        if self.faults and not kind:
            raise self.faults[0]

    def _run(self, work, arguments):
        try:
            work(*arguments)
        except Exception as fault:
            self.faults.append(fault)


class Batch:
    def __init__(self, key, numbers):
        self.key, self.numbers, self.answer = key, numbers, None
        self.body = b"".join(b'{"timestamp":%d,"n":%d}\n' % (events.BASE + n * 7919 % 50 * events.RESOLUTION, n)
                             for n in numbers)

    def send(self, connection):
        answer = connection.exchange("POST", PATH, {"Content-Type": NDJSON, "Idempotency-Key": self.key}, self.body)
        equal(answer.status, 201, f"status ({answer.body[:300]!r})")
        equal(answer.json["accepted"], len(self.numbers), "accepted")
        if self.answer is not None:
            equal(answer.json, self.answer, f"the repeat of {self.key}")
        self.answer = answer.json


class Load(Crew):
    """While it is entered, writers post; a connection that breaks ends its writer, anything else fails the test."""

    lock = threading.Lock()
    next_number = 0  # never the same one twice in the whole run

    def __init__(self, server, writers, batch):
        self.server, self.size = server, batch
        self.batches = [[] for _ in range(writers)]
        super().__init__(self._write, [(own,) for own in self.batches])

    @property
    def acknowledged(self):
        return self.size * sum(batch.answer is not None for own in self.batches for batch in list(own))

    def _write(self, own):
        try:
            with Connection(self.server, timeout=60) as connection:
                while not self.stopping.is_set():
                    with Load.lock:
                        first = Load.next_number
                        Load.next_number += self.size
                    batch = Batch(f"batch-{first}", range(first, first + self.size))
                    own.append(batch)
                    batch.send(connection)
        except (Cut, ConnectionError, socket.timeout):
            pass
