"""Who gets the next batch, which node and client gets the next frame, and what users may do with jobs."""

from __future__ import annotations

import dataclasses
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from raycrafter.jobs import blocklist, compute_client, licences, requests
from raycrafter.jobs.fair_share import plan_batches
from raycrafter.jobs.models import Attempt, Batch, BlockedNode, Frame, Job, Lease, Licence, Share, Site, Workspace
from raycrafter.tasks import plan

RENDERED = {"outcome": "rendered", "returncode": 0, "error": ""}


@pytest.fixture
def site(db: None, settings: Any) -> Site:
    """A site of six batches, one frame each."""
    cluster = dataclasses.replace(settings.RAYCRAFTER.cluster, chunk_size=1, max_batches=6, name="here")
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, cluster=cluster)
    return Site.objects.create(name="here")


def user(name: str) -> Any:
    return get_user_model().objects.get_or_create(username=name)[0]


def ready(owner: str, frames: int = 10, **fields: Any) -> Job:
    """A job whose scene is on the cluster."""
    columns = {"renderer": "povray", "main": "s.pov", "frames_spec": "1", "width": 1, "height": 1, "state": "READY"}
    job = Job.objects.create(owner=user(owner), name="x", frame_count=frames, **columns | fields)
    Frame.objects.bulk_create(Frame(job=job, number=number) for number in range(1, frames + 1))
    Workspace.objects.create(job=job, site="here", name=job.workspace_name, path=f"/w/{job.pk}", state="ALLOCATED")
    job.transfers.create(kind="in", state="DONE")
    return job


def dealt() -> Counter[str]:
    """Open batches of each user."""
    return Counter(Batch.objects.values_list("job__owner__username", flat=True))


def claim(batch: Batch, host: str = "nid1") -> compute_client.Work | None:
    batch.refresh_from_db()
    return compute_client.claim(Batch.objects.select_related("job").get(pk=batch.pk), f"{batch.pk}", host)


def queued(job: Job) -> list[Batch]:
    """The job's batches, in the batch system."""
    job.batches.filter(state="CREATED").update(state="QUEUED")
    return list(job.batches.filter(state="QUEUED").order_by("pk"))


def fail(job: Job, batch: Batch, host: str, error: str = "out of memory") -> None:
    work = claim(batch, host)
    report = {"attempt": work.attempt, "outcome": "failed", "returncode": 1, "error": error, "files": []}
    compute_client.result(Batch.objects.get(pk=batch.pk), f"{batch.pk}", work.number, report)


# -- shares ------------------------------------------------------------------------------------------------------------


def test_first_user_does_not_get_everything(site) -> None:
    ready("ada", 100), ready("ada", 100), ready("bob", 100)
    plan_batches()
    assert dealt() == {"ada": 3, "bob": 3}


def test_a_user_alone_gets_all_of_it(site) -> None:
    ready("ada", 100)
    plan_batches()
    assert dealt() == {"ada": 6}


def test_weights(site) -> None:
    Share.objects.create(user=user("ada"), weight=2)
    Share.objects.create(user=user("eve"), weight=0)
    ready("eve", 100), ready("ada", 100), ready("bob", 100)
    plan_batches()
    assert dealt() == {"ada": 4, "bob": 2}


def test_recent_usage_breaks_a_tie(site) -> None:
    Site.objects.update(max_batches=1)
    first = ready("ada")
    done = Batch.objects.create(job=first, site="here", state="FINISHED", walltime_seconds=1)
    Attempt.objects.create(frame=first.frames.first(), batch=done, number=1, ended=timezone.now(), seconds=500)
    first.frames.filter(number=1).update(state="SYNCED")
    ready("bob")
    plan_batches()
    assert [batch.job.owner.username for batch in Batch.objects.exclude(pk=done.pk)] == ["bob"]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wanted=st.lists(st.integers(0, 12), min_size=1, max_size=4),
    room=st.integers(0, 12),
    own=st.none() | st.integers(0, 5),
)
def test_user_with_less_usage_never_waits(site, wanted: list[int], room: int, own: int | None) -> None:
    """Max-min fairness: the room is used up, and only whose frames or limit are used up has less than another."""
    Job.objects.all().delete()
    Site.objects.update(max_batches=room, max_batches_per_user=own)
    for number, frames in enumerate(wanted):
        ready(f"user{number}", frames)
    plan_batches()
    limits = [frames if own is None else min(frames, own) for frames in wanted]
    got = [dealt()[f"user{number}"] for number in range(len(wanted))]
    assert sum(got) == min(room, sum(limits)) and all(mine <= limit for mine, limit in zip(got, limits, strict=True))
    for mine, limit in zip(got, limits, strict=True):
        assert mine == limit or max(got) - mine <= 1


