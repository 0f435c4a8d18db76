"""Provide a service in memory, and the same service behind TLS."""

import base64
import importlib
import ipaddress
import json
import os
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# pytest's importlib mode has registered the parent directory under the package's name: import the package instead.
sys.modules.pop("raycrafter_cli", None)
importlib.import_module("raycrafter_cli")

URL = "https://master1"
TOKEN = "token-of-a-user"
PASSWORD = "correct horse"
STATES = ("WAITING", "CLAIMED", "RUNNING", "RENDERED", "SYNCED", "SOFT_FAILED", "FAILED", "CANCELLED")


class Service:
    """The users' API in memory.

    Each entry of ``faults`` replaces one response: a response, an exception, or None for the regular response.
    """

    def __init__(self):
        self.requests = []
        self.faults = []
        self.jobs = {}
        self.frames = {}
        self.contents = {}
        self.keys = {}
        self.uploads = []
        self.script = []  # changes of the job, one for each request
        self.events = {}
        self.transfers = []
        self.shares = []
        self.tokens = []
        self.pieces = {}  # uploads: [row of the API, received bytes]

    def add(self, number, state="ACTIVE", frames=(), name="scene"):
        """Add a job; ``frames``: (number, state, content or None)."""
        rows = []
        for frame, frame_state, content in frames:
            info = None
            if content is not None:
                self.contents[number, frame] = content
                url = f"https://elsewhere.example/api/v1/jobs/{number}/frames/{frame}/file"
                digest = sha256(content).hexdigest()
                info = {"name": f"{name}_{frame:04d}.png", "size": len(content), "sha256": digest, "url": url}
            error = "Parse Error: no brace" if frame_state == "FAILED" else ""
            rows.append({"number": frame, "state": frame_state, "percent": 0.0, "file": info, "error": error})
        self.frames[number] = rows
        counts = dict.fromkeys(STATES, 0)
        for row in rows:
            counts[row["state"]] += 1
        self.jobs[number] = {
            "id": number,
            "name": name,
            "renderer": "povray",
            "state": state,
            "state_reason": "",
            "frames": f"1-{len(rows)}",
            "frame_counts": counts,
            "percent": 100.0 * counts["SYNCED"] / max(1, len(rows)),
            "created": "2030-05-01T10:00:00.123456Z",
            "started": None,
            "finished": None,
            "workspace": {"name": f"rc-job-{number}", "path": f"/lustre/ws/rc-job-{number}", "expires": None},
            "log_search_url": "https://logging1/search?q=job_id%3A5",
        }
        return self.jobs[number]

    def __call__(self, request):
        request.read()
        self.requests.append(request)
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            if fault is not None:
                return fault
        path = request.url.path.removeprefix("/api/v1/")
        if path == "auth/login":
            return self._login(json.loads(request.content))
        if request.headers.get("Authorization") != f"Token {TOKEN}":
            return problem(401, "Invalid token.")
        return self._signed_in(request, path.split("/"))

    def _login(self, data):
        if (data["username"], data["password"]) != ("alice", PASSWORD):
            return problem(401, "User name or password is wrong.")
        user = {"username": "alice"}
        return httpx.Response(200, json={"token": TOKEN, "expiry": "2030-06-01T00:00:00Z", "user": user})

    def _signed_in(self, request, parts):
        if parts == ["auth", "logout"]:
            return httpx.Response(204)
        if parts[0] == "auth":
            return self._tokens(request, parts[2:])
        if parts == ["notifications"]:
            changes = json.loads(request.content) if request.method == "PATCH" else {}
            secret = {"secret": "hush"} if changes.get("webhook") else {}
            settings = {"mail": True, "address": "alice@example.org", "mail_works": True, "webhook": ""}
            return httpx.Response(200, json=settings | changes | secret)
        if parts[0] == "uploads":
            return self._upload(request, parts[1:])
        if parts == ["jobs"]:
            return self._submit(request) if request.method == "POST" else self._page(request, list(self.jobs.values()))
        number = int(parts[1])
        if number not in self.jobs:
            return problem(404, "No Job matches the given query.")
        if parts[2:] in (["pause"], ["resume"]):
            self.jobs[number]["paused"] = parts[2] == "pause"
            return httpx.Response(200, json=self.jobs[number])
        if parts[2:] == ["extend"]:
            self.jobs[number]["workspace"]["expires"] = "2030-05-09T10:00:00Z"
            return httpx.Response(200, json=self.jobs[number])
        if request.method == "PATCH":
            changes = json.loads(request.content)
            go = None if changes["keep"] else "2030-06-01T00:00:00Z"
            self.jobs[number].update(changes | {"files_go": go})
            return httpx.Response(200, json=self.jobs[number])
        if parts[2:] == ["retry"]:
            self.jobs[number]["state"] = "READY"
            return httpx.Response(200, json=self.jobs[number])
        if parts[2:] == ["transfers"]:
            return self._page(request, self.transfers)
        if parts[2:] == ["events"]:
            after = int(request.url.params["after"])
            return self._page(request, [row for row in self.events[number] if row["id"] > after])
        if parts[2:3] == ["shares"]:
            return self._shares(request, parts[3:])
        if parts[2:] == ["cancel"]:
            return self._cancel(self.jobs[number])
        if parts[2:] == ["frames"]:
            wanted = request.url.params.get("state")
            return self._page(request, [row for row in self.frames[number] if wanted in (None, row["state"])])
        if parts[-1] == "file":
            content = self.contents[number, int(parts[3])]
            start = int(request.headers.get("Range", "bytes=0-")[6:-1])
            return httpx.Response(206 if start else 200, content=content[start:])
        if self.script:
            self.jobs[number].update(self.script.pop(0))
        return httpx.Response(200, json=self.jobs[number])

    def _tokens(self, request, rest):
        if request.method == "DELETE":
            self.tokens = [row for row in self.tokens if row["id"] != int(rest[0])]
            return httpx.Response(204)
        if request.method == "GET":
            return self._page(request, self.tokens)
        data = json.loads(request.content)
        row = {"id": len(self.tokens) + 1, "name": data["name"], "read_only": data["read_only"], "current": False}
        self.tokens.append(row | {"last_used": None, "expiry": "2030-06-01T00:00:00Z"})
        return httpx.Response(201, json=row | {"secret": f"secret of {data['days']} days"})

    def _shares(self, request, rest):
        if request.method == "GET":
            return self._page(request, self.shares)
        if request.method == "DELETE":
            self.shares = [row for row in self.shares if row["id"] != int(rest[0])]
            return httpx.Response(204)
        row = {"id": len(self.shares) + 1, "user": None, "group": None} | json.loads(request.content)
        self.shares.append(row)
        return httpx.Response(201, json=row)

    def _upload(self, request, rest):
        if request.method == "POST":
            pairs = (pair.split() for pair in request.headers["Upload-Metadata"].split(","))
            about = {name: base64.b64decode(value).decode() for name, value in pairs}
            size = int(request.headers["Upload-Length"])
            row = about | {"id": f"u{len(self.pieces)}", "size": size, "offset": 0, "job": None}
            self.pieces[row["id"]] = [row, b""]
            return httpx.Response(201, json=row)
        if not rest:
            return self._page(request, [row for row, _ in self.pieces.values()])
        entry = self.pieces[rest[0]]
        if request.method == "PATCH":
            if int(request.headers["Upload-Offset"]) != entry[0]["offset"]:
                return problem(409, "go on from there")
            entry[1] += request.content
            entry[0]["offset"] = len(entry[1])
            return httpx.Response(204)
        return httpx.Response(200, json=entry[0])

    def _submit(self, request):
        key = request.headers["Idempotency-Key"]
        if request.headers["Content-Type"] == "application/json":
            fields = {name: (None, str(value).encode()) for name, value in json.loads(request.content).items()}
        else:
            fields = multipart(request)
        self.uploads.append(fields)
        if "frames" in fields and fields["frames"][1] == b"0-":
            return problem(400, "frames: is no list", [{"field": "frames", "message": "is no list of frames"}])
        if key not in self.keys:
            frames = [(1, "WAITING", None), (2, "WAITING", None)]
            self.keys[key] = self.add(len(self.jobs) + 1, "NEW", frames, fields["name"][1].decode())
        return httpx.Response(201, json=self.keys[key])

    def _cancel(self, job):
        if job["state"] == "DONE":
            return problem(409, f"Job {job['id']} has ended: it is DONE.")
        job["state"] = "CANCELLING"
        return httpx.Response(200, json=job)

    @staticmethod
    def _page(request, rows):
        size, page = int(request.url.params["page_size"]), int(request.url.params.get("page", 1))
        # At most three rows per page: a client that requests a thousand must page.
        size = min(size, 3)
        more = "https://elsewhere.example/?page=2" if page * size < len(rows) else None
        part = rows[(page - 1) * size : page * size]
        return httpx.Response(200, json={"count": len(rows), "next": more, "previous": None, "results": part})


