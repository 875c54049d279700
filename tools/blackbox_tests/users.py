"""User metadata: served by the attributes of earlier servers, private on the disk, durable."""
import json
import os
import signal
import subprocess

from .config import written
from .harness import equal, expect, test
from .http import call

KNOWN = """
db_uri: @users
http_server: {}
"""


def users(setting):
    return setting.start("--config", written(setting, KNOWN), "--addr", "127.0.0.1:0")


def ask(server, name, body, status=200):
    answer = call(server, "POST", "/api/" + name, {"Content-Type": "application/json"}, json.dumps(body).encode())
    equal(answer.status, status, f"{name}: {answer.body[:300]}")
    return answer.json


def on_disk(directory):
    """All bytes of a directory, those of segments decoded."""
    for folder, _, names in os.walk(directory):
        for path in (os.path.join(folder, name) for name in names if name != "RESERVE"):
            with open(path, "rb") as file:
                yield path, file.read()
            tool = {".lz4": "lz4", ".zst": "zstd"}.get(os.path.splitext(path)[1])
            if tool:
                yield path, subprocess.run([tool, "-dc", path], check=True, stdout=subprocess.PIPE).stdout


@test
def users_are_served_and_kept(setting):
    """What the calls were told survives an end and a kill -9, each acknowledged login of it counted once."""
    device = {"id": "d", "remote_zone": "DE"}
    logins = 0
    for ending in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        server = users(setting)
        for _ in range(20):
            ask(server, "add_log", {"username": "ann", "device_info": device})
            logins += 1
        ask(server, "set_last_login", {"username": "ann", "service": "imap"})
        server.signal(ending)
        server.wait()
    server = users(setting)
    equal(ask(server, "check_device", {"username": "ann", "device_info": device})["num_logins"], logins, "logins")
    equal(len(ask(server, "get_user_logs", {"username": "ann", "limit": 1000})["results"]), logins, "entries")
    equal(len(ask(server, "get_last_login", {"username": "ann"})["results"]), 1, "services")
    equal(server.stop(), 0, "exit code")


@test
def users_leave_nothing_private_on_the_disk(setting):
    """No address, device id or exact time is in any file, also decoded."""
    server = users(setting)
    ask(server, "add_log", {
        "username": "planted-user", "timestamp": "2026-03-04T05:43:21.987Z", "message": "from 198.51.100.23",
        "device_info": {"id": "planted-device", "remote_addr": "203.0.113.77", "user_agent": "Agent/5 203.0.113.78"}})
    equal(server.stop(), 0, "exit code")
    found = list(on_disk(setting.path("users")))
    expect(any(b"planted-user" in content for _, content in found), "the test looks at no entries")
    for planted in (b"planted-device", b"203.0.113", b"198.51.100", b"43:21", b"1772603001"):
        equal([path for path, content in found if planted in content], [], planted)
        expect(planted.decode() not in server.stderr, "it was logged:", planted)


@test
def users_are_nowhere_without_their_key(setting):
    """The key lies beside the data, is its owner's alone, and is not made anew for a store that has lost it."""
    server = users(setting)
    ask(server, "add_log", {"username": "ann"})
    equal(server.stop(), 0, "exit code")
    key = setting.path("users.key")
    equal(os.stat(key).st_mode & 0o777, 0o600, "mode of the key")
    os.rename(key, key + ".gone")
    done = setting.command("serve", "--config", setting.path("daybook.yml"), code=66)
    expect(b"the key of this store is missing" in done.stderr, done.stderr)
    expect(not os.path.exists(key), "a key was made")
