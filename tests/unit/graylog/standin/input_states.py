"""Serve /system/inputstates, the inputs that run on this node.

A write takes effect when the node polls for events.
"""

from __future__ import annotations

from tests.unit.graylog.standin.routes import Call, Resource, route
from tests.unit.graylog.standin.shapes import RefusedError

ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
IN_USE = "bind(..) failed: Address already in use."
IN_USE_NUMBERED = "bind(..) failed with error(-98): Address already in use."


class InputStates(Resource):
    # Seconds: polling interval for events, delay of a start, delay until the port is bound.
    EVENT_PERIOD, STARTS_AFTER, BINDS_AFTER = 1.0, 0.2, 0.5

    def __init__(self, api) -> None:
        super().__init__(api)
        self.launched: dict[str, dict] = {}
        self.failures: dict[str, str | None] = {}
        self._due: list[tuple[float, str, str]] = []

    def ask(self, what: str, input_id: str) -> None:
        """Record an event (start, update, stop) for the node's next poll."""
        self._due.append(((self.api.clock() // self.EVENT_PERIOD + 1) * self.EVENT_PERIOD, what, input_id))

    def hurry(self) -> None:
        """Shorten all delays to hundredths of a second, for tests on a real clock."""
        self.EVENT_PERIOD, self.STARTS_AFTER, self.BINDS_AFTER = 0.05, 0.01, 0.02

    def put_up(self, input_id: str, state: str = "RUNNING", detailed_message: str | None = None) -> None:
        """Launch an input in this state, as a test's starting point."""
        self._launch(input_id, self.api.clock())
        self.launched[input_id].update(state=state, detailed_message=detailed_message)
        self._due = [event for event in self._due if event[2] != input_id]

    def pass_time(self) -> None:
        """Process all events that are due, in order."""
        while due := sorted(event for event in self._due if event[0] <= self.api.clock()):
            moment = due[0][0]
            together = [event for event in self._due if event[0] == moment]
            self._due = [event for event in self._due if event[0] != moment]
            self._leak(together)
            for _moment, what, input_id in together:
                getattr(self, f"_on_{what}")(input_id, moment)

    def _leak(self, together: list[tuple[float, str, str]]) -> None:
        """Leave a listener without owner, as overlapping restarts do."""
        updates = [input_id for _moment, what, input_id in together if what == "update"]
        for input_id in {each for each in updates if updates.count(each) > 1}:
            if self._state(input_id) == "RUNNING" and input_id in self.api.inputs.items:
                self.api.busy.add(self.api.inputs.items[input_id]["attributes"]["port"])

    def _state(self, input_id: str) -> str | None:
        return self.launched.get(input_id, {}).get("state")

    def _launch(self, input_id: str, moment: float) -> None:
        item = self.api.inputs.items[input_id]
        if not item["global"] and item["node"] != self.api.node_id:
            return
        self.launched[input_id] = {
            "id": input_id,
            "state": "CREATED",
            "started_at": self.api.now(moment - self.api.clock()),
            "detailed_message": None,
            "message_input": self.api.inputs.launched(item),
        }
        self._due += [(moment + self.STARTS_AFTER, "starting", input_id), (moment + self.BINDS_AFTER, "bind", input_id)]

    def _forget(self, input_id: str) -> None:
        self.launched.pop(input_id, None)
        self._due = [event for event in self._due if event[1:] not in (("starting", input_id), ("bind", input_id))]

    def _on_start(self, input_id: str, moment: float) -> None:
        if input_id in self.api.inputs.items:
            self._forget(input_id)
            self._launch(input_id, moment)

    def _on_update(self, input_id: str, moment: float) -> None:
        """Restart a running input; a failed input stays down."""
        ran = self._state(input_id) in ("RUNNING", "CREATED", "STARTING")
        self._forget(input_id)
        if ran and input_id in self.api.inputs.items:
            self._launch(input_id, moment)

    def _on_stop(self, input_id: str, moment: float) -> None:
        self._forget(input_id)

    def _on_starting(self, input_id: str, moment: float) -> None:
        self.launched[input_id]["state"] = "STARTING"

    def _on_bind(self, input_id: str, moment: float) -> None:
        mine = self.launched[input_id]
        failure = self.failures.get(mine["message_input"]["title"])
        if not failure and self._taken(input_id):
            failure = IN_USE_NUMBERED if self.release.has("failed binds have a number") else IN_USE
        mine.update(state="FAILED" if failure else "RUNNING", detailed_message=failure)

    def _taken(self, input_id: str) -> bool:
        mine = self.launched[input_id]["message_input"]["attributes"]
        if mine["port"] in self.api.busy:
            return True
        others = [entry for each, entry in self.launched.items() if each != input_id and entry["state"] == "RUNNING"]
        return any(same_socket(mine, entry["message_input"]["attributes"]) for entry in others)

    @route("GET", "/system/inputstates")
    def list(self, call: Call):
        return 200, {"states": list(self.launched.values())}

    @route("GET", "/system/inputstates/summary", since="state summary of inputs")
    def summary(self, call: Call):
        return 200, {input_id: entry["state"] for input_id, entry in self.launched.items()}

    @route("GET", "/system/inputstates/{input_id}")
    def read(self, call: Call, input_id: str):
        if input_id not in self.launched:
            raise RefusedError(404, f"No input state for input id <{input_id}> on this node.")
        return 200, self.launched[input_id]

    @route("PUT", "/system/inputstates/{input_id}")
    def start(self, call: Call, input_id: str):
        self.api.inputs.get(input_id)
        self.ask("start", input_id)
        return 200, {"id": input_id}

    @route("DELETE", "/system/inputstates/{input_id}")
    def stop(self, call: Call, input_id: str):
        self.api.inputs.get(input_id)
        self.ask("stop", input_id)
        return 200, {"id": input_id}

    @route("GET", "/cluster/inputstates")
    def cluster(self, call: Call):
        return 200, {self.api.node_id: list(self.launched.values())}

    @route("PUT", "/cluster/inputstates/{input_id}")
    def start_everywhere(self, call: Call, input_id: str):
        status, answer = self.start(call, input_id)
        return status, {self.api.node_id: answer}

    @route("DELETE", "/cluster/inputstates/{input_id}")
    def stop_everywhere(self, call: Call, input_id: str):
        status, answer = self.stop(call, input_id)
        return status, {self.api.node_id: answer}


def same_socket(one: dict, other: dict) -> bool:
    """Return whether two listeners conflict: same port, same or all addresses."""
    addresses = {one["bind_address"], other["bind_address"]}
    return one["port"] == other["port"] and (len(addresses) == 1 or bool(addresses & set(ALL_ADDRESSES)))
