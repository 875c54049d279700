"""The commands, on a directory of their own and beside a server."""
import json
import os
import re
import shutil
import subprocess

from . import events
from .harness import ROOT, Skipped, equal, expect, test
from .http import read, stored
from .files import segments


@test
def commands_work_on_a_directory(setting):
    """ingest takes a file and stdin, read gives ranges and orders, stat, verify, dump and version tell the rest."""
    lines = events.numbered(5000)
    path = setting.path("events.ndjson")
    with open(path, "wb") as file:
        file.write(b"\n".join(lines[:3000]) + b"\n")
    data = ("--data", setting.data)
    setting.command("ingest", path, *data)
    setting.command("ingest", "-", *data, input=b"\n".join(lines[3000:]))
    arrival = [events.floored(line) for line in lines]
    time_order = sorted(arrival, key=events.bucket)
    equal(setting.command("read", *data, "--order", "arrival").stdout.splitlines(), arrival, "read in arrival order")
    equal(setting.command("read", *data).stdout.splitlines(), time_order, "read")
    equal(setting.command("read", *data, "--limit", "17").stdout.splitlines(), time_order[:17], "read --limit 17")
    start, end = events.BASE + 3 * events.RESOLUTION, events.BASE + 9 * events.RESOLUTION
    equal(setting.command("read", *data, "--from", str(start), "--to", str(end)).stdout.splitlines(),
          [line for line in time_order if start <= events.bucket(line) <= end], "read --from --to")
    frames = setting.command("read", *data, "--format", "lz4").stdout
    equal(subprocess.run(["lz4", "-dc"], input=frames, capture_output=True).stdout.splitlines(), arrival, "frames")
    inspect(setting, 5000)
    expect(re.search(rb"\d+\.\d+", setting.command("version").stdout), "version")


def inspect(setting, count):
    """stat, verify and dump agree that there are `count` events."""
    stat = json.loads(setting.command("stat", "--json", "--data", setting.data).stdout)
    expect(count in numbers(stat), f"{count} is not in", stat)
    setting.command("verify", "--data", setting.data)
    dumps = [json.loads(setting.command("dump", "--json", path).stdout) for path in segments(setting.data)]
    equal(sum(block["lines"] for dump in dumps for block in dump["blocks"]), count, "lines in the dumps")
    for path in segments(setting.data):
        expect(setting.command("dump", path).stdout, "dump prints nothing")


def numbers(value):
    if isinstance(value, dict):
        return [n for inner in value.values() for n in numbers(inner)]
    if isinstance(value, list):
        return [n for inner in value for n in numbers(inner)]
    return [value]


@test
def commands_work_beside_a_server(setting):
    """read, stat, verify and dump work while a server holds the directory; ingest takes its URL."""
    server, lines = setting.serve(), events.numbered(4000)
    stored(server, lines[:2000])
    path = setting.path("events.ndjson")
    with open(path, "wb") as file:
        file.write(b"\n".join(lines[2000:]))
    setting.command("ingest", path, "--url", server.url)
    wanted = [events.floored(line) for line in lines]
    equal(setting.command("read", "--data", setting.data, "--order", "arrival").stdout.splitlines(), wanted, "read")
    inspect(setting, 4000)
    equal(read(server, "order=arrival"), wanted, "the server's answer")
    frames = setting.command("read", "--url", server.url, "--format", "lz4").stdout
    equal(subprocess.run(["lz4", "-dc"], input=frames, capture_output=True).stdout.splitlines(), wanted, "frames")


@test
def a_second_server_is_refused(setting):
    """A second server, or an ingest, on the same directory is refused with a clear message and an exit code."""
    setting.serve()
    for arguments in (("serve", "--data", setting.data, "--addr", "127.0.0.1:0"), ("ingest", "-", "--data", setting.data)):
        done = setting.command(*arguments, input=b'{"timestamp":1785542400000}\n', code=None, timeout=30)
        expect(0 < done.returncode < 128, f"{arguments[0]} ended with {done.returncode}")
        message = done.stderr.decode()
        expect(setting.data in message and len(message) < 1000 and "Fatal" not in message, "the message is", message)


@test
def closed_pipes_are_quiet(setting):
    """read | head -1 prints a line and nothing on stderr."""
    setting.command("ingest", "-", "--data", setting.data, input=b"\n".join(events.numbered(50_000)))
    command = f"'{setting.binary}' read --data '{setting.data}' | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60)
    equal((done.stdout.count(b"\n"), done.stderr), (1, b""), "output")