def problem(status, detail, errors=()):
    """Return an error in the server's format."""
    body = {"type": "about:blank", "title": "Title", "status": status, "detail": detail, "errors": list(errors)}
    return httpx.Response(status, json=body, headers={"Content-Type": "application/problem+json"})


def multipart(request):
    """Return {name: (file name or None, content)} of a form."""
    boundary = request.headers["Content-Type"].split("boundary=")[1].encode()
    fields = {}
    for part in request.content.split(b"--" + boundary)[1:-1]:
        head, _, content = part.strip(b"\r\n").partition(b"\r\n\r\n")
        options = dict(item.split("=", 1) for item in head.decode().splitlines()[0].split("; ")[1:])
        filename = options.get("filename")
        fields[options["name"].strip('"')] = (filename.strip('"') if filename else None, content)
    return fields


class Command:
    """Run ``raycrafter`` with a home directory of its own."""

    def __init__(self, home, service, monkeypatch):
        self.home = home
        self.service = service
        self.config = home / ".config" / "raycrafter" / "config.json"
        self.monkeypatch = monkeypatch

    def __call__(self, *words, stdin="", code=0, network=False):
        main = importlib.import_module("raycrafter_cli.main").main
        transport = None if network else httpx.MockTransport(self.service)
        result = CliRunner().invoke(main, [str(word) for word in words], input=stdin, obj=transport)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    def start(self, *words, **options):
        """Start the command as a process, which cannot use the service in memory."""
        # Children of a shell's background job inherit an ignored SIGINT.
        program = (
            "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "from raycrafter_cli.main import main; main(prog_name='raycrafter')"
        )
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment} | options
        return subprocess.Popen([sys.executable, "-c", program, *(str(word) for word in words)], **options)

    def signed_in(self, url=URL, token=TOKEN, ca=None):
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(json.dumps({"url": url, "token": token, "ca": ca}))
        return self


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def command(tmp_path, service, monkeypatch):
    """Return the command of a user who has not signed in."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("RAYCRAFTER_URL", "RAYCRAFTER_TOKEN", "RAYCRAFTER_CA", "XDG_CONFIG_HOME", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr("raycrafter_cli.api.PAUSE_SECONDS", 0.001)
    monkeypatch.setattr("raycrafter_cli.upload.PAUSE_SECONDS", 0.001)
    return Command(home, service, monkeypatch)


@pytest.fixture
def rc(command):
    """Return the command of a user who has signed in."""
    return command.signed_in()


def certificate(subject, issuer=None, names=()):
    """Return (certificate, key); without an issuer, of a certificate authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    ca, ca_key = issuer or (None, key)
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    usage |= {"digital_signature": bool(issuer), "key_cert_sign": not issuer, "crl_sign": not issuer}
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(ca.subject if ca else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=not issuer, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(ca_key, hashes.SHA256()), key


class QuietServer(ThreadingHTTPServer):
    """A server that prints no error when a client refuses the certificate."""

    def handle_error(self, request, client_address):
        pass


class TlsServer:
    """The service behind TLS on 127.0.0.1, with a certificate of its own authority."""

    def __init__(self, service, directory):
        self.ca_file = directory / "ca.crt"
        authority = certificate("site CA")
        self.ca_file.write_bytes(authority[0].public_bytes(serialization.Encoding.PEM))
        leaf, key = certificate("server", authority, [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        pem = directory / "server.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        pem.write_bytes(private + leaf.public_bytes(serialization.Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pem)
        self._server = QuietServer(("127.0.0.1", 0), self._handler(service))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.url = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    @staticmethod
    def _handler(service):
        def answer(self):
            length = self.headers.get("Content-Length")
            body = self.rfile.read(int(length)) if length else b""
            url = f"https://server{self.path}"
            response = service(httpx.Request(self.command, url, headers=list(self.headers.items()), content=body))
            self.send_response(response.status_code)
            for name, value in response.headers.items():
                self.send_header(name, value)
            if response.status_code != 204 and "content-length" not in response.headers:
                self.send_header("Content-Length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        quiet = {"log_message": lambda *_: None, "do_GET": answer, "do_POST": answer}
        return type("Handler", (BaseHTTPRequestHandler,), quiet)


@pytest.fixture
def tls(service, tmp_path):
    server = TlsServer(service, tmp_path)
    yield server
    server.close()
