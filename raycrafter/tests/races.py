"""Many at once, in threads with connections of their own: run by test_races.py against a database of its own.

Settings come from the environment, so that the same program can be run against PostgreSQL.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import django
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

THREADS = 8


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


def main() -> None:
    """Make a job, race for it."""
    django.setup()
    call_command("migrate", verbosity=0)
    from raycrafter.jobs import client, requests
    from raycrafter.jobs.models import Batch, Event, Frame, Job, Notification, Share, Upload, Workspace
    from raycrafter.jobs.notifications import NotificationChoice, tell
    from raycrafter.jobs.states import move
    from raycrafter.tasks import notifications

    job = Job.objects.create(
        owner=get_user_model().objects.create_user("racer"),
        name="race",
        renderer="povray",
        state="READY",
        main="s.pov",
        frames_spec="1-16",
        frame_count=16,
        width=1,
        height=1,
    )
    Workspace.objects.create(job=job, site="race", name="race", path="/w", state="ALLOCATED")
    Frame.objects.bulk_create(Frame(job=job, number=number) for number in range(1, 17))

    def new_batch(first: int, last: int) -> int:
        batch = Batch.objects.create(job=job, site="race", state="QUEUED", directory="/w/b", walltime_seconds=60)
        job.frames.filter(number__range=(first, last)).update(batch=batch)
        return batch.pk

    def batch(pk: int) -> Batch:
        return Batch.objects.select_related("job").get(pk=pk)

    # every claimant calls its batch job something else: one owns the batch
    pk = new_batch(1, 4)
    results = at_once(lambda number: client.claim(batch(pk), f"id{number}", f"host{number}"))
    assert len([r for r in results if isinstance(r, client.Work)]) == 1, results
    assert [r.status for r in results if isinstance(r, Exception)] == [409] * (THREADS - 1), results

    # one batch job on many nodes: every frame is claimed once
    pk = new_batch(5, 16)

    def until_none_is_left(number: int) -> list[int]:
        numbers = []
        while work := client.claim(batch(pk), "same", f"host{number}"):
            numbers.append(work.number)
            client.heartbeat(batch(pk), "same", [{"number": work.number, "attempt": work.attempt, "percent": 1.0}])
        return numbers

    results = at_once(until_none_is_left)
    assert all(isinstance(r, list) for r in results), results
    assert sorted(number for numbers in results for number in numbers) == list(range(5, 17)), results

    # a failure reported many times counts once
    report = {"attempt": 1, "outcome": "failed", "returncode": 1, "error": "boom", "files": []}
    results = at_once(lambda _: client.result(batch(pk), "same", 9, report))
    assert not [r for r in results if isinstance(r, Exception)], results
    assert job.frames.values_list("tries", "state").get(number=9) == (1, "WAITING")

    # one of many moves a job, and one event says so
    results = at_once(lambda _: move(Job.objects.get(pk=job.pk), "STAGING_OUT"))
    assert sorted(results) == [False] * (THREADS - 1) + [True], results
    assert Event.objects.filter(job=job, data__to="STAGING_OUT").count() == 1

    # the same events from all sides are stored once
    about = {"level": 20, "kind": "log", "message": "m", "data": {}, "frame": None, "attempt": None}
    events = [about | {"seq": number, "time": timezone.now()} for number in range(1, 101)]
    results = at_once(lambda _: client.events(batch(pk), "same", events))
    assert results == [100] * THREADS, results
    assert Event.objects.filter(batch=pk).exclude(seq=None).count() == 100

    # the same told from all sides is written down once, and of many workers with it one sends it
    NotificationChoice.objects.create(user=job.owner, webhook="https://hooks.example.org/")
    results = at_once(lambda _: tell(job.owner, "held", "ssh:0", "Job waits", "It waits.", job))
    assert results == [None] * THREADS, results
    row, sent = Notification.objects.get(), []
    notifications._send = lambda row: sent.append(row.pk)
    results = at_once(lambda _: notifications.send_notification(row.pk))
    assert (results, sent) == ([None] * THREADS, [row.pk]), (results, sent)

    # however many submit at once, nobody has more frames than they may, and of one upload one job is made
    eager = get_user_model().objects.create_user("eager")
    share = Share.objects.create(user=eager, max_frames=10)
    columns = {"name": "n", "renderer": "povray", "frames_spec": "1-4", "width": 1, "height": 1}

    def submit(_: int, source: Upload | None = None) -> Job:
        scene = SimpleUploadedFile("s.pov", b"sphere { 0, 1 }")
        return requests.submit(eager, scene, "s.pov", "s.pov", [1, 2, 3, 4], source=source, **columns)

    results = at_once(submit)
    assert len([r for r in results if isinstance(r, Job)]) == 2, results
    assert {r.status for r in results if not isinstance(r, Job)} == {409}, results
    share.delete()
    upload = Upload.objects.create(owner=eager, filename="s.pov", size=15, expires=timezone.now())
    results = at_once(lambda number: submit(number, upload))
    (made,) = [r for r in results if isinstance(r, Job)]
    assert {r.status for r in results if not isinstance(r, Job)} == {409}, results
    assert Upload.objects.get().job == made and eager.jobs.count() == 3


if __name__ == "__main__":
    main()
