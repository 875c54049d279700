"""Events to post, and what they look like once stored."""
import gzip
import os
import random
import re

from .harness import ROOT

RESOLUTION = 600_000
BASE = 1_785_542_400_000  # 2026-08-01


def numbered(count, start=0, buckets=50, seed=1, pad=0, base=BASE):
    """Events with a number each, at random times in that many buckets from `base` on."""
    chance = random.Random(seed + start)
    tail = b',"pad":"' + b"x" * pad + b'"' if pad else b""
    return [b'{"timestamp":%d,"n":%d%s}' % (base + chance.randrange(buckets) * RESOLUTION + chance.randrange(RESOLUTION),
                                          n, tail)
            for n in range(start, start + count)]


def floored(line, resolution=RESOLUTION):
    """A line as it is stored. Its timestamp must be its first `"timestamp":` and in milliseconds."""
    return re.sub(rb'"timestamp":(\d+)', lambda m: b'"timestamp":%d' % (int(m[1]) // resolution * resolution), line, 1)


def bucket(line):
    return int(re.search(rb'"timestamp":(\d+)', line)[1]) // RESOLUTION * RESOLUTION


def number(line):
    return int(re.search(rb'"n":(\d+)', line)[1])


def real_events():
    """The 8,000 real events beside the repository where they are, else the sample."""
    path = os.path.join(os.path.dirname(ROOT), "shared", "data", "real-events.ndjson.gz")
    opened = gzip.open(path) if os.path.exists(path) else open(os.path.join(ROOT, "Fixtures", "sample-events.ndjson"), "rb")
    with opened as file:
        return file.read().splitlines()


def batches(lines, size):
    return [lines[i:i + size] for i in range(0, len(lines), size)]
