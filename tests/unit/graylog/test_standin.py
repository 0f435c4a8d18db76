"""The stand-in against recorded sessions with Graylog 6.3.7 and 7.0.1, request by request."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.unit.graylog.standin import StandIn
from tests.unit.graylog.support import Clock

RECORDED = Path(__file__).parent / "recorded"
SESSIONS = {
    release: [json.loads(line) for line in (RECORDED / f"graylog-{release}-session.jsonl").read_text().splitlines()]
    for release in ("6.3.7", "7.0.1")
}
ID = re.compile(r"[0-9a-f]{24}")
HEADERS = {"Accept": "application/json", "X-Requested-By": "test", "Content-Type": "application/json"}
# The longest that a state may take to come, and the steps in which it is looked for, in seconds.
PATIENCE, STEP = 3.0, 0.1

# What a key holds that only a real server has, by the request that shows it: named, and left out of the comparison.
LEFT_OUT: dict[str, tuple[str, str]] = {}


def keys(answer: object, path: str = "") -> set[str]:
    """Return the paths of all keys; the items of a list count as one, ids in keys as ID."""
    if isinstance(answer, dict):
        found = set()
        for key, value in answer.items():
            here = f"{path}.{ID.sub('ID', re.sub(r'[0-9a-f]{8}-[-0-9a-f]{27}', 'UUID', key))}"
            found |= {here} | keys(value, here)
        return found
    if isinstance(answer, list):
        return set().union(*(keys(item, path + "[]") for item in answer))
    return set()


def message(answer: object) -> object:
    """Return what a refusal says, without ids and places; the known properties in alphabetical order."""
    if isinstance(answer, list):
        return [error["reason"] for error in answer]
    if not isinstance(answer, dict):
        return answer
    text = ID.sub("ID", re.sub(r"\[1, \d+\]", "[1, N]", answer["message"]))
    head, known, names = text.partition("Known properties include: ")
    return answer["type"], head + known + ", ".join(sorted(names.split(", ")))


class Replay:
    """A recorded session, played to the stand-in; recorded ids are put into the stand-in's own."""

    def __init__(self, release: str) -> None:
        self.clock = Clock()
        self.api = StandIn(release, clock=self.clock)
        self.ids: dict[str, str] = {}

    def _own(self, text: str) -> str:
        return ID.sub(lambda match: self.ids.get(match[0], match[0]), text)

    def _learn(self, recorded: object, given: object) -> None:
        """Take over ids that stand at the same key; lists have an order of their own."""
        if isinstance(recorded, dict) and isinstance(given, dict):
            for key in recorded.keys() & given.keys():
                self._learn(recorded[key], given[key])
        elif isinstance(recorded, str) and isinstance(given, str) and ID.fullmatch(recorded):
            self.ids[recorded] = given

    def _ask(self, entry: dict) -> tuple[int, object]:
        headers = {key: value for key, value in HEADERS.items() if entry["note"] != "no CSRF header" or key[0] != "X"}
        login = ("admin", "wrong" if entry["note"] == "wrong password" else "secret")
        data = None if entry["body"] is None else self._own(json.dumps(entry["body"])).encode()
        return self.api.answer(entry["method"], self._own(entry["path"]), headers, data, login)

    def play(self, entry: dict) -> tuple[int, object]:
        """Return the stand-in's status and answer; a start under way is looked for in small steps."""
        starting = entry["note"] == "poll" and entry["answer"]["state"] == "STARTING"
        self.clock.sleep(STEP if starting else PATIENCE)
        until = self.clock() + PATIENCE
        status, answer = self._ask(entry)
        while starting and (status != 200 or answer["state"] != "STARTING") and self.clock() < until:
            self.clock.sleep(STEP)
            status, answer = self._ask(entry)
        if starting:
            assert answer["state"] == "STARTING"
        if status < 300:
            self._learn(entry["answer"], answer)
        return status, answer


def differences(entry: dict, status: int, answer: object) -> list[str]:
    """Return what the stand-in's answer lacks or has too much, next to the recorded one."""
    recorded = entry["answer"]
    if status != entry["status"]:
        return [f"status {status}, recorded {entry['status']}: {answer}"]
    if status >= 400 and message(recorded) != message(answer):
        return [f"says {message(answer)}, recorded {message(recorded)}"]
    if isinstance(recorded, dict) and "cut" in recorded:
        # What is left of a long answer: the options whose description begins before the cut.
        names = re.findall(r'"(\w+)": \{"human_name"', recorded["cut"])
        assert len(names) > 10
        return [f"lacks the option {name}" for name in names if name not in answer["requested_configuration"]]
    lacks, has = keys(recorded) - keys(answer), keys(answer) - keys(recorded)
    return [f"lacks {key}" for key in sorted(lacks)] + [f"has {key}" for key in sorted(has)]


@pytest.mark.parametrize("release", SESSIONS)
def test_a_recorded_session_is_answered_alike(release):
    replay, found = Replay(release), []
    assert len(SESSIONS[release]) == 115
    for number, entry in enumerate(SESSIONS[release]):
        for difference in differences(entry, *replay.play(entry)):
            found.append(f"{number} {entry['note']} {entry['method']} {entry['path']}: {difference}")
    assert not found, "\n".join(found)
