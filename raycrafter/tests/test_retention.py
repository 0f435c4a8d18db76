"""Deletion by age: only what the site asks for, only after its owner was told, files before rows, nothing half done."""

from __future__ import annotations

import dataclasses
import os
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from page_structure import check_page
from raycrafter.api import health
from raycrafter.config import Mail, Retention
from raycrafter.jobs import deletion, requests
from raycrafter.jobs.models import Attempt, Batch, Event, Frame, Job, Notification, Transfer, Upload, Workspace
from raycrafter.jobs.thumbnails import thumbnail_path
from rest_framework.test import APIClient

from raycrafter import tasks


def allow(settings: Any, **rules: int) -> None:
    """Let the site delete by age, and tell of it."""
    mail = Mail(host="mail.example.org", sender="render@example.org")
    new = {"mail": mail, "retention": Retention(**rules)}
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, **new)


@pytest.fixture
def site(settings: Any) -> None:
    """A site that keeps files for 30 days and jobs for 90."""
    allow(settings, keep_days=30, keep_job_days=90, warn_days=7)


@pytest.fixture
def old(batch: Batch) -> Job:
    """A job that ended long ago, with its files."""
    job = batch.job
    type(job.owner).objects.update(email="alice@example.org")
    job.scene.save("s.pov", ContentFile(b"scene"), save=False)
    job.scene_size = 5
    for frame in batch.frames.all():
        Attempt.objects.create(frame=frame, batch=batch, number=1, ended=timezone.now())
        frame.file.save(f"f_{frame.number}.png", ContentFile(b"png"), save=False)
        frame.file_size = 3
        frame.state = "SYNCED"
        frame.save()
    Event.note(job, "note", "hello")
    Batch.objects.update(state="FINISHED")
    Workspace.objects.update(state="RELEASED")
    job.state, job.finished = "DONE", timezone.now() - timedelta(days=400)
    job.save()
    return job


def days_pass(days: float) -> None:
    """Make everything that has a time older."""
    back = timedelta(days=days)
    for job in Job.objects.all():
        warned = job.warned and job.warned - back
        Job.objects.filter(pk=job.pk).update(finished=job.finished - back, warned=warned)


def files(media: Any) -> set[str]:
    return {path.name for path in media.rglob("*") if path.is_file()}


def test_retention_is_off_by_default(old: Job, media: Any) -> None:
    before = files(media), list(Job.objects.values())
    tasks.apply_retention()
    days_pass(0)
    tasks.apply_retention()
    assert (files(media), list(Job.objects.values())) == before


def test_files_go_after_the_warning_and_rows_later(site: None, old: Job, media: Any) -> None:
    tasks.apply_retention()
    (told,) = Notification.objects.filter(kind="deletion")
    assert f"job {old.pk} (test)" in told.text and f"/jobs/{old.pk}" in told.text
    assert f"{timezone.now() + timedelta(days=7):%Y-%m-%d}" in told.text
    tasks.apply_retention()
    assert len(files(media)) == 4 and Notification.objects.count() == 1
    days_pass(6.9)
    tasks.apply_retention()
    assert len(files(media)) == 4
    days_pass(0.2)
    tasks.apply_retention()
    assert files(media) == set()
    # the rows are as old, too: they go as soon as their files are gone
    assert not Job.objects.exists() and not Event.objects.exists() and not Attempt.objects.exists()
    assert not Batch.objects.exists() and not Frame.objects.exists()


def test_files_alone(settings: Any, old: Job, media: Any, pages: Client, api: APIClient) -> None:
    allow(settings, keep_days=30, warn_days=0)
    for _ in range(3):
        tasks.apply_retention()
    assert files(media) == set()
    old.refresh_from_db()
    assert old.files_deleted and old.scene.name == ""
    html, _ = check_page(pages.get(f"/jobs/{old.pk}"))
    assert "deleted by age" in html and "Keep this job" not in html
    assert api.get(f"/api/v1/jobs/{old.pk}").json()["files_deleted"]
    assert api.get(f"/api/v1/jobs/{old.pk}/frames/1/file").status_code == 404
    assert api.patch(f"/api/v1/jobs/{old.pk}", {"keep": True}).status_code == 409
    Job.objects.update(state="FAILED")
    Frame.objects.filter(number=1).update(state="FAILED")
    assert requests.retry(Job.objects.get(), "alice") == 0  # there is no scene to render


def test_files_that_no_frame_names_go_as_well(settings: Any, old: Job, media: Any) -> None:
    """A frame of several files names one of them; a fetch that was cut short may have stored some for nobody."""
    allow(settings, keep_days=30, warn_days=0)
    names = [f"jobs/{old.pk}/frames/{name}" for name in ("f_1.png", "f_1.depth.exr", "never_recorded.png")]
    for name in names[1:]:
        default_storage.save(name, ContentFile(b"x"))
    Transfer.objects.create(job=old, kind="out", manifest=[{"frame": 1, "target": name} for name in names])
    for _ in range(2):
        tasks.apply_retention()
    assert files(media) == set()


