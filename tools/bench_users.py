"""The workloads of user metadata for tools/bench, and the same work on SQLite in this process."""
import http.client
import json
import os
import random
import re
import sqlite3
import statistics
import subprocess
import sys
import time

USERS, MANY_USERS, UNUSED_NAMES, BATCH = 200_000, 1_000_000, 100_000, 1_000
LEAST_LOGINS, LEAST_BATCHED, LEAST_ASKED, MOST_UNUSED = 12_000, 200_000, 20_000, 100.0
MOST_OPEN_SECONDS, MOST_USER_BYTES = 10.0, 600
LOGINS, LOGINS_EACH, LOGIN_DAYS, ASKED_USERS, MOST_LOGS = 10_000_000, 20, 90, 200, 20.0

CONFIGURATION = "db_uri: %s\nhttp_server: {}\n"

LUA = """
local bodies = {%s}
local requests, at = {}, 0
function init()
    for i, body in ipairs(bodies) do
        requests[i] = wrk.format("POST", "/api/%s", {["Content-Type"] = "%s"}, body)
    end
end
function request()
    at = at %% #requests + 1
    return requests[at]
end
"""

SCHEMA = """
CREATE TABLE userlog (username TEXT, log_type TEXT, service TEXT, device_id TEXT, timestamp INTEGER);
CREATE TABLE devices (username TEXT, id TEXT, remote_zone TEXT, user_agent TEXT, first_seen INTEGER, last_seen INTEGER,
    logins INTEGER, PRIMARY KEY (username, id));
CREATE TABLE lastlogin (username TEXT, service TEXT, timestamp INTEGER, PRIMARY KEY (username, service));
CREATE INDEX userlog_username ON userlog (username, timestamp);
"""

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


LOGIN = ('{"username":"%s","type":"login","service":"imap","login_method":"password","timestamp":"%s",'
         '"device_info":{"id":"device-%d","remote_zone":"DE","browser":"Firefox","os":"Linux","mobile":false}}')


def name(number):
    return f"user{number:06}@example.org"


def entry(number):
    device = {"id": f"device-{number}", "remote_zone": ("DE", "FR", "IT")[number % 3], "user_agent": AGENT,
              "browser": "Firefox", "os": "Linux", "mobile": False}
    return {"username": name(number), "type": "login", "service": "imap", "login_method": "password", "device_info": device}


