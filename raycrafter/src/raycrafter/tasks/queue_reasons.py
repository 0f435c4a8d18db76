"""Why batches wait in the scheduler's queue; notifications of stuck ones."""

from __future__ import annotations

from collections.abc import Iterable

from raycrafter.cluster.batch.listing import Listing
from raycrafter.cluster.batch.reply import Phase, Seen
from raycrafter.jobs import holds
from raycrafter.jobs.models import Batch
from raycrafter.jobs.notifications import job_url, notify, notify_operators
from raycrafter.jobs.states import BatchState

from .common import cluster, scheduler

SOURCE = "queue"


def note_reasons(batches: Iterable[Batch], listing: Listing) -> None:
    """Show the scheduler's reason on each batch that waits; notify of a stuck one."""
    stuck: dict[int, tuple[Batch, Seen]] = {}
    jobs = {batch.job_id: batch.job for batch in batches}
    queued = Batch.objects.filter(state=BatchState.QUEUED, native_id__isnull=False)
    for batch in queued.filter(pk__in=[batch.pk for batch in batches]):
        seen = listing.find(batch.native_id, batch.name)
        if seen is None or seen.phase is not Phase.WAITING:
            continue
        reason = f"waits: {seen.reason}" if seen.reason else ""
        if reason != batch.state_reason:
            Batch.objects.filter(pk=batch.pk, state=BatchState.QUEUED).update(state_reason=reason)
        if scheduler().is_stuck(seen):
            stuck.setdefault(batch.job_id, (batch, seen))
    for pk, job in jobs.items():
        if pk in stuck:
            _notify(*stuck[pk])
        else:
            holds.release(job, SOURCE)


def _notify(batch: Batch, seen: Seen) -> None:
    """Notify owner and operators, once per batch and reason."""
    job, host = batch.job, cluster().ssh_host
    problem = f"batch {batch.pk} ({batch.native_id}) waits on {host} and never starts by itself: {seen.reason}"
    holds.hold(job, SOURCE, problem, batch)
    subject = f"Job {job.pk} ({job.name}) is stuck in the queue: {seen.reason}"
    text = f"{problem}\nAn operator releases or deletes it there, or changes what batches ask for (cluster.*).\n"
    text += f"\n{job_url(job)}\n"
    occasion = f"{batch.pk}:{seen.reason}"
    notify(job.owner, "stuck", occasion, subject, text, job)
    notify_operators("stuck", occasion, subject, text, job)