@pytest.mark.parametrize("fetched", [True, False], ids=["listed by a transfer", "named by its frame"])
def test_the_small_copy_goes_with_its_file(settings: Any, old: Job, media: Any, fetched: bool) -> None:
    allow(settings, keep_days=30, warn_days=0)
    for frame in old.frames.all():
        default_storage.save(thumbnail_path(frame.file.name), ContentFile(b"small"))
        if fetched:
            Transfer.objects.create(job=old, kind="out", manifest=[{"frame": 1, "target": frame.file.name}])
    old.frames.update(thumbnail=True)
    for _ in range(2):
        tasks.apply_retention()
    assert files(media) == set() and not old.frames.filter(thumbnail=True).exists()


def test_the_hourly_look_clears_what_uploads_left(owner: Any, media: Any) -> None:
    """On every site, also where nothing is deleted by age, and though nobody announces another upload."""
    now = timezone.now()
    for expires, name in ((now - timedelta(seconds=1), "expired"), (now + timedelta(days=1), "named")):
        default_storage.save(f"uploads/{name}", ContentFile(b"x"))
        Upload.objects.create(
            owner=owner, filename="s.pov", size=9, pieces=[f"uploads/{name}"], offset=1, expires=expires
        )
    for name in ("uploads/lost", "tmpabc.upload.tar", "jobs/1/scene/s.pov", "uploads/new"):
        default_storage.save(name, ContentFile(b"x"))
    for path in media.rglob("*"):
        if path.is_file() and path.name != "new":
            os.utime(path, (0, 0))
    tasks.apply_retention()
    assert files(media) == {"named", "s.pov", "new"} and Upload.objects.count() == 1


def test_owner_without_mail_and_webhook_sees_it_at_the_job(
    settings: Any, old: Job, pages: Client, api: APIClient, media: Any
) -> None:
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, retention=Retention(keep_days=30, warn_days=7))
    for _ in range(2):
        tasks.apply_retention()
    assert not Notification.objects.exists() and len(files(media)) == 4
    said = f"its files will be deleted on {timezone.now() + timedelta(days=7):%Y-%m-%d}"
    html, _ = check_page(pages.get(f"/jobs/{old.pk}"))
    assert html.count(said) == 1
    (event,) = api.get(f"/api/v1/jobs/{old.pk}/events?level=30").json()["results"]
    assert event["message"].startswith(said)


@pytest.mark.parametrize("state", ["NEW", "STAGING", "READY", "ACTIVE", "STAGING_OUT", "CANCELLING"])
def test_job_that_is_not_over_stays(settings: Any, old: Job, media: Any, state: str) -> None:
    allow(settings, keep_days=30, keep_job_days=30, warn_days=0)
    Job.objects.update(state=state)
    for _ in range(3):
        tasks.apply_retention()
    assert len(files(media)) == 4 and Job.objects.exists() and not Notification.objects.exists()


def test_kept_job_stays_and_warns_anew_afterwards(site: None, old: Job, media: Any, api: APIClient) -> None:
    tasks.apply_retention()
    address = f"/api/v1/jobs/{old.pk}"
    assert api.get(address).json()["files_go"]
    for _ in range(2):
        answer = api.patch(address, {"keep": True})
        assert (answer.status_code, answer.json()["keep"], answer.json()["files_go"]) == (200, True, None)
    days_pass(100)
    tasks.apply_retention()
    assert len(files(media)) == 4
    api.patch(address, {"keep": False})
    tasks.apply_retention()
    assert len(files(media)) == 4 and Job.objects.get().warned
    assert [event.message for event in Event.objects.filter(kind__in=["kept", "not kept"])] == [
        "kept by alice",
        "no longer kept, by alice",
    ]
    assert api.patch(address, {}).status_code == 400


