"""What the HTTP endpoints answer."""
import json
import re

from prometheus_client.parser import text_string_to_metric_families

from . import events
from .harness import equal, expect, test
from .http import NDJSON, PATH, Connection, call, check_trailer, get, post, read, stored

ID = re.compile("[0-9a-f]{32}")
MIB = 1 << 20


@test
def announces_itself(setting):
    """serve prints one line on stderr, `listening on http://HOST:PORT`, and is then alive and ready."""
    server = setting.serve()
    for path in ("/livez", "/readyz"):
        equal(call(server, "GET", path).status, 200, path)
    equal(server.stop(), 0, "exit code")
    equal(server.log[:1], [f"listening on {server.url}"], "stderr")
    expect(len([line for line in server.log if "listening" in line]) == 1, "said more than once:", server.log)
    equal(server.process.stdout.read(), b"", "stdout")


@test
def tells_metrics(setting):
    """Prometheus's own parser reads /metrics, and finds there what was done."""
    server, lines = setting.serve(), events.numbered(100)
    equal(post(server, lines).status, 201, "POST")
    equal(call(server, "GET", f"{PATH}?limit=x").status, 400, "GET of nonsense")
    answer = call(server, "GET", "/metrics")
    equal(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8", "type")
    families = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}
    expect(all(name.startswith("daybook_") and family.documentation and family.type in ("counter", "gauge", "histogram")
               for name, family in families.items()), "a family without help or type:", sorted(families))

    def value(name, **labels):
        samples = [sample for family in families.values() for sample in family.samples]
        return next((s.value for s in samples if s.name == name and labels.items() <= s.labels.items()), None)

    equal(value("daybook_events_in_total"), 100, "events in")
    equal(value("daybook_requests_total", method="POST", route=PATH, status="201"), 1, "requests")
    equal(value("daybook_request_duration_seconds_count", method="POST", route=PATH), 1, "durations")
    equal(value("daybook_dropped_total", kind="requests", reason="bad_parameter"), 1, "dropped")
    equal(value("daybook_commit_events_sum", stream="interactions"), 100, "events of commits")
    expect(0 < value("daybook_sync_duration_seconds_sum", stream="interactions") < 60, "seconds of syncs")
    expect(value("daybook_free_bytes", stream="interactions") > 0, "free bytes")
    version = call(server, "GET", "/version").json
    equal(value("daybook_build_info", version=version["version"], format=str(version["format"])), 1, "build")


@test
def takes_and_gives(setting):
    """A posted batch is answered with counts and ids, and read back as NDJSON, as rows and by id."""
    server, lines = setting.serve(), events.numbered(100)
    posted = post(server, lines)
    equal((posted.status, posted.type), (201, "application/json"), "answer")
    answer = posted.json
    equal((answer["accepted"], answer["discarded"]), (100, 0), "accepted, discarded")
    expect(ID.fullmatch(answer["first_id"]) and ID.fullmatch(answer["last_id"]), "ids:", answer)
    equal(int(answer["last_id"], 16) - int(answer["first_id"], 16), 99, "distance of the ids")
    equal(answer["first_id"][:16], answer["last_id"][:16], "store id")

    wanted = [events.floored(line) for line in lines]
    equal(read(server, "order=arrival"), wanted, "NDJSON in arrival order")
    equal(read(server), sorted(wanted, key=events.bucket), "NDJSON in time order")

    rows = get(server, accept="*/*")
    check_trailer(rows)
    equal((rows.status, rows.type), (200, "application/json"), "rows")
    for row in (found := rows.json):
        equal(row["key"], row["value"]["timestamp"], "key")
        equal(row["value"].pop("_id"), row["id"], "_id")
        expect(row["value"].pop("_rev").startswith("1-"), "_rev in", row)
    equal([row["value"] for row in found], [json.loads(line) for line in sorted(wanted, key=events.bucket)], "values")

    for query in (f"?id={answer['last_id']}", f"/?id={answer['last_id']}"):
        found = call(server, "GET", PATH + query)
        equal(found.status, 200, query)
        result = found.json["results"]
        equal(result.pop("_id"), answer["last_id"], "_id")
        expect(result.pop("_rev").startswith("1-"), "_rev")
        equal(result, json.loads(wanted[-1]), "the event")
    missing = call(server, "GET", PATH + "?id=" + "0" * 32)
    equal((missing.status, missing.json), (404, {"error": "Not found"}), "an unknown id")


