"""The users' API: what works, and how everything wrong is answered."""

from __future__ import annotations

import hashlib
import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django.utils.html import escape
from knox.models import AuthToken
from raycrafter.jobs.models import Attempt, Batch, Event, Job, Transfer
from raycrafter.jobs.states import BatchState, FrameState, JobState
from raycrafter.jobs.thumbnails import thumbnail_path
from raycrafter.jobs.transitions import transition
from rest_framework.test import APIClient

PASSWORD = "correct horse battery staple"  # the users' of conftest.py
SCENE = b"camera{location <0,0,-3>} sphere{0,1 pigment{rgb 1}}"


def upload(name: str = "scene.pov", data: bytes = SCENE) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def archive(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, text in files.items():
            target.writestr(name.replace("__", "."), text)
    return buffer.getvalue()


def submit(api: APIClient, key: str | None = None, **fields: Any) -> Any:
    body = {"scene": upload(), "name": "ball", "renderer": "povray", "frames": "1-20"} | fields
    body = {name: value for name, value in body.items() if value is not None}
    headers = {"Idempotency-Key": key} if key else {}
    return api.post("/api/v1/jobs", body, format="multipart", headers=headers)


def assert_problem(answer: Any, status: int, *fields: str) -> dict[str, Any]:
    """Assert the one shape of errors, at these fields; return it."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "errors"}
    assert body["status"] == status
    assert body["detail"]
    assert {error["field"] for error in body["errors"]} == set(fields)
    assert all(set(error) == {"field", "message"} and error["message"] for error in body["errors"])
    return body


# --- signing in -----------------------------------------------------------------------------------------------------


def test_token_opens_the_api_until_logout(owner: Any) -> None:
    client = APIClient()
    answer = client.post("/api/v1/auth/login", {"username": "alice", "password": PASSWORD}).json()
    assert set(answer) == {"token", "expiry", "user"}
    assert answer["user"] == {"username": "alice"}
    assert answer["token"] not in str(AuthToken.objects.values().get())
    client.credentials(HTTP_AUTHORIZATION=f"Token {answer['token']}")
    assert client.get("/api/v1/jobs").status_code == 200
    assert client.post("/api/v1/auth/logout").status_code == 204
    assert_problem(client.get("/api/v1/jobs"), 401)


@pytest.mark.parametrize("header", ["", "Token", "Token x", "Token " + "0" * 64, "Batch x", "Basic YTpi"])
def test_no_or_wrong_token(db: None, header: str) -> None:
    client = APIClient(HTTP_AUTHORIZATION=header) if header else APIClient()
    answer = client.get("/api/v1/jobs")
    assert_problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Token")


def test_wrong_password_and_unknown_user_look_alike(owner: Any) -> None:
    answers = [
        APIClient().post("/api/v1/auth/login", {"username": name, "password": "wrong"}) for name in ("alice", "nobody")
    ]
    assert assert_problem(answers[0], 401) == assert_problem(answers[1], 401)


def test_login_needs_both(db: None) -> None:
    assert_problem(APIClient().post("/api/v1/auth/login", {}), 400, "username", "password")


def test_guessing_is_slowed_down(owner: Any) -> None:
    body = {"username": "alice", "password": "wrong"}
    answers = [APIClient().post("/api/v1/auth/login", body) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert_problem(answers[-1], 429)


# --- submitting -----------------------------------------------------------------------------------------------------


def test_submit(api: APIClient, media: Any) -> None:
    answer = submit(api, frames=" 1-3, 7 ", width=320, height=240, options='{"clock_final": 2}')
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert answer["Location"] == body["urls"]["self"]
    assert body["state"] == "NEW"
    assert body["frames"] == "1-3,7"
    assert body["frame_counts"]["WAITING"] == 4
    assert sum(body["frame_counts"].values()) == 4
    assert body["percent"] == 0
    assert body["main"] == "scene.pov"
    assert body["options"] == {"clock_final": 2}
    assert body["workspace"] is None
    assert f"job_id%3A{body['id']}" in body["log_search_url"]
    assert (media / f"jobs/{body['id']}/scene/scene.pov").read_bytes() == SCENE
    job = Job.objects.get(pk=body["id"])
    assert job.scene_sha256 == hashlib.sha256(SCENE).hexdigest()
    assert list(job.frames.values_list("number", flat=True)) == [1, 2, 3, 7]
    assert api.get(body["urls"]["self"]).json() == body


def test_submit_archive(api: APIClient, media: Any) -> None:
    data = archive(a__pov="x", b__pov="y", c__inc="z")
    assert_problem(submit(api, scene=upload("s.zip", data)), 400, "main")
    body = submit(api, scene=upload("s.zip", data), main="b.pov").json()
    assert body["main"] == "b.pov"
    assert (media / f"jobs/{body['id']}/scene/s.zip").read_bytes() == data


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"renderer": "crayon"}, ["renderer"]),
        ({"renderer": None}, ["renderer"]),
        ({"scene": None}, ["scene"]),
        ({"scene": "text"}, ["scene"]),
        ({"name": ""}, ["name"]),
        ({"name": "x" * 201}, ["name"]),
        ({"name": "a\nb"}, ["name"]),
        ({"frames": "20-1"}, ["frames"]),
        ({"frames": "1-100001"}, ["frames"]),
        ({"frames": "one"}, ["frames"]),
        ({"frames": "-4"}, ["frames"]),
        ({"frames": ""}, ["frames"]),
        ({"width": 0}, ["width"]),
        ({"width": 16385}, ["width"]),
        ({"height": "tall"}, ["height"]),
        ({"width": 16000, "height": 16000}, ["width"]),
        ({"options": "{"}, ["options"]),
        ({"options": "[1]"}, ["options"]),
        ({"options": '{"nonsense": 1}'}, ["options.nonsense"]),
        ({"options": '{"quality": "best"}'}, ["options.quality"]),
        ({"main": "other.pov"}, ["main"]),
        ({"frames": "x", "renderer": "y", "width": -1}, ["frames", "renderer", "width"]),
    ],
)
def test_bad_requests_name_the_field_and_leave_nothing(
    api: APIClient, media: Any, fields: dict[str, Any], at: list[str]
) -> None:
    assert_problem(submit(api, **fields), 400, *at)
    assert not Job.objects.exists()
    assert not list(media.iterdir())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("scene.exe", b"MZ"),
        ("scene.pov", b""),
        ("s.zip", b"no archive"),
        ("s.tar.gz", b"no archive"),
        ("s.zip", archive(x__txt="nothing to render")),
        ("s.zip", archive(a__pov="", **{"../b__inc": "x"})),
        ("s.zip", archive(a__pov="", **{"/etc/passwd": "x"})),
        ("s.zip", archive(a__pov="", zeros="\0" * 40_000_000)),
    ],
)
def test_bad_scenes(api: APIClient, media: Any, name: str, data: bytes) -> None:
    if name == "s.zip" and b"zeros" in data:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
            target.writestr("a.pov", "")
            target.writestr("zeros", bytes(40_000_000))
        data = buffer.getvalue()
    assert_problem(submit(api, scene=upload(name, data)), 400, "scene")
    assert not Job.objects.exists()
    assert not list(media.iterdir())


def test_idempotency_key(api: APIClient, stranger: Any) -> None:
    first, second = submit(api, "key-1"), submit(api, "key-1")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert_problem(submit(api, "key-1", frames="1-21"), 409)
    assert submit(api, "key-2").status_code == 201
    assert submit(api).status_code == 201
    other = APIClient()
    other.force_authenticate(stranger)
    assert submit(other, "key-1").status_code == 201
    assert Job.objects.count() == 4
    assert_problem(submit(api, "x" * 201), 400, "Idempotency-Key")


def test_failed_store_leaves_no_job(api: APIClient, media: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("django.core.files.storage.FileSystemStorage._save", broken)
    api.raise_request_exception = False
    assert_problem(submit(api), 500)
    assert not Job.objects.exists()


def test_failed_insert_leaves_no_file(api: APIClient, media: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("database gone")

    monkeypatch.setattr("raycrafter.jobs.models.Event.note", broken)
    api.raise_request_exception = False
    assert_problem(submit(api), 500)
    assert not [path for path in media.rglob("*") if path.is_file()]


# --- looking --------------------------------------------------------------------------------------------------------


def test_list_is_paged_filtered_and_newest_first(api: APIClient) -> None:
    ids = [submit(api).json()["id"] for _ in range(3)]
    transition(Job.objects.get(pk=ids[0]), JobState.STAGING)
    body = api.get("/api/v1/jobs?page_size=2").json()
    assert (body["count"], body["previous"]) == (3, None)
    assert [job["id"] for job in body["results"]] == [ids[2], ids[1]]
    assert [job["id"] for job in api.get(body["next"]).json()["results"]] == [ids[0]]
    assert [job["id"] for job in api.get("/api/v1/jobs?state=STAGING").json()["results"]] == [ids[0]]
    assert_problem(api.get("/api/v1/jobs?state=NONSENSE"), 400, "state")
    assert_problem(api.get("/api/v1/jobs?page=99"), 404)


def test_list_asks_the_database_a_fixed_number_of_times(api: APIClient, django_assert_max_num_queries: Any) -> None:
    for _ in range(5):
        submit(api)
    with django_assert_max_num_queries(4):
        assert len(api.get("/api/v1/jobs").json()["results"]) == 5


def test_list_and_job_say_the_same(api: APIClient, batch: Batch) -> None:
    frame = batch.frames.get(number=2)
    transition(frame, FrameState.CLAIMED)
    transition(frame, FrameState.RUNNING, percent=50.0)
    listed = api.get("/api/v1/jobs").json()["results"][0]
    assert listed == api.get(f"/api/v1/jobs/{batch.job_id}").json()
    assert listed["percent"] == 16.7
    assert listed["frame_counts"]["RUNNING"] == 1
    assert listed["workspace"]["path"] == "/lustre/ws/render-rc-job-1"


def test_frames_batches_transfers_events(api: APIClient, batch: Batch) -> None:
    job = f"/api/v1/jobs/{batch.job_id}"
    Transfer.objects.create(job=batch.job, kind="in", bytes_total=10)
    Event.note(batch.job, "note", "hello", Event.Level.WARNING, frame=batch.frames.get(number=2))
    frames = api.get(f"{job}/frames").json()
    assert [frame["number"] for frame in frames["results"]] == [1, 2, 3]
    keys = {"number", "state", "percent", "tries", "seconds", "batch", "file", "error", "log_search_url"}
    assert set(frames["results"][0]) == keys
    assert frames["results"][0]["batch"] == batch.pk
    assert api.get(f"{job}/frames?state=FAILED").json()["count"] == 0
    row = api.get(f"{job}/batches").json()["results"][0]
    assert (row["id"], row["name"], row["native_id"], row["state"]) == (batch.pk, batch.name, "7.login1", "QUEUED")
    assert "token" not in str(row)
    assert api.get(f"{job}/transfers").json()["results"][0]["bytes_total"] == 10
    event = api.get(f"{job}/events").json()["results"][0]
    assert (event["level"], event["kind"], event["frame"], event["message"]) == ("WARNING", "note", 2, "hello")
    assert api.get(f"{job}/events?after={event['id']}").json()["count"] == 0
    assert api.get(f"{job}/events?level=40").json()["count"] == 0


@pytest.mark.parametrize(("age", "days"), [(0, 2), (1.9, 3), (89.5, 91)])
def test_the_link_to_the_log_reaches_back_to_the_beginning(
    api: APIClient, pages: Client, job: Job, age: float, days: int
) -> None:
    """And over it by a day, in which an open page or a copied link stays right."""
    job.created = timezone.now() - timedelta(days=age)
    job.save()
    link = f"https://graylog.invalid/search?q={{}}&rangetype=relative&relative={days * 86400}"
    address = f"/api/v1/jobs/{job.pk}"
    whole = link.format(f"job_id%3A{job.pk}")
    assert api.get(address).json()["log_search_url"] == whole
    page = f"/jobs/{job.pk}"
    assert escape(whole) not in pages.get(page).content.decode()  # only operators may reach Graylog
    job.owner.is_staff = True
    job.owner.save()
    assert escape(whole) in pages.get(page).content.decode()
    frame = api.get(f"{address}/frames").json()["results"][1]
    assert frame["log_search_url"] == link.format(f"job_id%3A{job.pk}%20AND%20frame%3A2")


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def image(batch: Batch) -> bytes:
    data = b"\x89PNG" + bytes(1000)
    frame = batch.frames.get(number=2)
    frame.file.save("test_0002.png", ContentFile(data), save=False)
    frame.file_size, frame.file_sha256 = len(data), hashlib.sha256(data).hexdigest()
    frame.save()
    return data


def test_download(api: APIClient, batch: Batch, image: bytes) -> None:
    about = api.get(f"/api/v1/jobs/{batch.job_id}/frames").json()["results"][1]["file"]
    assert (about["name"], about["size"]) == ("test_0002.png", len(image))
    answer = api.get(about["url"])
    assert b"".join(answer.streaming_content) == image
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Checksum-Sha256"] == about["sha256"] == hashlib.sha256(image).hexdigest()
    assert answer["Digest"].startswith("sha-256=")


def test_thumbnail(api: APIClient, batch: Batch, image: bytes) -> None:
    frame = batch.frames.get(number=2)
    address = api.get(f"/api/v1/jobs/{batch.job_id}/frames").json()["results"][1]["file"]["thumbnail_url"]
    assert b"".join(api.get(address).streaming_content) == image  # it has none of its own yet
    frame.file.storage.save(thumbnail_path(frame.file.name), ContentFile(b"small"))
    batch.frames.filter(number=2).update(thumbnail=True)
    answer = api.get(address)
    assert (b"".join(answer.streaming_content), answer["Content-Type"]) == (b"small", "image/webp")
    assert "X-Checksum-Sha256" not in answer.headers


def test_download_in_production_is_nginxs(api: APIClient, batch: Batch, image: bytes, settings: Any) -> None:
    settings.SENDFILE = True
    answer = api.get(f"/api/v1/jobs/{batch.job_id}/frames/2/file")
    assert answer["X-Accel-Redirect"] == f"/protected/jobs/{batch.job_id}/frames/test_0002.png"
    assert answer.content == b""
    assert "Content-Type" not in answer.headers


def test_download_of_what_is_not_there(api: APIClient, batch: Batch) -> None:
    assert "no file yet" in assert_problem(api.get(f"/api/v1/jobs/{batch.job_id}/frames/1/file"), 404)["detail"]
    assert_problem(api.get(f"/api/v1/jobs/{batch.job_id}/frames/99/file"), 404)


# --- whose ----------------------------------------------------------------------------------------------------------

PATHS = ["", "/frames", "/batches", "/events", "/transfers", "/frames/2/file", "/frames/2/thumbnail"]


@pytest.mark.parametrize("path", PATHS)
def test_strangers_see_nothing(batch: Batch, image: bytes, stranger: Any, staff: Any, path: str) -> None:
    answers = {}
    for user in (stranger, staff):
        client = APIClient()
        client.force_authenticate(user)
        answers[user.username] = client.get(f"/api/v1/jobs/{batch.job_id}{path}")
    assert_problem(answers["mallory"], 404)
    assert answers["root"].status_code == 200


def test_strangers_cancel_and_list_nothing(batch: Batch, stranger: Any, staff: Any) -> None:
    client = APIClient()
    client.force_authenticate(stranger)
    assert client.get("/api/v1/jobs").json()["count"] == 0
    assert_problem(client.post(f"/api/v1/jobs/{batch.job_id}/cancel"), 404)
    batch.job.refresh_from_db()
    assert batch.job.state == "READY"
    client.force_authenticate(staff)
    assert client.get("/api/v1/jobs").json()["count"] == 1


# --- cancelling -----------------------------------------------------------------------------------------------------


def test_cancel(api: APIClient, batch: Batch) -> None:
    frame = batch.frames.get(number=1)
    transition(frame, FrameState.CLAIMED)
    Attempt.objects.create(frame=frame, batch=batch, number=1)
    waiting = Batch.objects.create(job=batch.job, site="test", walltime_seconds=60)
    transfer = Transfer.objects.create(job=batch.job, kind="out")
    answer = api.post(f"/api/v1/jobs/{batch.job_id}/cancel")
    assert answer.json()["state"] == "CANCELLING"
    assert answer.json()["state_reason"] == "cancelled by alice"
    for row in (batch, waiting, transfer):
        row.refresh_from_db()
    assert (batch.state, waiting.state, transfer.state) == ("CANCELLING", "CANCELLED", "CANCELLED")
    assert set(batch.job.frames.values_list("state", flat=True)) == {"CANCELLED"}
    assert not Attempt.objects.filter(ended=None).exists()
    events = Event.objects.count()
    assert api.post(f"/api/v1/jobs/{batch.job_id}/cancel").status_code == 200
    assert Event.objects.count() == events


def test_cancel_what_is_over(api: APIClient, job: Job) -> None:
    transition(job, JobState.FAILED)
    assert "FAILED" in assert_problem(api.post(f"/api/v1/jobs/{job.pk}/cancel"), 409)["detail"]


# --- again, later, and in which order ---------------------------------------------------------------------------------


def test_retry_renders_what_failed(api: APIClient, batch: Batch) -> None:
    address = f"/api/v1/jobs/{batch.job_id}/retry"
    assert "no failed frames" in assert_problem(api.post(address), 409)["detail"]
    batch.job.frames.filter(number=2).update(state="FAILED", error="boom")
    assert api.post(address).json()["frame_counts"]["FAILED"] == 0
    assert list(batch.job.frames.values_list("state", "error")) == [("WAITING", "")] * 3


def test_pause_and_resume(api: APIClient, job: Job) -> None:
    address = f"/api/v1/jobs/{job.pk}"
    assert [api.post(f"{address}/pause").json()["paused"] for _ in range(2)] == [True, True]
    assert [api.post(f"{address}/resume").json()["paused"] for _ in range(2)] == [False, False]
    assert job.events.filter(kind__in=["paused", "resumed"]).count() == 2
    transition(job, JobState.FAILED)
    assert "FAILED" in assert_problem(api.post(f"{address}/pause"), 409)["detail"]


def test_priority_and_order(api: APIClient, job: Job, stranger: Any) -> None:
    body = submit(api, "key", priority=80, after=[job.pk]).json()
    assert (body["priority"], body["after"]) == (80, [job.pk])
    assert_problem(submit(api, "key", priority=80), 409)
    assert_problem(submit(api, "key", priority=81, after=[job.pk]), 409)
    assert submit(api, "key", priority=80, after=[job.pk]).status_code == 200
    assert api.patch(body["urls"]["self"], {"priority": 10}).json()["priority"] == 10
    for wrong in (-1, 101, "high", None):
        assert_problem(api.patch(body["urls"]["self"], {"priority": wrong}), 400, "priority")
    assert_problem(submit(api, after=[job.pk + 99]), 400, "after")
    other = APIClient()
    other.force_authenticate(stranger)
    # nobody learns by it which jobs there are
    assert_problem(submit(other, after=[job.pk]), 400, "after")


# --- everything else that goes wrong ----------------------------------------------------------------------------------


def test_other_errors_have_the_same_shape(api: APIClient) -> None:
    assert_problem(api.get("/api/v1/nothing"), 404)
    assert_problem(api.get("/api/v1/jobs/1"), 404)
    assert_problem(api.delete("/api/v1/jobs"), 405)
    assert_problem(api.post("/api/v1/jobs", "{", content_type="application/json"), 400)
    assert_problem(api.post("/api/v1/jobs", "x", content_type="text/plain"), 415)


DEPTHS = [200, 1_000, 20_000, 100_000]  # what Python walks through, what it parses only, what it does not parse


@pytest.mark.parametrize("depth", DEPTHS)
def test_json_without_end_is_malformed(api: APIClient, depth: int) -> None:
    """Also from somebody without a name."""
    endless = "[" * depth + "]" * depth
    for client, address, body in (
        (APIClient(), "/api/v1/auth/login", endless),
        (APIClient(), "/api/v1/auth/login", "[" * depth),
        (api, "/api/v1/jobs", endless),
        (api, "/api/v1/jobs", f'{{"options": {endless}}}'),
    ):
        assert_problem(client.post(address, body, content_type="application/json"), 400)
    assert "nested" in assert_problem(submit(api, options=endless), 400, "options")["detail"]
    assert "nested" in assert_problem(submit(api, options=f'{{"quality": {endless}}}'), 400, "options")["detail"]
    assert not Job.objects.exists()


def test_cancelled_batch_of_a_lost_race_is_left_alone(api: APIClient, batch: Batch) -> None:
    transition(batch, BatchState.LOST)
    api.post(f"/api/v1/jobs/{batch.job_id}/cancel")
    batch.refresh_from_db()
    assert batch.state == "LOST"