class Users:
    def __init__(self, bench, serve, figure):
        self.bench, self.serve, self.figure = bench, serve, figure
        self.chance = random.Random(7)

    def run(self):
        beside = self.sqlite()
        self.configuration = self.bench.path("users.yml")
        with self.server("users-written.store") as server:
            numbers = [self.chance.randrange(USERS) for _ in range(1_000)]
            self.posts(server, "add_log", map(entry, numbers), 32, LEAST_LOGINS, beside["add_log"])
            batches = ["\n".join(json.dumps(entry(self.chance.randrange(USERS))) for _ in range(BATCH)) for _ in range(40)]
            self.posts(server, "add_logs", batches, 4, LEAST_BATCHED, beside["add_logs"], BATCH)
        store = self.bench.fresh("users-asked.store")
        self.configure(store)
        with self.server("users-asked.store"):
            pass  # Made with its key.
        subprocess.run([self.bench.options.binary, "import", "usermetadb", self.database, "--data", store],
                       check=True, stdout=subprocess.DEVNULL)
        with self.server("users-asked.store", fresh=False) as server:
            questions = [{key: entry(n)[key] for key in ("username", "device_info")} for n in numbers]
            self.posts(server, "check_device", questions, 32, LEAST_ASKED, beside["check_device"])
            questions = [{"username": name(n), "service": "imap"} for n in numbers]
            self.posts(server, "get_last_login", questions, 32, LEAST_ASKED, beside["get_last_login"])
            self.unused(server, beside["get_unused_accounts"])

    def open(self):
        """1,000,000 users of 2 devices and 1.5 services each, from checkpoints."""
        self.configuration = self.bench.path("users.yml")
        with self.server("users-none.store") as server:
            empty = resident(server)
        store = self.bench.path("users-many.store")
        database = self.bench.path("users-many.sqlite")
        # It is removed once all of it is in the store.
        if os.path.exists(database) or not os.path.exists(store):
            fill(database, MANY_USERS)
            with self.server("users-many.store"):
                pass  # Made with its key.
            subprocess.run([self.bench.options.binary, "import", "usermetadb", database, "--data", store], check=True,
                           stdout=subprocess.DEVNULL)
            os.remove(database)
        with self.server("users-many.store", fresh=False, cores=(0, 1)) as server:
            memory = (resident(server) - empty) / MANY_USERS
            self.bench.add(self.figure("users-open", server.opened, "s", MOST_OPEN_SECONDS, most=True), 0)
            self.bench.add(self.figure("users-open: memory", memory, "B/user", MOST_USER_BYTES, most=True), 0)

    def logs(self):
        """The logins of a user among those of all, a few in every week of them, compacted."""
        self.configuration = self.bench.path("users.yml")
        users, first = LOGINS // LOGINS_EACH, int(time.time()) - LOGIN_DAYS * 86_400
        with self.server("users-logs.store") as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            for number in range(0, LOGINS, BATCH):
                # 7919 is prime: each user once in so many logins as there are users.
                body = "\n".join(
                    LOGIN % (name(n * 7919 % users), moment(first + n * LOGIN_DAYS * 86_400 // LOGINS), n % users)
                    for n in range(number, number + BATCH))
                answered(connection, "add_logs", body, "application/x-ndjson")
            connection.close()
            for job in ("seal", "compact"):
                subprocess.run([self.bench.options.binary, job, "--stream", "logins", "--data",
                                self.bench.path("users-logs.store")], check=True, stdout=subprocess.DEVNULL)
            taken = []
            for user in self.chance.sample(range(users), ASKED_USERS):
                question = json.dumps({"username": name(user), "max_days": LOGIN_DAYS + 1})
                start = time.monotonic()
                answer = answered(connection, "get_user_logs", question, "application/json")
                taken.append((time.monotonic() - start) * 1_000)
                if len(json.loads(answer)["results"]) != LOGINS_EACH:
                    sys.exit(f"get_user_logs: not {LOGINS_EACH} logins")
            self.bench.add(self.figure("users-logs: slowest", max(taken), "ms", MOST_LOGS, most=True), server)
            self.bench.add(self.figure("users-logs: median", statistics.median(taken), "ms", None), server)

    def configure(self, store):
        with open(self.configuration, "w") as file:
            file.write(CONFIGURATION % store)

    def server(self, store, fresh=True, cores=(0,)):
        path = self.bench.fresh(store) if fresh else self.bench.path(store)
        self.configure(path)
        if fresh and os.path.exists(path + ".key"):
            os.remove(path + ".key")
        return self.serve(self.bench.options.binary, self.bench.path("no-interactions"), cores=cores,
                          options=("--config", self.configuration))

    def posts(self, server, call, bodies, connections, target, beside, size=1):
        script = self.bench.path(f"{call}.lua")
        texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
        kind = "application/x-ndjson" if call == "add_logs" else "application/json"
        with open(script, "w") as file:
            file.write(LUA % (",\n".join(f"[==[{text}]==]" for text in texts), call, kind))
        rate, cpu = self.bench.posts(server, script, connections)
        self.bench.add(self.figure(f"users: {call}", rate * size, "/s", target), server, cpu / size, f"SQLite {beside:,.0f}")

    def unused(self, server, beside):
        path = self.bench.path("names.json")
        with open(path, "w") as file:
            json.dump({"usernames": [name(n) for n in self.chance.sample(range(2 * USERS), UNUSED_NAMES)], "days": 30}, file)
        text = subprocess.run(
            ["taskset", "-c", "1", "curl", "-sS", "-f", "-w", "%{time_total}\\n", "-H", "Content-Type: application/json",
             "-H", "Expect:", "--data-binary", "@" + path]
            + ["-o", os.devnull, server.url + "/api/get_unused_accounts"] * 5,
            check=True, capture_output=True, text=True).stdout
        milliseconds = sorted(float(line) * 1_000 for line in re.findall(r"[\d.]+", text))[2]
        self.bench.add(self.figure("users: get_unused_accounts", milliseconds, "ms", MOST_UNUSED, most=True), server,
                       None, f"SQLite {beside:,.0f}")

    def sqlite(self):
        """Rates of the same work with WAL and synchronous=FULL, durable where it writes; milliseconds of the last."""
        self.database = self.bench.path("users.sqlite")
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(self.database + suffix):
                os.remove(self.database + suffix)
        base = sqlite3.connect(self.database, isolation_level=None)
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=FULL")
        base.executescript(SCHEMA)
        now = int(time.time())
        base.execute("BEGIN")
        for number in range(USERS):
            sqlite_add(base, entry(number), now - 86_400)
            base.execute("INSERT INTO lastlogin VALUES (?, 'imap', ?)", (name(number), now - 86_400))
        base.execute("COMMIT")
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        subprocess.run(["cp", self.database, self.database + ".copy"], check=True)
        rates = {"add_log": self.rate(lambda: sqlite_transaction(base, [entry(self.chance.randrange(USERS))], now)),
                 "add_logs": BATCH * self.rate(lambda: sqlite_transaction(
                     base, [entry(self.chance.randrange(USERS)) for _ in range(BATCH)], now)),
                 "check_device": self.rate(lambda: sqlite_check(base, self.chance.randrange(USERS))),
                 "get_last_login": self.rate(lambda: base.execute(
                     "SELECT service, timestamp FROM lastlogin WHERE username = ?",
                     (name(self.chance.randrange(USERS)),)).fetchall())}
        names = [name(n) for n in self.chance.sample(range(2 * USERS), UNUSED_NAMES)]
        start = time.monotonic()
        used = "SELECT 1 FROM lastlogin WHERE username = ? AND timestamp > ?"
        sum(base.execute(used, (n, now - 30 * 86_400)).fetchone() is None for n in names)
        rates["get_unused_accounts"] = (time.monotonic() - start) * 1_000
        base.close()
        os.rename(self.database + ".copy", self.database)
        return rates

    @staticmethod
    def rate(work, seconds=2):
        start, count = time.monotonic(), 0
        while time.monotonic() - start < seconds:
            work()
            count += 1
        return count / (time.monotonic() - start)


def moment(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def answered(connection, call, body, kind):
    connection.request("POST", f"/api/{call}", body, {"Content-Type": kind})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        sys.exit(f"{call}: {answer.status} {text[:200]}")
    return text


def resident(server):
    with open(f"/proc/{server.process.pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) * 1024


def fill(path, users):
    if os.path.exists(path):
        os.remove(path)
    base, now = sqlite3.connect(path), int(time.time())
    base.executescript(SCHEMA)
    base.executemany("INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?)", (
        (name(user), f"device-{user}-{device}", ("DE", "FR", "IT")[user % 3], f"{AGENT}; {user % 499}", now - user % 8_640_000,
         now - user % 86_400, 1 + user % 50) for user in range(users) for device in range(2)))
    base.executemany("INSERT INTO lastlogin VALUES (?, ?, ?)", (
        (name(user), service, now - user % 86_400) for user in range(users) for service in ("imap", "smtp")[:1 + user % 2]))
    base.commit()
    base.close()


def sqlite_add(base, log, now):
    device = log["device_info"]
    base.execute("INSERT INTO userlog VALUES (?, ?, ?, ?, ?)", (log["username"], log["type"], log["service"], device["id"], now))
    base.execute("INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET last_seen = excluded.last_seen, "
                 "logins = logins + 1", (log["username"], device["id"], device["remote_zone"], device["user_agent"], now, now))


def sqlite_transaction(base, logs, now):
    base.execute("BEGIN IMMEDIATE")
    for log in logs:
        sqlite_add(base, log, now)
    base.execute("COMMIT")


def sqlite_check(base, number):
    base.execute("SELECT first_seen, last_seen, logins FROM devices WHERE username = ? AND id = ?",
                 (name(number), f"device-{number}")).fetchone()
    base.execute("SELECT remote_zone, sum(logins) FROM devices WHERE username = ? GROUP BY remote_zone", (name(number),)).fetchall()
