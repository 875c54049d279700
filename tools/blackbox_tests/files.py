"""What lies on the disk: read by the lz4 and zstd tools and by tools/read_segment.py."""
import glob
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

from . import events
from .harness import ROOT, Skipped, equal, expect, test
from .http import read, stored
from .load import Load

READER = os.path.join(ROOT, "tools", "read_segment.py")
# Small enough for several sealed segments.
SMALL_SEGMENTS = ("--seal-bytes", "1MiB")


def segments(data):
    return sorted(glob.glob(os.path.join(data, "interactions", "hot", "*.ndjson.lz4")))


def reader(path, *options):
    return subprocess.run([sys.executable, READER, path, *options], capture_output=True, timeout=300)


def lz4_accepts(path):
    return subprocess.run(["lz4", "-tq", path], capture_output=True).returncode == 0


def lz4_lines(path):
    """The lines that lz4cat prints, and whether it was content."""
    done = subprocess.run(["lz4", "-dcqq", path], capture_output=True)
    return done.stdout.count(b"\n"), done.returncode == 0


def durable_length(data):
    return json.loads(reader(os.path.join(data, "interactions", "hot", "ACTIVE"), "--active").stdout)["length"]


@test
def real_events_come_back(setting):
    """The 8,000 real events come back equal, in arrival order, apart from the floored timestamp."""
    server, lines = setting.serve(), events.real_events()
    for batch in events.batches(lines, 1000):
        stored(server, batch)
    wanted = [events.floored(line) for line in lines]
    expect(read(server, "order=arrival") == wanted, "they differ")
    expect(read(server) == sorted(wanted, key=events.bucket), "they differ in time order")
    equal(server.stop(), 0, "exit code")
    expect(setting.serve() and read(setting.servers[-1], "order=arrival") == wanted, "they differ after a restart")


@test
def lz4_reads_segments(setting):
    """The lz4 tool accepts every segment, the active one between commits too, and prints its events."""
    server = setting.serve(*SMALL_SEGMENTS)
    lines = events.numbered(20_000, pad=200)
    for place, batch in enumerate(events.batches(lines, 500)):
        stored(server, batch)
        if place % 8 == 0:
            expect(lz4_accepts(segments(setting.data)[-1]), "lz4 -t refuses the active segment behind batch", place)
    found = segments(setting.data)
    expect(len(found) >= 3, "only", len(found), "segments")
    for path in found:
        expect(lz4_accepts(path), "lz4 -t refuses", os.path.basename(path))
    equal(sum(lz4_lines(path)[0] for path in found), len(lines), "lines of lz4cat")
    text = b"".join(subprocess.run(["lz4", "-dcqq", path], capture_output=True).stdout for path in found)
    expect(sorted(text.splitlines()) == sorted(map(events.floored, lines)), "lz4cat prints other events")


@test
def lz4_reads_stopped_segments(setting):
    """Stopped at any moment under load, lz4cat prints at least all that was acknowledged, then perhaps an error."""
    server, chance, cut = setting.serve(), random.Random(3), 0
    with Load(server, writers=4, batch=400) as load:
        for _ in range(10 if setting.quick else 40):
            time.sleep(chance.uniform(0.01, 0.1))
            server.signal(signal.SIGSTOP)
            time.sleep(0.02)
            acknowledged = load.acknowledged
            results = [lz4_lines(path) for path in segments(setting.data)]
            server.signal(signal.SIGCONT)
            expect(all(whole for _, whole in results[:-1]), "a sealed segment is refused")
            expect(sum(lines for lines, _ in results) >= acknowledged, "lz4cat prints", results, "of", acknowledged)
            cut += not results[-1][1]
    equal(server.stop(), 0, "exit code")
    expect(all(map(lz4_accepts, segments(setting.data))), "lz4 -t refuses a segment in the end")


def agree(setting, path, *options):
    ours, theirs = reader(path, "--json", *options), setting.command("dump", "--json", path, code=None)
    if ours.returncode:
        clause = ours.stderr.decode().split()[0]
        expect(theirs.returncode != 0, f"{path}: dump accepts what read_segment refuses: {ours.stderr}")
        expect(clause in theirs.stderr.decode().replace(":", " ").split(), f"{path}: {ours.stderr}, {theirs.stderr}")
        return
    equal(theirs.returncode, 0, f"{path}: dump refuses ({theirs.stderr[-300:]})")
    ours, theirs = json.loads(ours.stdout), json.loads(theirs.stdout)
    for name in ours.keys() | theirs.keys():
        equal(theirs.get(name), ours.get(name), f"{name} in {os.path.basename(path)}")


@test
def independent_reader_agrees(setting):
    """tools/read_segment.py, written from SPEC.md alone, agrees with dump on every segment of a store."""
    server = setting.serve(*SMALL_SEGMENTS)
    for place, batch in enumerate(events.batches(events.numbered(12_000, pad=200), 300)):
        stored(server, batch, {"Idempotency-Key": f"batch-{place}"} if place % 2 else None)
    with Load(server, writers=8, batch=3) as load:
        time.sleep(0.5)
    agree(setting, segments(setting.data)[-1], "--length", str(durable_length(setting.data)))
    expect(len(read(server)) >= 12_000 + load.acknowledged, "events")
    equal(server.stop(), 0, "exit code")
    for path in segments(setting.data):
        agree(setting, path)
    for path in glob.glob(os.path.join(setting.data, "interactions", "MANIFEST.*")):
        decoded = reader(path, "--manifest")
        equal(decoded.returncode, 0, f"{os.path.basename(path)} ({decoded.stderr.decode()})")
        for segment in json.loads(decoded.stdout)["segments"]:
            name = f"{segment['number']:020}.ndjson.lz4"
            equal(os.path.getsize(os.path.join(setting.data, "interactions", "hot", name)), segment["length"], name)


@test
def independent_reader_reads_fixtures(setting):
    """tools/read_segment.py agrees with dump on every segment and manifest under Fixtures."""
    fixtures = os.path.join(ROOT, "Fixtures")
    found = sorted(glob.glob(os.path.join(fixtures, "**", "*.ndjson.*"), recursive=True))
    if not found:
        raise Skipped("there are no fixtures")
    for path in found:
        agree(setting, path)
    for path in glob.glob(os.path.join(fixtures, "stores", "**", "MANIFEST.*"), recursive=True):
        equal(reader(path, "--manifest").returncode, 0, path)


@test
def a_flipped_bit_is_refused_alike(setting):
    """Where a bit of a segment is flipped, read_segment.py and dump name the same clause."""
    server = setting.serve()
    for batch in events.batches(events.numbered(2000), 100):
        stored(server, batch)
    equal(server.stop(), 0, "exit code")
    path, chance = segments(setting.data)[0], random.Random(5)
    with open(path, "rb") as file:
        whole = bytearray(file.read())
    shutil.rmtree(setting.data)
    # The directory and name stay, since the head is compared with them.
    os.makedirs(os.path.dirname(path))
    for place in [*range(0, 40), *(chance.randrange(len(whole)) for _ in range(10 if setting.quick else 40))]:
        bad = whole[:]
        bad[place] ^= 1 << chance.randrange(8)
        with open(path, "wb") as file:
            file.write(bad)
        agree(setting, path)
