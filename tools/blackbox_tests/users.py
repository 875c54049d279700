"""User metadata: served by the attributes of earlier servers, private on the disk, durable."""
import json
import os
import re
import shutil
import signal
import sqlite3
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


def stored(setting, *names):
    """A directory of user metadata with a login of each of these users and their last login, nobody serving it."""
    server = users_of(setting, *names)
    equal(server.stop(), 0, "exit code")
    return setting.path("users")


def users_of(setting, *names):
    server = users(setting)
    for name in names:
        ask(server, "add_log", {"username": name, "type": "login", "device_info": {"id": "d-" + name, "remote_zone": "DE"}})
        ask(server, "set_last_login", {"username": name, "service": "imap"})
    return server


@test
def users_key_may_lie_where_the_configuration_says(setting):
    """A key file of the configuration is made, told where it is inside the data, and refused where others may read it."""
    for place, is_inside in (("other.key", False), ("users/inside.key", True)):
        os.makedirs(setting.path("users"), exist_ok=True)
        text = KNOWN + f"key_file: {setting.path(place)}\n"
        server = setting.start("--config", written(setting, text), "--addr", "127.0.0.1:0")
        ask(server, "add_log", {"username": "ann"})
        equal(any("lies in the data directory" in line for line in server.said), is_inside, place)
        equal(server.stop(), 0, "exit code")
        equal(os.stat(setting.path(place)).st_mode & 0o777, 0o600, "mode of the key")
        expect(not os.path.exists(setting.path("users.key")), "there is another key")
        os.chmod(setting.path(place), 0o640)
        done = setting.command("config", "check", "--config", setting.path("daybook.yml"), code=78)
        expect(b"has the mode 0640" in done.stdout, done.stdout)
        os.chmod(setting.path(place), 0o600)
        shown = setting.command("config", "show", "--config", setting.path("daybook.yml")).stdout.decode()
        expect(f"key_file: {setting.path(place)}  #" in shown, shown)
        shutil.rmtree(setting.path("users"))


@test
def users_jobs_work_beside_a_server_and_without(setting):
    """Each job does both streams, or the one that is named, with the same output and exit code either way."""
    jobs = [["seal"], ["seal", "--json"], ["compact", "--json"], ["policy", "set", "--max-age", "90d", "--stream", "logins"],
            ["policy", "show", "--json"], ["hold", "add", "--from", "1d", "--to", "now", "--reason", "case"],
            ["hold", "remove", "1", "--stream", "last-logins"], ["purge", "--dry-run", "--json"], ["verify", "--json"],
            ["seal", "--stream", "interactions"], ["hold", "remove", "9"]]

    def outputs(data):
        done = [setting.command(*job, "--data", data, code=None) for job in jobs]
        return [(one.returncode, without_numbers(one.stdout)) for one in done]

    data = stored(setting, "ann", "bob")
    alone = outputs(data)
    equal([code for code, _ in alone][:9], [0] * 9, alone)
    equal([code for code, _ in alone][9:], [66, 66], "codes of what is not there")
    expect(alone[0][1].startswith("logins:\n") and "last-logins:\n" in alone[0][1], alone[0])
    shutil.rmtree(data)
    os.remove(data + ".key")
    stored(setting, "ann", "bob")
    server = users(setting)
    os.rename(data + ".key", data + ".away")  # The server has it.
    equal(outputs(data), alone, "beside a server")
    equal(server.stop(), 0, "exit code")
    done = setting.command("seal", "--data", data, code=66)
    expect(b"the key of this store is missing" in done.stderr, done.stderr)
    setting.command("maintain", "--data", data, "--key-file", data + ".away")


def without_numbers(output):
    """Times and sizes differ between two stores."""
    return re.sub(rb"[0-9]+", b"0", output).decode()


@test
def users_are_erased_whole(setting):
    """After erase --now nothing of the user is in any file, decoded or not; others are as they were."""
    for served in (False, True):
        server = users_of(setting, "planted-user", "ann")
        data = setting.path("users")
        if not served:
            equal(server.stop(), 0, "exit code")
        done = setting.command("erase", "--user", "-", "--now", "--json", "--data", data, input=b"planted-user\n")
        receipt = json.loads(done.stdout)
        equal((receipt["compacted"], receipt["kept"]), (True, []), receipt)
        audited = setting.command("audit", "--data", data).stdout
        expect(receipt["subject"].encode() in audited and b"planted-user" not in audited, audited)
        show = ["users", "show", "--data", data, "--json"]
        equal(json.loads(setting.command(*show, "planted-user", code=66).stdout)["devices"], [], "devices")
        equal(json.loads(setting.command(*show, "ann").stdout)["devices"][0]["num_logins"], 1, "logins of another")
        if served:
            equal(server.stop(), 0, "exit code")
        equal([path for path, content in on_disk(data) if b"planted-user" in content], [], "files")
        shutil.rmtree(data)
        os.remove(data + ".key")


@test
def users_that_a_hold_covers_are_told_by_erase(setting):
    """What a hold keeps stays on the disk, invisible: erase --now tells it with code 7; without the hold it goes."""
    data = stored(setting, "planted-user")
    setting.command("hold", "add", "--from", "2d", "--to", "now", "--reason", "case 17", "--data", data)
    done = setting.command("erase", "--user", "planted-user", "--now", "--data", data, code=7)
    expect(b"logins: hold 1 (case 17) keeps what it covers" in done.stdout, done.stdout)
    equal(setting.command("users", "logs", "planted-user", "--data", data).stdout, b"", "entries")
    setting.command("hold", "remove", "1", "--data", data)
    setting.command("erase", "--user", "planted-user", "--now", "--data", data)
    equal([path for path, content in on_disk(data) if b"planted-user" in content], [], "files")


