"""Randomised runs against a cluster that fails in every way known of it. The seed is the test's number."""

from __future__ import annotations

import os

import pytest
from fault_chance import FAULTS
from raycrafter.jobs.models import Attempt, Event, Frame

SEEDS = 200 if os.environ.get("TEST_PROFILE") == "all" else 50
WAVES = 3  # of jobs at most, until one fault alone has struck
# Jobs are seldom cancelled, but second ones always deleted: a seed that meets it, and what makes second ones.
RARE = {"qdel fails": (2, "qsub takes it twice")}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_fault_loses_a_frame_or_renders_it_twice(new_run, seed: int) -> None:
    run = new_run(seed)
    run.whole()
    run.check()


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_strikes(new_run, fault: str) -> None:
    """One that no run meets any more would prove nothing."""
    seed, *others = RARE.get(fault, (0,))
    run = new_run(seed, fault, *others)
    fenced = Event.objects.filter(kind="fenced")
    run.whole(WAVES, lambda: run.chance.seen[fault] > 0 and (fault != "qsub takes it twice" or fenced.exists()))
    run.check()
    assert run.chance.seen[fault]
    if fault == "qsub takes it twice":
        assert fenced.exists()


@pytest.mark.parametrize("wrong", ["lost", "came twice", "rendered twice", "submitted twice", "other bytes"])
def test_the_check_notices(new_run, wrong: str) -> None:
    run = new_run(0)
    run.chance.calm = True
    run.whole()
    run.check()
    frame = Frame.objects.filter(state="SYNCED").first()
    match wrong:
        case "lost":
            Frame.objects.filter(pk=frame.pk).update(state="FAILED")
        case "came twice":
            Event.objects.create(
                job=frame.job, frame=frame, kind="state", data={"from": "RENDERED", "to": "SYNCED", "object": "frame"}
            )
        case "rendered twice":
            first = frame.attempts.last()
            Attempt.objects.create(
                frame=frame, batch=first.batch, number=first.number + 1, ended=first.ended, outcome="rendered"
            )
        case "submitted twice":
            run.cluster.submissions.append(run.cluster.submissions[0])
        case "other bytes":
            Frame.objects.filter(pk=frame.pk).update(file_sha256="0" * 64)
    with pytest.raises(AssertionError):
        run.check()
