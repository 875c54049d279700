"""Three webheads and two storage servers, and everything that can go wrong between them."""
import collections
import hashlib
import json
import random
import re
import socket
import threading
import time

from .chaos import Link, Upset
from .harness import equal, expect, test
from .http import Connection, Cut, read
from .load import Crew
from .webheads import Browser, Webhead

WEBHEADS, STORES, BROWSERS = 3, 2, 6
# Before the horizon that purges will set: it may be gone, and is never doubled.
OLD = 1_361_407_200_000
NUMBER = re.compile(rb'"n":(\d+)')
# Milliseconds that a clock may be wrong by: within a day, and by more than sessions and purges believe.
JUMPS = (-40 * 86_400_000, -3_600_000, 61_000, 7_200_000, 40 * 86_400_000)


def is_old(number):
    return number % 10 == 9


def noise(number):
    """What a blob carries, so that its number tells all of it; long enough to fill a spool."""
    return hashlib.shake_256(b"%d" % number).hexdigest(16 + number % 512)


def blob(number, now):
    return {"timestamp": OLD if is_old(number) else now - 86_400_000 * (number % 5), "n": number, "noise": noise(number)}


class Crowd(Crew):
    """While it is entered, browsers post numbered blobs to webheads and come back whenever they are cut off."""

    def __init__(self, webheads, chance):
        self.webheads, self.acknowledged, self.sent = webheads, set(), set()
        self.statuses = collections.Counter()
        self.lock, self.next_number = threading.Lock(), 0
        super().__init__(self._browse, [(n % len(webheads), random.Random(chance.random())) for n in range(BROWSERS)])

    def _browse(self, place, chance):
        while not self.stopping.is_set():
            try:
                with Connection(self.webheads[place], timeout=20) as connection:
                    self._session(Browser(connection), chance)
            except (Cut, ConnectionError, socket.timeout):
                time.sleep(0.02)

    def _session(self, browser, chance):
        """Ends where the session is not known any more: the clock of the webhead has jumped."""
        while not self.stopping.is_set():
            count = chance.choice((1, 1, 3, 8))
            with self.lock:
                numbers = range(self.next_number, self.next_number + count)
                self.next_number += count
                self.sent.update(numbers)
            now = int(time.time() * 1000)
            answer = browser.post([blob(n, now) for n in numbers])
            with self.lock:
                self.statuses[answer.status] += 1
                if answer.status == 200:
                    self.acknowledged.update(numbers)
            if answer.status == 403 or answer.body == b"Bad Request: CSRF violation":
                return
            expect(answer.status in (200, 503, 507), "a post was answered", answer.status, answer.body)
            time.sleep(0.002 if answer.status == 200 else 0.05)


class Town:
    """The processes, the ways between them, and what happens to them."""

    def __init__(self, setting, chance):
        self.setting, self.chance = setting, chance
        self.storage = [None] * STORES
        self.webheads = [None] * WEBHEADS
        self.upsets = {}
        self.links = [[Link(lambda store=store: self.storage[store] and self.storage[store].port)
                       for store in range(STORES)] for _ in range(WEBHEADS)]
        for links in self.links:
            for link in links:
                setting.at_end.append(link.close)
        for store in range(STORES):
            self.start_storage(store)
        for webhead in range(WEBHEADS):
            self.start_webhead(webhead)

    def upset(self, name):
        if name not in self.upsets:
            self.upsets[name] = Upset(self.setting, f"upset-{name}")
        return self.upsets[name]

    def start_storage(self, store):
        name = f"store{store}"
        self.storage[store] = self.setting.serve(
            data=self.setting.path(name), environment=self.upset(name).environment)

    def start_webhead(self, webhead):
        name = f"spool{webhead}"
        urls = [link.url for link in self.links[webhead]]
        # Not all prefer the same server.
        self.webheads[webhead] = Webhead(
            self.setting, urls if webhead % 2 else urls[::-1], "--spool-bytes", "1MiB", "--batch-events", "50",
            "--batch-time", "20ms", "--drain-for", "50ms", data=name, environment=self.upset(name).environment)

    def spool(self, webhead, *words, code=0):
        return self.setting.command("spool", *words, "--data", self.setting.path(f"spool{webhead}"), code=code)

    # What may happen in a round.

    def kill_webhead(self):
        webhead = self.chance.randrange(WEBHEADS)
        self.webheads[webhead].kill()
        self.start_webhead(webhead)

    def stop_webhead(self):
        webhead = self.chance.randrange(WEBHEADS)
        equal(self.webheads[webhead].stop(), 0, "exit code of a webhead")
        self.start_webhead(webhead)

    def kill_storage(self):
        """It may stay away for some rounds."""
        store = self.chance.randrange(STORES)
        if self.storage[store]:
            self.storage[store].kill()
            self.storage[store] = None
        elif self.chance.random() < 0.3:
            return
        if self.chance.random() < 0.7:
            self.start_storage(store)

    def change_links(self):
        for links in self.links:
            for link in links:
                link.mode = self.chance.choice(("well",) * 4 + Link.MODES)

    def jump(self):
        self.any_upset().set(ahead_milliseconds=self.chance.choice(JUMPS))

    def slow_disk(self):
        self.any_upset().set(sync_microseconds=self.chance.choice((2_000, 10_000, 50_000)))

    def any_upset(self):
        return self.chance.choice([self.upsets[name] for name in sorted(self.upsets)])

    def compact(self):
        data = self.setting.path(f"store{self.chance.randrange(STORES)}")
        self.setting.command("seal", "--data", data, code=None)
        self.setting.command("compact", "--data", data, code=None)

    def purge(self):
        data = self.setting.path(f"store{self.chance.randrange(STORES)}")
        self.setting.command("purge", "--data", data, "--max-age", "3650d", "--reader-grace", "10ms", code=None)

    def retry(self):
        self.spool(self.chance.randrange(WEBHEADS), "retry", code=None)

    EVENTS = ((kill_webhead, 4), (stop_webhead, 1), (kill_storage, 4), (change_links, 8), (jump, 3), (slow_disk, 3),
              (compact, 2), (purge, 1), (retry, 3))

    def happen(self):
        kinds, weights = zip(*self.EVENTS)
        for event in self.chance.choices(kinds, weights, k=self.chance.choice((1, 1, 2))):
            event(self)

    def be_well(self):
        for upset in self.upsets.values():
            upset.set()
        for links in self.links:
            for link in links:
                link.mode = "well"
        for store in range(STORES):
            if not self.storage[store]:
                self.start_storage(store)


