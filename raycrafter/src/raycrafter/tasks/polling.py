"""Polling of the batch system: one listing for all batches.

The listing is evidence about jobs that it lists: one that it lists as ended has ended. Absence proves nothing. Then
decide, in this order: the file that the batch's script left, the full status that the scheduler keeps, the last word of
the compute client; only then the batch is lost. Torque kills a script within milliseconds, so the file may be missing.
"""

from __future__ import annotations

import fcntl
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from django.utils import timezone

from raycrafter.celery import app
from raycrafter.cluster import submit
from raycrafter.cluster.batch.listing import Listing
from raycrafter.cluster.batch.reply import AnswerError, Ending, Job, Phase, Refused, Seen, Submitted, Verdict, number
from raycrafter.cluster.errors import InfrastructureError, RemoteError, SshError
from raycrafter.dispatch import enqueue
from raycrafter.jobs import holds, outcomes
from raycrafter.jobs.models import Attempt, Batch, Event
from raycrafter.jobs.states import BatchState
from raycrafter.jobs.transitions import transition

from .common import cluster, owner, remote, scheduler
from .queue_reasons import note_reasons
from .submission import HEARTBEAT_SECONDS, submission_answered
from .submission import SOURCE as SUBMISSION

logger = logging.getLogger(__name__)

SOURCE = "batch system"
ABSENT_POLLS = 2  # good answers without a job before it can be lost
# A client heard of as lately as this is alive, whatever the batch system's list says.
ALIVE = timedelta(seconds=6 * HEARTBEAT_SECONDS)
OUTPUT_TAIL = 2000  # bytes of a batch's output that are shown when it never began

STRAYS = timedelta(hours=1)  # how long a lost or cancelled batch may still be listed
DOUBTFUL = (BatchState.LOST, BatchState.CANCELLED)
WAITING_FOR_ID = (BatchState.SUBMITTING, BatchState.SUBMIT_UNKNOWN)

IN_LIST = (
    BatchState.SUBMITTING,
    BatchState.SUBMIT_UNKNOWN,
    BatchState.QUEUED,
    BatchState.RUNNING,
    BatchState.ENDING,
    BatchState.CANCELLING,
)
_EXITS = 'for d in "$@"; do if [ -e "$d/exit" ]; then printf "%s " "$d"; cat "$d/exit"; fi; done'
_EXIT = re.compile(r"(?P<directory>\S+) (?P<id>\S+) (?P<code>[0-9]{1,3})", re.ASCII)
EXIT_CODES = 256  # as many as a shell has
SIGNALLED = 128  # exit codes above mean a signal: the scheduler knows who sent it
_TAIL = 'cd "$1" && for f in *.out *.o[0-9]* *.e[0-9]*; do if [ -s "$f" ]; then tail -c "$2" "$f"; fi; done'


class Exit(NamedTuple):
    """What a script wrote when it ended: the number of its job, and its exit code."""

    number: str
    code: int


class End(NamedTuple):
    """The end of a batch: job number, exit code (None: unknown), scheduler's words."""

    number: str
    code: int | None
    told: Ending | None
    has_file: bool


@app.task(name="raycrafter.tasks.poll_cluster")
def poll_cluster() -> None:
    """List all batches once. Without a whole answer, change nothing."""
    with _one_poll() as mine:
        batches = Batch.objects.filter(state__in=IN_LIST).select_related("job")
        doubtful = Batch.objects.filter(state__in=DOUBTFUL, finished__gt=timezone.now() - STRAYS)
        if not mine or not (batches or doubtful.exists()):
            return
        jobs = {batch.job for batch in batches}
        try:
            listing = scheduler().listed(remote().run(scheduler().list))
            absent = [batch for batch in batches if not _present(batch, listing)]
            exits = _exits([batch.directory for batch in absent])
            ends = {batch.pk: _end(batch, listing, exits.get(batch.directory)) for batch in absent}
            _delete_strays(listing)
        except (InfrastructureError, AnswerError) as error:
            for job in jobs:
                holds.hold(job, SOURCE, str(error))
            return
        for job in jobs:
            holds.release(job, SOURCE)
        note_reasons(batches, listing)
        for batch in absent:
            try:
                _settle(batch, ends[batch.pk])
            except Exception:  # what is wrong with one keeps no other waiting
                extra = {"job_id": batch.job_id, "batch_id": batch.pk}
                logger.exception("batch %d could not be settled", batch.pk, extra=extra)
    enqueue("plan")


