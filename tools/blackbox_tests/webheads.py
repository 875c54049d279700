"""A webhead, its browsers, and storage servers that come and go."""
import collections
import json
import os
import re
import socket
import time

from .access import add, until
from .config import written
from .connections import Authority, until_said
from .harness import Server, equal, expect, test
from .http import PATH, Connection, call, read

CONTEXT = "/wsapi/session_context"
NUMBER = re.compile(rb'"n":(\d+)')


class Webhead(Server):
    """`daybook webhead`, ready when constructed; `internal` is where it tells of itself."""

    def __init__(self, setting, storage, *options, data="spool", environment=None):
        super().__init__(setting.binary, (
            "--data", setting.path(data), "--addr", "127.0.0.1:0", "--internal-addr", "127.0.0.1:0",
            *(word for url in storage for word in ("--storage", url)), *options), listeners=2, verb="webhead",
            environment=environment)
        setting.servers.append(self)
        self.port = self.at("").port

    def inside(self, target):
        with Connection(self.at("internal")) as connection:
            return connection.exchange("GET", target)


class Browser:
    """A cookie jar and a token; `post` returns the status."""

    def __init__(self, connection, agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"):
        self.connection, self.agent = connection, agent
        answer = connection.exchange("GET", CONTEXT, {"User-Agent": agent})
        equal(answer.status, 200, "session context")
        self.cookie, self.fields = answer.headers["set-cookie"].split(";")[0], {}
        self.token = answer.json["csrf_token"]

    def post(self, blobs):
        body = json.dumps({"data": blobs, "csrf": self.token}, separators=(",", ":")).encode()
        return self.connection.exchange("POST", PATH, {
            "Content-Type": "application/json", "Cookie": self.cookie, "User-Agent": self.agent, **self.fields}, body)


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


CONFIGURED = """
streams: {interactions: {path: @data}}
listeners:
- {name: storage, role: interactions, address: "127.0.0.1:PORT"}
- {name: browsers, role: webhead, address: "127.0.0.1:0", tls: {cert: @server.pem, key: @server.key}}
- {name: plain, role: webhead, address: "127.0.0.1:0"}
webhead:
  path: @spool
  browsers: {unknown_fields: drop, opt_out: [dnt]}
  storage: {servers: ["http://127.0.0.1:PORT"], batch_time: 20ms}
"""


@test
def a_configuration_serves_browsers_and_storage(setting):
    """Role webhead beside role interactions in one process: the webhead ends first, so what it forwards last is stored."""
    authority = Authority(setting, "authority")
    authority.issue("localhost", setting.path("server"))
    text = CONFIGURED.replace("PORT", str(free_port()))
    server = setting.start("--config", written(setting, text), listeners=3)
    browsers, plain = server.at("browsers"), server.at("plain")
    with Connection(browsers, authority=authority.certificate) as secure, Connection(plain) as connection:
        answer = secure.exchange("GET", CONTEXT)
        expect(answer.headers["set-cookie"].endswith("; Secure"), "over TLS the cookie is", answer.headers["set-cookie"])
        browser = Browser(secure)
        for n in range(20):
            equal(browser.post({"timestamp": 1_785_542_400_000, "n": n}).status, 200, "status")
        browser = Browser(connection)
        browser.fields["DNT"] = "1"
        equal(browser.post({"lang": "dnt"}).status, 200, "status with DNT")
        browser.fields = {"Sec-GPC": "1"}
        equal(browser.post({"lang": "gpc"}).status, 200, "status with a signal that is not heeded")
    equal(server.stop(), 0, "exit code")
    stored = setting.command("read", "--data", setting.data, "--order", "arrival").stdout
    expect(b'"n"' not in stored, "a field that nobody knows was not dropped:", stored)
    equal((stored.count(b"\n"), stored.count(b"gpc"), stored.count(b"dnt")), (21, 1, 0), "stored events")
    status = json.loads(setting.command("spool", "status", "--data", setting.path("spool"), "--json").stdout)
    equal((status["waiting_events"], status["delivered"]), (0, 21), "waiting and delivered")


@test
def storage_servers_know_a_webhead_by_its_certificate(setting):
    """A storage server that asks for certificates takes events from a webhead that has one, and none from another."""
    authority = Authority(setting, "authority")
    for name in ("server", "forwarder"):
        authority.issue(name, setting.path(name))
    storage = setting.serve(
        "--tls-cert", setting.path("server.pem"), "--tls-key", setting.path("server.key"),
        "--tls-ca", authority.certificate)
    url = f"https://localhost:{storage.port}"
    webhead = Webhead(setting, [url], "--storage-ca", authority.certificate, "--drain-for", "1ms")
    with Connection(webhead) as connection:
        equal(Browser(connection).post({"timestamp": 1_785_542_400_000}).status, 200, "status")
    until_said(webhead, 1, f"{url}: ")
    equal(webhead.stop(), 0, "exit code")
    expect("1 events are left in the spool" in webhead.stderr, "without a certificate the webhead said", webhead.stderr)
    webhead = Webhead(
        setting, [url], "--storage-ca", authority.certificate, "--storage-cert", setting.path("forwarder.pem"),
        "--storage-key", setting.path("forwarder.key"))
    setting.command("spool", "drain", "--data", setting.path("spool"))
    equal(webhead.stop(), 0, "exit code")
    equal(storage.stop(), 0, "exit code of the storage server")
    equal(setting.command("read", "--data", setting.data).stdout.count(b"\n"), 1, "stored events")


@test
def storage_servers_know_a_webhead_by_its_token(setting):
    """A storage server that asks for tokens takes events from a webhead that has one."""
    storage = setting.serve()
    path = setting.path("storage.token")
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(add(setting, "forwarder", "--scope", "ingest") + "\n")
    until(lambda: call(storage, "GET", PATH + "/count").status == 401, "the token is not in force")
    webhead = Webhead(setting, [storage.url], "--storage-token", path)
    with Connection(webhead) as connection:
        equal(Browser(connection).post({"timestamp": 1_785_542_400_000}).status, 200, "status")
    setting.command("spool", "drain", "--data", setting.path("spool"))
    equal(webhead.stop(), 0, "exit code")
    expect(open(path).read().strip() not in webhead.stderr, "the token was printed")
    equal(storage.stop(), 0, "exit code of the storage server")
    equal(setting.command("read", "--data", setting.data).stdout.count(b"\n"), 1, "stored events")
