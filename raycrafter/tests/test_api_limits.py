"""What stays bounded: queries however many frames there are, answers that have not changed, how often one may ask."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import SchemaGenerator
from raycrafter.api import schema
from raycrafter.jobs.models import Attempt, Batch, Event, Frame, Job, JobShare, Transfer, Workspace
from raycrafter.web import views
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle

LISTS = ("frames", "batches", "events", "transfers")


def filled(owner: Any, frames: int) -> Job:
    """A job with so many frames, each with an attempt, an event and a file, and a batch for every ten."""
    job = Job.objects.create(
        owner=owner,
        name="film",
        renderer="povray",
        state="ACTIVE",
        main="s.pov",
        frames_spec=f"1-{frames}",
        frame_count=frames,
        width=64,
        height=48,
    )
    Workspace.objects.create(job=job, site="test", name=job.workspace_name, path="/w", state="ALLOCATED")
    batches = Batch.objects.bulk_create(Batch(job=job, site="test", walltime_seconds=60) for _ in range(frames // 10))
    rows = Frame.objects.bulk_create(
        Frame(job=job, number=n, batch=batches[(n - 1) // 10], file=f"jobs/{job.pk}/frames/f{n}.png", file_size=1)
        for n in range(1, frames + 1)
    )
    Attempt.objects.bulk_create(Attempt(frame=row, batch=row.batch, number=1) for row in rows)
    Event.objects.bulk_create(Event(job=job, frame=row, batch=row.batch, kind="log", message="m") for row in rows)
    Transfer.objects.bulk_create(Transfer(job=job, kind="out") for _ in range(frames // 50))
    return job


def queries(client: Any, address: str) -> int:
    """Return how many queries an answer takes."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = client.get(address)
        assert answer.status_code == 200, answer.content
    return len(captured)


def addresses(job: Job) -> list[str]:
    """Every address that shows a job or lists of it, pages and API."""
    api = f"/api/v1/jobs/{job.pk}"
    return ["/", f"/jobs/{job.pk}", "/api/v1/jobs", api] + [f"{api}/{name}?page_size=1000" for name in LISTS]


def test_5000_frames_take_no_more_queries_than_50(owner: Any, staff: Any) -> None:
    client = Client()
    client.force_login(owner)
    few, many = filled(owner, 50), filled(owner, 5000)
    JobShare.objects.create(job=many, user=staff)
    counts = {
        large: (queries(client, small), queries(client, large))
        for small, large in zip(addresses(few), addresses(many), strict=True)
    }
    assert all(small == large <= 18 for small, large in counts.values()), counts


def test_a_list_looks_at_the_frames_of_its_own_page_alone(owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many jobs there are: their frames are not gone through to show a page of a few."""
    monkeypatch.setattr(views, "JOBS_PER_PAGE", 2)
    client = Client()
    client.force_login(owner)
    jobs = [filled(owner, 10 * n) for n in (1, 2, 3, 4)]
    for address in ("/", "/api/v1/jobs?page_size=2"):
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address)
        (asked,) = [query["sql"] for query in captured if '"jobs_frame"' in query["sql"]]
        shown = ", ".join(str(job.pk) for job in reversed(jobs[2:]))
        assert f"IN ({shown})" in asked, asked
    assert [sum(row["frame_counts"].values()) for row in answer.json()["results"]] == [40, 30]


# --- what has not changed -------------------------------------------------------------------------------------------


def test_a_job_that_has_not_changed_is_not_sent_again(pages: Client, batch: Batch) -> None:
    addresses = (f"/api/v1/jobs/{batch.job_id}", "/api/v1/jobs", f"/api/v1/jobs/{batch.job_id}/frames")
    tags = {address: {"If-None-Match": pages.get(address)["ETag"]} for address in addresses}
    for address, headers in tags.items():
        again = pages.get(address, headers=headers)
        assert (again.status_code, again.content) == (304, b"")
    batch.frames.filter(number=1).update(state="RUNNING", percent=30.0)
    assert [pages.get(address, headers=headers).status_code for address, headers in tags.items()] == [200] * 3


# --- the archive ----------------------------------------------------------------------------------------------------


def test_all_frames_in_one_archive(api: APIClient, batch: Batch) -> None:
    address = f"/api/v1/jobs/{batch.job_id}/archive"
    assert "no files yet" in api.get(address).json()["detail"]
    contents = {}
    for number in (1, 3):
        frame = batch.frames.get(number=number)
        contents[f"test_{number:04d}.png"] = data = bytes([number]) * 3_000_000
        frame.file.save(f"test_{number:04d}.png", ContentFile(data), save=False)
        frame.file_size = len(data)
        frame.save()
    answer = api.get(address)
    assert answer.streaming
    body = b"".join(answer.streaming_content)
    assert answer["Content-Length"] == str(len(body))
    assert answer["Content-Disposition"] == f'attachment; filename="job-{batch.job_id}.zip"'
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == contents
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


# --- how often ------------------------------------------------------------------------------------------------------


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates that a test reaches."""
    monkeypatch.setattr(
        SimpleRateThrottle, "THROTTLE_RATES", {"login": "3/min", "user": "5/min", "submit": "2/min", "schema": "2/min"}
    )


def refused(answer: Any) -> bool:
    """Whether an answer says to come back later, in the form of all errors."""
    if answer.status_code != 429:
        return False
    assert answer["Content-Type"] == "application/problem+json"
    assert int(answer["Retry-After"]) > 0
    assert answer.json()["title"] == "Too Many Requests"
    return True


def test_each_user_has_a_rate(slow: None, api: APIClient, stranger: Any) -> None:
    assert [refused(api.get("/api/v1/jobs")) for _ in range(6)] == [False] * 5 + [True]
    other = APIClient()
    other.force_authenticate(stranger)
    assert other.get("/api/v1/jobs").status_code == 200


def test_submitting_has_a_rate_of_its_own(slow: None, api: APIClient) -> None:
    assert [refused(api.post("/api/v1/jobs", {})) for _ in range(3)] == [False, False, True]
    assert refused(api.post("/api/v1/uploads"))
    assert api.get("/api/v1/jobs").status_code == 200


def test_thumbnails_are_not_refused(api: APIClient, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pages full of frames in the same second, while the pages themselves are asked for too."""
    monkeypatch.setattr(SimpleRateThrottle, "timer", lambda _: 1_000_000.0)
    frame = batch.frames.get(number=1)
    frame.file.save("test_0001.png", ContentFile(b"picture"))
    address = f"/api/v1/jobs/{batch.job_id}/frames/1/file"
    assert {api.get(address).status_code for _ in range(120)} == {200}
    assert api.get(f"/api/v1/jobs/{batch.job_id}").status_code == 200
    assert refused([api.get(address) for _ in range(81)][-1])


def test_the_description_is_made_once_and_has_a_rate(slow: None, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may ask for it, and making it takes a while."""
    made: list[Any] = []
    make = SchemaGenerator.get_schema
    monkeypatch.setattr(SchemaGenerator, "get_schema", lambda *a, **k: made.append(a) or make(*a, **k))
    schema.description.cache_clear()
    assert [refused(Client().get(f"/api/v1/schema/?version={n}")) for n in range(3)] == [False] * 2 + [True]
    cache.clear()
    assert [Client().get("/api/v1/docs/").status_code for _ in range(3)] == [200] * 2 + [429]
    assert len(made) == 1


def test_compute_nodes_are_never_slowed_down(slow: None, node: Any) -> None:
    node.claim()
    assert [node.heartbeat(1, 1.0).status_code for _ in range(20)] == [200] * 20