def _delete_strays(listing: Listing) -> None:
    """Delete jobs under our names that belong to no open batch.

    They are of a batch that is over, or a second job of one batch. Such a job renders nothing, because the first client
    owns the batch, but it takes room from others.
    """
    queued = [seen for seen in listing.values() if seen.phase is not Phase.ENDED]
    batches = Batch.objects.in_bulk([seen.name for seen in queued], field_name="name")
    for seen in queued:
        batch = batches.get(seen.name)
        if batch is None or batch.state in WAITING_FOR_ID:
            continue
        if batch.is_final or owner(batch) not in ("", seen.number):
            refused = scheduler().deleted(remote().run(scheduler().cancel, seen.short_id))
            text = f"batch {batch.pk}: deleting the stray job {seen.short_id}: {refused.text if refused else 'done'}"
            Event.note(batch.job, "stray", text, Event.Level.WARNING, batch=batch)
            logger.warning("%s", text, extra={"job_id": batch.job_id, "batch_id": batch.pk})


@contextmanager
def _one_poll() -> Iterator[bool]:
    """Yield True to one process at a time, and not again within half an interval."""
    path = Path(cluster().scratch) / f"poll-{cluster().name}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        file.seek(0)
        last = float(file.read() or 0)
        recent = 0 <= time.time() - last < cluster().poll_interval / 2
        if not recent:
            file.truncate(0)
            file.write(str(time.time()))
            file.flush()
        yield not recent


def _present(batch: Batch, listing: Listing) -> bool:
    """Record a batch that is listed and has not ended; return False for any other."""
    if batch.state in (BatchState.SUBMITTING, BatchState.SUBMIT_UNKNOWN):
        batch = _reconcile(batch, listing)
        if batch.state == BatchState.CREATED or batch.is_final:
            return True  # nothing to settle
    seen = _find(batch, listing)
    if seen is None or seen.phase is Phase.ENDED:
        return False
    Batch.objects.filter(pk=batch.pk).update(last_seen=timezone.now(), absent_polls=0)
    if batch.state == BatchState.CANCELLING and not batch.native_id:
        # cancelled before the answer to its submission was known: now it can be deleted
        Batch.objects.filter(pk=batch.pk, native_id=None).update(native_id=seen.number)
    if seen.phase is Phase.WAITING and batch.state == BatchState.RUNNING and not _is_alive(batch):
        # an administrator or a failed node had it queued anew: it is followed on, without the frames that it had
        outcomes.release(batch, Attempt.Outcome.LOST, "the batch was queued anew", blames_frame=False)
    return True


def _find(batch: Batch, listing: Listing) -> Seen | None:
    """Return the batch's entry in the listing: by id, and by name while it has no id.

    Names are random and cannot clash. Numbers start again when a batch system is set up anew, so the name must fit as
    well. Raises AnswerError when a line that may be the batch's cannot be read.
    """
    if mine := owner(batch):
        return listing.find(mine, batch.name)
    return next(iter(listing.named(batch.name)), None)


def _reconcile(batch: Batch, listing: Listing) -> Batch:
    """Find out what became of a submission whose answer is unknown.

    This task shares its queue with submit_batch, so a batch that is SUBMITTING here was left by a worker that died.
    """
    try:
        answer = submit.look(remote(), scheduler(), batch.directory)
        seen = _find(batch, listing)
        in_doubt = isinstance(answer, Refused) and answer.verdict is Verdict.DOUBT
        if seen and (in_doubt or isinstance(answer, submit.Pending)):
            answer = Submitted(seen.number)
        submission_answered(batch, answer)
    except RemoteError as error:
        holds.hold(batch.job, SUBMISSION, str(error), batch)
    batch.refresh_from_db()
    return batch


def _exits(directories: list[str]) -> dict[str, Exit]:
    """Read the exit files of all directories in one command."""
    if not directories:
        return {}
    found = {}
    for line in remote().run(_EXITS, *directories).stdout.splitlines():
        match = _EXIT.fullmatch(line)
        if match and match["directory"] in directories and int(match["code"]) < EXIT_CODES:
            found[match["directory"]] = Exit(number(match["id"]), int(match["code"]))
    return found


