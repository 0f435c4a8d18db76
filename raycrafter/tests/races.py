"""Many at once, in threads with connections of their own: run by test_races.py against a database of its own.

Settings come from the environment: the scenario `django` runs the same program against PostgreSQL, which locks rows
where SQLite locks the whole file. Whatever it makes there it deletes again.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import django
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

THREADS = 8
ROUNDS = 6  # of what fails only when the threads meet at the right moment


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """Run ``work(0) … work(THREADS - 1)`` together; return the results, exceptions among them."""
    results: list[Any] = [None] * THREADS
    start = threading.Barrier(THREADS)

    def run(number: int) -> None:
        try:
            start.wait(30)
            results[number] = work(number)
        except Exception as error:
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def new_job(owner: Any, frames: int) -> Any:
    """A job that is staged."""
    from raycrafter.jobs.models import Frame, Job, Workspace

    spec = {"main": "s.pov", "frames_spec": f"1-{frames}", "frame_count": frames, "width": 1, "height": 1}
    job = Job.objects.create(owner=owner, name="race", renderer="povray", state="READY", **spec)
    Workspace.objects.create(job=job, site="race", name=f"race-{job.pk}", path="/w", state="ALLOCATED")
    Frame.objects.bulk_create(Frame(job=job, number=number) for number in range(1, frames + 1))
    return job


def main() -> None:
    """Race for jobs of a user who is there for that alone."""
    django.setup()
    call_command("migrate", verbosity=0)
    from raycrafter.jobs.models import BlockedNode, Job

    owner = get_user_model().objects.create_user(f"racer-{uuid.uuid4()}")
    try:
        race_to_submit(owner)
        race_for_one(owner)
        for number in range(ROUNDS):
            for clients_do in (report, finish, heartbeat, claim):
                race_with_the_end(owner, clients_do, cancels=number % 2 == 0)
    finally:
        BlockedNode.objects.filter(site__startswith="race-").delete()
        Job.objects.filter(owner=owner).delete()
        owner.delete()


def report(batch: Any, work: Any) -> None:
    """A client's result: every second one is good."""
    from raycrafter.jobs import compute_client

    told = {"attempt": 1, "outcome": "failed", "returncode": 1, "error": "boom", "files": []}
    if work.number % 2:
        file = {"path": work.files[0]["final"], "size": 1, "sha256": "0" * 64}
        told |= {"outcome": "rendered", "returncode": 0, "error": "", "files": [file]}
    compute_client.result(batch, "same", work.number, told)


def finish(batch: Any, work: Any) -> None:
    """A client's last word."""
    from raycrafter.jobs import compute_client

    compute_client.finish(batch, "same", "nothing left")


def heartbeat(batch: Any, work: Any) -> None:
    """A client's sign of life."""
    from raycrafter.jobs import compute_client

    compute_client.heartbeat(batch, "same", [{"number": work.number, "attempt": 1, "percent": 1.0, "log": ""}])


def claim(batch: Any, work: Any) -> None:
    """A client wants more."""
    from raycrafter.jobs import compute_client

    compute_client.claim(batch, "same", f"host{work.number + THREADS}")


def race_with_the_end(owner: Any, clients_do: Callable[[Any, Any], None], *, cancels: bool) -> None:
    """The job is cancelled, or failed, while every client of its batch says something: nobody stands in the other's
    way, and nothing is left open."""
    from raycrafter.jobs import compute_client, requests
    from raycrafter.jobs.closing import fail_job
    from raycrafter.jobs.errors import RefusedError
    from raycrafter.jobs.models import Attempt, Batch, Job

    job = new_job(owner, 2 * THREADS)
    # a site for each: nodes that fail are blocked there
    site = f"race-{job.pk}"
    made = Batch.objects.create(job=job, site=site, state="QUEUED", directory="/w/b", walltime_seconds=600)
    job.frames.update(batch=made)

    def batch() -> Batch:
        return Batch.objects.select_related("job").get(pk=made.pk)

    given = [compute_client.claim(batch(), "same", f"host{number}") for number in range(THREADS)]

    def say(number: int) -> None:
        if number:
            clients_do(batch(), given[number])
        elif cancels:
            requests.cancel(Job.objects.get(pk=job.pk), "race")
        else:
            fail_job(Job.objects.get(pk=job.pk), "race")

    results = at_once(say)
    wrong = [r for r in results if isinstance(r, Exception) and not isinstance(r, RefusedError)]
    assert not wrong, (clients_do, wrong)
    if cancels:
        assert set(job.frames.values_list("state", flat=True)) == {"CANCELLED"}, clients_do
        assert not Attempt.objects.filter(frame__job=job, ended=None).exists(), clients_do


