"""Fixtures: a job with a batch as it looks on the cluster, and callers of both APIs."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client
from raycrafter.jobs.models import Batch, Frame, Job, Workspace
from raycrafter.jobs.states import BatchState, JobState, WorkspaceState
from rest_framework.test import APIClient

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    """Files of a test go to its own directory; what one test remembers does not reach the next."""
    # a slow hash in every test would test nothing but patience
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MEDIA_ROOT = settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    cache.clear()
    return tmp_path


@pytest.fixture
def owner(db: None) -> Any:
    """A user."""
    return get_user_model().objects.create_user("alice", password=PASSWORD)


@pytest.fixture
def stranger(db: None) -> Any:
    """Another user."""
    return get_user_model().objects.create_user("mallory", password=PASSWORD)


@pytest.fixture
def staff(db: None) -> Any:
    """A user who may see everything."""
    return get_user_model().objects.create_user("root", password=PASSWORD, is_staff=True)


@pytest.fixture
def api(owner: Any) -> APIClient:
    """The users' API, as the owner."""
    client = APIClient()
    client.force_authenticate(owner)
    return client


@pytest.fixture
def pages(owner: Any) -> Client:
    """A browser in which the owner has signed in."""
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def job(owner: Any) -> Job:
    """A job of three frames, ready to be rendered."""
    job = Job.objects.create(
        owner=owner,
        name="test",
        renderer="povray",
        state=JobState.READY,
        main="scene.pov",
        frames_spec="1-3",
        frame_count=3,
        width=64,
        height=48,
    )
    Frame.objects.bulk_create(Frame(job=job, number=number) for number in (1, 2, 3))
    Workspace.objects.create(
        job=job, site="test", name=job.workspace_name, path="/lustre/ws/render-rc-job-1", state=WorkspaceState.ALLOCATED
    )
    return job


@pytest.fixture
def batch(job: Job) -> Batch:
    """A batch that carries all frames of the job and waits in the queue."""
    batch = Batch.objects.create(
        job=job,
        site="test",
        state=BatchState.QUEUED,
        native_id="7.login1",
        directory=f"{job.workspace.path}/batch-1",
        walltime_seconds=3600,
    )
    job.frames.update(batch=batch)
    return batch


class Node:
    """A client on a compute node."""

    def __init__(self, token: str, native_id: str = "7.login1", host: str = "nid00001") -> None:
        self.native_id, self.host = native_id, host
        self.http = APIClient()
        self.http.credentials(HTTP_AUTHORIZATION=f"Batch {token}")

    def post(self, path: str, **body: Any) -> Any:
        """POST below client/."""
        text = json.dumps({"native_id": self.native_id} | body)
        return self.http.post(f"/api/v1/client/{path}", text, content_type="application/json")

    def claim(self) -> Any:
        """Ask for a frame."""
        return self.post("claim", host=self.host)

    def heartbeat(self, number: int, percent: float, attempt: int = 1, **more: Any) -> Any:
        """Report how far a frame is."""
        return self.post("heartbeat", frames=[{"number": number, "attempt": attempt, "percent": percent} | more])

    def result(self, number: int, attempt: int = 1, files: list[str] | None = None, **body: Any) -> Any:
        """Report a result, by default a good one with ``files`` (absolute paths)."""
        report = {"attempt": attempt, "outcome": "rendered", "returncode": 0, "seconds": 2.5, "peak_rss_kb": 4096}
        report["files"] = [
            {"path": path, "size": 10, "sha256": hashlib.sha256(b"x").hexdigest()} for path in files or []
        ]
        return self.post(f"frames/{number}/result", **report | body)


@pytest.fixture
def node(batch: Batch) -> Node:
    """The client of the batch."""
    return Node(batch.issue_token())


@pytest.fixture
def new_node(db: None) -> type[Node]:
    """Makes a client: ``new_node(token, native_id=..., host=...)``."""
    return Node


def _certificate(
    directory: Path, name: str, issuer: tuple[x509.Certificate, Any] | None, host: str = "127.0.0.1"
) -> tuple[Any, Any]:
    """Write ``name``.crt and ``name``.key; return both."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer:
        names = [x509.IPAddress(ipaddress.ip_address(host))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(issuer[1] if issuer else key, hashes.SHA256())
    (directory / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, key


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a CA, leaves of it (host: 127.0.0.1, elsewhere: 127.0.0.9), and a stranger's certificate."""
    directory = tmp_path_factory.mktemp("pki")
    ca = _certificate(directory, "ca", None)
    _certificate(directory, "host", ca)
    _certificate(directory, "worker", ca)
    _certificate(directory, "elsewhere", ca, "127.0.0.9")
    _certificate(directory, "stranger", None)
    return directory
