"""Notices of long holds: jobs that wait for the cluster, or for a licence."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Exists, Max, OuterRef, Q

from . import holds
from .models import Batch, Event, Frame, Job, Licence
from .notifications import job_url, notify, notify_operators
from .states import BATCH_FINAL, JOB_FINAL, FrameState, JobState

HELD = timedelta(minutes=30)  # what passes by itself within this time is not worth a message
SCARCE = timedelta(hours=2)  # without a licence


def _day(job: Job, now: datetime) -> int:
    """Return the job's day, counted from its beginning: a notice is sent once in each."""
    return (now - job.created).days


def notify_held_jobs(now: datetime) -> None:
    """Notify the owners of jobs that are held for long.

    A hold leaves an event when it begins and one every REPEAT after that, so an event of that age proves a hold that
    lasted. Waiting for another job is no reason for a notice.
    """
    old = Event.objects.filter(job=OuterRef("pk"), kind="infrastructure")
    old = old.filter(time__lt=now - HELD, time__gt=now - HELD - 2 * holds.REPEAT)
    jobs = Job.objects.exclude(state__in=JOB_FINAL).filter(Exists(old), state_reason__startswith=holds.WAITING)
    jobs = jobs.exclude(state_reason__startswith=f"{holds.WAITING}{holds.DEPENDENCY}: ").select_related("owner")
    for job in jobs:
        source = job.state_reason.removeprefix(holds.WAITING).partition(":")[0]
        text = f"Job {job.pk} ({job.name}) is held up. It goes on by itself when this is over.\n{job.state_reason}\n"
        subject = f"Job {job.pk} ({job.name}) waits: {source}"
        notify(job.owner, "held", f"{source}:{_day(job, now)}", subject, f"{text}\n{job_url(job)}\n", job)


def notify_missing_licences(now: datetime) -> None:
    """Notify of jobs that get no batch for long because others hold all licences."""
    present = Batch.objects.exclude(state__in=BATCH_FINAL).order_by().values("job__renderer")
    in_use = dict(present.annotate(n=Count("pk")).values_list("job__renderer", "n"))
    clients = settings.RAYCRAFTER.cluster.launch.n
    for licence in Licence.objects.all():
        if (in_use.get(licence.renderer, 0) + 1) * clients <= licence.count:
            continue
        waiting = _long_without_batch(licence.renderer, now)
        for job in waiting:
            text = f"Job {job.pk} ({job.name}) waits for a licence of {job.renderer}: {licence.count} are there.\n"
            subject = f"Job {job.pk} ({job.name}) waits for a licence"
            notify(job.owner, "licence", str(_day(job, now)), subject, f"{text}\n{job_url(job)}\n", job)
        if waiting:
            text = f"{len(waiting)} jobs have had no licence of {licence.renderer} for {SCARCE.seconds // 3600} hours; "
            text += f"there are {licence.count}. Jobs: {', '.join(str(job.pk) for job in waiting[:50])}\n"
            subject = f"No licence of {licence.renderer} becomes free"
            notify_operators("licence", f"{licence.renderer}:{now:%Y-%m-%d}", subject, text)


def _long_without_batch(renderer: str, now: datetime) -> list[Job]:
    """Return jobs of a renderer that wait for a batch and had none since SCARCE ago."""
    frames = Frame.objects.filter(job=OuterRef("pk"), state=FrameState.WAITING, batch=None)
    jobs = Job.objects.filter(Exists(frames), renderer=renderer, paused=False)
    jobs = jobs.filter(state__in=[JobState.READY, JobState.ACTIVE], created__lt=now - SCARCE)
    jobs = jobs.filter(Q(retried=None) | Q(retried__lt=now - SCARCE)).select_related("owner")
    jobs = jobs.annotate(
        present=Count("batches", filter=~Q(batches__state__in=BATCH_FINAL)), last=Max("batches__finished")
    )
    return list(jobs.filter(Q(last=None) | Q(last__lt=now - SCARCE), present=0).order_by("pk"))
