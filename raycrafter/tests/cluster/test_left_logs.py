"""What clients could not send before their batch ended is logged by the worker before the workspace goes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from raycrafter.cluster.errors import SshError
from raycrafter.logs import GelfFormatter
from raycrafter.tasks import left_logs


def left(batch: Any, client: str, *messages: dict[str, Any], cut: str = "") -> Path:
    """Leave messages as a client of the batch would."""
    file = Path(batch.directory, "spool", client, "gelf.spool")
    file.parent.mkdir(parents=True)
    file.write_text("".join(json.dumps(message) + "\n" for message in messages) + cut)
    return file


def message(number: int, **more: Any) -> dict[str, Any]:
    base = {"version": "1.1", "host": "nid00007", "short_message": f"message {number}", "timestamp": 1700000000.25}
    return base | {"level": 4, "_facility": "raycrafter-client", "_frame": 3, "_message_id": f"run-{number}"} | more


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return what was logged so far in a client's place, as it goes to rsyslog."""
    lines = [json.loads(GelfFormatter().format(record)) for record in caplog.records]
    return [line for line in lines if "_node" in line]


@pytest.fixture
def over(world, new_job) -> Any:
    """A batch whose job is done, and whose workspace has not gone back yet."""
    job = new_job("1-2")
    world.turn()
    batch = job.batches.get()
    world.render(batch)
    world.finish(batch)
    return batch


def test_left_messages_are_logged_as_if_sent(world, over, caplog) -> None:
    file = left(over, "17", message(1), message(2, level=7, _kind="frame_rendered", _seconds=1.5), cut='{"version": "1')
    world.turn()
    world.poll()
    first, second = told(caplog)
    assert {
        "timestamp": 1700000000.25,
        "level": 4,
        "short_message": "message 1",
        "_facility": "raycrafter-client",
        "_frame": 3,
        "_node": "nid00007",
        "_client_message_id": "run-1",
    }.items() <= first.items()
    assert (second["level"], second["_kind"], second["_seconds"]) == (7, "frame_rendered", 1.5)
    assert not file.exists()


def test_clients_logs_come_one_at_a_time_and_the_release_last(world, over, caplog) -> None:
    for client in ("17", "18"):
        left(over, client, message(int(client)))
    workspace = over.job.workspace
    states = []
    for _ in range(20):
        world.turn()
        workspace.refresh_from_db()
        states.append((len(told(caplog)), workspace.state))
        if workspace.state == "RELEASED":
            break
        world.poll()
    assert states[-1] == (2, "RELEASED")
    assert not [state for count, state in states if count < 2 and state == "RELEASED"]


def test_a_large_one_is_read_in_pieces(world, over, caplog, monkeypatch) -> None:
    monkeypatch.setattr(left_logs, "PIECE", 1000)
    left(over, "17", *(message(number) for number in range(100)))
    world.turn()
    world.poll()
    assert [line["short_message"] for line in told(caplog)] == [f"message {number}" for number in range(100)]


def test_a_connection_that_breaks_loses_nothing(world, over, caplog, monkeypatch) -> None:
    file = left(over, "17", message(1))
    check = left_logs.Remote.check

    def breaks(self: Any, what: str, *words: Any, **options: Any) -> Any:
        if what.startswith("removing") and file.exists():
            monkeypatch.setattr(left_logs.Remote, "check", check)
            raise SshError("reset by peer")
        return check(self, what, *words, **options)

    monkeypatch.setattr(left_logs.Remote, "check", breaks)
    world.turn()
    world.poll()
    over.job.workspace.refresh_from_db()
    assert (len(told(caplog)), over.job.workspace.state, file.exists()) == (1, "RELEASING", True)


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "null",
        '{"level": 6}',
        '{"short_message": "x", "timestamp": "noon", "level": 6, "host": "h"}',
        '{"short_message": "x", "timestamp": 1, "level": [], "host": "h"}',
    ],
)
def test_line_without_a_message_is_skipped(world, over, caplog, line: str) -> None:
    left(over, "17", message(1)).open("a").write(line + "\n" + json.dumps(message(2)) + "\n")
    world.turn()
    world.poll()
    assert [each["short_message"] for each in told(caplog)] == ["message 1", "message 2"]


def test_a_message_cannot_pose_as_the_machinery_of_logging(world, over, caplog) -> None:
    """Whoever renders may write there: scenes of Blender bring programs."""
    evil = {f"_{name}": {"x": 1} for name in ("args", "exc_info", "msg", "levelno", "stack_info", "node", "name")}
    left(over, "17", message(1, short_message="100 % %s", **evil))
    world.turn()
    world.poll()
    (line,) = told(caplog)
    assert (line["short_message"], line["_node"], line["level"]) == ("100 % %s", "nid00007", 4)