@test
def users_can_be_looked_at(setting):
    """show, devices, logs and unused tell the same beside a server as without one."""
    server = users_of(setting, "ann", "-bob")
    ask(server, "set_last_login", {"username": "old", "service": "smtp", "timestamp": "2020-01-02T03:04:05Z"})
    data = setting.path("users")
    questions = [["show", "ann"], ["show", "--json", "ann"], ["devices", "ann"], ["devices", "--json", "--", "-bob"],
                 ["logs", "ann", "--limit", "1"], ["logs", "ann", "--json"], ["unused", "--days", "30"],
                 ["unused", "--days", "30", "--service", "imap", "--json"], ["show", "nobody"], ["unused", "--days", "0"]]

    def answers():
        done = [setting.command("users", *question, "--data", data, code=None) if "--" not in question
                else setting.command("users", question[0], "--data", data, *question[1:], code=None)
                for question in questions]
        return [(one.returncode, one.stdout.decode()) for one in done]

    served = answers()
    equal(server.stop(), 0, "exit code")
    equal(answers(), served, "without a server")
    equal([code for code, _ in served], [0] * 8 + [66, 64], served)
    equal(json.loads(served[1][1])["last_logins"][0]["service"], "imap", "service")
    equal(json.loads(served[5][1])["type"], "login", "entry")
    equal(served[6][1], "old\n", "unused")
    equal(served[7][1], '"old"\n', "unused in a service")


@test
def users_of_an_earlier_server_move_in(setting):
    """A SQLite database is imported once, privately; what does not fit is listed, a bad row stops it, nothing stored."""
    database, data = setting.path("old.sqlite"), setting.path("users")
    old = sqlite3.connect(database)
    old.executescript("""
        CREATE TABLE userlog (id INTEGER PRIMARY KEY, username TEXT, log_type TEXT, service TEXT, login_method TEXT,
            message TEXT, device_id TEXT, timestamp DATETIME, shoe_size INTEGER);
        CREATE TABLE devices (id TEXT, username TEXT, remote_zone TEXT, user_agent TEXT, browser TEXT, os TEXT,
            mobile BOOL, first_seen DATETIME, last_seen DATETIME);
        CREATE TABLE last_login (username TEXT, service TEXT, timestamp DATETIME);
        CREATE TABLE schema_migrations (version INTEGER);
        INSERT INTO devices VALUES ('planted-device', 'ann', 'DE', 'Agent/1 203.0.113.77', 'Firefox', 'Linux', 1,
            '2025-01-01 00:00:00', '2026-02-03 04:05:06');
        INSERT INTO devices VALUES ('tablet', 'bob', 'FR', NULL, 'Safari', 'iOS', 0,
            '2025-01-01T00:00:00Z', '2026-02-03T04:05:06Z');
        INSERT INTO last_login VALUES ('ann', 'imap', '2026-02-03 04:05:06.789+01:00'), ('bob', 'smtp', 1735689600);
    """)
    old.executemany(
        "INSERT INTO userlog VALUES (?, ?, 'login', 'imap', 'password', ?, ?, ?, 44)",
        [(number, "ann", f"from 198.51.100.{number % 200}", "planted-device", "2026-02-03 04:43:21 +0000 UTC")
         for number in range(1, 2502)])
    old.commit()
    imports = ["import", "usermetadb", database, "--data", data]
    server = users(setting)
    dry = setting.command(*imports, "--dry-run")
    expect(b"nothing is taken of table schema_migrations" in dry.stderr and b"userlog.shoe_size" in dry.stderr, dry.stderr)
    expect(b"userlog: 2,501 rows would be imported" in dry.stdout, dry.stdout)
    equal(ask(server, "get_user_devices", {"username": "ann"}), {"devices": []}, "after a dry run")
    setting.command(*imports)
    equal(server.stop(), 0, "exit code")
    again = setting.command(*imports)
    expect(b"userlog: 2,501 rows, 2,501 were stored before" in again.stdout, again.stdout)
    server = users(setting)
    device = ask(server, "check_device", {"username": "ann", "device_info": {"id": "planted-device", "remote_zone": "DE"}})
    equal((device["num_logins"], device["last_seen"], device["known_zones"]), (2501, "2026-02-03T04:00:00Z", ["DE"]), device)
    equal(ask(server, "get_user_devices", {"username": "bob"})["devices"][0]["num_logins"], 2, "a device without entries")
    equal(ask(server, "get_last_login", {"username": "ann"})["results"][0]["timestamp"], "2026-02-03T03:00:00Z", "last")
    equal(server.stop(), 0, "exit code")
    for planted in (b"planted-device", b"203.0.113", b"198.51.100", b"43:21"):
        equal([path for path, content in on_disk(data) if planted in content], [], planted)
    old.execute("INSERT INTO userlog (username, timestamp) VALUES ('zoe', 'last summer')")
    old.commit()
    bad = setting.command(*imports, code=65)
    expect(b"userlog, row 2502: the field timestamp must be" in bad.stderr, bad.stderr)
    setting.command("users", "show", "zoe", "--data", data, code=66)
