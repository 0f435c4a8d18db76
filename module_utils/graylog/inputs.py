"""Manage inputs of Graylog, which also have a state: running, failed or stopped."""

from __future__ import annotations

import time

from .client import GraylogClient
from .input_options import DesiredInput
from .reconcile import DesiredStateError, Resource
from .tls import check_served

RUNNING = "RUNNING"
# An input leaves these states without a request.
TRANSIENT = ("CREATED", "INITIALIZED", "STARTING", "FAILING", "STOPPING")
STOPPED = (None, "STOPPED", "TERMINATED")
MAX_STARTS = 2
# Seconds between two polls of an input's state.
POLL_INTERVAL = 0.3
# Seconds after which a node has noticed a write: it polls for such events every second.
EVENT_PERIOD = 1.5
# Seconds that a start may take to become visible.
START_GRACE = 3.0


class Input(Resource):
    """An input, known by its title.

    desired_input: None for an input to be deleted. running: whether the input is to run.
    wait: whether to wait for the last step. Between two steps the input is always waited for: every write restarts it
    a second later, and two overlapping restarts leave a listener that holds the port until Graylog ends.
    timeout: seconds until an input must run or have stopped.
    check_certificate: whether `probe` compares the certificate that the input serves.
    schema: the server's description of the input type, None for an input to be deleted.
    """

    kind = "input"

    def __init__(
        self,
        client: GraylogClient,
        title: str,
        desired_input: DesiredInput | None = None,
        running: bool = True,
        wait: bool = True,
        timeout: float = 60,
        check_certificate: bool = False,
        clock=time.monotonic,
        sleep=time.sleep,
    ) -> None:
        self.name = title
        self.schema = desired_input.schema if desired_input else None
        self._client = client
        self._desired = desired_input
        self._running = running
        self._wait = wait
        self._timeout = timeout
        self._check_certificate = check_certificate
        self._clock = clock
        self._sleep = sleep
        self._written = False

    def find(self) -> dict | None:
        """Return the input with its `state` on this node, or None.

        Only the id is taken from the list, which shows encrypted secrets raw in Graylog 7.
        """
        listed = self._client.request("GET", "/system/inputs")["inputs"]
        ids = [item["id"] for item in listed if item["title"] == self.name]
        if len(ids) > 1:
            raise DesiredStateError(
                f"{len(ids)} inputs have the title {self.name!r} ({', '.join(ids)}): delete all but one"
            )
        if not ids:
            return None
        return {**self._client.request("GET", f"/system/inputs/{ids[0]}"), "state": self._state(ids[0]).get("state")}

    def current(self, item: dict) -> dict:
        """Return the managed settings and the state; for a deletion, title and type."""
        if self._desired is None:
            return {"title": item["title"], "type": item["type"]}
        return self._desired.shown(item)

    def desired(self, item: dict | None) -> dict:
        """Return the desired settings and the state.

        Raises DesiredStateError for another type or another node.
        """
        self._refuse_immutable(item)
        return self._desired.shown(self._planned(item))

    def changes(self, item: dict | None, before: dict, after: dict) -> list[str]:
        """Return the actions, from the server's item.

        A hidden secret can differ though `before` and `after` look the same.
        """
        return self._changes(item)

    def create(self) -> None:
        """Create the input, stop it if desired, then write its static fields."""
        body = self._desired.body(self._client.hello()["node_id"])
        input_id = self._client.request("POST", "/system/inputs", body)["id"]
        if not self._running:
            self._settle(input_id)
            self._stop(input_id)
        self._write_static_fields(input_id, None)
        self._finish(input_id)

    def update(self, item: dict) -> None:
        """Stop, write, start: a stop comes first, so that no write restarts the input."""
        input_id, active = item["id"], item["state"] == RUNNING or item["state"] in TRANSIENT
        writes = bool(self._desired.differing(item))
        if not self._running and item["state"] not in STOPPED:
            self._stop(input_id)
            active = False
        if writes:
            started = self._state(input_id).get("started_at")
            body = self._desired.body(self._client.hello()["node_id"], item)
            self._client.request("PUT", f"/system/inputs/{input_id}", body)
            if active and (self._wait or self._desired.static_field_changes(item)):
                self._settle(input_id, not_since=started)
        # A write restarts a running input only; a failed one needs a start.
        if self._running and not active:
            if writes:
                self._sleep(EVENT_PERIOD)
            self._start(input_id)
        self._write_static_fields(input_id, item)
        self._finish(input_id)

    def delete(self, item: dict) -> None:
        """Delete the input and wait until its port is free."""
        self._client.request("DELETE", f"/system/inputs/{item['id']}")
        self._wait_until_stopped(item["id"])

    def verify(self, item: dict, after: dict) -> None:
        """Compare nothing: a write has waited until the input runs with the settings."""

    def probe(self, item: dict) -> list[str]:
        """Compare the certificate that a running input serves with the desired one."""
        if not (self._check_certificate and self._running and self._wait):
            return []
        warning = check_served(self.name, self._desired.configuration, self._client.base, self._timeout)
        return [warning] if warning else []

    def answer(self, item: dict | None) -> dict:
        """Return the stored input after a write, otherwise the planned one."""
        return item if self._written else self._planned(item)

    def _changes(self, item: dict | None) -> list[str]:
        state = item["state"] if item else None
        if item is None:
            actions = ["created"]
        elif self._desired.differing(item):
            actions = ["updated"]
        else:
            actions = []
        if self._desired.static_field_changes(item):
            actions.append("static_fields")
        if item and self._running and state != RUNNING and state not in TRANSIENT:
            actions.append("started")
        if not self._running and (item is None or state not in STOPPED):
            actions.append("stopped")
        return actions

    def _planned(self, item: dict | None) -> dict:
        state = item["state"] if item else None
        if self._changes(item):
            state = RUNNING if self._running else (state if state in STOPPED else "STOPPED")
        return {**self._desired.planned(item), "state": state}

    def _refuse_immutable(self, item: dict | None) -> None:
        if item is None:
            return
        if item["type"] != self._desired.type:
            raise DesiredStateError(
                f"Input {self.name!r} is of type {item['type']}, not {self._desired.type}, and a type cannot be "
                "changed: delete it first (state: absent), or choose another title"
            )
        node = self._client.hello()["node_id"]
        if not item["global"] and item.get("node") not in (None, node):
            raise DesiredStateError(
                f"Input {self.name!r} belongs to the Graylog node {item['node']}, this is {node}: call that node's API"
            )

    def _write_static_fields(self, input_id: str, item: dict | None) -> None:
        """Write the changed fields one by one: each write restarts a running input."""
        old = item["static_fields"] if item else {}
        path = f"/system/inputs/{input_id}/staticfields"
        for key, value in self._desired.static_field_changes(item).items():
            requests = []
            if key in old:  # Graylog 3.3 would keep the old value beside the new one
                requests.append(("DELETE", f"{path}/{key}", None))
            if value is not None:
                requests.append(("POST", path, {"key": key, "value": value}))
            for method, where, body in requests:
                started = self._settle(input_id) if self._running else None
                self._client.request(method, where, body)
                if self._running:
                    self._settle(input_id, not_since=started)

    def _finish(self, input_id: str) -> None:
        self._written = True
        if self._running and self._wait:
            self._settle(input_id)

    def _state(self, input_id: str) -> dict:
        """Return the state on this node, {} if the input is not launched on this node."""
        return self._client.find(f"/system/inputstates/{input_id}") or {}

    def _start(self, input_id: str) -> None:
        self._client.request("PUT", f"/system/inputstates/{input_id}")

    def _stop(self, input_id: str) -> None:
        self._client.request("DELETE", f"/system/inputstates/{input_id}")
        self._wait_until_stopped(input_id)

    def _settle(self, input_id: str, not_since: str | None = None) -> str | None:
        """Wait until the input runs as desired, and return its start time.

        A failed input is started again, because a previous listener may hold the port for a moment.
        not_since: start time before a restart that is under way.
        """
        began = self._clock()
        grace_end = began + START_GRACE
        starts = 0
        while True:
            state = self._state(input_id)
            name, since = state.get("state"), state.get("started_at")
            launched = self._desired.is_launched(state.get("message_input") or {})
            if name == RUNNING and launched and (not_since is None or since != not_since):
                return since
            now = self._clock()
            if now - began >= self._timeout:
                raise self._not_running(state, now - began)
            if name not in TRANSIENT and now >= grace_end:
                if starts == MAX_STARTS:
                    raise self._not_running(state, now - began)
                self._start(input_id)
                starts += 1
                grace_end = now + START_GRACE
            self._sleep(POLL_INTERVAL)

    def _not_running(self, state: dict, seconds: float) -> DesiredStateError:
        reason = state.get("detailed_message") or "the server gives no reason"
        port = self._desired.configuration.get("port")
        return DesiredStateError(
            f"Input {self.name!r} of type {self._desired.type.rsplit('.', 1)[-1]} on port {port} was saved but is "
            f"{state.get('state', 'not launched')} after {seconds:.0f} s: {reason.rstrip('.')}. "
            f"Check `ss -ltnp 'sport = :{port}'` and Graylog's server.log."
        )

    def _wait_until_stopped(self, input_id: str) -> None:
        began = self._clock()
        while self._state(input_id).get("state") not in STOPPED:
            if self._clock() - began >= self._timeout:
                raise DesiredStateError(
                    f"Input {self.name!r} still runs {self._timeout:.0f} s after the stop request. "
                    "Check Graylog's server.log."
                )
            self._sleep(POLL_INTERVAL)
