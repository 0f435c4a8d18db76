"""Rules for the compute client: claim frames, report progress and results, end.

Fencing: the first native id that claims owns the batch; every call by another is refused. Calls may be repeated.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from raycrafter.dispatch import nudge

from . import blocklist, licences, outcomes, rendering
from .errors import RefusedError
from .models import Attempt, Batch, Event, Frame
from .states import BatchState, FrameState, JobState
from .transitions import transition

logger = logging.getLogger(__name__)

Actor = Event.Actor

TOKEN_GRACE = timedelta(hours=1)
# States in which a batch's client has nothing to do any more.
GONE = {BatchState.FINISHED, BatchState.LOST, BatchState.CANCELLING, BatchState.CANCELLED, BatchState.ENDING}
JOB_GONE = {JobState.CANCELLING, JobState.CANCELLED, JobState.FAILED, JobState.DONE}


@dataclass(frozen=True)
class Work:
    """One frame handed to a client."""

    number: int
    attempt: int
    command: list[str]
    directory: str
    files: list[dict[str, str]]
    resume: bool


def own(batch: Batch, native_id: str) -> None:
    """Raise RefusedError unless ``native_id`` is the batch's owner."""
    if batch.native_client_id != native_id:
        raise RefusedError(409, f"batch {batch.pk} belongs to another client")


def is_gone(batch: Batch) -> bool:
    """Whether the batch's client must stop."""
    return batch.state in GONE or batch.job.state in JOB_GONE


def claim(batch: Batch, native_id: str, host: str) -> Work | None:
    """Give the next frame to a client; None when none is left.

    Raises RefusedError (409, 410).
    """
    _refuse_if_gone(batch)
    _become_owner(batch, native_id, host)
    _refuse_if_gone(batch)  # again: it has been read anew
    _mark_running(batch)
    if batch.stop_at <= timezone.now().timestamp():
        return None
    repeated = _lost_answer(batch, host)
    if repeated:
        return repeated
    if batch.is_held or not _may_render(batch, host):
        return None
    # Ends: every turn either claims a frame or finds one fewer.
    while frame := batch.frames.filter(state=FrameState.WAITING).order_by("number").first():
        if work := _claim_frame(batch, frame, host):
            return work
    return None


def _refuse_if_gone(batch: Batch) -> None:
    """Raise RefusedError (410) for the client of a batch that is over."""
    if is_gone(batch):
        raise RefusedError(410, f"batch {batch.pk} is over: it is {batch.state}, its job is {batch.job.state}")


def _may_render(batch: Batch, host: str) -> bool:
    """Whether the node is not blocked, and a licence is free where one is needed."""
    if blocklist.is_blocked(batch.site, host):
        Event.note(batch.job, "node", f"batch {batch.pk}: {host} is blocked and gets no frame", batch=batch)
        return False
    if not licences.take(batch, host):
        Event.note(batch.job, "licence", f"batch {batch.pk}: no licence of {batch.job.renderer} is free", batch=batch)
        return False
    return True


def _become_owner(batch: Batch, native_id: str, host: str) -> None:
    """Compare-and-set: the first claimant wins, whatever the batch system does."""
    now = timezone.now()
    first = Batch.objects.filter(pk=batch.pk, native_client_id__isnull=True).update(
        native_client_id=native_id,
        client_host=host,
        started=now,
        last_heartbeat=now,
        token_expires=now + timedelta(seconds=batch.walltime_seconds) + TOKEN_GRACE,
    )
    batch.refresh_from_db()
    if not first and batch.native_client_id != native_id:
        message = f"batch {batch.pk} is claimed by {batch.native_client_id}; {native_id} on {host} is turned away"
        Event.note(batch.job, "fenced", message, Event.Level.WARNING, batch=batch)
        logger.warning(message, extra={"job_id": batch.job_id, "batch_id": batch.pk, "native_id": native_id})
    own(batch, native_id)


