"""Jobs: on a directory of their own and beside a server, and what they leave behind when they are cut off."""
import glob
import json
import os
import random
import shutil
import socket
import stat
import subprocess
import time

from . import events
from .files import segments
from .harness import ROOT, Skipped, equal, expect, test
from .http import call, stored

JOBS = [("seal",), ("seal", "--json"), ("policy", "set", "--max-age", "90d", "--min-free", "1GiB", "--json"),
        ("hold", "add", "--from", "2026-01-01", "--to", "2026-03-31", "--reason", "spring"), ("hold", "remove", "7"),
        ("hold", "add", "--from", "2", "--to", "1", "--reason", "never"), ("hold", "remove", "1"),
        ("policy", "set", "--forever")]


def control(setting):
    return os.path.join(setting.data, "interactions", "control.sock")


def ended(done):
    return done.returncode, done.stdout, done.stderr


@test
def jobs_do_the_same_beside_a_server(setting):
    """Each job prints the same and ends with the same code with a server and without; what it did is seen at once."""
    setting.command("ingest", "-", "--data", setting.data, input=b"\n".join(events.numbered(300)))
    alone = setting.path("alone")
    shutil.copytree(setting.data, alone)
    server = setting.serve()
    equal(stat.S_IMODE(os.stat(control(setting)).st_mode), 0o600, "mode of control.sock")
    for job in JOBS:
        here = ended(setting.command(*job, "--data", alone, code=None))
        there = ended(setting.command(*job, "--data", setting.data, code=None))
        # A time of creation may fall into the next bucket.
        if b"since" not in here[1]:
            equal(there, here, " ".join(job))
        equal(there[0], here[0], " ".join(job))
        if job[0] == "seal":
            equal(len(segments(setting.data)), 2, "segments")
    equal(setting.command("hold", "list", "--data", setting.data).stdout, b"", "holds")
    equal(server.stop(), 0, "exit code")
    expect(not os.path.exists(control(setting)), "control.sock is still there")
    setting.command("verify", "--data", setting.data)


@test
def jobs_make_no_store(setting):
    """A job on a directory without a store is 66, and makes nothing; where another program has the lock it is 75."""
    for job in (JOBS[0], JOBS[2], JOBS[3]):
        setting.command(*job, "--data", setting.data, code=66)
    expect(not os.path.exists(setting.data), "a directory was made")
    reader, writer = os.pipe()
    setting.command("ingest", "-", "--data", setting.data, input=events.numbered(1)[0])
    mark = os.path.join(setting.data, "interactions", "hot", "ACTIVE")
    before = os.stat(mark).st_mtime_ns
    ingest = subprocess.Popen([setting.binary, "ingest", "-", "--data", setting.data], stdin=reader,
                              stderr=subprocess.DEVNULL)
    setting.at_end.append(ingest.kill)
    while os.stat(mark).st_mtime_ns == before:
        time.sleep(0.01)
    begun = time.monotonic()
    setting.command("seal", "--data", setting.data, code=75)
    expect(time.monotonic() - begun < 5, "it waited")
    for end in (reader, writer):
        os.close(end)
    equal(ingest.wait(20), 0, "exit code of ingest")
    setting.command("seal", "--data", setting.data)


@test
def killed_clients_harm_nothing(setting):
    """SIGKILL of a job's command at any moment leaves the server whole: no descriptor, no half of a change."""
    server, chance = setting.serve(), random.Random(7)
    stored(server, events.numbered(100))
    setting.command("seal", "--data", setting.data)
    descriptors = server.descriptors()
    for turn in range(60):
        job = [("hold", "add", "--from", "1d", "--to", "now", "--reason", f"turn {turn}"), ("seal",),
               ("policy", "set", "--max-age", f"{turn + 1}d")][turn % 3]
        running = subprocess.Popen([setting.binary, *job, "--data", setting.data],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, 0.04))
        running.kill()
        running.wait()
    for job in (("seal",), ("hold", "add", "--from", "1d", "--to", "now", "--reason", "last"), ("policy", "set", "--forever")):
        deadline = time.monotonic() + 20  # the job of the last that was killed may still run
        while setting.command(*job, "--data", setting.data, code=None).returncode == 5:
            expect(time.monotonic() < deadline, job, "is still refused")
    holds = json.loads(setting.command("hold", "list", "--json", "--data", setting.data).stdout)["holds"]
    equal([hold["hold"] for hold in holds], list(range(1, len(holds) + 1)), "numbers of the holds")
    equal(holds[-1]["reason"], "last", "the last hold")
    deadline = time.monotonic() + 20
    while server.descriptors() > descriptors and time.monotonic() < deadline:
        time.sleep(0.02)
    equal(server.descriptors(), descriptors, "descriptors")
    equal(call(server, "GET", "/readyz").status, 200, "readyz")
    equal(server.stop(), 0, "exit code")
    setting.command("verify", "--data", setting.data)