def test_priorities_are_among_ones_own_jobs(site) -> None:
    ready("ada", 100)
    urgent = ready("ada", 2, priority=90)
    ready("bob", 100, priority=100)
    plan_batches()
    assert dealt() == {"ada": 3, "bob": 3}
    assert urgent.batches.count() == 2


def test_limits_of_site_and_user(site) -> None:
    Site.objects.update(max_batches_per_user=2)
    Share.objects.create(user=user("bob"), max_batches=1)
    ready("ada", 100), ready("bob", 100)
    plan_batches()
    plan_batches()
    assert dealt() == {"ada": 2, "bob": 1}


def test_frames_beyond_the_limit_are_refused_with_the_numbers(site) -> None:
    Site.objects.update(max_frames_per_user=12)
    ready("ada", 10)
    columns = {"name": "x", "renderer": "povray", "frames_spec": "1-3", "width": 1, "height": 1}
    upload = SimpleUploadedFile("s.pov", b"x")
    with pytest.raises(requests.LimitError, match="12 frames waiting or in work, 10 are"):
        requests.submit(user("ada"), upload, "s.pov", "s.pov", [1, 2, 3], **columns)
    assert requests.submit(user("bob"), upload, "s.pov", "s.pov", [1, 2, 3], **columns).frames.count() == 3
    Share.objects.create(user=user("ada"), max_frames=13)
    assert requests.submit(user("ada"), upload, "s.pov", "s.pov", [1, 2, 3], **columns)


# -- pauses ------------------------------------------------------------------------------------------------------------


def test_a_paused_job_gives_its_room_to_others_and_goes_on_later(site) -> None:
    job, other = ready("ada", 100), ready("bob", 100)
    plan_batches()
    running, *waiting = queued(job)
    work = claim(running)
    assert requests.pause(job, "ada") and not requests.pause(job, "ada")
    plan()
    assert {batch.state for batch in job.batches.exclude(pk=running.pk)} == {"CANCELLING"} and waiting
    assert other.batches.count() == 5  # the room of all but the one that runs
    beat = [{"number": work.number, "attempt": work.attempt, "percent": 5.0, "log": ""}]
    running = Batch.objects.select_related("job").get(pk=running.pk)
    assert compute_client.heartbeat(running, f"{running.pk}", beat) == "drain"
    job.frames.filter(number=work.number).update(state="RENDERED")
    assert claim(running) is None
    assert requests.resume(job, "ada") and not requests.resume(job, "ada")
    other.frames.update(state="SYNCED")
    other.batches.update(state="FINISHED")
    plan()
    assert job.batches.filter(state="CREATED").exists()


def test_a_paused_site_begins_nothing(site) -> None:
    job = ready("ada")
    plan_batches()
    (batch, *_) = queued(job)
    before = Batch.objects.count()
    Site.objects.update(paused=True)
    ready("bob")
    plan_batches()
    assert Batch.objects.count() == before and claim(batch) is None
    Site.objects.update(paused=False)
    assert claim(batch).number == 1


# -- retries and dependencies ------------------------------------------------------------------------------------------


def test_only_failed_frames_are_rendered_again(site) -> None:
    job = ready("ada", 4, max_tries=1)
    job.frames.filter(number=1).update(state="SYNCED", file="kept.png")
    job.frames.filter(number=2).update(state="FAILED", tries=1, error="out of memory")
    job.frames.filter(number__gt=2).update(state="CANCELLED")
    Job.objects.update(state="FAILED", state_reason="1 of 4 frames failed", finished=timezone.now())
    Workspace.objects.update(state="RELEASING")
    assert requests.retry(job, "ada") == 3
    assert requests.retry(job, "ada") == 0
    plan()
    job.refresh_from_db()
    assert job.state == "STAGING"  # not READY with a workspace that is on its way out
    Workspace.objects.update(state="RELEASED")
    plan()
    job.refresh_from_db()
    assert (job.state, job.finished, job.state_reason, job.workspace.state) == ("STAGING", None, "", "PENDING")
    assert list(job.frames.values_list("state", "tries")) == [("SYNCED", 0)] + 3 * [("WAITING", 0)]
    Workspace.objects.update(state="ALLOCATED", path="/w/new")
    plan()
    job.refresh_from_db()
    assert job.state == "STAGING" and job.transfers.filter(state="PENDING").count() == 1  # the scene is sent again
    job.transfers.update(state="DONE")
    plan()
    assert job.batches.filter(state="CREATED").count() == 3


