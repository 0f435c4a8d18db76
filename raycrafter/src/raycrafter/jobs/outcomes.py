"""Outcomes: how attempts end, and what that means for their frames."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from . import blocklist, licences, rendering
from .models import Attempt, Batch, Event, Frame, Job
from .states import FrameState
from .transitions import transition

Actor = Event.Actor
Outcome = Attempt.Outcome
MAX_INTERRUPTIONS = 10  # of a frame, by walltime or drain, before it is failed for good


def close_attempt(
    attempt: Attempt,
    outcome: str,
    error: str = "",
    *,
    blames_frame: bool = True,
    actor: str = Actor.SERVICE,
    **fields: Any,
) -> bool:
    """End an attempt and change its frame's state; ``fields`` are further columns.

    A lost attempt counts as the frame's failure, unless ``blames_frame`` is False: then as an interruption. Returns
    False, and changes nothing, when the attempt had ended before.
    """
    with transaction.atomic():
        Job.objects.locked(attempt.frame.job_id)
        row = Attempt.objects.filter(pk=attempt.pk, ended__isnull=True)
        if not row.update(ended=timezone.now(), outcome=outcome, error=error[:8000], **fields):
            return False
        attempt.refresh_from_db()
        frame = Frame.objects.select_related("job").get(pk=attempt.frame_id)
        if frame.state in (FrameState.CLAIMED, FrameState.RUNNING):
            _settle_frame(frame, attempt, actor, blames_frame)
    return True


def _settle_frame(frame: Frame, attempt: Attempt, actor: str, blames_frame: bool) -> None:
    """Change the state of the frame whose attempt has just ended."""
    match attempt.outcome:
        case Outcome.RENDERED:
            transition(frame, FrameState.RENDERED, actor, percent=100.0, seconds=attempt.seconds, error="")
        case Outcome.INTERRUPTED:
            _interrupt(frame, attempt, actor)
        case Outcome.LOST if not blames_frame:
            _interrupt(frame, attempt, actor)
        case Outcome.CANCELLED:
            transition(frame, FrameState.CANCELLED, actor)
        case _:
            fail_frame(frame, attempt.error, actor)
            if attempt.outcome == Outcome.FAILED:
                blocklist.note_failure(attempt)


def _interrupt(frame: Frame, attempt: Attempt, actor: str) -> None:
    """Let the frame wait for another try, unless it was interrupted too often."""
    interrupted = frame.attempts.filter(outcome__in=[Outcome.INTERRUPTED, Outcome.LOST])
    if frame.job.retried:
        interrupted = interrupted.filter(ended__gt=frame.job.retried)
    interruptions = interrupted.count()
    if interruptions <= MAX_INTERRUPTIONS:
        # what is rendered stays on disk: the next attempt goes on from there, unless somebody may still write to it
        percent = 0.0 if attempt.outcome == Outcome.LOST else frame.percent
        transition(frame, FrameState.WAITING, actor, batch=None, error=attempt.error, percent=percent)
    else:
        fail_frame(frame, f"interrupted {interruptions} times; is the walltime long enough for one frame?", actor)


def fail_frame(frame: Frame, error: str, actor: str = Actor.SERVICE) -> None:
    """Count a failure. Let the frame wait for another try, or fail it for good.

    It is failed when its tries are used up, or when the error would come again.
    """
    tries = frame.tries + 1
    if not transition(frame, FrameState.SOFT_FAILED, actor, tries=tries, error=error, percent=0.0):
        return
    if tries < frame.job.max_tries and not rendering.get(frame.job.renderer).is_fatal(error):
        transition(frame, FrameState.WAITING, actor, batch=None)
    else:
        transition(frame, FrameState.FAILED, actor)


def release(batch: Batch, outcome: str, error: str, *, blames_frame: bool = True, actor: str = Actor.SERVICE) -> int:
    """End a batch's open attempts, and unassign the frames it never claimed.

    For a batch that was lost, that finished, or whose client ended. Returns how many attempts it ended.
    """
    ended = 0
    with transaction.atomic():
        Job.objects.locked(batch.job_id)
        for attempt in batch.attempts.filter(ended__isnull=True).select_related("frame"):
            ended += close_attempt(attempt, outcome, error, blames_frame=blames_frame, actor=actor)
        batch.frames.filter(state=FrameState.WAITING).update(batch=None)
        licences.give_back(batch)
    return ended