@test
def a_dead_servers_socket_is_replaced(setting):
    """After SIGKILL of the server jobs work on the directory, and so do the next server and jobs beside it."""
    server = setting.serve()
    stored(server, events.numbered(10))
    server.kill()
    expect(os.path.exists(control(setting)), "there is no socket to find")
    expect(b"is sealed" in setting.command("seal", "--data", setting.data).stdout, "nothing was sealed")
    stored(setting.serve(), events.numbered(10))
    expect(b"is sealed" in setting.command("seal", "--data", setting.data).stdout, "nothing was sealed")


@test
def strangers_run_no_jobs(setting):
    """Another user cannot connect to control.sock, even where the directories let him in."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise Skipped("only root can become somebody else")
    server = setting.serve()
    for path in (setting.directory, setting.data, os.path.join(setting.data, "interactions")):
        os.chmod(path, 0o755)
    program = ("import socket, sys\ntry: socket.socket(socket.AF_UNIX).connect(sys.argv[1])\n"
               "except PermissionError: print('refused')\nelse: print('let in')")
    # The interpreter of the system: another user may not be able to run this one.
    for options, answer in ((("--reuid=65534", "--clear-groups"), b"refused\n"), ((), b"let in\n")):
        done = subprocess.run(["setpriv", *options, "/usr/bin/python3", "-c", program, control(setting)], capture_output=True)
        equal(done.stdout, answer, f"as {options} ({done.stderr[-300:]})")
    equal(server.stop(), 0, "exit code")


@test
def long_paths_take_jobs(setting):
    """A data directory whose path is longer than a socket's address takes jobs too."""
    data = setting.path(*["d" * 60] * 3)
    os.makedirs(data)
    server = setting.serve(data=data)
    setting.command("policy", "set", "--max-age", "1d", "--data", data)
    equal(json.loads(setting.command("policy", "show", "--json", "--data", data).stdout)["max_age"], 86_400_000, "max_age")
    equal(server.stop(), 0, "exit code")


@test
def a_server_serves_without_its_socket(setting):
    """Where control.sock cannot be made the server says so and serves; a job is 75 then."""
    os.makedirs(control(setting))
    server = setting.serve()
    stored(server, events.numbered(10))
    expect(f"{control(setting)}: is a directory; no job can run while this server does" in server.said, server.log)
    setting.command("seal", "--data", setting.data, code=75)
    equal(server.stop(), 0, "exit code")


@test
def shutdown_ends_idle_jobs(setting):
    """SIGTERM is not held up by a connection to control.sock that says nothing, which is told."""
    server = setting.serve()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(control(setting))
        client.settimeout(20)
        answer = client.makefile()
        equal(json.loads(answer.readline()), {"protocol": 1}, "the first line")
        equal(server.stop(20), 0, "exit code")
        lines = [json.loads(line) for line in answer]
        expect("shutting down" in lines[0]["talk"], lines)
        equal(lines[1:], [{"exit": 75}], "the end")


@test
def units_are_accepted(setting):
    """systemd has nothing against tools/systemd."""
    if not shutil.which("systemd-analyze"):
        raise Skipped("no systemd-analyze")
    paths = []
    for unit in sorted(glob.glob(os.path.join(ROOT, "tools", "systemd", "*"))):
        paths.append(setting.path(os.path.basename(unit)))
        with open(unit) as source, open(paths[-1], "w") as copy:
            copy.write(source.read().replace("/usr/bin/daybook", setting.binary))
    expect(len(paths) == 3, paths)
    done = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True)
    # What it says of other units of this machine is not ours.
    said = [line for line in done.stderr.decode().splitlines() if "daybook" in line]
    equal((done.returncode, said), (0, []), "systemd-analyze verify")