def test_an_interrupted_deletion_goes_on(settings: Any, old: Job, media: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(settings, keep_days=30, keep_job_days=90, warn_days=0)
    deleted: list[str] = []
    default_storage.exists("x")  # the storage behind it is made when it is used
    storage = type(default_storage._wrapped)
    delete = storage.delete

    def break_down(self: Any, name: str) -> None:
        if len(deleted) == 4:  # of two frames, the small copy and the file
            raise OSError("the media host is away")
        deleted.append(name)
        delete(self, name)

    monkeypatch.setattr(storage, "delete", break_down)
    tasks.apply_retention()
    tasks.apply_retention()
    assert len(files(media)) == 2 and Job.objects.exists()
    assert Frame.objects.exclude(file="").count() == 1
    monkeypatch.undo()
    tasks.apply_retention()
    assert files(media) == set() and not Job.objects.exists()


def test_a_run_is_bounded(settings: Any, old: Job, media: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(settings, keep_days=30, keep_job_days=90, warn_days=0)
    monkeypatch.setattr(deletion, "FILES_AT_ONCE", 2)
    monkeypatch.setattr(deletion, "ROWS", 2)
    left = []
    for _ in range(3):
        tasks.apply_retention()
        left.append(len(files(media)))
    assert left == [2, 0, 0] and not Job.objects.exists()


@pytest.mark.parametrize("what", ["workspace", "batch", "follower"])
def test_rows_stay_while_something_hangs_on_them(settings: Any, old: Job, stranger: Any, what: str) -> None:
    allow(settings, keep_days=30, keep_job_days=90, warn_days=0)
    Batch.objects.update(state="CANCELLING" if what == "batch" else "FINISHED")
    Workspace.objects.update(state="RELEASING" if what == "workspace" else "RELEASED")
    follower = Job.objects.create(owner=stranger, name="next", renderer="povray", frame_count=1, width=1, height=1)
    follower.after.add(old)
    if what != "follower":
        Job.objects.filter(pk=follower.pk).update(state="DONE", finished=timezone.now())
    for _ in range(3):
        tasks.apply_retention()
    old.refresh_from_db()
    assert old.files_deleted and old.scene.name == ""
    Batch.objects.update(state="FINISHED")
    Workspace.objects.update(state="RELEASED")
    Job.objects.filter(pk=follower.pk).update(state="DONE", finished=timezone.now())
    tasks.apply_retention()
    assert not Job.objects.filter(pk=old.pk).exists()


def test_many_jobs_share_a_message(site: None, old: Job) -> None:
    columns = {"renderer": "povray", "frame_count": 1, "width": 1, "height": 1, "state": "DONE", "owner": old.owner}
    ended = timezone.now() - timedelta(days=25)
    Job.objects.bulk_create(Job(name=f"film {n}", finished=ended, **columns) for n in range(150))
    tasks.apply_retention()
    (told,) = Notification.objects.all()
    assert "151 jobs" in told.subject and "and 51 more" in told.text
    late = Job.objects.create(name="late", finished=ended, **columns)
    tasks.apply_retention()
    assert Notification.objects.count() == 1 and Job.objects.get(pk=late.pk).warned is None
    Job.objects.exclude(warned=None).update(warned=timezone.now() - timedelta(days=1, minutes=1))
    tasks.apply_retention()
    assert Job.objects.get(pk=late.pk).warned


def test_the_list_for_operators(site: None, old: Job, staff: Any, pages: Client, capsys: Any) -> None:
    call_command("retention", "--dry-run")
    printed = capsys.readouterr().out
    row = next(line for line in printed.splitlines() if "alice" in line)
    when = timezone.now() + timedelta(days=7)
    assert row.split() == [f"{when:%Y-%m-%d}", f"{when:%H:%M}", "files", str(old.pk), "14", "alice"]
    assert "1 to go within 7 days, 14 bytes" in printed and Job.objects.get().warned is None
    browser = Client()
    browser.force_login(staff)
    for client in (browser, pages):
        html, _ = check_page(client.get("/site"))
        assert "Deleted soon" in html and f"/jobs/{old.pk}" in html
    stranger = Client()
    stranger.force_login(type(staff).objects.create_user("nina"))
    assert f"/jobs/{old.pk}" not in stranger.get("/site").content.decode()
    call_command("retention")
    assert Job.objects.get().warned


def test_the_list_says_when_nothing_goes(old: Job, capsys: Any) -> None:
    call_command("retention", "--dry-run")
    assert "keep_days is not set" in capsys.readouterr().out


def test_buttons(site: None, old: Job, pages: Client) -> None:
    html, _ = check_page(pages.get(f"/jobs/{old.pk}"))
    assert "Keep this job" in html
    html, _ = check_page(pages.post(f"/jobs/{old.pk}/keep", follow=True))
    assert "No longer keep" in html and Job.objects.get().keep


def test_cost_of_a_list_does_not_depend_on_the_number(
    site: None, old: Job, pages: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "REMEMBERED_SECONDS", 3600.0)  # or it asks the database when its time comes
    pages.get("/site")
    cache.clear()
    with CaptureQueriesContext(connection) as few:
        pages.get("/site")
    columns = {"renderer": "povray", "frame_count": 1, "width": 1, "height": 1, "state": "DONE", "owner": old.owner}
    Job.objects.bulk_create(Job(name="f", finished=old.finished, **columns) for _ in range(40))
    cache.clear()
    with CaptureQueriesContext(connection) as many:
        pages.get("/site")
    assert len(few) == len(many)
    with CaptureQueriesContext(connection) as again:
        pages.get("/site")
    assert len(again) == len(many) - 2  # what is due is remembered for a while
