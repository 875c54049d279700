"""kill -9, and a full disk."""
import collections
import os
import random
import re
import subprocess
import time

from . import events
from .harness import Skipped, equal, expect, test
from .http import Connection, post, read, stored
from .load import Load

NUMBER = re.compile(rb'"n":(\d+)')


@test
def kill_9_loses_and_doubles_nothing(setting):
    """Killed under load again and again, a store has every acknowledged event once and none unknown."""
    chance, known, unanswered, samples = random.Random(9), collections.Counter(), [], []
    for turn in range(1, setting.rounds + 1):
        server = setting.serve()
        with Connection(server) as connection:
            for batch in unanswered + samples:
                batch.send(connection)
        unanswered.clear()
        if turn % 10 == 0:
            check_all(server, known)
        with Load(server, writers=6, batch=chance.choice((1, 7, 50, 400))) as load:
            time.sleep(chance.uniform(0.02, 0.4))
            server.kill()
        sent = [batch for own in load.batches for batch in own]
        expect(load.acknowledged or turn > 1, "nothing was acknowledged")
        unanswered = [batch for batch in sent if batch.answer is None]
        samples = [own[-2] for own in load.batches if len(own) > 1]
        known.update(n for batch in sent for n in batch.numbers)
    server = setting.serve()
    with Connection(server) as connection:
        for batch in unanswered + samples:
            batch.send(connection)
    check_all(server, known)
    equal(server.stop(), 0, "exit code")
    setting.command("verify", "--data", setting.data)


def check_all(server, known):
    found = collections.Counter(map(int, NUMBER.findall(b"\n".join(read(server, "order=arrival")))))
    lost, strange = known - found, found - known
    expect(not lost, len(lost), "events are lost, such as", min(lost, default=None))
    expect(not strange, len(strange), "events are doubled or unknown, such as", min(strange, default=None))


@test
def a_full_disk_is_survived(setting):
    """Before the reserve of the disk is touched writes get 507, reads go on, and once there is room writes do too."""
    disk = setting.path("disk")
    os.mkdir(disk)
    mounted = os.getuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", disk], capture_output=True).returncode == 0
    if not mounted:
        raise Skipped("mounting a small file system needs root")
    setting.at_end.append(lambda: subprocess.run(["umount", "-l", disk], check=True))
    reserve = 16 << 20
    server, acknowledged = setting.serve("--reserve", "16MiB", data=os.path.join(disk, "data")), []
    filler, refused = os.path.join(disk, "filler"), None
    with open(filler, "wb") as file:
        file.write(bytes(max(0, free(disk) - reserve - (8 << 20))))
    for start in range(0, 100_000, 200):
        batch = [line[:-1] + b',"noise":"%b"}' % os.urandom(150).hex().encode()
                 for line in events.numbered(200, start=start)]
        answer = post(server, batch)
        if answer.status != 201:
            refused = answer
            break
        acknowledged += batch
    expect(refused and refused.status == 507, "a full disk gave", refused and refused.status)
    expect(len(acknowledged) > 1000, "only", len(acknowledged), "events were accepted while there was room")
    expect(reserve <= free(disk) < reserve + (4 << 20), "refused with free bytes", free(disk))
    done = setting.command("ingest", "-", "--url", server.url, input=b"\n".join(batch), code=73)
    expect(b"507" in done.stderr, "ingest said", done.stderr)
    wanted = [events.floored(line) for line in acknowledged]
    expect(read(server, "order=arrival") == wanted, "reads differ while the disk is full")
    os.remove(filler)
    for _ in range(100):
        if post(server, [b'{"timestamp":1785542400000,"n":1}']).status == 201:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("writes are refused although there is room")
    acknowledged = wanted + [b'{"timestamp":1785542400000,"n":1}']
    expect(read(server, "order=arrival") == acknowledged, "something is lost or invented")
    server.kill()
    server = setting.serve(data=os.path.join(disk, "data"))
    expect(read(server, "order=arrival") == acknowledged, "something is lost or invented after kill -9")
    stored(server, events.numbered(1))
    equal(server.stop(), 0, "exit code")


def free(disk):
    space = os.statvfs(disk)
    return space.f_bavail * space.f_frsize