@test
def keeps_lines_byte_for_byte(setting):
    """Lines keep their bytes, apart from the floored timestamp, a dropped _id and _rev and the line ending."""
    server = setting.serve()
    stored(server, b'\r\n{ "a" : 1.50e+1, "timestamp":1785542400001 ,"u":"\\u00e9\xc3\xa9"}\r\n\n'
                   b'{"timestamp":1785542999999,"_id":"x","k":{"_id":1},"_rev":"1-a"}\n{"timestamp":1336575273}')
    lines = read(server, "order=arrival")
    equal(lines[0], b'{ "a" : 1.50e+1, "timestamp":1785542400000 ,"u":"\\u00e9\xc3\xa9"}', "spaces and escapes")
    equal(lines[1], b'{"timestamp":1785542400000,"k":{"_id":1}}', "_id and _rev")
    equal(lines[2], b'{"timestamp":1336575000}', "seconds stay seconds")


@test
def ranges_hold_both_ends(setting):
    """start and end are both inside the range, so that neighbouring ranges part the data."""
    server, lines = setting.serve(), events.numbered(3000, buckets=20)
    for batch in events.batches(lines, 500):
        stored(server, batch)
    whole = sorted((events.floored(line) for line in lines), key=events.bucket)
    at = [events.BASE + n * events.RESOLUTION for n in range(20)]
    for start, end in ((at[3], at[3]), (at[3], at[9]), (at[3] + 1, at[9] - 1), (at[19] + 1, at[19] + 2), (0, at[0])):
        equal(read(server, f"start={start}&end={end}"), [x for x in whole if start <= events.bucket(x) <= end],
              f"{start}…{end}")
    equal(read(server, f"end={at[7]}") + read(server, f"start={at[7] + 1}"), whole, "two halves")
    equal(read(server, f"start={at[5] // 1000}&end={at[5] // 1000}"), read(server, f"start={at[5]}&end={at[5]}"),
          "bounds in seconds")


