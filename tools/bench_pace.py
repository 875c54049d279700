"""The machine's own pace beside each workload of tools/bench: what a rate that moved is to be held against."""
import hashlib
import os
import statistics
import time

BLOCK, ROUNDS, SYNCS = bytes(1 << 20), 200, 20


def pace(directory, cores):
    """SHA-256 in GB/s on the first core; what it takes to wake the other and be woken by it, and to make 4 KiB
    durable, as medians in microseconds."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cores[0]})
    try:
        return {"sha": sha(), "wake": wake(cores[1]), "sync": sync(os.path.join(directory, "pace"))}
    finally:
        os.sched_setaffinity(0, before)


def sha(seconds=0.05):
    start, count = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        hashlib.sha256(BLOCK)
        count += 1
    return count * len(BLOCK) / (time.monotonic() - start) / 1e9


def wake(core):
    (here, there), (back, answer) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(there)
        os.sched_setaffinity(0, {core})
        while os.read(here, 1):
            os.write(answer, b".")
        os._exit(0)
    def once():
        os.write(there, b".")
        os.read(back, 1)
    took = timed(once, ROUNDS)
    for end in (here, there, back, answer):
        os.close(end)
    os.waitpid(child, 0)
    return took


def sync(path):
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    def once():
        os.write(file, BLOCK[:4096])
        os.fdatasync(file)
    took = timed(once, SYNCS)
    os.close(file)
    os.remove(path)
    return took


def timed(work, rounds):
    times = []
    for _ in range(rounds):
        start = time.monotonic()
        work()
        times.append(time.monotonic() - start)
    return statistics.median(times) * 1e6
