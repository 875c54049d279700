"""A server by its configuration file: listeners, precedence, refusals, policies, maintenance."""
import json
import os
import signal
import socket
import time

from . import events
from .connections import Authority, connect, ping, until_said
from .harness import ROOT, equal, expect, test
from .http import PATH, call, post, read, stored


def written(setting, text, name="daybook.yml", mode=0o644):
    """Writes a configuration; `@` in it is the directory of the test."""
    path = setting.path(name)
    with open(path, "w") as file:
        file.write(text.replace("@", setting.directory + "/"))
    os.chmod(path, mode)
    return path


LISTENERS = """
streams:
  interactions: {path: @data, resolution: 1h}
listeners:
- {name: inside, role: interactions, address: "127.0.0.1:0"}
- {name: other, role: interactions, address: "127.0.0.1:0", data: @other}
- {name: six, role: interactions, address: "[::1]:0"}
"""


@test
def config_serves_several_listeners(setting):
    """Several addresses in one process, two of one store and one of another; each prints its line, and all end well."""
    listeners = 3
    text = LISTENERS
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        text, listeners = "\n".join(line for line in LISTENERS.splitlines() if "six" not in line), 2
    server = setting.start("--config", written(setting, text), listeners=listeners)
    inside, other = server.at("inside"), server.at("other")
    stored(inside, events.numbered(10))
    stored(other, events.numbered(3))
    equal(len(read(inside)), 10, "events of the first")
    equal(len(read(other)), 3, "events of the other")
    expect(os.path.exists(setting.path("other", "interactions", "control.sock")), "the other takes no jobs")
    setting.command("seal", "--data", setting.path("other"))
    equal(server.stop(), 0, "exit code")
    for data in ("data", "other"):
        setting.command("verify", "--data", setting.path(data))


@test
def config_admin_tells_of_all_listeners(setting):
    """An admin listener has the numbers of all that share its store, and no events; limits are those of each."""
    server = setting.start("--config", written(setting, """
streams: {interactions: {path: @data}}
listeners:
- {name: events, role: interactions, address: "127.0.0.1:0"}
- name: limited
  role: interactions
  address: "127.0.0.1:0"
  limits: {body_bytes: 1KiB, rate_per_client: 1, burst_per_client: 2}
- {name: inside, role: admin, address: "127.0.0.1:0"}
"""), listeners=3)
    inside, limited = server.at("inside"), server.at("limited")
    stored(server.at("events"), events.numbered(10))
    equal([post(limited, b" " * 1025).status, post(limited, b"").status, post(limited, b"").status],
          [413, 201, 429], "statuses of the limited one")
    for path in ("/livez", "/readyz", "/version"):
        equal(call(inside, "GET", path).status, 200, path)
    for path in (PATH, "/wsapi/ping", "/openapi.json"):
        equal(call(inside, "GET", path).status, 404, path)
    numbers = call(inside, "GET", "/metrics").body.decode()
    for line in ("daybook_events_in_total 10", 'daybook_dropped_total{kind="requests",reason="body_too_large"} 1',
                 'daybook_dropped_total{kind="requests",reason="too_many_requests"} 1'):
        expect(f"\n{line}\n" in numbers, "missing:", line, numbers)
    equal(server.stop(), 0, "exit code")


@test
def config_file_yields_to_flags_and_variables(setting):
    """A flag is stronger than a variable, a variable than the file; the embedded default asks for no file."""
    path = written(setting, "streams: {interactions: {path: @file, resolution: 1h}}\n")

    def shown(*flags, **variables):
        done = setting.command("config", "show", "--json", "--config", path, *flags, environment=variables)
        return {entry["name"]: (entry["value"], entry["source"]) for entry in json.loads(done.stdout)["settings"]}

    equal(shown()["streams.interactions.path"], (setting.path("file"), f"{path}:1:32"), "from the file")
    equal(shown(DAYBOOK_DATA="here")["streams.interactions.path"], ("here", "DAYBOOK_DATA"), "from the variable")
    equal(shown(DAYBOOK_LIMITS_HEADER_FIELDS="50")["limits.header_fields"], ("50", "DAYBOOK_LIMITS_HEADER_FIELDS"), "a limit")
    server = setting.start("--config", path, "--data", setting.data, "--addr", "127.0.0.1:0", "--resolution", "1ms")
    equal(list(server.urls), [""], "the name of the listener")
    expect(os.path.isdir(setting.data) and not os.path.exists(setting.path("file")), "the flag did not win")
    equal(server.stop(), 0, "exit code")
    done = setting.command("serve", "--config", path, environment={"DAYBOOK_ADRR": "x", "DAYBOOK_THREADS": "0"}, code=78)
    equal(done.stderr, b"daybook: DAYBOOK_THREADS: threads: '0' is not a whole number from 1 to 256\n", "the fault")


