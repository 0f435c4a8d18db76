"""The tables of states, and the compare-and-set that enforces them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raycrafter.jobs import states
from raycrafter.jobs.models import Batch, Event, Job
from raycrafter.jobs.states import BatchState, FrameState, JobState
from raycrafter.jobs.transitions import IllegalTransitionError, transition, transition_all

CHOICES = {
    "job": states.JobState,
    "frame": states.FrameState,
    "batch": states.BatchState,
    "transfer": states.TransferState,
    "workspace": states.WorkspaceState,
}
FINAL = {
    "job": {"DONE", "FAILED", "CANCELLED"},
    "frame": {"SYNCED", "FAILED", "CANCELLED"},
    "batch": {"FINISHED", "LOST", "CANCELLED"},
    "transfer": {"DONE", "FAILED", "CANCELLED"},
    "workspace": {"RELEASED", "FAILED"},
}


@pytest.mark.parametrize("kind", CHOICES)
def test_table_names_every_state_and_only_those(kind: str) -> None:
    table = states.TABLES[kind]
    assert set(table) == set(CHOICES[kind].values)
    assert set().union(*table.values()) <= set(table)


@pytest.mark.parametrize("kind", CHOICES)
def test_every_walk_can_end_and_every_state_can_be_reached(kind: str) -> None:
    table = states.TABLES[kind]
    assert states.final(table) == FINAL[kind]
    first = next(iter(table))
    assert _reachable(table, first) | {first} == set(table)
    for state in set(table) - FINAL[kind]:
        assert _reachable(table, state) & FINAL[kind], f"{state} never ends"


def _reachable(table: states.Table, start: str) -> set[str]:
    found: set[str] = set()
    todo = [start]
    while todo:
        new = table[todo.pop()] - found
        found |= new
        todo += new
    return found


@given(st.sampled_from(sorted(set(BatchState.values) - FINAL["batch"])))
def test_any_batch_can_be_lost(state: str) -> None:
    assert "LOST" in states.BATCH_TRANSITIONS[state]


@pytest.mark.parametrize("state", sorted(set(JobState.values) - FINAL["job"] - {"CANCELLING"}))
def test_any_job_can_be_cancelled(state: str) -> None:
    assert "CANCELLING" in states.JOB_TRANSITIONS[state]


def test_move_sets_fields_and_leaves_an_event(job: Job) -> None:
    assert transition(job, JobState.ACTIVE, state_reason="because")
    job.refresh_from_db()
    assert (job.state, job.state_reason) == ("ACTIVE", "because")
    event = Event.objects.get(job=job, kind="state")
    assert event.data == {"object": "job", "id": job.pk, "from": "READY", "to": "ACTIVE"}
    assert "because" in event.message


def test_of_two_who_try_one_succeeds(job: Job) -> None:
    other = Job.objects.get(pk=job.pk)
    assert transition(job, JobState.ACTIVE)
    assert not transition(other, JobState.ACTIVE)
    assert other.state == "ACTIVE"
    assert Event.objects.filter(kind="state").count() == 1


def test_loser_whose_move_is_gone_changes_nothing(batch: Batch) -> None:
    other = Batch.objects.get(pk=batch.pk)
    assert transition(batch, BatchState.LOST)
    assert not transition(other, BatchState.RUNNING, exit_status=0)
    batch.refresh_from_db()
    assert (batch.state, batch.exit_status, other.state) == ("LOST", None, "LOST")


def test_stale_object_moves_from_where_the_row_is(batch: Batch) -> None:
    other = Batch.objects.get(pk=batch.pk)
    transition(batch, BatchState.RUNNING)
    assert transition(other, BatchState.ENDING)
    assert Event.objects.filter(data__to="ENDING").get().data["from"] == "RUNNING"


def test_move_that_no_table_has_is_a_mistake(job: Job) -> None:
    with pytest.raises(IllegalTransitionError, match="job cannot go from READY to DONE"):
        transition(job, JobState.DONE)
    assert not Event.objects.filter(kind="state").exists()


def test_repeated_move_is_no_move(job: Job) -> None:
    assert not transition(job, JobState.READY)
    assert not Event.objects.filter(kind="state").exists()


def test_move_all_moves_what_may_move(job: Job) -> None:
    frame = job.frames.get(number=2)
    for state in (FrameState.CLAIMED, FrameState.RENDERED, FrameState.SYNCED):
        transition(frame, state)
    assert transition_all(job.frames.all(), FrameState.CANCELLED, job) == 2
    assert dict(job.frames.values_list("number", "state")) == {1: "CANCELLED", 2: "SYNCED", 3: "CANCELLED"}
    assert Event.objects.filter(kind="state", data__count=2).count() == 1