@test
def pages_have_no_gap_and_no_repeat(setting):
    """Following rel="next" gives in both orders what one answer gives, whatever is appended meanwhile."""
    server, lines = setting.serve(), events.numbered(2500, buckets=30)
    for batch in events.batches(lines, 100):
        stored(server, batch)
    for order in ("arrival", "time"):
        whole = read(server, f"order={order}")
        cursor = get(server, f"order={order}&limit=1000").trailers["daybook-cursor"]
        expect(read(server, f"order={order}&limit=700&cursor={cursor}") == whole[1000:1700], "the trailer's cursor")
        paged, target, pages = [], f"{PATH}?order={order}&limit=170", 0
        while target:
            answer = call(server, "GET", target, {"Accept": NDJSON})
            equal(answer.status, 200, target)
            check_trailer(answer)
            paged += answer.lines
            expect(len(answer.lines) <= 170, "a page of", len(answer.lines))
            link = re.search(r'<([^>]+)>\s*;\s*rel="?next"?', answer.headers.get("link", ""))
            target = link and re.sub(r"^https?://[^/]+", "", link[1])
            pages += 1
            stored(server, events.numbered(3, start=10_000_000 + pages * 3))
        equal(pages, -(-len(whole) // 170), f"pages in {order} order")
        expect(paged == whole, f"the pages in {order} order differ from the whole:", len(paged), len(whole))
    equal(get(server, "limit=10001").status, 400, "limit=10001")


BAD_LINES = [b"{", b"[]", b"3", b'"x"', b"null", b"{}", b'{"timestamp":"1785542400000"}', b'{"timestamp":1.5}',
             b'{"timestamp":1785542400000.0}', b'{"timestamp":0}', b'{"timestamp":-1}', b'{"timestamp":253402300800000}',
             b'{"timestamp":1785542400000,"timestamp":1785542400000}', b'{"timestamp":1785542400000} x',
             b'{"timestamp":1785542400000,"\\u0074imestamp":1}', b'{"timestamp":1785542400000,"a":01}',
             b'{"timestamp":1785542400000,"a":"\\ud800"}', b'{"timestamp":1785542400000,"a":"\xff"}',
             b'{"timestamp":1785542400000,"a":"\x01"}', b'{"timestamp":1785542400000,"a":[1,]}',
             b'{"timestamp":1785542400000,"a":' + b"[" * 70 + b"]" * 70 + b"}",
             b'{"timestamp":1785542400000,"a":"' + b"x" * MIB + b'"}']


@test
def refuses_bad_lines(setting):
    """One bad line refuses its batch whole, with its number, offset and reason."""
    server = setting.serve()
    good = events.numbered(2)
    for bad in BAD_LINES:
        answer = post(server, [*good, bad, *good])
        what = f"{bad[:70]!r}: {answer.body[:200]!r}"
        equal((answer.status, answer.type), (400, "application/problem+json"), what)
        problem = answer.json
        equal((problem["status"], problem["line"]), (400, 3), what)
        start = sum(len(line) + 1 for line in good)
        expect(start <= problem["offset"] <= start + len(bad) and problem["reason"] and problem["title"], "the problem", problem)
    equal(read(server), [], "what was stored")


@test
def refuses_bad_requests(setting):
    """Too long bodies, other types and wrong parameters get 413, 415 and 400 with a reason, never a 5xx."""
    server = setting.serve()
    line = events.numbered(1, pad=1000)[0] + b"\n"
    equal(post(server, line * (16 * MIB // len(line) + 1)).status, 413, "16 MiB and a little")
    equal(post(server, b'{"timestamp":1785542400000}\n' * 100_001).status, 413, "100,001 lines")
    equal(post(server, line, {"Content-Type": "text/csv"}).status, 415, "text/csv")
    for query in ("start=x", "end=-1", "start=2&end=1", "start=1.5", "order=sideways", "limit=0", "limit=x", "cursor=x",
                  "id=x", "follow=maybe", "start=99999999999999999999"):
        answer = get(server, query)
        expect(400 <= answer.status < 500, f"{query}: {answer.status}")
        equal(answer.type == "application/problem+json" or query.startswith("id="), True, f"type of {query}")
    expect(call(server, "GET", "/nothing/here").status == 404, "an unknown path")
    expect(call(server, "DELETE", PATH).status in (404, 405), "DELETE")
    equal(call(server, "GET", "/readyz").status, 200, "readyz afterwards")


@test
def recognises_repeats(setting):
    """A repeated Idempotency-Key gets the first answer, also after a restart; with another body 422."""
    server, lines = setting.serve(), events.numbered(50)
    key = {"Idempotency-Key": "b7e1-first"}
    first = stored(server, lines, key)
    equal(stored(server, lines, key), first, "the repeat")
    equal(post(server, lines[:-1], key).status, 422, "another body")
    expect(stored(server, lines, {"Idempotency-Key": "b7e1-second"}) != first, "another key is another delivery")
    equal(server.stop(), 0, "exit code")
    server = setting.serve()
    equal(stored(server, lines, key), first, "the repeat after a restart")
    equal(post(server, lines[:-1], key).status, 422, "another body after a restart")
    equal(len(read(server)), 100, "events")


@test
def answers_expect_continue(setting):
    """Expect: 100-continue is answered before the body comes, and the connection goes on afterwards."""
    server, body = setting.serve(), b"\n".join(events.numbered(1000))
    with Connection(server, timeout=10) as connection:
        for _ in range(2):
            head = {"Content-Type": NDJSON, "Content-Length": len(body), "Expect": "100-continue"}
            connection.send("POST", PATH, head)
            equal(connection.head().status, 100, "interim answer")
            connection.socket.sendall(body)
            equal(connection.answer().status, 201, "answer")


@test
def takes_chunked_bodies(setting):
    """A body without a length arrives whole, however it is cut."""
    server, lines = setting.serve(), events.numbered(500)
    body = b"\n".join(lines)
    with Connection(server) as connection:
        connection.send("POST", PATH, {"Content-Type": NDJSON, "Transfer-Encoding": "chunked"})
        for at in range(0, len(body), 977):
            piece = body[at:at + 977]
            connection.socket.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        connection.socket.sendall(b"0\r\n\r\n")
        equal(connection.answer().json["accepted"], 500, "accepted")
    equal(read(server, "order=arrival"), [events.floored(line) for line in lines], "events")


@test
def followers_see_commits(setting):
    """follow gives what is there and then every new commit, in order, until the client leaves."""
    server, lines = setting.serve(), events.numbered(300)
    stored(server, lines[:100])
    with Connection(server, timeout=20) as connection:
        connection.send("GET", PATH + "?order=arrival&follow=true", {"Accept": NDJSON})
        answer, got = connection.head(), b""
        equal(answer.status, 200, "status")
        chunks = connection.chunks(answer)
        for count in (100, 200, 300):
            while got.count(b"\n") < count:
                got += next(chunks)
            equal(got.count(b"\n"), count, "lines so far")
            if count < 300:
                stored(server, lines[count:count + 100])
    equal(got.splitlines(), [events.floored(line) for line in lines], "followed")
    equal(call(server, "GET", "/livez").status, 200, "livez afterwards")
