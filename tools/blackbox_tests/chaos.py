"""A network, a clock and a disk that do what they are told: to refuse, stall, lose, delay, jump and be slow."""
import mmap
import os
import shutil
import socket
import struct
import subprocess
import threading

from .harness import Skipped


class Link:
    """A way to a server, as a URL of its own. `mode` decides on each request:

    well       it is answered
    refused    there is no connection
    stalled    it never arrives, and no answer comes until the mode is another
    lost       it is answered, and the answer gets lost
    late       it gets lost, and arrives a while later
    """

    MODES = ("well", "refused", "stalled", "lost", "late")

    def __init__(self, port):
        """- port: called for where the server is now."""
        self.port, self._mode, self.done = port, "well", {mode: 0 for mode in self.MODES}
        self.changed = threading.Condition()
        self.closing = False
        self.clients = set()
        with socket.socket() as chosen:
            chosen.bind(("127.0.0.1", 0))
            address = chosen.getsockname()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # A port that was asked for by name stays the socket's while it does not listen (Linux).
        self.listener.bind(address)
        self.listener.listen(16)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def mode(self):
        return self._mode

    @mode.setter
    def mode(self, mode):
        with self.changed:
            if mode == self._mode:
                return
            before, self._mode = self._mode, mode
            if mode == "refused":
                self.listener.shutdown(socket.SHUT_RDWR)
            elif before == "refused":
                self.listener.listen(16)
            clients = list(self.clients) if mode == "refused" or before == "stalled" else []
            self.changed.notify_all()
        for client in clients:
            cut(client)

    def close(self):
        with self.changed:
            self.closing = True
            self.changed.notify_all()
        self.listener.close()
        for client in list(self.clients):
            cut(client)

    def _accept(self):
        while not self.closing:
            try:
                client, _ = self.listener.accept()
            except OSError:
                with self.changed:
                    self.changed.wait_for(lambda: self.closing or self._mode != "refused")
                continue
            self.clients.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            with client, client.makefile("rb") as requests:
                while request := message(requests):
                    if not self._take(client, request):
                        cut(client)
                        return
        except OSError:
            pass  # One side is gone, which is what this is about.
        finally:
            self.clients.discard(client)

    def _take(self, client, request):
        """False where the connection is to be cut."""
        mode = self._mode
        self.done[mode] += 1
        if mode == "stalled":
            with self.changed:
                self.changed.wait_for(lambda: self.closing or self._mode != "stalled")
            return False
        if mode == "late":
            timer = threading.Timer(0.3, self._deliver, (request,))
            timer.daemon = True
            timer.start()
            return False
        answer = self._deliver(request) if mode in ("well", "lost") else None
        if not answer or mode == "lost":
            return False
        client.sendall(answer)
        return True

    def _deliver(self, request):
        """The answer; None where there is none."""
        try:
            with socket.create_connection(("127.0.0.1", self.port()), timeout=20) as server:
                server.sendall(request)
                with server.makefile("rb") as answers:
                    return message(answers)
        except (OSError, TypeError):
            return None


def cut(connection):
    """A reset."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
    except OSError:
        pass  # It was gone already.


def message(stream):
    """A request or an answer with a length, as it came; None at the end of the stream, or where it ends too early."""
    head, length = b"", 0
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        head += line
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body = stream.read(length)
    return head + body if len(body) == length else None


class Upset:
    """Moves the clock of a process and slows its disk."""

    def __init__(self, setting, name):
        self.path = setting.path(name)
        with open(self.path, "wb") as file:
            file.write(bytes(16))
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 16)
        self.environment = {"LD_PRELOAD": library(setting), "DAYBOOK_UPSET": self.path}

    def set(self, ahead_milliseconds=0, sync_microseconds=0):
        struct.pack_into("qq", self.map, 0, ahead_milliseconds, sync_microseconds)


def library(setting):
    path = setting.path("upset.so")
    if not os.path.exists(path):
        compiler = shutil.which("cc") or shutil.which("clang")
        if not compiler:
            raise Skipped("moving the clock of a process needs a C compiler")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "upset.c")
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", path, source, "-ldl"], check=True)
    return path
