"""Who is let in, and what is kept of it."""
import json
import os
import time

from . import events
from .harness import equal, expect, test
from .http import NDJSON, PATH, Connection, call, post, stored


def add(setting, name, *options):
    return setting.command("token", "add", "--name", name, *options, "--data", setting.data).stdout.decode().strip()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def until(holds, what, seconds=30):
    end = time.monotonic() + seconds
    while not holds():
        expect(time.monotonic() < end, what)
        time.sleep(0.05)


@test
def tokens_come_and_go_beside_a_server(setting):
    """A token that is added is asked for and lets in; one that is revoked does not, and neither does nothing."""
    server, lines = setting.serve(), events.numbered(3)
    stored(server, lines)
    writer, reader = add(setting, "writer", "--scope", "ingest"), add(setting, "reader", "--scope", "read")
    equal(os.stat(os.path.join(setting.data, "TOKENS")).st_mode & 0o777, 0o600, "mode of TOKENS")
    until(lambda: call(server, "GET", PATH + "/count", bearer(reader)).status == 200
          and call(server, "GET", PATH + "/count").status == 401, "the tokens are not in force")

    refused = call(server, "GET", PATH + "/count")
    expect(refused.headers["www-authenticate"].startswith("Bearer"), refused.headers)
    equal(refused.json["reason"], "no_token", "reason")
    for target in ("/livez", "/readyz", "/wsapi/ping"):
        equal(call(server, "GET", target).status, 200, target)
    equal(call(server, "GET", "/nothing").status, 401, "an unknown path")
    for body in (lines, events.numbered(3000)):
        equal(post(server, body, bearer(writer)).status, 201, "POST of the writer")
        equal(post(server, body, bearer(reader)).status, 403, "POST of the reader")
        equal(post(server, body).status, 401, "POST of nobody")
    equal(call(server, "GET", PATH + "/count", bearer(writer)).status, 403, "GET of the writer")
    equal(call(server, "GET", PATH + "/count", bearer(reader)).json, 3006, "events")
    equal(call(server, "GET", PATH + "/count", bearer(reader + "0")).json["reason"], "unknown_token", "reason")

    setting.command("token", "revoke", "reader", "--data", setting.data)
    until(lambda: call(server, "GET", PATH + "/count", bearer(reader)).status == 401, "reader is still let in")
    setting.command("token", "revoke", "writer", "--data", setting.data)
    until(lambda: post(server, lines, bearer(writer)).status == 401, "writer is still let in")
    equal(post(server, lines).status, 401, "POST without a token after the last one went")
    equal(server.stop(), 0, "exit code")
    told = server.stderr + setting.command("token", "list", "--data", setting.data).stdout.decode()
    expect(reader not in told and writer not in told, "a token was printed again:", told)


@test
def listens_to_others_if_that_is_meant(setting):
    """An address that others can reach is refused, unless --insecure says so; that ends with 64."""
    refused = setting.command("serve", "--addr", "0.0.0.0:0", "--data", setting.data, code=64)
    expect(b"--insecure" in refused.stderr, refused.stderr)
    expect(not os.path.exists(setting.data), "a refused server made its directory")
    equal(setting.serve("--addr", "0.0.0.0:0", "--insecure").stop(), 0, "exit code with --insecure")


@test
def no_spelling_of_a_path_gets_past(setting):
    """However a path is written, it is refused as the path that it leads to, or as no path at all."""
    add(setting, "any", "--scope", "admin")
    server = setting.serve()
    for target in ("/wsapi/interaction_data", "//wsapi//interaction_data", "/wsapi/./interaction_data/", "/livez/../wsapi/interaction_data",
                   "/wsapi/%69nteraction_data", "/wsapi/%2e/interaction_data", "/livez/%2e%2e/wsapi/interaction_data",
                   "/WSAPI/interaction_data", "http://x/wsapi/interaction_data", "/wsapi/ping/../interaction_data/count"):
        equal(call(server, "GET", target).status, 401, target)
    for target in ("/wsapi%2finteraction_data", "/livez/..%2fwsapi/interaction_data", "/livez/..;/wsapi/interaction_data",
                   "/wsapi/interaction_data%00", "/livez\\..\\wsapi", "/../wsapi/interaction_data", "/wsapi/%zz"):
        equal(call(server, "GET", target).status, 400, target)
    for target in ("/livez/", "//livez", "/x/../livez", "/%6Civez"):
        equal(call(server, "GET", target).status, 200, target)


