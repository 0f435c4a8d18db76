"""Workspaces over time: watched, extended while needed, notified of before they end; and other holds."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from django.utils import timezone
from raycrafter.cluster.errors import TransferError
from raycrafter.cluster.gridftp import GridFtp
from raycrafter.config import Mail
from raycrafter.jobs import holds, planner, requests
from raycrafter.jobs.errors import RefusedError
from raycrafter.jobs.models import Batch, Event, Job, Licence, Notification
from raycrafter.tasks import holds as hold_tasks

from raycrafter import tasks


@pytest.fixture
def cluster(cluster, settings):
    """A site that lends for 30 days and sends mail."""
    mail = Mail(host="mail.example.org", sender="render@example.org", operators=["ops@example.org"])
    lent = dataclasses.replace(cluster, workspace_days=30)
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, cluster=lent, mail=mail)
    return lent


@pytest.fixture
def job(world, new_job):
    """A job that is ready, whose owner has an address."""
    job = new_job("1-3")
    type(job.owner).objects.update(email="ada@example.org")
    world.turn()
    job.refresh_from_db()
    assert job.state == "READY"
    return job


def remains(world, job, days: int, hours: int = 0, extensions: int = 3) -> None:
    """Say what ws_list shows of the workspace."""
    (world.site / "leases" / job.workspace_name).write_text(f"{days} days {hours} hours {extensions}\n")


def told(kind: str) -> list[tuple[str, str]]:
    """Whom, and what."""
    rows = Notification.objects.filter(kind=kind).select_related("user").order_by("pk")
    return [(row.user.username if row.user else "operators", row.text) for row in rows]


def extensions(job) -> list[str]:
    return list(job.events.filter(kind="extension").values_list("message", flat=True))


# --- workspaces -----------------------------------------------------------------------------------------------------


def test_workspace_end_notifies_once_at_each_lead_and_extends_at_the_last(world, job) -> None:
    tasks.watch_workspaces()
    assert told("workspace") == []
    for hours in (12, 11, 12):  # as ws_list rounds
        remains(world, job, 6, hours)
        tasks.watch_workspaces()
    ((who, text),) = told("workspace")
    assert who == "ada" and "Extensions left: 3" in text and f"/jobs/{job.pk}" in text
    remains(world, job, 0, 20)
    tasks.watch_workspaces()
    job.workspace.refresh_from_db()
    assert job.workspace.expires > timezone.now() + timedelta(days=29) and job.workspace.extensions_left == 2
    assert len(told("workspace")) == 1 and "still needs it" in extensions(job)[0]


def test_workspace_without_extensions_notifies_owner_and_operators(world, job) -> None:
    remains(world, job, 0, 20, extensions=0)
    for _ in range(3):
        tasks.watch_workspaces()
    people = told("workspace")
    assert [who for who, _ in people] == ["ada", "operators"]
    assert all("no more extensions" in text for _, text in people)


def test_a_site_that_grants_little_does_not_lose_its_extensions_in_hours(world, job) -> None:
    remains(world, job, 0, 20)
    tasks.watch_workspaces()
    for _ in range(3):
        remains(world, job, 0, 22, extensions=2)  # that is all it gave
        tasks.watch_workspaces()
    assert len(extensions(job)) == 1


def test_a_workspace_that_is_gone_ends_the_job_and_a_retry_gets_another(world, job) -> None:
    (world.site / "leases" / job.workspace_name).unlink()
    tasks.watch_workspaces()
    job.workspace.refresh_from_db()
    assert job.workspace.state == "ALLOCATED"  # it should be there: one list without it is no proof
    type(job.workspace).objects.update(expires=timezone.now() - timedelta(hours=1))
    tasks.watch_workspaces()
    world.turn()
    world.poll()
    job.refresh_from_db()
    assert (job.state, job.workspace.state) == ("FAILED", "EXPIRED") and "has expired" in job.state_reason
    assert requests.retry(job, "ada") == 3
    world.turn()
    job.refresh_from_db()
    assert (job.state, job.workspace.state) == ("READY", "ALLOCATED")


def test_a_number_given_again_gets_a_workspace_of_its_own(world, job) -> None:
    """After the database was restored from before the job; or to another service that works in the same account."""
    pk, name, path = job.pk, job.workspace.name, job.workspace.path
    job.delete()
    Job.objects.bulk_create(
        [Job(pk=pk, owner=job.owner, name="new", renderer="povray", frame_count=1, width=1, height=1)]
    )
    planner._begin(Job.objects.get(pk=pk))
    again = Job.objects.get(pk=pk).workspace
    tasks.ensure_workspace(again.pk)
    again.refresh_from_db()
    assert again.state == "ALLOCATED" and again.name != name and again.path != path


def test_a_workspace_that_expires_while_the_scene_waits_is_not_kept_for_ever(world, new_job, monkeypatch) -> None:
    def fails(*_) -> None:
        raise TransferError("network", "reset by peer")

    job = new_job("1-3")
    with monkeypatch.context() as patch:
        patch.setattr(GridFtp, "push", fails)
        world.turn()
    job.refresh_from_db()
    assert (job.state, job.workspace.state, job.transfers.get().state) == ("STAGING", "ALLOCATED", "RETRY")
    (world.site / "leases" / job.workspace.name).unlink()
    type(job.workspace).objects.update(expires=timezone.now() - timedelta(hours=1))
    tasks.watch_workspaces()
    world.turn()
    job.refresh_from_db()
    assert list(job.transfers.values_list("state", flat=True)) == ["CANCELLED", "DONE"]
    world.render(job.batches.get())
    for _ in range(2):
        world.turn()
    world.finish(job.batches.get())
    world.poll()
    job.refresh_from_db()
    assert (job.state, job.workspace.state) == ("DONE", "RELEASED")


def test_the_cluster_away_changes_nothing(world, job) -> None:
    (world.site / "ssh-down").touch()
    type(job.workspace).objects.update(expires=timezone.now() - timedelta(hours=1))
    before = list(type(job.workspace).objects.values())
    tasks.watch_workspaces()
    assert list(type(job.workspace).objects.values()) == before and told("workspace") == []


def test_extension_on_request(world, job) -> None:
    remains(world, job, 12)
    assert requests.extend(job, "ada")
    assert requests.extend(job, "ada")  # pressed twice
    world.turn()
    world.turn()
    tasks.extend_workspace(job.workspace.pk)  # the message comes once more
    job.workspace.refresh_from_db()
    assert job.workspace.expires > timezone.now() + timedelta(days=29) and job.workspace.extensions_left == 2
    assert [text.split(",")[1] for text in extensions(job)] == [" asked for by ada"]


def test_an_extension_that_is_refused_is_said_in_the_sites_words(world, job) -> None:
    remains(world, job, 12, extensions=0)
    assert requests.extend(job, "ada")
    world.turn()
    world.turn()
    (text,) = extensions(job)
    assert "ada asked" in text and "no more extensions" in text
    tasks.watch_workspaces()
    job.refresh_from_db()
    with pytest.raises(RefusedError, match="no extensions left; it expires at"):
        requests.extend(Job.objects.get(pk=job.pk), "ada")


def test_without_a_workspace_there_is_nothing_to_extend(world, new_job) -> None:
    assert not requests.extend(new_job("1-3"), "ada")


# --- other holds ----------------------------------------------------------------------------------------------------


def test_job_held_for_long_notifies_once(world, job) -> None:
    holds.hold(job, "batch system", "qstat does not answer")
    tasks.notify_holds()
    assert told("held") == []
    Event.objects.filter(kind="infrastructure").update(time=timezone.now() - timedelta(minutes=35))
    for _ in range(3):
        tasks.notify_holds()
    ((who, text),) = told("held")
    assert who == "ada" and "qstat does not answer" in text


def test_hold_that_is_over_does_not_notify(world, job) -> None:
    holds.hold(job, "batch system", "qstat does not answer")
    Event.objects.filter(kind="infrastructure").update(time=timezone.now() - timedelta(minutes=35))
    holds.release(job, "batch system")
    tasks.notify_holds()
    assert told("held") == []


def test_waiting_for_another_job_does_not_notify(world, new_job, job) -> None:
    follower = new_job("1-3", after=[job])
    world.turn()
    Event.objects.filter(kind="infrastructure").update(time=timezone.now() - timedelta(minutes=35))
    follower.refresh_from_db()
    assert follower.state_reason.startswith("Waiting: dependency")
    tasks.notify_holds()
    assert told("held") == []


def test_a_licence_that_does_not_become_free(world, job, new_job) -> None:
    Licence.objects.create(renderer="povray", count=1)
    late = new_job("1-3")
    world.turn()
    tasks.notify_holds()
    assert told("licence") == [] and job.batches.exists() and not late.batches.exists()
    Job.objects.update(created=timezone.now() - timedelta(hours=3))
    ended = Batch.objects.create(job=late, site="x", walltime_seconds=1, state="FINISHED", finished=timezone.now())
    tasks.notify_holds()
    assert told("licence") == []  # it had one just now
    Batch.objects.filter(pk=ended.pk).update(finished=timezone.now() - timedelta(hours=3))
    for _ in range(2):
        tasks.notify_holds()
    people = told("licence")
    assert [who for who, _ in people] == ["ada", "operators"] and f"Jobs: {late.pk}\n" in people[1][1]
    Notification.objects.all().delete()
    Batch.objects.update(state="FINISHED", finished=timezone.now())
    tasks.notify_holds()
    assert told("licence") == []


def test_the_proxy(world, cluster, settings, monkeypatch) -> None:
    tasks.notify_holds()
    assert told("proxy") == []
    monkeypatch.setattr(hold_tasks, "PROXY_HOURS", 24 * 365)
    for _ in range(2):
        tasks.notify_holds()
    site = dataclasses.replace(cluster, proxy_file="/nonexistent/proxy")
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, cluster=site)
    for _ in range(2):
        tasks.notify_holds()
    people = told("proxy")
    assert [who for who, _ in people] == ["operators"] * 2
    assert "is valid for" in people[0][1] and "there is no grid proxy at /nonexistent/proxy" in people[1][1]
