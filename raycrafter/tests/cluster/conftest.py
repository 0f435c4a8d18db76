"""A site on this host: stand-ins for the programs of the cluster (fake_site/), and a way to run the tasks' messages."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RECORDED = HERE / "recorded"


@dataclass(frozen=True)
class Recorded:
    """One command of a recorded session."""

    command: str
    stdout: str
    stderr: str
    code: int


def read_session(name: str) -> list[Recorded]:
    """The commands of recorded/``name`` with what they answered."""
    commands = []
    for block in re.split(r"^\$ ", (RECORDED / name).read_text(), flags=re.MULTILINE)[1:]:
        lines = block.splitlines()
        streams = {
            mark: "".join(f"{line[5:]}\n" for line in lines if line.startswith(f"{mark}| ")) for mark in ("out", "err")
        }
        code = next(int(line.split()[-1]) for line in lines if re.search(r"(^|\})exit \d+$", line))
        commands.append(Recorded(lines[0], streams["out"], streams["err"], code))
    return commands


@pytest.fixture
def session():
    """Reads a recorded session."""
    return read_session


@pytest.fixture(scope="session")
def proxy_of(tmp_path_factory):
    """Makes (once) a certificate that is valid for a number of days; stands for a grid proxy."""
    made: dict[int, Path] = {}

    def make(days: int) -> Path:
        if days not in made:
            directory = tmp_path_factory.mktemp("proxy")
            made[days] = directory / "proxy.pem"
            key, subject = str(directory / "key.pem"), "/CN=test"
            words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-days", str(days)]
            subprocess.run([*words, "-keyout", key, "-out", str(made[days])], check=True, capture_output=True)
        return made[days]

    return make


@pytest.fixture
def fake_site(tmp_path: Path, monkeypatch) -> Path:
    """The directory with the state of the stand-ins, which are first on PATH."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setenv("FAKE_SITE", str(site))
    monkeypatch.setenv("PATH", f"{HERE / 'fake_site'}:{os.environ['PATH']}")
    return site


@pytest.fixture
def remote(fake_site: Path):
    """The login node."""
    from raycrafter.cluster.ssh import Remote

    return Remote("/dev/null", "cluster", str(fake_site / "scratch"))


@pytest.fixture
def cluster(fake_site: Path, settings, proxy_of, request):
    """The site's configuration, in place for the whole test; its parameter is the adapter of transfers."""
    from raycrafter.tasks import common

    ways = {
        "gridftp": {"proxy_file": str(proxy_of(2)), "gridftp_url": "gsiftp://login.example:2811"},
        "ssh": {"transfer": "ssh", "proxy_file": "", "gridftp_url": ""},
    }
    config = dataclasses.replace(
        settings.RAYCRAFTER.cluster,
        scratch=str(fake_site / "scratch"),
        **ways[getattr(request, "param", "gridftp")],
        chunk_size=3,
        max_batches=2,
        renderers={"povray": "/usr/bin/povray"},
    )
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, cluster=config)
    settings.MEDIA_ROOT = str(fake_site / "media")
    common.remote.cache_clear()
    common.scheduler.cache_clear()
    common.pauses.clear()
    yield config
    common.remote.cache_clear()
    common.scheduler.cache_clear()


class World:
    """The service with its messages run in this process, and clients that need no compute node."""

    def __init__(self, site: Path, scratch: str) -> None:
        self.site = site
        self.scratch = Path(scratch)
        self.messages: list[tuple[str, tuple]] = []

    def send(self, name: str, arguments: tuple = (), **options: object) -> None:
        """Stands for the broker: the same message twice is one."""
        if (name, tuple(arguments)) not in self.messages:
            self.messages.append((name, tuple(arguments)))

    def turn(self, limit: int = 100) -> None:
        """One tick of the planner and everything that follows from it."""
        from raycrafter.celery import app

        self.send("raycrafter.tasks.plan")
        for _ in range(limit):
            if not self.messages:
                return
            name, arguments = self.messages.pop(0)
            app.tasks[name](*arguments)
        raise AssertionError(f"no end to the messages: {self.messages}")

    def poll(self) -> None:
        """One look at the batch system, as if the interval had passed, and what follows."""
        from raycrafter.tasks import poll_cluster

        for path in self.scratch.glob("poll-*"):
            path.unlink()
        poll_cluster()
        self.turn()

    def log(self, name: str) -> list[str]:
        """What a stand-in was asked."""
        path = self.site / f"{name}.log"
        return path.read_text().splitlines() if path.exists() else []

    def forget_job(self, batch) -> None:
        """The batch system does not know the job any more."""
        (self.site / "jobs" / batch.native_id).unlink()

    def render(self, batch, frames: int | None = None, picture: bytes | None = None, **changes: object) -> list[int]:
        """A client of that batch: claims, renders (a few bytes per frame) and reports. Returns the frames' numbers."""
        from raycrafter.jobs import compute_client

        done: list[int] = []
        while frames is None or len(done) < frames:
            batch.refresh_from_db()
            work = compute_client.claim(batch, f"0:{batch.native_id}", "nid00001")
            if work is None:
                break
            progress = {"number": work.number, "attempt": work.attempt, "percent": 50.0, "log": "half"}
            compute_client.heartbeat(batch, batch.native_client_id, [progress])
            data, final = picture or f"frame {work.number}".encode(), work.files[0]["final"]
            Path(final).write_bytes(data)
            report = {
                "attempt": work.attempt,
                "outcome": "rendered",
                "error": "",
                "returncode": 0,
                "seconds": 1.5,
                "peak_rss_kb": 1000,
                "files": [{"path": final, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}],
            }
            compute_client.result(batch, batch.native_client_id, work.number, {**report, **changes})
            done.append(work.number)
        return done

    def finish(self, batch, code: int = 0) -> None:
        """The client's last word, the script's exit file, and the end of the job in the batch system."""
        from raycrafter.jobs import compute_client

        batch.refresh_from_db()
        compute_client.finish(batch, batch.native_client_id, "nothing left")
        Path(batch.directory, "exit").write_text(f"{batch.native_id} {code}\n")
        self.forget_job(batch)


@pytest.fixture
def world(transactional_db, cluster, fake_site: Path, monkeypatch) -> Iterator[World]:
    """Database, site and messages."""
    from raycrafter.celery import app

    app.loader.import_default_modules()
    made = World(fake_site, cluster.scratch)
    monkeypatch.setattr(app, "send_task", made.send)
    app.conf.task_always_eager = False
    yield made
    app.conf.task_always_eager = True


@pytest.fixture
def new_job(world, django_user_model):
    """Submits a job of a one-file scene."""

    def make(frames: str = "1-5", text: bytes = b"sphere { 0, 1 }", **fields: object):
        from django.core.files.uploadedfile import SimpleUploadedFile
        from raycrafter.jobs import frames as numbers
        from raycrafter.jobs import requests, scene

        owner, _ = django_user_model.objects.get_or_create(username="ada")
        upload = SimpleUploadedFile("ball.pov", text)
        columns = {"name": "My ball", "renderer": "povray", "width": 64, "height": 48, "options": {}, **fields}
        found = scene.inspect(upload, "ball.pov")
        return requests.submit(owner, upload, "ball.pov", found, numbers.parse(frames), frames_spec=frames, **columns)

    return make
