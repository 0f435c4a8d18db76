"""What the tasks share: the way to the cluster, messages to other tasks, and how trouble on the way is told."""

from __future__ import annotations

import functools
import logging
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from raycrafter.celery import app
from raycrafter.cluster.batch.reply import number
from raycrafter.cluster.gridftp import GridFtp
from raycrafter.cluster.scheduler import Scheduler
from raycrafter.cluster.ssh import Remote
from raycrafter.cluster.ssh_transfer import SshTransfer
from raycrafter.cluster.transfer import Adapter
from raycrafter.config import Cluster
from raycrafter.jobs.models import Batch, Event, Job
from raycrafter.jobs.states import JOB_FINAL, JobState

logger = logging.getLogger(__name__)

EXPIRES = 60  # seconds a message may wait; the next tick sends another
SAME_TROUBLE = timedelta(minutes=10)  # the same words again are not worth another event before
WAITING = "Waiting: "  # how a state_reason begins that says what holds a job up


def cluster() -> Cluster:
    """The site's configuration."""
    return settings.RAYCRAFTER.cluster


@functools.cache
def remote() -> Remote:
    """The login node; one per process, because it remembers when it could not be reached."""
    site = cluster()
    return Remote(site.ssh_config, site.ssh_host, site.scratch)


@functools.cache
def scheduler() -> Scheduler:
    """The batch system's answers."""
    return Scheduler(cluster().scheduler)


def adapter() -> Adapter:
    """What moves the files."""
    if cluster().transfer == "ssh":
        return SshTransfer(remote())
    return GridFtp(cluster().gridftp_url, cluster().proxy_file)


def owner(batch: Batch) -> str:
    """The number of the batch job that renders, "" while it is not known: that of the client that claimed. It need not
    be what the submission answered, because batch systems may take one submission twice."""
    return number(batch.native_client_id or "") or number(batch.native_id or "")


def enqueue(task: str, *arguments: Any) -> None:
    """Sends a message to a task of this package, after the running transaction if there is one. Never raises."""
    if app.conf.task_always_eager:
        return  # development: there are no workers, and the next step is nobody's to do in a request

    def send() -> None:
        try:
            app.send_task(f"raycrafter.tasks.{task}", arguments, expires=EXPIRES, retry=False)
        except Exception as error:  # brokers fail in the words of three libraries, and none is worth a lost request
            logger.warning("the broker did not take %s, the next tick will: %s", task, error)

    transaction.on_commit(send)


class Pauses:
    """Things not to be tried again yet, in this process: a restart tries them once more, which does no harm."""

    def __init__(self) -> None:
        self._until: dict[object, float] = {}

    def set(self, key: object, seconds: float) -> None:
        """Not before ``seconds`` from now."""
        self._until[key] = time.monotonic() + seconds

    def __contains__(self, key: object) -> bool:
        if time.monotonic() < self._until.get(key, 0.0):
            return True
        self._until.pop(key, None)
        return False

    def clear(self) -> None:
        """Everything may be tried."""
        self._until.clear()


pauses = Pauses()


def note_trouble(job: Job, source: str, text: str, batch: Batch | None = None) -> None:
    """Tells a job's owner what holds it up; the job goes on by itself when that is over. The same words again are
    told only now and then. ``source`` names the step that is held up, for ``trouble_over``. A job that is over, or is
    being cancelled, keeps the reason that it has."""
    reason = f"{WAITING}{source}: {text}"
    open_jobs = Job.objects.exclude(state__in=[*JOB_FINAL, JobState.CANCELLING])
    open_jobs.filter(pk=job.pk).exclude(state_reason=reason).update(state_reason=reason)
    since = timezone.now() - SAME_TROUBLE
    message = f"{source}: {text}"[:2000]
    if job.events.filter(kind="infrastructure", message=message, time__gt=since).exists():
        return
    Event.note(job, "infrastructure", message, Event.Level.WARNING, batch=batch)
    logger.warning("%s", message, extra={"job_id": job.pk} | ({"batch_id": batch.pk} if batch else {}))


def trouble_over(job: Job, source: str) -> None:
    """Takes back what ``note_trouble`` put on the job for that step."""
    Job.objects.filter(pk=job.pk, state_reason__startswith=f"{WAITING}{source}: ").update(state_reason="")
