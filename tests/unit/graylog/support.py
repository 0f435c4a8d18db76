"""Recorded answers of three releases, and a Graylog made of memory with the habits that matter here."""

from __future__ import annotations

import io
import json
import urllib.error
from pathlib import Path

FIXTURES = Path(__file__).parent / "fixtures"
RELEASES = ["3.3.11", "6.3.7", "7.0.1"]
GELF = "org.graylog2.inputs.gelf.tcp.GELFTCPInput"
RAW = "org.graylog2.inputs.raw.tcp.RawTCPInput"


class Recording:
    """A session with a real Graylog: requests, good and bad, and what was answered."""

    def __init__(self, release: str) -> None:
        self.release = release
        lines = (FIXTURES / f"graylog-{release}.jsonl").read_text(encoding="utf-8").splitlines()
        self.entries = [json.loads(line) for line in lines]

    def entry(self, note: str = "", path: str = "") -> dict:
        return next(
            entry for entry in self.entries if (not note or entry["note"] == note) and entry["path"].endswith(path)
        )

    def schema(self, input_type: str = GELF) -> dict:
        return self.entry(path=f"/system/inputs/types/{input_type}")["answer"]["requested_configuration"]


def refuse(url: str, status: int, answer: object) -> urllib.error.HTTPError:
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return urllib.error.HTTPError(url, status, "refused", {}, io.BytesIO(text.encode()))


def reply(answer: object) -> io.BytesIO:
    return io.BytesIO(b"" if answer in (None, "") else json.dumps(answer).encode())


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class MemoryGraylog:
    """Inputs as Graylog keeps them: a write takes effect a second later, and only what ran is restarted by an update.

    Two restarts that meet leave the port taken for ever, as in Graylog 3.3. `busy` are ports that others hold.
    """

    EVENT_PERIOD = 1.0

    def __init__(self, release: str, clock: Clock) -> None:
        self.recording = Recording(release)
        self.clock = clock
        self.merges = not release.startswith("3.")
        self.inputs: dict[str, dict] = {}
        self.launched: dict[str, dict] = {}
        self.events: list[tuple[float, str, str]] = []
        self.busy: set[int] = set()
        self.requests: list[tuple[str, str, dict | None]] = []

    def __call__(self, url, method, headers, data, **_options):
        assert headers["X-Requested-By"]
        path = url.split("/api", 1)[1]
        body = json.loads(data) if data else None
        self.requests.append((method, path, body))
        self._pass_time()
        status, answer = self._answer(method, path.strip("/").split("/"), body)
        if status >= 400:
            raise refuse(url, status, answer)
        return reply(answer)

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path, _body in self.requests if method != "GET"]

    def add(self, **item) -> str:
        """Put an input there as if it had been there for long, and return its id."""
        input_id = f"id{len(self.inputs)}"
        defaults = {"type": GELF, "global": True, "node": None, "static_fields": {}, "attributes": {}}
        self.inputs[input_id] = {"id": input_id, **defaults, **item}
        return input_id

    def launch(self, input_id: str, state: str = "RUNNING") -> None:
        self.launched[input_id] = {
            "state": state,
            "started_at": f"{self.clock.now:.3f}",
            "detailed_message": None,
            "message_input": json.loads(json.dumps(self.inputs[input_id])),
        }

    def _event(self, what: str, input_id: str) -> None:
        self.events.append((self.clock.now + self.EVENT_PERIOD, what, input_id))

    def _pass_time(self) -> None:
        due = [event for event in self.events if event[0] <= self.clock.now]
        self.events = [event for event in self.events if event[0] > self.clock.now]
        restarts = [input_id for _time, what, input_id in due if what != "stop"]
        for _time, what, input_id in due:
            running = self.launched.get(input_id, {}).get("state") == "RUNNING"
            if what in ("stop", "update"):
                self.launched.pop(input_id, None)
            if input_id in self.inputs and (what == "start" or (what == "update" and running)):
                port = self.inputs[input_id]["attributes"]["port"]
                if restarts.count(input_id) > 1:
                    self.busy.add(port)
                self.launch(input_id)
                if port in self.busy:
                    failure = {"state": "FAILED", "detailed_message": "bind(..) failed: Address already in use."}
                    self.launched[input_id].update(failure)

    def _answer(self, method: str, path: list[str], body: dict | None) -> tuple[int, object]:
        if path == [""]:
            return 200, self.recording.entry(path="/")["answer"]
        if path[1] == "inputs" and path[2:3] == ["types"]:
            entry = self.recording.entry(path="/".join(path))
            return entry["status"], entry["answer"]
        if path[1] == "inputs" and len(path) == 2:
            return self._collection(method, body)
        if path[2] not in self.inputs:
            return 404, {"type": "ApiError", "message": f"Input <{path[2]}> not found!"}
        if path[1] == "inputstates":
            return self._state(method, path[2])
        if len(path) > 3:
            return self._static_field(method, path[2], path[4:], body)
        return self._item(method, path[2], body)

    def _collection(self, method: str, body: dict | None) -> tuple[int, object]:
        if method == "GET":
            return 200, {"inputs": list(self.inputs.values()), "total": len(self.inputs)}
        input_id = self.add(**self._stored(body))
        self._event("start", input_id)
        return 201, {"id": input_id}

    @staticmethod
    def _stored(body: dict) -> dict:
        assert set(body) == {"title", "type", "global", "configuration", "node"}, "unknown keys are refused"
        assert type(body["configuration"]["port"]) is int, "Missing or invalid input configuration."
        return {**{key: body[key] for key in ("title", "type", "global", "node")}, "attributes": body["configuration"]}

    def _item(self, method: str, input_id: str, body: dict | None) -> tuple[int, object]:
        item = self.inputs[input_id]
        if method == "GET":
            return 200, item
        if method == "DELETE":
            del self.inputs[input_id]
            self.launched.pop(input_id, None)
            return 204, None
        old = item["attributes"] if self.merges else {}
        item.update(self._stored(body))
        item["attributes"] = {**old, **item["attributes"]}
        self._event("update", input_id)
        return 201, {"id": input_id}

    def _state(self, method: str, input_id: str) -> tuple[int, object]:
        if method == "PUT":
            self._event("start", input_id)
            return 200, {"id": input_id}
        if method == "DELETE":
            self._event("stop", input_id)
            return 200, {"id": input_id}
        if input_id not in self.launched:
            return 404, {"type": "ApiError", "message": f"No input state for input id <{input_id}> on this node."}
        return 200, self.launched[input_id]

    def _static_field(self, method: str, input_id: str, key: list[str], body: dict | None) -> tuple[int, object]:
        fields = self.inputs[input_id]["static_fields"]
        if method == "POST":
            assert body["key"] not in fields, "3.3 keeps both"
            fields[body["key"]] = body["value"]
        else:
            del fields[key[0]]
        self._event("update", input_id)
        return 201 if method == "POST" else 204, None
