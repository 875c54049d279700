"""Browsers, a webhead and two storage servers: what is killed loses nothing and doubles nothing."""
import collections
import json
import os
import random
import re
import socket
import threading
import time

from .harness import Server, equal, expect, test
from .http import PATH, Connection, Cut, read

CONTEXT = "/wsapi/session_context"
NUMBER = re.compile(rb'"n":(\d+)')


class Webhead(Server):
    """`daybook webhead`, ready when constructed; `internal` answers metrics."""

    def __init__(self, setting, storage, *options):
        super().__init__(setting.binary, (
            "--data", setting.path("spool"), "--addr", "127.0.0.1:0", "--internal-addr", "127.0.0.1:0",
            *(word for url in storage for word in ("--storage", url)), *options), verb="webhead")
        setting.servers.append(self)

    def inside(self, target):
        for _ in range(200):
            lines = [re.fullmatch(r"health and metrics on http://.+:(\d+)", line) for line in list(self.log)]
            if port := next((int(line[1]) for line in lines if line), None):
                break
            time.sleep(0.01)
        with Connection(collections.namedtuple("At", "host port")("127.0.0.1", port)) as connection:
            return connection.exchange("GET", target)


class Browser:
    """A cookie jar and a token; `post` returns the status."""

    def __init__(self, connection, agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"):
        self.connection, self.agent = connection, agent
        answer = connection.exchange("GET", CONTEXT, {"User-Agent": agent})
        equal(answer.status, 200, "session context")
        self.cookie = answer.headers["set-cookie"].split(";")[0]
        self.token = answer.json["csrf_token"]

    def post(self, blobs):
        body = json.dumps({"data": blobs, "csrf": self.token}).encode()
        return self.connection.exchange("POST", PATH, {
            "Content-Type": "application/json", "Cookie": self.cookie, "User-Agent": self.agent}, body)


class Browsers:
    """While it is entered, browsers post numbered blobs and come back whenever they are cut off."""

    lock = threading.Lock()
    next_number = 0

    def __init__(self, where, count):
        self.where, self.acknowledged, self.sent, self.faults = where, set(), set(), []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._browse) for _ in range(count)]

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

    def _browse(self):
        while not self.stopping.is_set():
            try:
                with Connection(self.where(), timeout=20) as connection:
                    self._session(Browser(connection))
            except (Cut, ConnectionError, socket.timeout):
                time.sleep(0.02)
            except Exception as fault:
                self.faults.append(fault)
                return

    def _session(self, browser):
        while not self.stopping.is_set():
            with Browsers.lock:
                numbers = range(Browsers.next_number, Browsers.next_number + 3)
                Browsers.next_number += 3
                self.sent.update(numbers)
            answer = browser.post([{"timestamp": int(time.time() * 1000) - 86_400_000 * (n % 5), "n": n} for n in numbers])
            if answer.status == 200:
                with Browsers.lock:
                    self.acknowledged.update(numbers)
            else:
                expect(answer.status in (503, 507), "a post was answered", answer.status, answer.body)
            time.sleep(0.002)


def free_port():
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return chosen.getsockname()[1]


def events_in(servers):
    found = collections.Counter()
    for server in servers:
        found.update(map(int, NUMBER.findall(b"\n".join(read(server, "order=arrival")))))
    return found


