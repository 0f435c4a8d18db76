"""How a wished input comes to be on the server: find, compare, write, wait until it runs.

The client, the wish, the clock and the pause are handed in: no import of Ansible, so that unit tests can run it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

RUNNING = "RUNNING"
# States that lead to another one by themselves.
UNDER_WAY = ("CREATED", "INITIALIZED", "STARTING", "FAILING", "STOPPING")
STOPPED = (None, "STOPPED", "TERMINATED")
MAX_STARTS = 2
# Seconds between two looks at an input.
PAUSE = 0.3
# Seconds after which a node has heard of a write: it asks for such events every second.
EVENT_PERIOD = 1.5
# Seconds that a start may take to show.
PATIENCE = 3.0


class ReconcileError(Exception):
    """An input that cannot be brought to the wished state; its text names the input, the reason and the mend."""


@dataclass
class Outcome:
    """What was done, or in check mode would be done."""

    actions: list[str] = field(default_factory=list)
    before: dict = field(default_factory=dict)
    after: dict = field(default_factory=dict)
    item: dict | None = None
    state: str | None = None


class Reconciler:
    """Brings one input to its wished state.

    client: has hello, request and find as GraylogClient. check: ask only, write nothing.
    wait: whether the last step is waited for. Between steps there is always a wait, because every write restarts the
    input a second later, and two restarts that meet leave a listener behind that holds the port until Graylog ends.
    timeout: seconds until an input must run or have ended.
    """

    def __init__(self, client, check: bool, wait: bool, timeout: float, clock=time.monotonic, sleep=time.sleep) -> None:
        self._client = client
        self._check = check
        self._wait = wait
        self._timeout = timeout
        self._clock = clock
        self._sleep = sleep

    def find(self, title: str) -> dict | None:
        """Return the input of this title, None where there is none.

        The list only tells the id: in Graylog 7 it shows encrypted secrets raw.
        Raises ReconcileError where titles are not unique.
        """
        listed = self._client.request("GET", "/system/inputs")["inputs"]
        ids = [item["id"] for item in listed if item["title"] == title]
        if len(ids) > 1:
            raise ReconcileError(f"{len(ids)} inputs have the title {title!r} ({', '.join(ids)}): delete all but one")
        return self._client.request("GET", f"/system/inputs/{ids[0]}") if ids else None

    def ensure_present(self, wish, running: bool) -> Outcome:
        """Create or change the input as the wish says, and start or stop it."""
        item = self.find(wish.title)
        self._refuse_what_cannot_change(wish, item)
        state = self._state_name(item["id"]) if item else None
        outcome = Outcome(before=wish.picture(item, state))
        writes = item is None or bool(wish.differing(item))
        fields = self._static_field_changes(wish, item)
        outcome.actions = [
            *(["created"] if item is None else ["updated"] if writes else []),
            *(["static_fields"] if fields else []),
            *self._state_actions(item is None, state, running),
        ]
        if self._check or not outcome.actions:
            outcome.item = wish.as_item(item)
            outcome.state = self._expected_state(state, running) if outcome.actions else state
        else:
            outcome.item, outcome.state = self._write(wish, item, state, running, fields, writes)
        outcome.after = wish.picture(outcome.item, outcome.state)
        return outcome

    def ensure_absent(self, title: str) -> Outcome:
        """Delete the input of this title and wait until its port is free."""
        item = self.find(title)
        outcome = Outcome(item=item)
        if item is None:
            return outcome
        outcome.actions = ["deleted"]
        outcome.before = {"title": item["title"], "type": item["type"]}
        if not self._check:
            self._client.request("DELETE", f"/system/inputs/{item['id']}")
            self._wait_until_stopped(title, item["id"])
        return outcome

    def _refuse_what_cannot_change(self, wish, item: dict | None) -> None:
        if item is None:
            return
        if item["type"] != wish.type:
            raise ReconcileError(
                f"Input {wish.title!r} is of type {item['type']}, not {wish.type}, and a type cannot be changed: "
                "delete it first (state: absent), or choose another title"
            )
        node = self._client.hello()["node_id"]
        if not item["global"] and item.get("node") not in (None, node):
            raise ReconcileError(
                f"Input {wish.title!r} belongs to the Graylog node {item['node']}, this is {node}: call that node's API"
            )

    @staticmethod
    def _state_actions(created: bool, state: str | None, running: bool) -> list[str]:
        if created:
            return [] if running else ["stopped"]
        if running and state != RUNNING and state not in UNDER_WAY:
            return ["started"]
        return ["stopped"] if not running and state not in STOPPED else []

    @staticmethod
    def _expected_state(state: str | None, running: bool) -> str | None:
        return RUNNING if running else (state if state in STOPPED else "STOPPED")

    @staticmethod
    def _static_field_changes(wish, item: dict | None) -> dict:
        """Return {name: new value, None to remove}."""
        if wish.static_fields is None:
            return {}
        old = item["static_fields"] if item else {}
        changed = {key: value for key, value in wish.static_fields.items() if old.get(key) != value}
        return {**{key: None for key in old if key not in wish.static_fields}, **changed}

    def _write(self, wish, item, state, running, fields, writes) -> tuple[dict, str | None]:
        node = self._client.hello()["node_id"]
        up = item is None or state == RUNNING or state in UNDER_WAY
        created = item or self._client.request("POST", "/system/inputs", wish.body(node))
        input_id = created["id"]
        # What shall stop stops first: then no write restarts it.
        if not running and (item is None or state not in STOPPED):
            if item is None:
                self._settle(wish, input_id)
            self._client.request("DELETE", f"/system/inputstates/{input_id}")
            self._wait_until_stopped(wish.title, input_id)
            up = False
        if item is not None and writes:
            started = self._state(input_id).get("started_at")
            self._client.request("PUT", f"/system/inputs/{input_id}", wish.body(node, item))
            if up and (self._wait or fields):
                self._settle(wish, input_id, not_since=started)
        # An update restarts only what ran; what had failed stays down until it is told to start.
        if running and not up:
            if writes:
                self._sleep(EVENT_PERIOD)
            self._start(input_id)
        self._write_static_fields(wish, input_id, item, fields, running)
        if running and self._wait:
            self._settle(wish, input_id)
        return self._client.request("GET", f"/system/inputs/{input_id}"), self._state_name(input_id)

    def _write_static_fields(self, wish, input_id: str, item: dict | None, fields: dict, running: bool) -> None:
        """Write the changed fields, one by one: each restarts an input that runs."""
        old = item["static_fields"] if item else {}
        path = f"/system/inputs/{input_id}/staticfields"
        for key, value in fields.items():
            steps = []
            if key in old:  # Graylog 3.3 would keep the old value beside the new one
                steps.append(("DELETE", f"{path}/{key}", None))
            if value is not None:
                steps.append(("POST", path, {"key": key, "value": value}))
            for method, where, body in steps:
                started = self._settle(wish, input_id) if running else None
                self._client.request(method, where, body)
                if running:
                    self._settle(wish, input_id, not_since=started)

    def _state(self, input_id: str) -> dict:
        """Return the state on this node, {} where the input is not launched on it."""
        return self._client.find(f"/system/inputstates/{input_id}") or {}

    def _state_name(self, input_id: str) -> str | None:
        return self._state(input_id).get("state")

    def _start(self, input_id: str) -> None:
        self._client.request("PUT", f"/system/inputstates/{input_id}")

    def _settle(self, wish, input_id: str, not_since: str | None = None) -> str | None:
        """Wait until the input runs with the wished settings, and return since when; start it again where it failed.

        A port may still be held for a moment by the input that used it before.
        not_since: when it was started last, where a restart is under way.
        """
        began = self._clock()
        patience = began + PATIENCE
        starts = 0
        while True:
            state = self._state(input_id)
            name, since = state.get("state"), state.get("started_at")
            launched = wish.is_launched_as_wished(state.get("message_input") or {})
            if name == RUNNING and launched and (not_since is None or since != not_since):
                return since
            now = self._clock()
            if now - began >= self._timeout:
                raise self._not_running(wish, state, now - began)
            if name not in UNDER_WAY and now >= patience:
                if starts == MAX_STARTS:
                    raise self._not_running(wish, state, now - began)
                self._start(input_id)
                starts += 1
                patience = now + PATIENCE
            self._sleep(PAUSE)

    @staticmethod
    def _not_running(wish, state: dict, seconds: float) -> ReconcileError:
        reason = state.get("detailed_message") or "the server gives no reason"
        port = wish.configuration.get("port")
        return ReconcileError(
            f"Input {wish.title!r} of type {wish.type.rsplit('.', 1)[-1]} on port {port} was saved but is "
            f"{state.get('state', 'not launched')} after {seconds:.0f} s: {reason.rstrip('.')}. "
            f"Look at `ss -ltnp 'sport = :{port}'` and at Graylog's server.log."
        )

    def _wait_until_stopped(self, title: str, input_id: str) -> None:
        began = self._clock()
        while self._state_name(input_id) not in STOPPED:
            if self._clock() - began >= self._timeout:
                raise ReconcileError(
                    f"Input {title!r} still runs {self._timeout:.0f} s after it was told to stop. "
                    "Look at Graylog's server.log."
                )
            self._sleep(PAUSE)
