"""Old data: packed into cold segments that other programs read, and thrown away, beside a server or without one."""
import collections
import contextlib
import glob
import json
import os
import subprocess
import time

from . import events
from .crashes import check_all
from .harness import ROOT, Skipped, equal, expect, test
from .http import NDJSON, PATH, Connection, call, post, read, stored
from .load import Load

DAY = 86_400_000
SMALL_SEGMENTS = ("--seal-bytes", "256KiB")


def files(data, *parts):
    return sorted(glob.glob(os.path.join(data, "interactions", *parts)))


def cold(data):
    return files(data, "cold", "*", "*.ndjson.zst")


def allocated(data):
    """Bytes of the disk that the files of the stream's segments take, and those of the largest."""
    sizes = [os.stat(path).st_blocks * 512 for path in files(data, "hot", "*.lz4") + cold(data)]
    return sum(sizes), max(sizes, default=0)


def days(count, each, pad=200):
    """Events of the last days, so many each, the last of today."""
    now = int(time.time() * 1000)
    return [line for day in reversed(range(count))
            for line in events.numbered(each, start=(count - day) * each, pad=pad, buckets=6,
                                        base=(now - day * DAY) // DAY * DAY)]


def raw_lines(data):
    """Every line in the files of the stream, decompressed by the tools, whatever lists them."""
    lines = []
    for path in files(data, "hot", "*.ndjson.lz4") + files(data, "tmp", "*"):
        lines += subprocess.run(["lz4", "-dcqq", path], capture_output=True).stdout.splitlines()
    for path in cold(data):
        lines += subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout.splitlines()
    return lines


def compacted(setting, count=4, each=3_000):
    lines = days(count, each)
    server = setting.serve(*SMALL_SEGMENTS)
    for batch in events.batches(lines, 500):
        stored(server, batch)
    setting.command("seal", "--data", setting.data)
    report = json.loads(setting.command("compact", "--json", "--data", setting.data).stdout)
    equal(report["events"], len(lines), "events compacted")
    return server, [events.floored(line) for line in lines]


@test
def others_read_cold_segments(setting):
    """zstd, zstdcat and DuckDB read a cold segment as it lies, and count right."""
    server, wanted = compacted(setting)
    equal(sorted(read(server)), sorted(wanted), "events over HTTP")
    found = []
    for path in cold(setting.data):
        expect(subprocess.run(["zstd", "-tq", path]).returncode == 0, f"zstd -t refuses {path}")
        found += subprocess.run(["zstdcat", path], capture_output=True, check=True).stdout.splitlines()
    equal(sorted(found), sorted(wanted), "lines of zstdcat")
    duckdb = subprocess.run([os.path.join(ROOT, "tools", "dependencies"), "duckdb"], capture_output=True, text=True)
    equal(duckdb.returncode, 0, f"getting DuckDB ({duckdb.stderr[-300:]})")
    query = "import sys, duckdb; print(duckdb.sql(\"select count(*), count(distinct n) from read_json(?, format='newline_delimited')\", params=[sys.argv[1:]]).fetchall()[0])"
    done = subprocess.run([duckdb.stdout.strip(), "-c", query, *cold(setting.data)], capture_output=True, text=True)
    equal(done.stdout.strip(), f"({len(wanted)}, {len(wanted)})", f"DuckDB's count ({done.stderr[-500:]})")


@test
def zstandard_passes_through(setting):
    """Accept-Encoding: zstd gives frames that zstd and curl decode to the same lines, cold and hot together."""
    server, wanted = compacted(setting)
    late = events.numbered(50, start=10_000_000, base=int(time.time() * 1000) // DAY * DAY)
    stored(server, late)
    plain = read(server)
    answer = call(server, "GET", PATH, {"Accept": NDJSON, "Accept-Encoding": "zstd"})
    equal(answer.headers.get("content-encoding"), "zstd", "content coding")
    expect(answer.headers.get("etag", "").startswith("W/"), "the tag is strong")
    expect("Accept-Encoding" in answer.headers.get("vary", ""), "Vary lacks Accept-Encoding")
    done = subprocess.run(["zstd", "-dcq"], input=answer.body, capture_output=True, check=True)
    equal(done.stdout.splitlines(), plain, "lines decoded by zstd")
    if b"zstd" in subprocess.run(["curl", "--version"], capture_output=True).stdout:
        done = subprocess.run(["curl", "-sS", "--compressed", "-H", f"Accept: {NDJSON}", server.url + PATH], capture_output=True, check=True)
        equal(done.stdout.splitlines(), plain, "lines decoded by curl")


@test
def purge_leaves_nothing(setting):
    """After a purge nothing before the horizon is readable or on the disk; the record says what went."""
    server, wanted = compacted(setting, count=5)
    plan = json.loads(setting.command("purge", "--max-age", "2d", "--dry-run", "--json", "--data", setting.data).stdout)
    equal(len(read(server)), len(wanted), "events after a dry run")
    (before, largest) = allocated(setting.data)
    done = json.loads(setting.command("purge", "--max-age", "2d", "--json", "--data", setting.data).stdout)
    freed = before - allocated(setting.data)[0]
    expect(abs(freed - plan["bytes"]) <= largest, "bytes of the disk", freed, plan["bytes"], largest)
    equal(done["freed_bytes"], freed, "bytes freed")
    equal(done["events"], plan["events"], "events planned and purged")
    kept = [line for line in wanted if events.bucket(line) >= done["horizon_after"]]
    expect(0 < len(kept) < len(wanted), "the test purges nothing, or all")
    equal(sorted(read(server)), sorted(kept), "events that are left")
    equal(sorted(raw_lines(setting.data)), sorted(kept), "lines on the disk")
    lines = setting.command("audit", "--json", "--data", setting.data).stdout.splitlines()
    records = [record for record in map(json.loads, lines) if record["type"] == "purge"]
    equal([record["events"] for record in records], [len(wanted) - len(kept)], "events of the records")
    again = setting.command("purge", "--max-age", "2d", "--data", setting.data)
    expect(b"nothing to purge" in again.stdout, again.stdout)
    equal(server.stop(), 0, "exit code")
    equal(sorted(read(setting.serve())), sorted(kept), "events after a restart")


@test
def jobs_are_the_same_without_a_server(setting):
    """compact, purge and maintain do the same with the lock as beside a server, and end with the same code."""
    server, wanted = compacted(setting)
    equal(server.stop(), 0, "exit code")
    setting.command("policy", "set", "--max-age", "1d", "--data", setting.data)
    done = setting.command("maintain", "--data", setting.data)
    expect(b"purged" in done.stdout and b"sound" in done.stdout, done.stdout)
    kept = raw_lines(setting.data)
    expect(0 < len(kept) < len(wanted), len(kept))
    verified = setting.command("verify", "--data", setting.data)
    expect(b"sound" in verified.stderr, verified.stderr)


@test
def held_days_stay(setting):
    """A hold stops the horizon, says so, and lets go when it is removed."""
    server, wanted = compacted(setting)
    oldest = min(map(events.bucket, wanted))
    setting.command("hold", "add", "--from", str(oldest), "--to", str(oldest), "--reason", "case 7", "--data", setting.data)
    done = setting.command("purge", "--max-age", "1d", "--data", setting.data)
    expect(b"case 7" in done.stdout, done.stdout)
    equal(len(read(server)), len(wanted), "events that are held")
    setting.command("hold", "remove", "1", "--data", setting.data)
    setting.command("purge", "--max-age", "1d", "--data", setting.data)
    expect(len(read(server)) < len(wanted), "the hold is still there")


@test
def compaction_under_load(setting):
    """Events go in and come out while segments are sealed, compacted and purged beside them; kill -9 loses none."""
    known, jobs = collections.Counter(), (["seal"], ["compact"], ["purge", "--max-age", "3650d"], ["maintain"])
    for round in range(max(2, setting.rounds // 5)):
        server = setting.serve(*SMALL_SEGMENTS)
        with Load(server, writers=3, batch=40) as load:
            for job in jobs:
                setting.command(*job, "--data", setting.data)
            # In the middle of one.
            last = subprocess.Popen([setting.binary, "compact", "--data", setting.data], stderr=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL)
            time.sleep(0.01 * (round % 5))
            server.kill()
        last.wait(60)
        server = setting.serve(*SMALL_SEGMENTS)
        sent = [batch for own in load.batches for batch in own]
        with Connection(server) as connection:
            for batch in sent[-20:] + [batch for batch in sent if batch.answer is None]:
                batch.send(connection)
        known.update(n for batch in sent for n in batch.numbers)
        check_all(server, known)
        equal(server.stop(), 0, "exit code")


@test
def full_disks_are_purged(setting):
    """A small disk is filled, purged and filled again: nothing acknowledged is lost, purge frees, ingest goes on."""
    disk = setting.path("disk")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True).returncode != 0:
        raise Skipped("mounting a small disk is not allowed here")
    setting.at_end.append(lambda: subprocess.run(["umount", "-l", disk]))
    data = os.path.join(disk, "data")
    options = ("--seal-bytes", "1MiB", "--reserve", "4MiB")
    server = setting.serve(*options, data=data)
    now, kept, batches = int(time.time() * 1000), [], 0

    def batch(size):
        """The next events: later by a day every fourth time, so that what came first is the oldest."""
        nonlocal batches
        base = (now - (6_000 - batches // 4) * DAY) // DAY * DAY
        lines = events.numbered(size, start=batches * 1_000, buckets=1, base=base)
        batches += 1
        return [line[:-1] + b',"noise":"%b"}' % os.urandom(1_000).hex().encode() for line in lines]

    for cycle in range(10 if setting.quick else 100):
        while True:
            lines = batch(200)
            answer = post(server, lines)
            if answer.status == 507:
                break
            equal(answer.status, 201, answer.body)
            kept += [events.floored(line) for line in lines]
        if cycle % 3 == 0:
            # Not only the server's own bound: a disk without a byte left.
            with open(os.path.join(disk, "filler"), "wb", buffering=0) as filler:
                with contextlib.suppress(OSError):
                    while filler.write(bytes(1 << 12)):
                        pass
        if cycle % 10 == 9:
            server.kill()
            server = setting.serve(*options, data=data)
        done = json.loads(setting.command("purge", "--max-bytes", "8MiB", "--reader-grace", "1s", "--json", "--data", data,
                                          code=None).stdout)
        expect(done["freed_bytes"] > 0, done)
        if cycle % 3 == 0:
            os.remove(os.path.join(disk, "filler"))
        kept = [line for line in kept if events.bucket(line) >= done["horizon_after"]]
        equal(sorted(map(events.number, read(server))), sorted(map(events.number, kept)), f"events of cycle {cycle}")
        # The server asks for room again by itself, at most a second later.
        deadline = time.monotonic() + 10
        while True:
            lines = batch(1)
            answer = post(server, lines)
            if answer.status == 201:
                kept += [events.floored(line) for line in lines]
                break
            expect(time.monotonic() < deadline, "ingest did not go on", answer.body)
