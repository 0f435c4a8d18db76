"""The state tables as machines: whatever is tried in whatever order, states change by the tables alone."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from raycrafter.jobs import states, transitions
from raycrafter.jobs.models import Batch, Event, Frame, Job, Transfer, Workspace

KINDS = {"job": Job, "frame": Frame, "batch": Batch, "transfer": Transfer, "workspace": Workspace}


def new_job() -> Job:
    owner, _ = get_user_model().objects.get_or_create(username="ada")
    columns = {"renderer": "povray", "main": "s.pov", "frames_spec": "1", "frame_count": 1, "width": 1, "height": 1}
    return Job.objects.create(owner=owner, name="machine", **columns)


def new_row(kind: str, job: Job):
    if kind == "job":
        return job
    columns = {
        "frame": {"number": 1},
        "batch": {"site": "s", "walltime_seconds": 1},
        "transfer": {"kind": "in"},
        "workspace": {"site": "s", "name": f"w{job.pk}"},
    }
    return KINDS[kind].objects.create(job=job, **columns[kind])


class Transitions(RuleBasedStateMachine):
    """Several processes, each with the row as it saw it last, try transitions; the model is the table and one state."""

    @initialize(kind=st.sampled_from(sorted(KINDS)))
    def begin(self, kind: str) -> None:
        """One row of some kind, and three processes that have loaded it."""
        self.kind, self.table, self.job = kind, states.TABLES[kind], new_job()
        row = new_row(kind, self.job)
        self.state = row.state
        self.processes = [KINDS[kind].objects.get(pk=row.pk) for _ in range(3)]
        self.done: list[tuple[str, str]] = []

    def _expect(self, seen: str, target: str) -> bool:
        """Whether a transition tried by somebody who last saw ``seen`` must succeed."""
        return target != seen and target in self.table[seen] and target in self.table[self.state]

    @rule(process=st.integers(0, 2), data=st.data())
    def try_to_move(self, process: int, data: st.DataObject) -> None:
        """Any target, from whatever the process believes."""
        row = self.processes[process]
        target = data.draw(st.sampled_from(sorted(self.table)))
        seen = row.state
        if target != seen and target not in self.table[seen]:
            with pytest.raises(transitions.IllegalTransitionError):
                transitions.transition(row, target)
            return
        expected = self._expect(seen, target)
        assert transitions.transition(row, target) is expected
        if expected:
            self.done.append((self.state, target))
            self.state = target
        elif target != seen:
            assert row.state == self.state  # the loser knows now

    @rule(process=st.integers(0, 2))
    def look(self, process: int) -> None:
        """A process loads the row anew."""
        self.processes[process].refresh_from_db()

    @precondition(lambda self: self.kind != "job")
    @rule(data=st.data())
    def move_many(self, data: st.DataObject) -> None:
        """The same by queryset: only where the table has the transition."""
        target = data.draw(st.sampled_from(sorted(self.table)))
        rows = KINDS[self.kind].objects.filter(job=self.job)
        expected = target in self.table[self.state]
        assert transitions.transition_all(rows, target, self.job) == expected
        if expected:
            self.done.append((self.state, target))
            self.state = target

    @precondition(lambda self: self.kind in states.REOPENS)
    @rule()
    def reopen(self) -> None:
        """A person takes an end back."""
        model = KINDS[self.kind]
        rows = model.objects.filter(**{"pk" if self.kind == "job" else "job": self.job.pk})
        target = states.REOPENS[self.kind].get(self.state)
        assert transitions.reopen(rows, self.job) == (target is not None)
        if target is not None:
            self.done.append((self.state, str(target)))
            self.state = str(target)

    @invariant()
    def the_row_is_where_the_model_is(self) -> None:
        """And every transition has left one event."""
        if not hasattr(self, "kind"):
            return
        model = KINDS[self.kind]
        row = model.objects.get(**{"pk" if self.kind == "job" else "job": self.job.pk})
        assert row.state == self.state
        told = Event.objects.filter(job=self.job, kind="state").order_by("pk").values_list("data__to", flat=True)
        assert list(told) == [after for _, after in self.done]


class TestTransitions(TestCase, Transitions.TestCase):
    """Each example in a transaction of its own."""

    settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def _ways(kind: str) -> dict[str, set[str]]:
    """The table, reopening included."""
    extra = {str(state): {str(target)} for state, target in states.REOPENS.get(kind, {}).items()}
    return {state: set(targets) | extra.get(state, set()) for state, targets in states.TABLES[kind].items()}


def _reachable(ways: dict[str, set[str]], start: str) -> set[str]:
    found, todo = {start}, [start]
    while todo:
        new = ways[todo.pop()] - found
        found |= new
        todo += new
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_state_can_be_reached_and_left_towards_an_end(kind: str) -> None:
    ways, ends = _ways(kind), states.final(states.TABLES[kind])
    assert _reachable(ways, KINDS[kind]._meta.get_field("state").default) == set(ways)
    assert all(_reachable(ways, state) & ends for state in ways)


@pytest.mark.parametrize("state", sorted(set(states.JOB_TRANSITIONS) - states.JOB_FINAL))
def test_every_open_job_can_come_to_each_of_its_ends(state: str) -> None:
    ends = {"CANCELLED"} if state == "CANCELLING" else {"DONE", "FAILED", "CANCELLED"}
    assert ends <= _reachable(_ways("job"), state)


@pytest.mark.parametrize("kind", states.REOPENS)
def test_only_ends_are_taken_back_and_what_is_good_stays(kind: str) -> None:
    ends = states.final(states.TABLES[kind]) | {"EXPIRED"}
    assert {str(state) for state in states.REOPENS[kind]} <= ends - {"DONE", "SYNCED"}
