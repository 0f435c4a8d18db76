"""Test the reconciliation of inputs; time passes only when the code waits."""

from __future__ import annotations

import pytest

from module_utils.graylog.client import GraylogClient
from module_utils.graylog.input_options import DesiredInput
from module_utils.graylog.inputs import Input
from module_utils.graylog.reconcile import DesiredStateError, Outcome, reconcile
from tests.unit.graylog.standin import RELEASES, StandIn
from tests.unit.graylog.standin.input_types import GELF, RAW
from tests.unit.graylog.standin.input_types import options as input_options
from tests.unit.graylog.support import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=RELEASES)
def server(request, clock) -> StandIn:
    return StandIn(request.param, clock=clock)


def desired(server: StandIn, **options) -> DesiredInput:
    fields = options.pop("static_fields", None)
    given = {"port": 12201, "bind_address": "127.0.0.1", **options}
    return DesiredInput("Services", GELF, True, given, input_options(server.release, GELF), static_fields=fields)


def input_of(server: StandIn, desired_input: DesiredInput | None, sleep=None, **how) -> Input:
    client = GraylogClient(server.opener, "http://log:9000", "admin", "secret")
    clock = server.clock
    return Input(client, "Services", desired_input, timeout=60, clock=clock, sleep=sleep or clock.sleep, **how)


def ensure(server: StandIn, desired_input: DesiredInput, check: bool = False, **how) -> Outcome:
    return reconcile(input_of(server, desired_input, **how), True, check)


def ensure_absent(server: StandIn, check: bool = False) -> Outcome:
    return reconcile(input_of(server, None), False, check)


def test_new_input_runs(server):
    outcome = ensure(server, desired(server))
    assert (outcome.actions, outcome.item["state"]) == (["created"], "RUNNING")
    assert outcome.before == {}
    assert outcome.after["configuration"]["port"] == 12201
    assert server.states.launched[outcome.item["id"]]["state"] == "RUNNING"


def test_second_run_writes_nothing(server):
    ensure(server, desired(server, static_fields={"site": "a"}))
    written = list(server.writes)
    outcome = ensure(server, desired(server, static_fields={"site": "a"}))
    assert outcome.actions == []
    assert outcome.before == outcome.after
    assert server.writes == written


def test_check_mode_reports_same_changes_without_writes(server):
    planned = ensure(server, desired(server, static_fields={"site": "a"}), check=True)
    assert server.writes == []
    done = ensure(server, desired(server, static_fields={"site": "a"}))
    assert (planned.actions, planned.before, planned.after) == (done.actions, done.before, done.after)


def test_changed_input_runs_with_new_settings(server):
    ensure(server, desired(server, recv_buffer_size=1000000))
    outcome = ensure(server, desired(server, port=12301))
    assert outcome.actions == ["updated"]
    launched = server.states.launched[outcome.item["id"]]["message_input"]["attributes"]
    assert launched["port"] == 12301
    assert launched["recv_buffer_size"] == 1000000  # set once, then unmanaged


def test_static_fields_are_exact_set_and_leave_no_listener(server):
    ensure(server, desired(server, static_fields={"site": "a", "kind": "b"}))
    outcome = ensure(server, desired(server, port=12301, static_fields={"site": "c", "zone": "d"}))
    assert outcome.actions == ["updated", "static_fields"]
    assert outcome.item["static_fields"] == {"site": "c", "zone": "d"}
    assert outcome.item["state"] == "RUNNING"
    assert server.busy == set()


def test_unmanaged_static_fields_stay(server):
    ensure(server, desired(server, static_fields={"site": "a"}))
    assert ensure(server, desired(server)).actions == []


def test_failed_input_is_started_again(server):
    input_id = server.inputs.add("Services", GELF, port=12201, bind_address="127.0.0.1")
    server.states.put_up(input_id, "FAILED")
    outcome = ensure(server, desired(server))
    assert (outcome.actions, outcome.item["state"]) == (["started"], "RUNNING")
    assert server.writes == [("PUT", f"/system/inputstates/{input_id}")]


def test_failed_input_with_wrong_port_is_fixed_and_started(server):
    input_id = server.inputs.add("Services", GELF, port=514, bind_address="127.0.0.1")
    server.states.put_up(input_id, "FAILED")
    outcome = ensure(server, desired(server))
    assert (outcome.actions, outcome.item["state"]) == (["updated", "started"], "RUNNING")
    assert server.busy == set()


def test_busy_port_is_retried_then_reported(server):
    server.busy.add(12201)
    with pytest.raises(
        DesiredStateError, match=r"GELFTCPInput on port 12201 .* FAILED .*Address already in use"
    ) as caught:
        ensure(server, desired(server))
    assert "ss -ltnp" in str(caught.value)
    assert [method for method, path in server.writes if "inputstates" in path] == ["PUT", "PUT"]


def test_port_released_in_time_is_used(server, clock):
    server.busy.add(12201)

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if clock.now > 1004:
            server.busy.clear()

    outcome = ensure(server, desired(server), sleep=sleep)
    assert outcome.item["state"] == "RUNNING"


def test_input_can_be_present_and_stopped(server):
    outcome = ensure(server, desired(server), running=False)
    assert outcome.actions == ["created", "stopped"]
    assert outcome.item["id"] not in server.states.launched
    assert ensure(server, desired(server), running=False).actions == []
    assert ensure(server, desired(server)).actions == ["started"]


def test_running_input_is_stopped_before_update(server):
    ensure(server, desired(server))
    outcome = ensure(server, desired(server, port=12301, static_fields={"site": "a"}), running=False)
    assert outcome.actions == ["updated", "static_fields", "stopped"]
    assert server.states.launched == {}
    assert outcome.item["attributes"]["port"] == 12301
    assert server.busy == set()


def test_last_step_is_not_awaited_without_wait(server, clock):
    before = clock.now
    assert ensure(server, desired(server), wait=False).actions == ["created"]
    assert clock.now == before


def test_type_change_is_refused(server):
    server.inputs.add("Services", RAW, port=12201)
    with pytest.raises(DesiredStateError, match=r"is of type .*RawTCPInput.*delete it first"):
        ensure(server, desired(server))
    assert server.writes == []


def test_duplicate_title_is_refused(server):
    for _ in range(2):
        server.inputs.add("Services", GELF, port=12201)
    with pytest.raises(DesiredStateError, match="2 inputs have the title 'Services'"):
        ensure(server, desired(server))


def test_input_of_another_node_is_refused(server):
    server.inputs.add("Services", GELF, is_global=False, node="elsewhere", port=12201)
    with pytest.raises(DesiredStateError, match="belongs to the Graylog node elsewhere"):
        ensure(server, desired(server))


def test_input_is_deleted_once(server):
    ensure(server, desired(server))
    assert ensure_absent(server, check=True).actions == ["deleted"]
    assert len(server.inputs.items) == 1
    assert ensure_absent(server).actions == ["deleted"]
    assert server.inputs.items == {}
    assert ensure_absent(server).actions == []