def race_to_submit(owner: Any) -> None:
    """However many submit at once, nobody has more frames than they may, and of one upload one job is made."""
    from raycrafter.jobs import requests
    from raycrafter.jobs.models import Job, Share, Upload

    columns = {"name": "n", "renderer": "povray", "frames_spec": "1-4", "width": 1, "height": 1}

    def submit(_: int, source: Upload | None = None) -> Job:
        scene = SimpleUploadedFile("s.pov", b"sphere { 0, 1 }")
        return requests.submit(owner, scene, "s.pov", "s.pov", [1, 2, 3, 4], source=source, **columns)

    share = Share.objects.create(user=owner, max_frames=10)
    results = at_once(submit)
    assert len([r for r in results if isinstance(r, Job)]) == 2, results
    assert {r.status for r in results if not isinstance(r, Job)} == {409}, results
    share.delete()
    upload = Upload.objects.create(owner=owner, filename="s.pov", size=15, expires=timezone.now())
    results = at_once(lambda number: submit(number, upload))
    (made,) = [r for r in results if isinstance(r, Job)]
    assert {r.status for r in results if not isinstance(r, Job)} == {409}, results
    assert Upload.objects.get(owner=owner).job == made and owner.jobs.count() == 3


def race_for_one(owner: Any) -> None:
    """Of many one is first."""
    from raycrafter.jobs import compute_client
    from raycrafter.jobs.models import Batch, Event, Job, Notification, NotificationChoice
    from raycrafter.jobs.notifications import notify
    from raycrafter.jobs.transitions import transition
    from raycrafter.tasks import notifications

    job = new_job(owner, 16)

    def new_batch(first: int, last: int) -> int:
        batch = Batch.objects.create(job=job, site="race", state="QUEUED", directory="/w/b", walltime_seconds=600)
        job.frames.filter(number__range=(first, last)).update(batch=batch)
        return batch.pk

    def batch(pk: int) -> Batch:
        return Batch.objects.select_related("job").get(pk=pk)

    # every claimant calls its batch job something else: one owns the batch
    pk = new_batch(1, 4)
    results = at_once(lambda number: compute_client.claim(batch(pk), f"id{number}", f"host{number}"))
    assert len([r for r in results if isinstance(r, compute_client.Work)]) == 1, results
    assert [r.status for r in results if isinstance(r, Exception)] == [409] * (THREADS - 1), results

    # one batch job on many nodes: every frame is claimed once
    pk = new_batch(5, 16)

    def until_none_is_left(number: int) -> list[int]:
        numbers = []
        while work := compute_client.claim(batch(pk), "same", f"host{number}"):
            numbers.append(work.number)
            compute_client.heartbeat(
                batch(pk), "same", [{"number": work.number, "attempt": work.attempt, "percent": 1.0, "log": ""}]
            )
        return numbers

    results = at_once(until_none_is_left)
    assert all(isinstance(r, list) for r in results), results
    assert sorted(number for numbers in results for number in numbers) == list(range(5, 17)), results

    # a failure reported many times counts once
    report = {"attempt": 1, "outcome": "failed", "returncode": 1, "error": "boom", "files": []}
    results = at_once(lambda _: compute_client.result(batch(pk), "same", 9, report))
    assert not [r for r in results if isinstance(r, Exception)], results
    assert job.frames.values_list("tries", "state").get(number=9) == (1, "WAITING")

    # one of many changes a job's state, and one event says so
    results = at_once(lambda _: transition(Job.objects.get(pk=job.pk), "STAGING_OUT"))
    assert sorted(results) == [False] * (THREADS - 1) + [True], results
    assert Event.objects.filter(job=job, data__to="STAGING_OUT").count() == 1

    # the same events from all sides are stored once
    about = {"level": 20, "kind": "log", "message": "m", "data": {}, "frame": None, "attempt": None}
    events = [about | {"seq": number, "time": timezone.now()} for number in range(1, 101)]
    results = at_once(lambda _: compute_client.events(batch(pk), "same", events))
    assert results == [100] * THREADS, results
    assert Event.objects.filter(batch=pk).exclude(seq=None).count() == 100

    # the same told from all sides is written down once, and of many workers with it one sends it
    NotificationChoice.objects.create(user=owner, webhook="https://hooks.example.org/")
    results = at_once(lambda _: notify(owner, "held", "ssh:0", "Job waits", "It waits.", job))
    assert results == [None] * THREADS, results
    row, sent = Notification.objects.get(user=owner), []
    notifications._send = lambda row: sent.append(row.pk)
    results = at_once(lambda _: notifications.send_notification(row.pk))
    assert (results, sent) == ([None] * THREADS, [row.pk]), (results, sent)


if __name__ == "__main__":
    main()