def _mark_running(batch: Batch) -> None:
    """Mark the batch as running: a claim proves it, even if qsub's answer was lost."""
    if batch.state != BatchState.RUNNING:
        transition(batch, BatchState.RUNNING, Actor.CLIENT, state_reason="")
        if batch.state != BatchState.RUNNING:
            raise RefusedError(410, f"batch {batch.pk} is over: it is {batch.state}")
    job = batch.job
    if job.state == JobState.READY:
        transition(job, JobState.ACTIVE, Actor.CLIENT, started=timezone.now())


def _lost_answer(batch: Batch, host: str) -> Work | None:
    """Give a claimed frame again to a host that never reported on it.

    The answer to its claim was lost.
    """
    attempt = (
        batch.attempts.filter(ended__isnull=True, host=host, frame__state=FrameState.CLAIMED)
        .select_related("frame__job")
        .first()
    )
    return _work(batch, attempt.frame, attempt.number) if attempt else None


def _claim_frame(batch: Batch, frame: Frame, host: str) -> Work | None:
    """Claim one frame; None when another client of the same batch was faster."""
    last = frame.attempts.order_by("-number").first()
    number = last.number + 1 if last else 1
    work = _work(batch, frame, number)
    try:
        with transaction.atomic():
            if not transition(frame, FrameState.CLAIMED, Actor.CLIENT):
                return None
            Attempt.objects.create(frame=frame, batch=batch, number=number, host=host)
    except IntegrityError:
        return None
    return work


def _work(batch: Batch, frame: Frame, number: int) -> Work:
    renderer = rendering.get(batch.job.renderer)
    spec = rendering.frame_spec(batch.job, frame.number, batch.job.workspace.path)
    resumable = (Attempt.Outcome.INTERRUPTED,)
    return Work(
        number=frame.number,
        attempt=number,
        command=renderer.command(spec),
        directory=spec.directory,
        files=[dict(item) for item in renderer.files(spec)],
        resume=renderer.resumes and frame.attempts.filter(number=number - 1, outcome__in=resumable).exists(),
    )


def heartbeat(batch: Batch, native_id: str, frames: list[dict[str, Any]]) -> str:
    """Record that a client is alive, and the progress of its frames.

    Returns its order: ``continue``, ``drain`` (end after this frame) or ``stop``.
    """
    own(batch, native_id)
    Batch.objects.filter(pk=batch.pk).update(last_heartbeat=timezone.now())
    licences.renew(batch)
    for item in frames:
        attempt = _attempt(batch, item["number"], item["attempt"])
        if attempt.outcome in (Attempt.Outcome.LOST, Attempt.Outcome.CANCELLED):
            return "stop"
        if attempt.ended:
            continue  # its result has overtaken this heartbeat
        if attempt.frame.state == FrameState.CLAIMED:
            transition(attempt.frame, FrameState.RUNNING, Actor.CLIENT)
        # never backwards: renderers count some frames twice
        rows = Frame.objects.filter(pk=attempt.frame_id, state=FrameState.RUNNING, percent__lt=item["percent"])
        rows.update(percent=item["percent"])
        if (log := item.get("log", "")) != attempt.log:
            Attempt.objects.filter(pk=attempt.pk, ended__isnull=True).update(log=log)
    if is_gone(batch):
        return "stop"
    return "drain" if batch.is_held else "continue"


def _attempt(batch: Batch, number: int, attempt: int) -> Attempt:
    """Return an attempt of this batch. Raises RefusedError (404)."""
    found = batch.attempts.filter(frame__number=number, number=attempt).select_related("frame__job").first()
    if not found:
        raise RefusedError(404, f"batch {batch.pk} has no attempt {attempt} at frame {number}")
    return found


