"""Blocklist: nodes that fail what others can render get no frames for a while."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone

from .models import Attempt, BlockedNode, Event

logger = logging.getLogger(__name__)

FAILURES = 3  # frames in a row
BLOCKED_FOR = timedelta(hours=6)


def note_failure(attempt: Attempt) -> None:
    """Block the node after failures at different frames that other nodes render.

    Each failed frame's job must have been rendered elsewhere: a scene that fails everywhere says nothing about a node.
    """
    site, host = attempt.batch.site, attempt.host
    on_node = Attempt.objects.filter(batch__site=site, host=host, ended__isnull=False)
    on_node = on_node.exclude(outcome__in=[Attempt.Outcome.INTERRUPTED, Attempt.Outcome.CANCELLED])
    last = list(on_node.select_related("frame").order_by("-ended", "-pk")[:FAILURES])
    if len({one.frame_id for one in last if one.outcome == Attempt.Outcome.FAILED}) < FAILURES:
        return
    elsewhere = Attempt.objects.filter(outcome=Attempt.Outcome.RENDERED).exclude(batch__site=site, host=host)
    jobs = {one.frame.job_id for one in last}
    if elsewhere.filter(frame__job__in=jobs).values("frame__job").distinct().count() < len(jobs):
        return
    reason = f"{FAILURES} frames in a row failed there; the last: {attempt.error}"[:2000]
    BlockedNode.objects.update_or_create(
        site=site, host=host, defaults={"until": timezone.now() + BLOCKED_FOR, "reason": reason}
    )
    Event.note(attempt.frame.job, "node", f"{host} is blocked: {reason}", Event.Level.WARNING, batch=attempt.batch)
    logger.warning("%s is blocked: %s", host, reason, extra={"job_id": attempt.frame.job_id})


def is_blocked(site: str, host: str) -> bool:
    """Whether that node gets no frames now."""
    return BlockedNode.objects.filter(site=site, host=host, until__gt=timezone.now()).exists()