@test
def config_faults_start_nothing(setting):
    """A faulty file is 78, one that is not there 66, each with its lines; no store is made, and nothing listens."""
    faulty = written(setting, "listners: []\nthreads: many\nstreams: {interactions: {path: @data}}\n")
    wanted = (f"{faulty}:1:1: listners: is no setting; did you mean listeners?\n"
              f"{faulty}:2:10: threads: 'many' is not a whole number from 1 to 256\n")
    done = setting.command("serve", "--config", faulty, code=78)
    equal(done.stderr.decode(), wanted + "daybook: the configuration has 2 faults\n", "what serve says")
    equal(setting.command("config", "check", "--config", faulty, code=78).stdout.decode(), wanted, "what check says")
    setting.command("serve", "--config", setting.path("none.yml"), code=66)
    setting.command("serve", "--addr", "0.0.0.0:0", "--data", setting.data, code=64)
    kept = written(setting, "db_uri: @users\nhttp_server: {}\nstreams:\n  last-logins: {resolution: 1h}\n", "kept.yml")
    done = setting.command("serve", "--config", kept, code=78)
    expect(done.stderr.startswith(f"daybook: {kept}:4:29: streams.last-logins.resolution: is that of".encode()), done.stderr)
    expect(not os.path.exists(setting.data), "a store was made")
    example = os.path.join(ROOT, "tools", "config", "daybook.yml")
    expect(b"no faults" in setting.command("config", "check", "--config", example).stdout, "the example")


@test
def config_addresses_in_use(setting):
    """Where one address of several is taken, the server ends with 69 and one clear line, and closes its stores."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        path = written(setting, f"""
streams: {{interactions: {{path: @data}}}}
listeners:
- {{name: free, role: interactions, address: "127.0.0.1:0"}}
- {{name: taken, role: interactions, address: "127.0.0.1:{port}"}}
""")
        done = setting.command("serve", "--config", path, code=69)
    last = done.stderr.decode().splitlines()[-1]
    equal(last, f"daybook: cannot listen on 127.0.0.1:{port}: Address already in use", "the last line")
    setting.command("seal", "--data", setting.data)  # the lock is free


@test
def config_names_the_policy(setting):
    """A policy of the file is the store's, and `policy set` is refused, beside the server and without it."""
    path = written(setting, "streams:\n  interactions:\n    policy: {max_age: 36h}\n    path: @data\n")
    place = f"{path}:3:5"
    server = setting.start("--config", path, "--addr", "127.0.0.1:0")
    expect(f"the policy is now the one that {place} names" in server.said, server.log)
    refusal = f"daybook: {place} names the policy, and wins: change it there, and restart the server\n".encode()
    set_policy = ("policy", "set", "--forever", "--data", setting.data)
    equal(setting.command(*set_policy, code=78).stderr, refusal, "beside the server")
    show = ("policy", "show", "--json", "--data", setting.data)
    shown = json.loads(setting.command(*show, "--config", path).stdout)
    equal((shown["max_age"], shown["named_by"], shown["taken_up"]), (36 * 3_600_000, place, True), "the policy")
    equal(server.stop(), 0, "exit code")
    equal(setting.command(*set_policy, "--config", path, code=78).stderr, refusal, "without the server")
    setting.command(*set_policy)
    shown = json.loads(setting.command(*show, environment={"DAYBOOK_CONFIG": path}).stdout)
    equal((shown["max_age"], shown["named_by"], shown["taken_up"]), (None, place, False), "the policy of the store")


@test
def config_schedules_maintenance(setting):
    """The server runs maintain at the time of its file: what is due is purged, and the server says what was done."""
    path = written(setting, "streams: {interactions: {path: @data, policy: {max_age: 1h}}}\nmaintain: {every: 1s}\n")
    server = setting.start("--config", path, "--addr", "127.0.0.1:0")
    stored(server, events.numbered(10))
    deadline = time.monotonic() + 30
    while not any(line.startswith("maintain: purged 1 segments, 10 events") for line in server.said):
        expect(time.monotonic() < deadline, "nothing was purged:", server.log)
        time.sleep(0.1)
    equal(call(server, "GET", "/wsapi/interaction_data/count").body.strip(), b"0", "events afterwards")
    equal(server.stop(), 0, "exit code")


@test
def config_serves_https(setting):
    """A listener of the file with TLS beside a plain one; SIGHUP loads its files again; an open key is told with its place."""
    authority, files = Authority(setting, "authority"), setting.path("server")
    authority.issue("server", files)
    path = written(setting, """
streams: {interactions: {path: @data}}
limits: {connections: 1}
listeners:
- name: secure
  role: interactions
  address: "127.0.0.1:0"
  tls:
    key: @server.key
    cert: @server.pem
- {name: plain, role: interactions, address: "127.0.0.1:0"}
""")
    server = setting.start("--config", path, listeners=2)
    expect(server.urls["secure"].startswith("https://") and server.urls["plain"].startswith("http://"), server.urls)
    connection = connect(server.at("secure"), authority)
    expect(ping(connection), "no answer")
    stored(server.at("plain"), events.numbered(10))
    authority.issue("server", files)
    server.signal(signal.SIGHUP)
    until_said(server, 1, "certificates loaded again")
    expect(ping(connection), "the connection was dropped")
    with socket.create_connection((server.at("secure").host, server.at("secure").port), 10) as second:
        equal(second.recv(1), b"", "an answer beyond the limit of connections")
    connection.close()
    equal(server.stop(), 0, "exit code")
    os.chmod(f"{files}.key", 0o644)
    done = setting.command("serve", "--config", path, code=78)
    equal(done.stderr.decode(), f"daybook: {path}:9:10: listeners[0].tls.key: {files}.key has the mode 0644; only its owner "
                                "may use it: chmod 600\n", "the fault")