def events(batch: Batch, native_id: str, items: list[dict[str, Any]]) -> int:
    """Store a client's events, each once, and return the highest number stored."""
    own(batch, native_id)
    numbers = {item["frame"] for item in items if item.get("frame") is not None}
    frames = dict(Frame.objects.filter(job=batch.job_id, number__in=numbers).values_list("number", "pk"))
    Event.objects.bulk_create(
        [
            Event(
                job_id=batch.job_id,
                batch=batch,
                frame_id=frames.get(item.get("frame")),
                seq=item["seq"],
                time=item["time"],
                level=item["level"],
                actor=Actor.CLIENT,
                kind=item["kind"],
                message=item["message"],
                data=item["data"] | ({"attempt": item["attempt"]} if item.get("attempt") is not None else {}),
            )
            for item in items
        ],
        ignore_conflicts=True,
    )
    return batch.events.exclude(seq=None).order_by("-seq").values_list("seq", flat=True).first() or 0


def result(batch: Batch, native_id: str, number: int, report: dict[str, Any]) -> str:
    """Record the result of an attempt. Return the frame's state.

    A frame is rendered when the renderer ended with 0 and every file it must leave is there: the claim alone is not
    enough. A repeated report changes nothing; one that contradicts the first is refused.
    """
    own(batch, native_id)
    attempt = _attempt(batch, number, report["attempt"])
    outcome, error, outputs = _judge(batch, attempt.frame, report)
    figures = {key: report.get(key) for key in ("returncode", "seconds", "peak_rss_kb")}
    figures["log"] = report.get("log", "")
    with transaction.atomic():
        closed = outcomes.close_attempt(attempt, outcome, error, actor=Actor.CLIENT, **figures)
        if closed and outputs:
            Frame.objects.filter(pk=attempt.frame_id).update(outputs=outputs)
        if not closed:
            attempt.refresh_from_db()
            # a cancelled attempt has nothing left to disagree about
            if attempt.outcome not in (outcome, Attempt.Outcome.CANCELLED):
                raise RefusedError(409, f"attempt {attempt.number} at frame {number} has ended: {attempt.outcome}")
    if outcome == Attempt.Outcome.FAILED and closed:
        extra = {"job_id": batch.job_id, "batch_id": batch.pk, "frame": number, "attempt": attempt.number}
        logger.warning("frame %d: %s", number, error, extra=extra)
    nudge()
    return Frame.objects.values_list("state", flat=True).get(pk=attempt.frame_id)


def _judge(batch: Batch, frame: Frame, report: dict[str, Any]) -> tuple[str, str, list[dict[str, Any]]]:
    """Return outcome, error and the files of a report."""
    error = report["error"]
    if report["outcome"] != Attempt.Outcome.RENDERED:
        return report["outcome"], error, []
    if report.get("returncode") != 0:
        return Attempt.Outcome.FAILED, error or f"the renderer ended with {report.get('returncode')}", []
    spec = rendering.frame_spec(batch.job, frame.number, batch.job.workspace.path)
    expected = rendering.get(batch.job.renderer).files(spec)
    reported = {item["path"]: item for item in report["files"] if item["size"] > 0}
    missing = [item["final"] for item in expected if item["final"] not in reported]
    if missing:
        return Attempt.Outcome.FAILED, f"the renderer left no {', '.join(missing)}", []
    # only what was expected: a client does not choose what the service fetches
    return Attempt.Outcome.RENDERED, "", [reported[item["final"]] for item in expected]


def finish(batch: Batch, native_id: str, reason: str) -> None:
    """Record a client's last word: interrupt open attempts, free unclaimed frames.

    Where a batch has several clients, a frame that is still open is another's, and the last of them ends the batch.
    """
    own(batch, native_id)
    if settings.RAYCRAFTER.cluster.launch.n > 1 and batch.attempts.filter(ended__isnull=True).exists():
        return
    with transaction.atomic():
        outcomes.release(batch, Attempt.Outcome.INTERRUPTED, f"the client ended: {reason}", actor=Actor.CLIENT)
        if batch.state == BatchState.RUNNING:
            transition(batch, BatchState.ENDING, Actor.CLIENT, finish_reason=reason)
    nudge()
