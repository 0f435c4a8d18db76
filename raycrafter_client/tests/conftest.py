"""Provide a server, a log server and renderers with real sockets and certificates."""

import contextlib
import importlib
import itertools
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn

import pytest

# pytest's importlib mode has registered the parent directory under the package's name: import the package instead.
sys.modules.pop("raycrafter_client", None)
importlib.import_module("raycrafter_client")

SRC = Path(__file__).resolve().parent.parent / "src"
NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
LIMIT = 30.0  # seconds to wait for a condition


class Pki:
    """CAs and leaf certificates from openssl."""

    def __init__(self, directory):
        self.directory = directory
        self.ca = self._ca("ca")
        self.stranger_ca = self._ca("stranger-ca")
        self.server = self._leaf("server", "ca", "DNS:localhost,IP:127.0.0.1")
        self.client = self._leaf("client", "ca", "DNS:client")
        self.stranger = self._leaf("stranger", "stranger-ca", "DNS:client")

    def _openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.directory, check=True, stderr=subprocess.DEVNULL)

    def _ca(self, name):
        config = self.directory / (name + ".cnf")
        config.write_text(
            f"[req]\ndistinguished_name=dn\nx509_extensions=v3\nprompt=no\n[dn]\nCN={name}\n[v3]\n"
            "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
        )
        out = ["-keyout", name + ".key", "-out", name + ".crt"]
        self._openssl("req", "-x509", *NEW_KEY, "-days", "2", "-config", config.name, *out)
        return str(self.directory / (name + ".crt"))

    def _leaf(self, name, ca, names):
        self._openssl("req", "-new", *NEW_KEY, "-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name + ".csr")
        (self.directory / (name + ".ext")).write_text(
            "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n"
            f"subjectAltName={names}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
        )
        sign = ["-CA", ca + ".crt", "-CAkey", ca + ".key", "-CAcreateserial", "-days", "2", "-extfile", name + ".ext"]
        self._openssl("x509", "-req", "-in", name + ".csr", *sign, "-out", name + ".crt")
        return str(self.directory / (name + ".crt")), str(self.directory / (name + ".key"))

    def server_context(self, client_ca=None):
        """Return a server's TLS context; ``client_ca`` makes client certificates required."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self.server)
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
        return context


class Watched:
    """State that tests wait for."""

    def __init__(self):
        self.changed = threading.Condition()

    def wait_for(self, condition, limit=LIMIT):
        """Wait until ``condition()`` is true, and return its value."""
        with self.changed:
            value = self.changed.wait_for(condition, limit)
        assert value, f"the condition is false after {limit} s"
        return value

    @staticmethod
    def poll(condition, limit=LIMIT):
        """Poll until ``condition()`` is true, without a call of ``note()``."""
        end = time.monotonic() + limit
        while not condition():
            assert time.monotonic() < end, f"the condition is false after {limit} s"
            time.sleep(0.02)

    def note(self):
        """Announce a change of the state."""
        with self.changed:
            self.changed.notify_all()


class RestServer(Watched):
    """The server's client API in memory.

    ``frames`` is a list of claims; each entry of ``replies`` overrides one response.
    """

    def __init__(self, context):
        super().__init__()
        self._context = context
        self._server = None
        self.port = None
        self.owner = None
        self.renderer = "povray"
        self.frames = []
        self.claimed = []
        self.calls = []  # (path, body)
        self.headers = []
        self.events = {}  # seq -> event
        self.repeated = 0
        self.results = []
        self.finished = []
        self.action = "continue"
        self.stop_in = 3600.0
        self.clock_ahead = 0.0
        self.replies = {}  # path -> list of (status, body) or "hang up"
        self.start()

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def start(self):
        """Listen, after a stop on the same port."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def __getattr__(self, name):
                if name == "do_POST":
                    return lambda: outer.answer(self)
                if name == "do_GET":
                    return lambda: outer.send(self, 200, {"database": "ok", "broker": "ok", "cache": "ok"})
                raise AttributeError(name)

            def date_time_string(self, timestamp=None):
                return super().date_time_string(time.time() + outer.clock_ahead)

            def log_message(self, *_):
                pass

        class Server(ThreadingMixIn, HTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass

            def get_request(self):
                plain, address = super().get_request()
                plain.settimeout(10)
                # Leave the handshake to the thread: an unresponsive client must not block other clients.
                return outer._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), address

        self._server = Server(("127.0.0.1", self.port or 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        """Refuse connections."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def kinds(self):
        """Return the kinds of the events in the order of their numbers."""
        return [self.events[seq]["kind"] for seq in sorted(self.events)]

    def called(self, path):
        """Return the bodies of all calls of one path."""
        return [body for called, body in self.calls if called == path]

    def answer(self, handler):
        path = handler.path[len("/api/v1/client/") :]
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])).decode())
        with self.changed:
            self.calls.append((path, body))
            self.headers.append(dict(handler.headers.items()))
            replies = self.replies.get(path) or []
            reply = replies.pop(0) if replies else None
            if reply is None or reply == "hang up":
                status, data = self._work(path, body)
            else:
                status, data = reply
            self.changed.notify_all()
        if reply != "hang up":
            self.send(handler, status, data)

    @staticmethod
    def send(handler, status, data):
        content = json.dumps(data).encode() if data is not None else b""
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def _work(self, path, body):
        if self.owner is None and path == "claim":
            self.owner = body["native_id"]
        if body["native_id"] != self.owner:
            return 409, {"title": "Conflict", "detail": "another client owns this batch"}
        if path == "claim":
            if not self.frames:
                return 204, None
            self.claimed.append(self.frames.pop(0))
            stop_at = time.time() + self.clock_ahead + self.stop_in
            ids = {"job": 7, "batch": 17, "renderer": self.renderer}
            return 200, {**ids, "frames": self.claimed[-1], "stop_at": stop_at}
        if path == "heartbeat":
            return 200, {"action": self.action}
        if path == "events":
            for event in body["events"]:
                self.repeated += event["seq"] in self.events
                self.events.setdefault(event["seq"], event)
            return 200, {"last_seq": max(self.events)}
        if path == "finish":
            self.finished.append(body["reason"])
            return 200, {}
        self.results.append(dict(body, number=int(path.split("/")[1])))
        return 200, {"state": "RENDERED"}


class LogServer(Watched):
    """A GELF TCP input with TLS and client certificates."""

    transport = "tcp"

    def __init__(self, context):
        super().__init__()
        self._context = context
        self._listener = None
        self._open = []
        self.port = None
        self.raw = []
        self.versions = []
        self.start()

    @property
    def messages(self):
        return [json.loads(frame.decode()) for frame in self.raw]

    def by_seq(self):
        """Return the messages by the client's sequence number, without duplicates."""
        return {message["_client_seq"]: message for message in self.messages}

    def start(self):
        """Listen, after a stop on the same port."""
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port or 0))
        self._listener.listen(16)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self):
        """Close the port and every connection at once, like a killed process."""
        if self._listener:
            with_shutdown(self._listener)
            self._listener = None
        for connection in self._open:
            with_shutdown(connection)
        self._open = []

    def _accept(self, listener):
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, connection):
        self._open.append(connection)
        try:
            connection.settimeout(LIMIT)
            connection = self._context.wrap_socket(connection, server_side=True)
            self._open.append(connection)
            self.versions.append(connection.version())
            self._read(connection)
        except (OSError, ValueError):
            return
        finally:
            with_shutdown(connection)

    def _read(self, connection):
        rest = b""
        while True:
            data = connection.recv(65536)
            if not data:
                return
            *frames, rest = (rest + data).split(b"\0")
            self.raw.extend(frames)
            self.note()