def test_retried_job_does_not_fail_for_its_old_batches(site) -> None:
    job = ready("ada", 1)
    for _ in range(3):
        Batch.objects.create(job=job, site="here", state="FINISHED", native_id=None, walltime_seconds=1)
    job.frames.update(state="FAILED")
    Job.objects.update(state="FAILED")
    requests.retry(job, "ada")
    plan()
    plan()
    assert job.frames.get().state == "WAITING"


def test_cancelled_job_is_not_retried(site) -> None:
    job = ready("ada", 2)
    requests.cancel(job, "ada")
    assert requests.retry(job, "ada") == 0
    assert set(job.frames.values_list("state", flat=True)) == {"CANCELLED"}


@pytest.mark.parametrize(("state", "expected"), [("ACTIVE", "NEW"), ("DONE", "STAGING"), ("CANCELLED", "FAILED")])
def test_a_job_after_another(site, state: str, expected: str) -> None:
    first, second = ready("ada", state=state), ready("ada", 2, state="NEW")
    first.frames.update(state="SYNCED" if state != "CANCELLED" else state)
    Frame.objects.create(job=first, number=99, state="RUNNING" if state == "ACTIVE" else "CANCELLED")
    Workspace.objects.filter(job=second).update(state="PENDING")
    second.after.add(first)
    plan()
    second.refresh_from_db()
    assert second.state == expected
    assert (f"job {first.pk}" in second.state_reason) is (expected != "STAGING")


def test_a_job_that_failed_before_it_began_is_tried_again_from_the_start(site) -> None:
    first, second = ready("ada", state="FAILED"), ready("ada", 2, state="NEW")
    Workspace.objects.filter(job=second).delete()
    second.transfers.all().delete()
    second.after.add(first)
    plan()
    second.refresh_from_db()
    assert second.state == "FAILED"
    second.after.clear()
    assert requests.retry(second, "ada") == 2
    plan()
    second.refresh_from_db()
    assert (second.state, second.workspace.state, second.transfers.count()) == ("STAGING", "PENDING", 1)


# -- nodes and licences ------------------------------------------------------------------------------------------------


def test_a_node_that_fails_what_others_render_is_blocked(site) -> None:
    job = ready("ada", 6)
    plan_batches()
    batches = queued(job)
    work = claim(batches[0], "good")
    file = {"path": work.files[0]["final"], "size": 1, "sha256": "0" * 64}
    report = RENDERED | {"attempt": work.attempt, "files": [file]}
    compute_client.result(Batch.objects.get(pk=batches[0].pk), f"{batches[0].pk}", work.number, report)
    for batch in batches[1:3]:
        fail(job, batch, "bad")
    assert not blocklist.is_blocked("here", "bad")
    fail(job, batches[3], "bad")
    assert blocklist.is_blocked("here", "bad") and not blocklist.is_blocked("here", "good")
    assert "out of memory" in BlockedNode.objects.get().reason
    assert claim(batches[4], "bad") is None and claim(batches[5], "good")
    compute_client.finish(Batch.objects.get(pk=batches[4].pk), f"{batches[4].pk}", "nothing left")
    Batch.objects.filter(pk=batches[4].pk).update(state="FINISHED", finished=timezone.now())
    before = job.batches.count()
    plan_batches()
    assert job.batches.count() == before  # it would start on the node that has just become free
    Batch.objects.filter(pk=batches[4].pk).update(finished=timezone.now() - timedelta(minutes=3))
    plan_batches()
    assert job.batches.count() > before
    BlockedNode.objects.update(until=timezone.now())
    assert not blocklist.is_blocked("here", "bad")


def test_a_scene_that_fails_everywhere_says_nothing_about_nodes(site) -> None:
    job = ready("ada", 6)
    plan_batches()
    for batch in queued(job):
        fail(job, batch, "nid1")
    assert not BlockedNode.objects.exists()


def test_licence_is_held_by_one_client_until_it_ends_or_times_out(site) -> None:
    Licence.objects.create(renderer="povray", count=1)
    job = ready("ada", 6)
    plan_batches()
    assert job.batches.count() == 1  # no more than there are licences
    (first,) = queued(job)
    second = Batch.objects.create(job=job, site="here", state="QUEUED", walltime_seconds=600)
    job.frames.filter(number=2).update(batch=second)
    assert claim(first) and claim(second, "nid2") is None
    Lease.objects.update(expires=timezone.now() + timedelta(seconds=1))
    licences.renew(first)
    assert Lease.objects.get().expires > timezone.now() + timedelta(minutes=1)
    compute_client.finish(Batch.objects.get(pk=first.pk), f"{first.pk}", "drained")
    assert claim(second, "nid2")
    Lease.objects.update(expires=timezone.now())
    third = Batch.objects.create(job=job, site="here", state="QUEUED", walltime_seconds=600)
    job.frames.filter(number=3).update(batch=third)
    assert claim(third, "nid3")