@test
def what_browsers_post_is_stored_once(setting):
    """kill -9 of the webhead and of both storage servers, again and again: nothing acknowledged is lost, nothing twice."""
    chance = random.Random(6)
    ports = [free_port(), free_port()]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    stores = [setting.path("store0"), setting.path("store1")]
    storage = [setting.serve(data=store, port=port) for store, port in zip(stores, ports)]
    webhead = Webhead(setting, urls)
    with Browsers(lambda: webhead, 6) as browsers:
        for _ in range(max(setting.rounds // 2, 6)):
            time.sleep(chance.uniform(0.1, 0.7))
            victims = chance.sample(range(3), chance.choice((1, 1, 2)))
            for victim in victims:
                (webhead if victim == 2 else storage[victim]).kill()
            time.sleep(chance.choice((0, 0.1, 0.5)))
            for victim in victims:
                if victim == 2:
                    webhead = Webhead(setting, urls)
                else:
                    storage[victim] = setting.serve(data=stores[victim], port=ports[victim])
            if chance.random() < 0.2:
                setting.command("compact", "--data", stores[chance.randrange(2)], code=None)
    drained(setting)
    check(browsers, events_in(storage))
    equal(webhead.stop(), 0, "exit code of the webhead")
    for server, store in zip(storage, stores):
        equal(server.stop(), 0, "exit code of a storage server")
        setting.command("verify", "--data", store)
    setting.command("verify", "--data", setting.path("spool"))
    expect(len(browsers.acknowledged) > 300, "only", len(browsers.acknowledged), "were acknowledged")


def drained(setting):
    setting.command("spool", "retry", "--data", setting.path("spool"))
    setting.command("spool", "drain", "--data", setting.path("spool"))
    status = json.loads(setting.command("spool", "status", "--data", setting.path("spool"), "--json").stdout)
    for field in ("waiting_events", "reassigned", "disputed", "missing"):
        equal(status[field], 0, field)


def check(browsers, found):
    lost = browsers.acknowledged - set(found)
    expect(not lost, len(lost), "acknowledged events are lost, such as", min(lost, default=None))
    doubled = [n for n, times in found.items() if times > 1]
    expect(not doubled, len(doubled), "events are doubled, such as", min(doubled, default=None))
    invented = set(found) - browsers.sent
    expect(not invented, len(invented), "events are unknown, such as", min(invented, default=None))


@test
def a_webhead_outlives_its_storage(setting):
    """With no storage server events are taken and reported as waiting; with one they go, the spool shrinks, and a restart resumes."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    webhead = Webhead(setting, [url], "--drain-for", "1ms")
    with Connection(webhead) as connection:
        browser = Browser(connection)
        for n in range(50):
            equal(browser.post({"timestamp": 1_785_542_400_000, "n": n}).status, 200, "status")
    for _ in range(400):
        ready = webhead.inside("/readyz")
        if ready.body.startswith(b"degraded"):
            break
        time.sleep(0.02)
    equal(ready.status, 200, "status while storage is down")
    expect(ready.body.startswith(b"degraded"), "readyz said", ready.body)
    metrics = webhead.inside("/metrics").body.decode()
    expect("daybook_spool_waiting_events 50\n" in metrics, "metrics said", metrics)
    status = setting.command("spool", "status", "--data", setting.path("spool")).stdout.decode()
    expect("waiting     50 events" in status and "degraded" in status, "status said", status)
    setting.command("spool", "reassign", url, "--data", setting.path("spool"), code=64)
    equal(webhead.stop(), 0, "exit code")
    expect("50 events are left in the spool" in webhead.stderr, "the webhead said", webhead.stderr)
    status = setting.command("spool", "status", "--data", setting.path("spool")).stdout.decode()
    expect("waiting     50 events" in status and "no webhead runs" in status, "status said", status)
    storage = setting.serve(port=port)
    setting.command("spool", "drain", "--data", setting.path("spool"), code=64)
    done = setting.command("spool", "drain", "--data", setting.path("spool"), "--storage", url)
    expect(b"50 events were forwarded" in done.stdout, "drain said", done.stdout)
    webhead = Webhead(setting, [url])
    equal(webhead.stop(), 0, "exit code")
    equal(events_in([storage]), collections.Counter(range(50)), "stored")


@test
def a_lost_server_is_given_up_by_hand(setting):
    """A batch that a stalled server may have waits for it; the rest goes on; reassign sends it elsewhere."""
    with socket.socket() as stalled:
        stalled.bind(("127.0.0.1", 0))
        stalled.listen(16)
        lost, storage = f"http://127.0.0.1:{stalled.getsockname()[1]}", setting.serve()
        webhead = Webhead(setting, [lost, storage.url], "--drain-for", "1ms")
        with Connection(webhead) as connection:
            browser = Browser(connection)
            equal(browser.post({"timestamp": 1_785_542_400_000, "n": 0}).status, 200, "status")
            setting.command("spool", "reassign", lost, "--data", setting.path("spool"), code=66)
            accepted, _ = stalled.accept()
            accepted.recv(1)
            for n in range(1, 30):
                equal(browser.post({"timestamp": 1_785_542_400_000, "n": n}).status, 200, "status")
            for _ in range(600):
                if len(events_in([storage])) == 29:
                    break
                time.sleep(0.02)
            equal(sorted(events_in([storage])), list(range(1, 30)), "stored beside the stalled batch")
            accepted.close()
            for _ in range(600):
                done = setting.command("spool", "reassign", lost, "--data", setting.path("spool"), code=None)
                if done.returncode == 0:
                    break
                time.sleep(0.02)
            expect(b"1 events that" in done.stdout, "reassign said", done.stdout, done.stderr)
            for _ in range(600):
                if len(events_in([storage])) == 30:
                    break
                time.sleep(0.02)
            equal(events_in([storage]), collections.Counter(range(30)), "stored")
        webhead.kill()


@test
def a_full_spool_is_507(setting):
    """At its bound the spool takes no more, says so, and goes on once a storage server has taken some."""
    port = free_port()
    webhead = Webhead(setting, [f"http://127.0.0.1:{port}"], "--spool-bytes", "256KiB")
    with Connection(webhead) as connection:
        browser, taken = Browser(connection), 0
        for n in range(4000):
            answer = browser.post({"timestamp": 1_785_542_400_000, "n": n, "noise": os.urandom(600).hex()})
            if answer.status != 200:
                break
            taken += 1
        equal(answer.status, 507, "status of a full spool")
        equal(answer.headers["retry-after"], "60", "retry-after")
        equal(webhead.inside("/readyz").status, 503, "readyz of a full spool")
        storage = setting.serve(port=port)
        setting.command("spool", "retry", "--data", setting.path("spool"))
        setting.command("spool", "drain", "--data", setting.path("spool"))
        equal(len(events_in([storage])), taken, "stored")