class HttpLogServer(LogServer):
    """A GELF HTTP input; ``answer`` returns a status or raises OSError to hang up."""

    transport = "http"

    def __init__(self, context):
        self.heads = []
        self.connections = 0
        self.answer = lambda body: 202
        super().__init__(context)

    def _read(self, connection):
        self.connections += 1
        # Netty, on which Graylog is built, sets this option.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection.makefile("rb") as file:
            while True:
                lines = iter(file.readline, b"")  # an empty line is the end of the connection
                head = b"".join(itertools.takewhile(lambda line: line != b"\r\n", lines))
                if not head:
                    return
                name, _, length = head.rstrip().rpartition(b" ")
                assert name.endswith(b"Content-Length:")
                body = file.read(int(length))
                status = self.answer(body)
                self.heads.append(head)
                connection.sendall(b"HTTP/1.1 %d Said So\r\nContent-Length: 0\r\n\r\n" % status)
                # After the response: a test that stops the server at a message expects its acknowledgement to be sent.
                if status == 202:
                    self.raw.append(body)
                    self.note()


def with_shutdown(connection):
    """Close a socket that another thread reads."""
    with contextlib.suppress(OSError):
        # SSLSocket.shutdown would make a reader in another thread read encrypted bytes.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    connection.close()


class Client:
    """The client in a process of its own, as in a batch job."""

    def __init__(self, directory, pki, rest, log):
        self.directory = directory
        self.pki = pki
        self.rest = rest
        self.log = log
        self.settings = {
            "url": rest.url,
            "ca_file": pki.ca,
            "token": "secret-token",
            "batch": 17,
            "job": 7,
            "native_id_env": ["PBS_JOBID", "SLURM_JOB_ID"],
            "gelf": {
                "host": "localhost",
                "port": log.port,
                "ca_file": pki.ca,
                "cert_file": pki.client[0],
                "key_file": pki.client[1],
            },
            "spool_dir": str(directory / "spool"),
            "walltime_end_margin": 6,
            "heartbeat_seconds": 0.2,
            "walltime_seconds": 120,
        }
        self.process = None

    def frame(self, number, script, attempt=1, name=None):
        """Return a claim's frame with a Python script as renderer, which writes ``WORK``."""
        work = str(self.directory / "work" / (name or f"f{number}.png"))
        final = str(self.directory / "frames" / (name or f"f{number}.png"))
        program = f"import os, signal, sys, time\nWORK = {work!r}\n{script}"
        return {
            "number": number,
            "attempt": attempt,
            "command": [sys.executable, "-c", program],
            "directory": str(self.directory),
            "files": [{"work": work, "final": final}],
            "resume": False,
        }

    def start(self, native_id="42.server"):
        path = self.directory / "client.json"
        path.write_text(json.dumps(self.settings))
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PBS_", "SLURM_"))}
        environment.update(PYTHONPATH=str(SRC), PBS_JOBID=native_id, PYTHONDONTWRITEBYTECODE="1")
        with (self.directory / "client.out").open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "raycrafter_client", "run", "--config", str(path)],
                env=environment,
                cwd=str(self.directory),
                stdout=out,
                stderr=out,
            )
        return self

    def end(self, limit=LIMIT):
        """Wait for the end; return the exit code and the output."""
        code = self.process.wait(timeout=limit)
        return code, (self.directory / "client.out").read_text()

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    if not shutil.which("openssl"):
        pytest.fail("install openssl: the tests create certificates with it")
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def is_running():
    """Return a function that returns whether a process runs; a zombie does not."""

    def look(pid):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        return state not in "ZX"

    return look


@pytest.fixture()
def rest(pki):
    server = RestServer(pki.server_context())
    yield server
    server.stop()


@pytest.fixture()
def log(pki):
    server = LogServer(pki.server_context(client_ca=pki.ca))
    yield server
    server.stop()


@pytest.fixture()
def http_log(pki):
    server = HttpLogServer(pki.server_context(client_ca=pki.ca))
    yield server
    server.stop()


@pytest.fixture()
def client(tmp_path, pki, rest, log):
    made = Client(tmp_path, pki, rest, log)
    yield made
    made.kill()
