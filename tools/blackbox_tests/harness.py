"""What every black-box test stands on: its own directory, servers, commands, and cleaning up after both."""
import collections
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import types

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TESTS = collections.defaultdict(list)  # by module, in the order of the source


def test(function):
    TESTS[function.__module__].append(function)
    return function


class Skipped(Exception):
    pass


def expect(holds, *what):
    if not holds:
        raise AssertionError(" ".join(w if isinstance(w, str) else repr(w) for w in what))


def equal(got, wanted, what=""):
    expect(got == wanted, f"{what}: got {shortened(got)}, wanted {shortened(wanted)}")


def shortened(value):
    text = repr(value)
    return text if len(text) < 600 else f"{text[:400]} … {text[-150:]} ({len(text)} characters)"


class Setting:
    """One test's surroundings; leaving it ends its servers and removes its files."""

    def __init__(self, binary, rounds, quick):
        self.binary, self.rounds, self.quick = binary, rounds, quick

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="daybook-blackbox-")
        self.data = self.path("data")
        self.servers, self.at_end = [], []
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.kill()
        for action in reversed(self.at_end):
            action()
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def serve(self, *options, data=None, port=0, environment=None):
        return self.start(
            "--data", data or self.data, "--addr", f"127.0.0.1:{port}", *options, environment=environment)

    def start(self, *arguments, listeners=1, environment=None):
        """`daybook serve` with these arguments alone; ready when it listens on so many addresses."""
        server = Server(self.binary, arguments, listeners, environment)
        self.servers.append(server)
        return server

    def command(self, *arguments, input=None, code=0, timeout=120, environment=None):
        """Runs the binary; any exit code but `code` fails the test (None: any will do)."""
        done = subprocess.run([self.binary, *arguments], input=input, capture_output=True, timeout=timeout,
                              env={**os.environ, **(environment or {})})
        if code is not None:
            equal(done.returncode, code, f"exit code of {' '.join(arguments)} ({done.stderr[-500:].decode()})")
        return done


class Server:
    """`daybook serve` on ports of the kernel's choice, ready when constructed."""

    def __init__(self, binary, arguments, listeners=1, environment=None, verb="serve"):
        self.listeners = listeners
        self.process = subprocess.Popen(
            [binary, verb, *arguments], env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.log, self.told = [], threading.Event()
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()
        if not self.told.wait(60) or len(self.urls) < listeners:
            self.kill()
            raise AssertionError(f"the server did not start: {self.stderr}")
        self.host, port = self.url.split("//")[1].rsplit(":", 1)
        self.port = int(port)

    def _listen(self):
        for line in self.process.stderr:
            self.log.append(line.decode(errors="replace").rstrip("\n"))
            if len(self.urls) >= self.listeners:
                self.told.set()
        self.told.set()

    @property
    def urls(self):
        """Of all listeners, by name; the name of one that no file names is empty."""
        found = (re.fullmatch(r"listening on (https?://\S+:\d+)(?: \((.+)\))?", line) for line in list(self.log))
        return {match[2] or "": match[1] for match in found if match}

    @property
    def url(self):
        return next(iter(self.urls.values()), None)

    def at(self, name):
        """The listener of that name, for whoever wants a host and a port."""
        host, port = self.urls[name].split("//")[1].rsplit(":", 1)
        return types.SimpleNamespace(host=host, port=int(port))

    @property
    def records(self):
        """What was logged: all lines but those that name the addresses."""
        return [json.loads(line) for line in list(self.log) if not line.startswith("listening on ")]

    @property
    def said(self):
        return [record["message"] for record in self.records]

    @property
    def stderr(self):
        return "\n".join(self.log)

    @property
    def pid(self):
        return self.process.pid

    def memory(self, field):
        """A field of /proc/PID/status in bytes: VmRSS, VmHWM."""
        with open(f"/proc/{self.pid}/status") as file:
            return int(re.search(rf"^{field}:\s+(\d+) kB", file.read(), re.M)[1]) * 1024

    def descriptors(self, kind=""):
        """How many are open whose target begins with `kind`: socket, /. Not those of the stream audit, which the first
        record of a read opens some seconds later."""
        count = 0
        for entry in os.scandir(f"/proc/{self.pid}/fd"):
            try:
                target = os.readlink(entry.path)
                count += target.startswith(kind) and "/audit/" not in target
            except FileNotFoundError:
                pass  # closed meanwhile
        return count

    def forget_peak(self):
        with open(f"/proc/{self.pid}/clear_refs", "w") as file:
            file.write("5")

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=60):
        code = self.process.wait(timeout)
        self.listener.join(5)
        return code

    def stop(self, timeout=60):
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.listener.join(5)
        for pipe in (self.process.stdout, self.process.stderr):
            if not self.listener.is_alive():
                pipe.close()