@test
def what_browsers_post_is_stored_once(setting):
    """kill -9 of both sides, links that refuse, stall, lose and delay, jumping clocks, slow disks, full spools, compaction and purge: each acknowledged blob is stored once, and none is invented."""
    seed = 6
    chance = random.Random(seed)
    town = Town(setting, chance)
    rounds = setting.rounds if setting.quick else 4 * setting.rounds
    with Crowd(town.webheads, chance) as crowd:
        for turn in range(rounds):
            town.happen()
            if turn == rounds // 3:
                leap(town, crowd)
            if turn == rounds // 2:
                fill(town, crowd)
            time.sleep(chance.uniform(0.02, 0.3))
        town.be_well()
    done = collections.Counter()
    for webhead in range(WEBHEADS):
        drained(town, webhead)
        for link in town.links[webhead]:
            done.update(link.done)
    check(town, crowd, f"seed {seed}, {rounds} rounds")
    for server in town.webheads + town.storage:
        equal(server.stop(), 0, "exit code")
    for name in town.upsets:
        setting.command("verify", "--data", setting.path(name))
    # Otherwise the rounds have shown nothing.
    expect(len(crowd.acknowledged) > 5 * rounds, "only", len(crowd.acknowledged), "were acknowledged")
    expect(all(done[mode] for mode in ("well", "stalled", "lost", "late")), "requests by the mode of their link:", done)


def fill(town, crowd):
    """No way out of any webhead, until a spool is full."""
    for links in town.links:
        for link in links:
            link.mode = "refused"
    until(crowd, lambda: crowd.statuses[507], "no spool was full")


def leap(town, crowd):
    """A clock jumps over more than a day, until a browser has lost its session by it."""
    town.upsets["spool0"].set(ahead_milliseconds=3 * 86_400_000)
    until(crowd, lambda: crowd.statuses[403] + crowd.statuses[400], "no session was lost")


def until(crowd, holds, otherwise):
    for _ in range(600):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError(f"{otherwise}: {crowd.statuses}")


def drained(town, webhead):
    town.spool(webhead, "retry")
    town.spool(webhead, "drain")
    status = json.loads(town.spool(webhead, "status", "--json").stdout)
    for field in ("waiting_events", "reassigned", "disputed", "missing"):
        equal(status[field], 0, field)


def check(town, crowd, when):
    found = collections.Counter()
    for server in town.storage:
        for line in read(server, "order=arrival"):
            number = int(NUMBER.search(line)[1])
            found[number] += 1
            expect(f'"noise":"{noise(number)}"'.encode() in line, when, "the blob", number, "has changed:", line)
    lost = {number for number in crowd.acknowledged - set(found) if not is_old(number)}
    expect(not lost, when, len(lost), "acknowledged blobs are lost, such as", min(lost, default=None))
    doubled = [number for number, times in found.items() if times > 1]
    expect(not doubled, when, len(doubled), "blobs are doubled, such as", min(doubled, default=None))
    invented = set(found) - crowd.sent
    expect(not invented, when, len(invented), "blobs are unknown, such as", min(invented, default=None))