@test
def reads_and_refusals_are_on_record(setting):
    """audit has who read what and how many, and who was refused, with no secret, no address and no exact time."""
    reader = add(setting, "reader", "--scope", "read")
    writer = add(setting, "writer", "--scope", "ingest")
    server, lines = setting.serve(), events.numbered(40, buckets=4)
    stored(server, lines, bearer(writer))
    first = call(server, "GET", f"{PATH}?start={events.BASE + 1}", {**bearer(reader), "Accept": NDJSON})
    given = len(first.lines)
    expect(0 < given < 40, "events of the range:", given)
    equal(call(server, "GET", PATH + "/count", bearer(reader)).json, 40, "count")
    for _ in range(500):
        with Connection(server) as connection:
            connection.send("GET", PATH)
            equal(connection.answer().status, 401, "status")
    equal(server.stop(), 0, "exit code")
    audited = setting.command("audit", "--json", "--data", setting.data).stdout
    records = [json.loads(line) for line in audited.splitlines()]
    expect(all(record["timestamp"] % events.RESOLUTION == 0 for record in records), "an exact time in", records)
    reads = [(r["who"], r["what"], r["from"], r["to"]) for r in records if r["type"] == "read"]
    expect(set(reads) == {("token:reader", "events", events.BASE, None), ("token:reader", "count", None, None)}, reads)
    equal(sum(r["events"] for r in records if r["type"] == "read"), given + 40, "events read")
    refusals = [r for r in records if r["type"] == "refusal"]
    equal(sum(r["times"] for r in refusals), 500, "refusals")
    expect(len(refusals) <= 4, "refusals are not added up:", len(refusals))
    expect(all(r["who"] is None and r["reason"] == "no_token" for r in refusals), refusals)
    text = setting.command("audit", "--data", setting.data).stdout.decode()
    equal(len(text.splitlines()), len(records), "lines for people")
    expect("token:reader  events" in text and "nobody  no_token" in text, text)
    expect(b"127.0.0.1" not in audited and reader.encode() not in audited, audited)


@test
def acl_test_explains(setting):
    """daybook acl test says what a server would, by text, by JSON and by its exit code."""
    with open(path := setting.path("acl.json"), "w") as file:
        json.dump({"allow": [{"path": "/wsapi/interaction_data(/.*)?", "cn": "reporter-[0-9]+"}]}, file)

    def explain(code, *arguments):
        return json.loads(setting.command("acl", "test", "--acl", path, "--data", setting.data, "--json", *arguments, code=code).stdout)

    allowed = explain(0, "--path", "//wsapi/x/../interaction_data/count/", "--cn", "reporter-7")
    equal((allowed["path"], allowed["allowed"], allowed["entry"]), ("/wsapi/interaction_data/count", True, 1), "allowed")
    for name in ("reporter-", "xreporter-7", "reporter-7x", "Reporter-7", "reporter-7\n"):
        equal(explain(77, "--path", PATH, "--cn", name)["reason"], "not_allowed", name)
    equal(explain(77, "--path", "/wsapi%2finteraction_data", "--cn", "reporter-7")["status"], 400, "a bad path")
    equal(explain(77, "--path", PATH)["reason"], "not_allowed", "nobody")
    equal(explain(0, "--path", "/livez")["by"], "public", "health")
