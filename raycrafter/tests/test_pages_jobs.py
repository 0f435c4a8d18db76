"""Pages of jobs: what can be done on them, and that large jobs cost no more queries than small ones."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from page_structure import check_page
from raycrafter.api import health
from raycrafter.cluster.batch.registry import DIALECTS
from raycrafter.jobs.models import Batch, BlockedNode, Event, Frame, Job, Site, Transfer, Workspace
from raycrafter.jobs.states import FrameState, JobState
from raycrafter.web.chart import BARS, frame_times
from rest_framework.throttling import SimpleRateThrottle

SCENE = b"camera{location <0,0,-3>} sphere{0,1 pigment{rgb 1}}"


def fields(**changes: Any) -> dict[str, Any]:
    """A filled-in form; None leaves a field out."""
    filled = {"scene": SimpleUploadedFile("ball.pov", SCENE), "name": "ball", "renderer": "povray", "frames": "1-20"}
    filled |= {"width": "320", "height": "200", "main": "", "options": '{"quality": 9}', "key": "page-1"} | changes
    return {name: value for name, value in filled.items() if value is not None}


def queries(browser: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(path).status_code == 200
    return len(captured)


def grow(job: Job, frames: int) -> None:
    """Give the job frames with times, batches, events and errors."""
    job.frames.all().delete()
    Frame.objects.bulk_create(
        Frame(job=job, number=n, state="FAILED" if n % 7 else "SYNCED", seconds=n % 50, error="" if n % 7 else "no")
        for n in range(1, frames + 1)
    )
    Batch.objects.bulk_create(Batch(job=job, site="test", walltime_seconds=60) for _ in range(frames // 10))
    Event.objects.bulk_create(Event(job=job, kind="note", message=str(n)) for n in range(frames))
    Transfer.objects.bulk_create(Transfer(job=job, kind="out") for _ in range(frames // 10))
    Job.objects.update(frame_count=frames)


def test_queries_do_not_grow(pages: Client, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "REMEMBERED_SECONDS", 0)  # else the time decides whether the database is asked
    pages.get("/")  # what is asked once for each process
    counts = {}
    for size in (10, 5000):
        grow(job, size)
        counts[size] = [
            queries(pages, path) for path in ("/", f"/jobs/{job.pk}", f"/jobs/{job.pk}?state=FAILED", "/site")
        ]
    assert counts[5000] == counts[10]
    assert max(counts[10]) <= 18
    answer = pages.get(f"/jobs/{job.pk}")
    assert len(answer.content) < 120_000
    html, _page = check_page(answer)
    assert "Page 1 of 105" in html
    assert "The latest 20 of 501" in html


def test_list_asks_once_for_all_jobs(pages: Client, job: Job) -> None:
    pages.get("/")
    one = queries(pages, "/")
    for _ in range(10):
        job.pk = None
        job.save()
    assert queries(pages, "/") == one


def test_chart(job: Job) -> None:
    assert frame_times(job) is None
    grow(job, 5000)
    chart = frame_times(job)
    assert (len(chart.bars), chart.first, chart.last, chart.timed) == (BARS, 1, 5000, 5000)
    assert (chart.longest, chart.mean) == (49.0, 24.5)
    assert chart.bars[-1].text.startswith("Frames 4951 to 5000: 24.5 s")
    grow(job, 4)
    chart = frame_times(job)
    assert [(bar.x, bar.height) for bar in chart.bars] == [(0, 25.0), (10, 50.0), (20, 75.0), (30, 100.0)]
    assert all(bar.y + bar.height == 100 for bar in chart.bars)
    assert (chart.top, chart.failed) == (4, 4)
    job.frames.filter(number=3).update(seconds=None)
    job.frames.exclude(number=3).update(state="SYNCED", seconds=57)
    chart = frame_times(job)
    assert (chart.top, chart.half, chart.timed, chart.failed, chart.mean) == (60, 30, 3, 1, 57)
    assert (chart.bars[2].height, chart.bars[2].failed, chart.bars[2].text) == (0, 1, "Frame 3: failed")
    job.frames.update(seconds=None)
    assert frame_times(job) is None


def test_frames_fill_in(pages: Client, job: Job) -> None:
    frame = job.frames.get(number=2)
    frame.file.save("x.png", ContentFile(b"png"), save=False)
    frame.state = FrameState.SYNCED
    frame.save()
    job.frames.filter(number=3).update(state=FrameState.RUNNING, percent=40)
    _, page = check_page(pages.get(f"/jobs/{job.pk}"))
    (image,) = page.of("img")
    assert (image["src"], image["loading"]) == (f"/api/v1/jobs/{job.pk}/frames/2/thumbnail", "lazy")
    assert image["alt"] == "Frame 2"
    assert [bar["value"] for bar in page.of("progress") if bar["aria-label"] == "Frame 3"] == ["40"]
    _, page = check_page(pages.get(f"/jobs/{job.pk}?state=RUNNING"))
    assert [item["id"] for item in page.of("li") if item.get("id", "").startswith("frame-")] == ["frame-3"]
    assert "No frame is in this state" in pages.get(f"/jobs/{job.pk}?state=FAILED").content.decode()
    _html, page = check_page(pages.get(f"/jobs/{job.pk}?state=<x>&page=0"))
    assert len([item for item in page.of("li") if item.get("id", "").startswith("frame-")]) == 3


def test_pause_resume_retry(pages: Client, job: Job) -> None:
    address = f"/jobs/{job.pk}"
    assert "Retry" not in pages.get(address).content.decode()
    pages.post(f"{address}/pause")
    html, page = check_page(pages.get(address))
    assert "(paused)" in html
    assert {form["action"] for form in page.of("form")} >= {f"{address}/resume", f"{address}/cancel"}
    assert f"{address}/pause" not in html
    pages.post(f"{address}/resume")
    job.refresh_from_db()
    assert not job.paused
    Job.objects.update(state=JobState.FAILED)
    job.frames.filter(number=1).update(state=FrameState.FAILED, error="Parse Error: line 3")
    html, page = check_page(pages.get(address))
    assert "Parse Error: line 3" in html
    assert f"{address}/cancel" not in html
    pages.post(f"{address}/retry")
    job.refresh_from_db()
    assert (job.state, job.frames.get(number=1).state) == (JobState.STAGING, FrameState.WAITING)
    assert "Nothing to retry" in pages.post(f"{address}/retry", follow=True).content.decode()
    assert pages.post(f"{address}/explode").status_code == 404


@pytest.mark.parametrize("action", ["cancel", "pause", "resume", "retry"])
def test_actions_want_the_forms_token(owner: Any, job: Job, action: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    assert browser.post(f"/jobs/{job.pk}/{action}").status_code == 403
    job.refresh_from_db()
    assert (job.state, job.paused) == (JobState.READY, False)


def test_user_who_may_only_look_is_offered_no_action(job: Job, stranger: Any) -> None:
    browser = Client()
    browser.force_login(stranger)
    share = job.shares.create(user=stranger)
    _, page = check_page(browser.get(f"/jobs/{job.pk}"))
    assert [form["action"] for form in page.of("form")] == ["/logout/"]
    assert browser.post(f"/jobs/{job.pk}/cancel").status_code == 403
    share.manage = True
    share.save()
    assert f"/jobs/{job.pk}/cancel" in browser.get(f"/jobs/{job.pk}").content.decode()
    browser.post(f"/jobs/{job.pk}/cancel")
    job.refresh_from_db()
    assert job.state == JobState.CANCELLING


# --- a new job ------------------------------------------------------------------------------------------------------


def test_new_job(pages: Client, settings: Any) -> None:
    html, _page = check_page(pages.get("/jobs/new"))
    assert f"<code>{settings.RAYCRAFTER.cluster.queue}</code>" in html
    answer = pages.post("/jobs/new", fields())
    job = Job.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/jobs/{job.pk}")
    assert (job.owner.username, job.frame_count, job.width, job.options) == ("alice", 20, 320, {"quality": 9})
    assert job.scene.open("rb").read() == SCENE
    again = pages.post("/jobs/new", fields())
    assert (again["Location"], Job.objects.count()) == (f"/jobs/{job.pk}", 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scene": None}, "scene"),
        ({"scene": SimpleUploadedFile("x.exe", b"x")}, "scene"),
        ({"frames": "9-1"}, "frames"),
        ({"width": "0"}, "width"),
        ({"width": "16384", "height": "16384"}, "width"),
        ({"options": "{"}, "options"),
        ({"options": "[]"}, "options"),
        ({"options": "[" * 9_000 + "]" * 9_000}, "options"),
        ({"options": '{"quality": ' + "[" * 500 + "]" * 500 + "}"}, "options"),
        ({"options": "[" * 2_500 + "]" * 2_500}, "options"),
        ({"options": '{"quality": 99}'}, "options"),
        ({"main": "other.pov"}, "main"),
        ({"renderer": "word"}, "renderer"),
        ({"name": "\x07"}, "name"),
    ],
)
def test_wrong_field_is_named(pages: Client, changes: dict[str, Any], field: str) -> None:
    _, page = check_page(pages.post("/jobs/new", fields(**changes)), 422)
    controls = page.of("input") + page.of("select") + page.of("textarea")
    assert [control["name"] for control in controls if control.get("aria-invalid") == "true"] == [field]
    assert not Job.objects.exists()


def test_preview_makes_no_job(pages: Client) -> None:
    answer = pages.post("/jobs/new", fields(scene=None, frames="1-25", preview="1", name="kept"))
    html, page = check_page(answer)
    assert not Job.objects.exists()
    assert "25 frames in 3 batches" in html
    assert "raycrafter_client run" in html
    prefixes = tuple(dialect.prefix for dialect in DIALECTS.values())
    assert any(line.startswith(prefixes) for line in html.splitlines())
    assert "kept" in [field.get("value") for field in page.of("input")]
    assert "runs backwards" in check_page(pages.post("/jobs/new", fields(frames="9-1", preview="1")))[0]


def test_submitting_is_counted_with_the_apis(pages: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", {"submit": "2/min", "user": "50/min"})
    assert pages.post("/api/v1/jobs").status_code == 400
    assert pages.post("/jobs/new", fields()).status_code == 302
    html, page = check_page(pages.post("/jobs/new", fields(key="page-2", name="castle")), 429)
    assert "too many in a minute" in html
    assert "castle" in [field.get("value") for field in page.of("input")]
    assert Job.objects.count() == 1
    assert pages.post("/jobs/new", fields(scene=None, preview="1")).status_code == 200


def test_limit_of_frames_is_shown(pages: Client, settings: Any) -> None:
    Site.objects.create(name=settings.RAYCRAFTER.cluster.name, max_frames_per_user=5)
    html, _ = check_page(pages.post("/jobs/new", fields()), 422)
    assert "you may have 5 frames" in html


def test_new_job_is_for_users_with_the_forms_token(owner: Any) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert browser.get("/jobs/new")["Location"].startswith("/login/")
    browser.force_login(owner)
    assert browser.post("/jobs/new", fields()).status_code == 403
    assert not Job.objects.exists()


def test_of_a_strangers_form_nothing_is_read(db: None) -> None:
    """nginx lets gigabytes through to this address."""

    class Body:
        def read(self, *_: int) -> bytes:
            pytest.fail("it was read")

        readline = read

    environment = {"wsgi.input": Body(), "CONTENT_LENGTH": str(2**30)}
    for browser in (Client(), Client(enforce_csrf_checks=True)):
        answer = browser.generic("POST", "/jobs/new", b"-", "multipart/form-data; boundary=B", **environment)
        assert answer["Location"].startswith("/login/")


# --- the site -------------------------------------------------------------------------------------------------------


def test_site(pages: Client, stranger: Any, batch: Batch, settings: Any) -> None:
    name = settings.RAYCRAFTER.cluster.name
    Batch.objects.update(site=name)
    BlockedNode.objects.bulk_create(
        BlockedNode(site=name, host=f"nid0000{n}", until="2020-01-01T00:00Z") for n in range(100)
    )
    Job.objects.update(state_reason="Waiting: submission: no route to host")
    BlockedNode.objects.create(site=name, host="nid77777", until="2999-01-01T00:00Z", reason="3 frames failed")
    html, _ = check_page(pages.get("/site"))
    for words in ("rc-job-", "no route to host", "nid77777", "QUEUED", "Database", settings.RAYCRAFTER.cluster.queue):
        assert words in html, words
    assert "nid00001" not in html
    assert "paused this site" not in html
    Site.objects.create(name=name, paused=True)
    assert "paused this site" in pages.get("/site").content.decode()
    other = Client()
    assert other.get("/site").status_code == 302
    other.force_login(stranger)
    html, _ = check_page(other.get("/site"))
    assert "rc-job-" not in html
    assert "no route to host" not in html
    Workspace.objects.update(state="RELEASED")
    assert "rc-job-" not in pages.get("/site").content.decode()


def test_site_says_how_long_the_grid_proxy_lasts(pages: Client, settings: Any) -> None:
    cluster, now = settings.RAYCRAFTER.cluster, timezone.now()
    assert "not looked at yet" in pages.get("/site").content.decode()
    site = Site.objects.create(name=cluster.name, proxy_seen=now)
    assert "raycrafter-grid-proxy.service" in pages.get("/site").content.decode()
    for hours, words in ((5, "valid</span> until"), (-5, "expired</span> until")):
        Site.objects.filter(pk=site.pk).update(proxy_ends=now + timedelta(hours=hours))
        assert words in check_page(pages.get("/site"))[0]
    ssh = dataclasses.replace(cluster, transfer="ssh", gridftp_url="", proxy_file="")
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, cluster=ssh)
    html, _ = check_page(pages.get("/site"))
    assert "Grid proxy" not in html and "ssh</dd>" in html