@test
def bad_arguments_are_explained(setting):
    """Wrong arguments end with an exit code and a message, never a trap, and leave nothing behind."""
    bad = [("serve", "--data"), ("serve", "--data", setting.data, "--addr", "nowhere"), ("nonsense",),
           ("serve", "--data", setting.data, "--addr", "127.0.0.1:99999"), ("read", "--data", setting.path("missing")),
           ("serve", "--data", setting.data, "--addr", "127.0.0.1:0", "--resolution", "7m"),
           ("ingest", setting.path("missing"), "--data", setting.data), ("stat", "--data", setting.path("missing")),
           ("verify", "--data", setting.path("missing")), ("dump", setting.path("missing")), ("dump", __file__),
           ("read", "--data", setting.path("missing"), "--order", "sideways")]
    for arguments in bad:
        done = setting.command(*arguments, code=None, timeout=30)
        expect(0 < done.returncode < 128, f"{arguments} ended with {done.returncode}")
        expect(done.stderr and (arguments[0] == "dump" or not done.stdout) and b"Fatal" not in done.stderr, f"{arguments}:", done.stderr)
    expect(not os.path.exists(setting.path("missing")), "a missing directory was made")


@test
def bad_lines_are_named_by_ingest(setting):
    """ingest of a bad line names it and fails; a directory has nothing of its batch."""
    done = setting.command("ingest", "-", "--data", setting.data, input=b'{"timestamp":1785542400000}\n{"x":1}\n', code=None)
    expect(0 < done.returncode < 128 and b"2" in done.stderr, "it said", done.stderr)
    equal(setting.command("read", "--data", setting.data).stdout, b"", "stored")


@test
def an_old_store_moves_in(setting):
    """ingest --format couchdb takes a dump with every event once, however often it is run or cut off by SIGKILL."""
    lines = events.numbered(60_000)
    dump = setting.path("dump.json")
    with open(dump, "wb") as file:
        file.write(b'{"total_rows":60000,"offset":0,"rows":[\r\n')
        file.write(b",\r\n".join(b'{"id":"%d","key":"%d","value":{"rev":"1-a"},"doc":%s}' % (i, i, line)
                                 for i, line in enumerate(lines)))
        file.write(b"\r\n]}\n")
    arguments = ("ingest", dump, "--format", "couchdb", "--data", setting.data)
    for _ in range(3):
        running = subprocess.Popen([setting.binary, *arguments], stderr=subprocess.DEVNULL)
        hot = os.path.join(setting.data, "interactions", "hot")
        while running.poll() is None and not (os.path.isdir(hot) and any(
                os.path.getsize(path) > 200_000 for path in segments(setting.data))):
            pass
        running.kill()
        running.wait()
    setting.command(*arguments)
    again = setting.command(*arguments)
    equal(again.stderr, b"stored 0 events, 60,000 were stored before\n", "the last run said")
    equal(setting.command("read", "--data", setting.data, "--order", "arrival").stdout.splitlines(),
          [events.floored(line) for line in lines], "events")


@test
def tail_follows(setting):
    """tail -f prints what a server stores, from its directory and from its URL, and ends with its pipe."""
    server, lines = setting.serve(), events.numbered(60)
    stored(server, lines[:20])
    wanted = [events.floored(line) for line in lines]
    sources = (("--data", setting.data, "-n", "20"), ("--url", server.url, "--since", "1970-01-01"),
               ("--url", server.url, "--since", "0"))
    tails = [subprocess.Popen([setting.binary, "tail", "-f", *source], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
             for source in sources]
    setting.at_end += [tail.kill for tail in tails]
    for start in (0, 20, 40):
        if start:
            stored(server, lines[start:start + 20])
        for tail in tails:
            equal([tail.stdout.readline().rstrip(b"\n") for _ in range(20)], wanted[start:start + 20], "followed")
    tails[0].stdout.close()
    equal((tails[0].wait(20), tails[0].stderr.read()), (0, b""), "the end of the first")
    equal(server.stop(), 0, "the server's exit code")
    for tail in tails[1:]:
        equal((tail.wait(20), tail.stdout.read()), (69, b""), "the end of the others")


@test
def completions_are_accepted(setting):
    """Each shell that is here accepts its completion script."""
    for shell in ("bash", "zsh", "fish"):
        script = setting.path(shell)
        with open(script, "wb") as file:
            file.write(setting.command("--generate-completion-script", shell).stdout)
        if shutil.which(shell):
            equal(subprocess.run([shell, "-n", script], capture_output=True).stderr, b"", shell)


@test
def manuals_are_accepted(setting):
    """tools/manuals writes a page for each command, and mandoc has nothing against them."""
    if not shutil.which("mandoc") or not shutil.which("swift"):
        raise Skipped("no mandoc, or no swift")
    pages = subprocess.run([os.path.join(ROOT, "tools", "manuals"), setting.path("man")], capture_output=True,
                           timeout=1800).stdout.decode().split()
    names = {os.path.basename(page) for page in pages}
    expect(names >= {"daybook.1", "daybook.serve.1", "daybook.read.1", "daybook.tail.1", "daybook.ingest.1"}, names)
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *pages], capture_output=True)
    equal(lint.stdout, b"", "mandoc")
