"""TLS, and certificates that change."""
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time

from . import events
from .harness import Skipped, equal, expect, test
from .http import stored


class Authority:
    """Vouches for certificates, with openssl."""

    def __init__(self, setting, name):
        if not shutil.which("openssl"):
            raise Skipped("no openssl")
        self.setting, self.name = setting, name
        self.certificate, self.key = self.path("pem"), self.path("key")
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                      "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate)

    def path(self, ending):
        return self.setting.path(f"{self.name}.{ending}")

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def issue(self, name, target):
        """Writes a certificate and its key to `target`.pem and .key."""
        request, extensions = self.path("csr"), self.path("ext")
        with open(extensions, "w") as file:
            file.write("subjectAltName=DNS:localhost")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                      "-keyout", f"{target}.key", "-out", request)
        os.chmod(f"{target}.key", 0o600)
        self._openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
                      "-days", "2", "-extfile", extensions, "-out", f"{target}.pem")


def connect(server, authority):
    context = ssl.create_default_context(cafile=authority.certificate)
    plain = socket.create_connection((server.host, server.port), 10)
    return context.wrap_socket(plain, server_hostname="localhost")


def ping(connection):
    connection.sendall(b"GET /wsapi/ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = b""
    while not answer.endswith(b"pong") and (part := connection.recv(4096)):
        answer += part
    return answer.endswith(b"pong")


def until_said(server, count, words):
    """Waits for the count-th line with these words."""
    end = time.monotonic() + 30
    while sum(words in line for line in list(server.log)) < count:
        expect(time.monotonic() < end, f"not said {count} times: {words}:", server.log)
        time.sleep(0.01)


@test
def loads_certificates_again(setting):
    """SIGHUP and changed files bring new certificates; a broken pair leaves the old ones; what is open stays."""
    first, second = Authority(setting, "first"), Authority(setting, "second")
    files = setting.path("server")
    first.issue("server", files)
    server = setting.serve("--tls-cert", f"{files}.pem", "--tls-key", f"{files}.key")
    open_connection = connect(server, first)
    expect(ping(open_connection), "no answer")

    second.issue("server", files)
    server.signal(signal.SIGHUP)
    until_said(server, 1, "certificates loaded again")
    expect(ping(connect(server, second)), "no answer with the new certificate")

    with open(f"{files}.pem", "w") as file:
        file.write("broken")
    server.signal(signal.SIGHUP)
    until_said(server, 1, f"the old ones stay: {files}.pem: there is no certificate in PEM in it")
    expect(ping(connect(server, second)), "no answer with the old certificate")

    first.issue("server", files)  # seen without a signal
    until_said(server, 2, "certificates loaded again")
    expect(ping(connect(server, first)), "no answer with the third certificate")
    expect(ping(open_connection), "the first connection was dropped")
    open_connection.close()
    equal(server.stop(), 0, "exit code")


@test
def wants_client_certificates(setting):
    """With --tls-ca a client needs a certificate, also daybook's own commands."""
    servers, clients = Authority(setting, "servers"), Authority(setting, "clients")
    files, mine = setting.path("server"), setting.path("mine")
    servers.issue("server", files)
    clients.issue("client", mine)
    server = setting.serve("--tls-cert", f"{files}.pem", "--tls-key", f"{files}.key", "--tls-ca", clients.certificate)
    url = f"https://localhost:{server.port}"
    lines = events.numbered(1000)
    trusted = ["--url", url, "--ca", servers.certificate]
    shown = ["--cert", f"{mine}.pem", "--key", f"{mine}.key"]
    setting.command("ingest", "-", *trusted, *shown, input=b"\n".join(lines))
    read = setting.command("read", "--order", "arrival", *trusted, *shown).stdout
    equal(read.splitlines(), [events.floored(line) for line in lines], "events")
    setting.command("read", *trusted, code=69)


@test
def refuses_bad_certificates(setting):
    """A key that others may read, or that is not there, is one line and an exit code; nothing is served."""
    authority, files = Authority(setting, "authority"), setting.path("server")
    authority.issue("server", files)
    arguments = ["serve", "--data", setting.data, "--addr", "127.0.0.1:0", "--tls-cert", f"{files}.pem", "--tls-key",
                 f"{files}.key"]
    os.chmod(f"{files}.key", 0o644)
    done = setting.command(*arguments, code=65)
    equal(done.stderr.decode(), f"daybook: {files}.key: others may use this key (mode 0644): chmod 600 it\n", "stderr")
    os.unlink(f"{files}.key")
    done = setting.command(*arguments, code=66)
    equal(done.stderr.decode(), f"daybook: cannot read {files}.key: no such file or directory\n", "stderr")


@test
def survives_hangups(setting):
    """SIGHUP does nothing to a server without TLS."""
    server = setting.serve()
    server.signal(signal.SIGHUP)
    until_said(server, 1, "there are no certificates to load again")
    stored(server, events.numbered(10))
    equal(server.stop(), 0, "exit code")
