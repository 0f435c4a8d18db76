"""Transitions: the only functions that change a state, with the Event of each.

A transition is a compare-and-set in the database (``UPDATE … WHERE pk = … AND state = …``): of two processes that try
the same one exactly one succeeds. Every transition leaves an Event with its actor, and a log line.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import models, transaction

from .models import Event, Job
from .notifications import notify_job_ended
from .states import JOB_FINAL, REOPENS, TABLES

logger = logging.getLogger(__name__)

Actor = Event.Actor
WARNED_OF = frozenset({"FAILED", "SOFT_FAILED", "LOST", "BLOCKED"})  # states whose event is a warning


class IllegalTransitionError(ValueError):
    """The table has no such transition: an error in the caller, never a lost race."""

    def __init__(self, kind: str, state: str, to: str) -> None:
        self.kind, self.state, self.to = kind, state, to
        super().__init__(f"a {kind} cannot go from {state} to {to}")


def _kind(model: models.Model | type[models.Model]) -> str:
    return str(model._meta.model_name)


def transition(obj: models.Model, to: str, actor: str = Actor.SERVICE, **fields: Any) -> bool:
    """Change one object's state, with further fields in one UPDATE; record an Event.

    Returns True when this call made the transition. Returns False, with ``obj`` refreshed, when the object was in that
    state already, or when another process took it where this transition does not exist: the caller must then not act on
    it. Raises IllegalTransitionError when the state that the caller had loaded has no such transition.
    """
    kind, table, target = _kind(obj), TABLES[_kind(obj)], str(to)
    if obj.state == target:
        return False
    if target not in table[obj.state]:
        raise IllegalTransitionError(kind, obj.state, target)
    manager = type(obj)._default_manager
    while target in table[obj.state]:
        before = obj.state
        with transaction.atomic():
            done = manager.filter(pk=obj.pk, state=before).update(state=target, **fields)
            if done:
                obj.state = target
                for name, value in fields.items():
                    setattr(obj, name, value)
                _record(obj, kind, before, target, actor)
        if done:
            return True
        # Lost a race: look again. The loop ends, because no object passes through the tables for ever.
        obj.refresh_from_db()
    return False


def transition_all(queryset: models.QuerySet, to: str, job: Job, actor: str = Actor.SERVICE, **fields: Any) -> int:
    """Change the state of those objects of one job that have the transition.

    Records one Event for all. Returns how many.
    """
    kind, target = _kind(queryset.model), str(to)
    allowed = [state for state, targets in TABLES[kind].items() if target in targets]
    with transaction.atomic():
        count = queryset.filter(state__in=allowed).update(state=target, **fields)
        if count:
            _record_all(job, kind, count, target, actor)
    return count


def reopen(queryset: models.QuerySet, job: Job, actor: str = Actor.SERVICE, **fields: Any) -> int:
    """Take objects of one job out of the states that ``REOPENS`` names.

    Records one Event for all. Returns how many.
    """
    kind, count = _kind(queryset.model), 0
    with transaction.atomic():
        for state, target in REOPENS[kind].items():
            count += queryset.filter(state=str(state)).update(state=str(target), **fields)
        if count:
            _record_all(job, kind, count, str(target), actor)
    return count


def _record_all(job: Job, kind: str, count: int, target: str, actor: str) -> None:
    """Write the Event and the log line of a transition of many."""
    noun = f"{kind}{'es' if kind.endswith('h') else 's'}" if count != 1 else kind
    Event.objects.create(
        job=job,
        actor=actor,
        kind="state",
        message=f"{count} {noun}: {target}",
        data={"object": kind, "count": count, "to": target},
    )
    extra = {"job_id": job.pk, "object": kind, "state": target, "actor": str(actor)}
    logger.info("%d %s to %s", count, noun, target, extra=extra)


def _record(obj: models.Model, kind: str, before: str, after: str, actor: str) -> None:
    """Write the Event and the log line of one transition."""
    links: dict[str, Any] = {"job_id": obj.pk if kind == "job" else obj.job_id}
    if kind == "frame":
        links |= {"frame_id": obj.pk, "batch_id": obj.batch_id}
    elif kind == "batch":
        links["batch_id"] = obj.pk
    reason = getattr(obj, "state_reason", "")
    level = Event.Level.WARNING if after in WARNED_OF else Event.Level.INFO
    message = f"{kind} {obj.label}: {before} to {after}" + (f": {reason}" if reason else "")
    Event.objects.create(
        **links,
        actor=actor,
        kind="state",
        level=level,
        message=message[:2000],
        data={"object": kind, "id": obj.pk, "from": before, "to": after},
    )
    if kind == "job" and after in JOB_FINAL:
        notify_job_ended(obj)  # in the transition's own transaction: neither is there without the other
    extra = {key: value for key, value in links.items() if value} | {f"{kind}_id": obj.pk}
    extra |= {"object": kind, "state": after, "actor": str(actor)}
    if kind == "frame":
        extra["frame"] = obj.number
    logger.log(level, "%s", message, extra=extra)