def _end(batch: Batch, listing: Listing, left: Exit | None) -> End | None:
    """Return the end of a batch that neither waits nor runs; None without proof.

    ``left`` is the content of its exit file. Without that file, or after a signal, the scheduler is asked.
    """
    if left and owner(batch) not in ("", left.number):
        left = None  # a second job that was turned away leaves its code in the same place
    if left and left.code <= SIGNALLED:
        return End(left.number, left.code, None, has_file=True)
    seen = _find(batch, listing)
    asked = seen.short_id if seen else owner(batch)
    job = _status(batch, asked) if asked else None
    if job:
        told = scheduler().ending(job.state, job.exit_status)
        return End(number(asked), left.code if left else job.exit_status, told, has_file=bool(left))
    if left:
        return End(left.number, left.code, None, has_file=True)
    return End(seen.number, None, scheduler().ending(seen.state, None), has_file=False) if seen else None


def _status(batch: Batch, asked: str) -> Job | None:
    """Return the full status of a batch's ended job; None without a readable one."""
    try:
        job = scheduler().job(remote().run(scheduler().status, asked), asked)
    except AnswerError as error:
        logger.info("batch %d: %s", batch.pk, error, extra={"job_id": batch.job_id, "batch_id": batch.pk})
        return None
    # The accounting may lag, and keep jobs as running that ended while its database was away.
    return job if job and job.name == batch.name and job.phase is Phase.ENDED else None


def _settle(batch: Batch, end: End | None) -> None:
    """Decide about a batch that neither waits nor runs; ``end`` is its end, if known."""
    batch.refresh_from_db()
    if batch.is_final or batch.state == BatchState.CREATED:
        return
    if end and owner(batch) not in ("", end.number):
        end = None  # meanwhile a client of another job has claimed
    if batch.state == BatchState.CANCELLING:
        outcomes.release(batch, Attempt.Outcome.LOST, "the batch was deleted")
        transition(batch, BatchState.CANCELLED, finished=timezone.now(), exit_status=end.code if end else None)
    elif end:
        _ended(batch, end)
    elif batch.state == BatchState.ENDING:
        _ended(batch, End("", None, None, has_file=False))
    else:
        _missing(batch)


def _ended(batch: Batch, end: End) -> None:
    """Finish a batch that came to its end, well or not."""
    reason, is_external = _reason(end), bool(end.told and end.told.is_external)
    if batch.native_client_id is None:
        reason = f"{reason} before its client began: {_output(batch)}"
        batch.refresh_from_db()
        if batch.native_client_id or batch.state == BatchState.CANCELLING:
            return  # meanwhile: the next poll looks anew
        Event.note(batch.job, "batch", f"batch {batch.pk}: {reason}", Event.Level.WARNING, batch=batch)
    outcomes.release(batch, Attempt.Outcome.LOST, f"{reason}; no result came", blames_frame=not is_external)
    if batch.state in WAITING_FOR_ID:
        transition(batch, BatchState.QUEUED)
    if batch.state in (BatchState.QUEUED, BatchState.RUNNING):
        transition(batch, BatchState.ENDING)
    # not one that was cancelled at this moment: the next poll settles that
    if batch.state == BatchState.ENDING:
        # a client that said its last word needs no exit file
        is_ordinary = not end.code if end.has_file else batch.finish_reason and not is_external
        fields = {"exit_status": end.code, "finished": timezone.now(), "state_reason": "" if is_ordinary else reason}
        transition(batch, BatchState.FINISHED, **fields)


def _reason(end: End) -> str:
    """Describe for people how a batch ended."""
    how = f" (exit {end.code})" if end.has_file else " without an exit file" if end.told else ""
    return f"the batch ended{how}" + (f": {end.told.text}" if end.told else "")


def _output(batch: Batch) -> str:
    """Return the end of a batch's output, for people."""
    try:
        text = remote().run(_TAIL, batch.directory, str(OUTPUT_TAIL)).stdout.strip()
    except SshError:
        text = ""
    return text[-OUTPUT_TAIL:] or "it left no output"


def _missing(batch: Batch) -> None:
    """Count a poll without the batch.

    It is lost after ABSENT_POLLS of them, once its client is not heard of either.
    """
    polls = batch.absent_polls + 1
    Batch.objects.filter(pk=batch.pk).update(absent_polls=polls)
    if polls < ABSENT_POLLS or _is_alive(batch):
        return
    reason = "the batch system does not know it any more, and it left no exit code"
    if transition(batch, BatchState.LOST, state_reason=reason, finished=timezone.now()):
        outcomes.release(batch, Attempt.Outcome.LOST, "the batch was lost")


def _is_alive(batch: Batch) -> bool:
    """Whether the batch's compute client was heard of a moment ago."""
    return batch.last_heartbeat is not None and batch.last_heartbeat > timezone.now() - ALIVE
