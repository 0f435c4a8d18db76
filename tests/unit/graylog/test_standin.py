"""Compare the stand-in with recorded sessions of Graylog 6.3.7 and 7.0.1."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest

from tests.unit.graylog.standin import StandIn
from tests.unit.graylog.support import Clock

HERE = Path(__file__).parent
# The session with 3.3.11 covers inputs only.
SESSIONS = {
    "3.3.11": ("fixtures/graylog-3.3.11.jsonl", 38),
    "6.3.7": ("recorded/graylog-6.3.7-session.jsonl", 115),
    "7.0.1": ("recorded/graylog-7.0.1-session.jsonl", 115),
}
ID = re.compile(r"[0-9a-f]{24}")
HEADERS = {"Accept": "application/json", "X-Requested-By": "test", "Content-Type": "application/json"}
# Maximum seconds until a state is reached, and the polling interval.
PATIENCE, STEP = 3.0, 0.1

# Input types whose description is truncated in the recordings: the remaining options.
CUT = ["org.graylog2.inputs.syslog.tcp.SyslogTCPInput", "org.graylog2.inputs.gelf.http.GELFHttpInput"]

# Values that are not compared, by path and key, with reasons; their keys are compared.
OTHER_VALUES = [
    (r".*", r".*\.(cluster_id|node_id|transport_address)", "names of the recorded servers"),
    (r".*/types/.*", r".*\.(description|human_name)", "texts for people"),
    (r".*/tokens/.*", r"\.token", "random"),
    (r"/dashboards.*", r"\.attributes.*", "the columns of the web interface's table"),
    (r"/dashboards.*", r".*\.description", "a text for people"),
    (r"/events/definitions.*", r".*\.matched_at", "an event that the recorded server raised"),
    (r"/system/cluster_config", r"\.(total|classes.*)", "the stand-in has only the classes in use"),
    (r"/system/indexer/overview", r".*\.(active|name)", "of the recorded search cluster"),
    (r"/search/.*", r"\.time", "how long it took"),
]


def keys(answer: object, path: str = "") -> set[str]:
    """Return the paths of all keys; list items share a path, ids become ID."""
    if isinstance(answer, dict):
        found = set()
        for key, value in answer.items():
            here = f"{path}.{ID.sub('ID', re.sub(r'[0-9a-f]{8}-[-0-9a-f]{27}', 'UUID', key))}"
            found |= {here} | keys(value, here)
        return found
    if isinstance(answer, list):
        return set().union(*(keys(item, path + "[]") for item in answer))
    return set()


def is_other(where: str, path: str) -> bool:
    return any(re.fullmatch(request, where) and re.fullmatch(key, path) for request, key, _reason in OTHER_VALUES)


def unlike(recorded: object, given: object, ids: dict[str, str], where: str, path: str = "") -> list[str]:
    """Return the keys at which two answers to `where` have different values.

    Moments are all alike; lists of text have no order.
    """
    if is_other(where, path):
        return []
    if isinstance(recorded, dict) and isinstance(given, dict):
        common = [key for key in recorded if key in given]
        return [each for key in common for each in unlike(recorded[key], given[key], ids, where, f"{path}.{key}")]
    if isinstance(recorded, list) and isinstance(given, list):
        pairs = same_items(recorded, given, ids)
        return [each for one, other in pairs for each in unlike(one, other, ids, where, path + "[]")]
    if isinstance(recorded, str):
        recorded = ID.sub(lambda match: ids.get(match[0], match[0]), recorded)
    same = recorded == given or (is_moment(recorded) and is_moment(given))
    return [] if same else [f"{path} is {given!r}, recorded {recorded!r}"]


def same_items(recorded: list, given: list, ids: dict[str, str]) -> list[tuple]:
    """Return pairs of equal items, by id if they have ids, else by position."""
    mine = {item["id"]: item for item in given if isinstance(item, dict) and "id" in item}
    if mine:
        return [(item, mine.get(ids.get(item["id"], item["id"]))) for item in recorded]
    if all(isinstance(item, str) for item in [*recorded, *given]):
        recorded = [ID.sub(lambda match: ids.get(match[0], match[0]), item) for item in recorded]
        recorded, given = sorted(recorded), sorted(given)
    return list(itertools.zip_longest(recorded, given))


def is_moment(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", value) is not None


def message(answer: object) -> object:
    """Return an error text without ids and positions, known properties sorted."""
    if isinstance(answer, list):
        return [error["reason"] for error in answer]
    if not isinstance(answer, dict):
        return answer
    text = ID.sub("ID", re.sub(r"\[1, \d+\]", "[1, N]", answer["message"]))
    head, known, names = text.partition("Known properties include: ")
    return answer["type"], head + known + ", ".join(sorted(names.split(", ")))


def name_of(item: object) -> str | None:
    return item.get("title") or item.get("field") if isinstance(item, dict) else None


class Replay:
    """Replay a recorded session; map recorded ids to those of the stand-in."""

    def __init__(self, release: str) -> None:
        self.clock = Clock()
        self.api = StandIn(release, clock=self.clock)
        self.ids: dict[str, str] = {}

    def add_what_was_there(self, entries: list[dict]) -> None:
        """Create the inputs that existed before the session."""
        created = [entry["answer"]["id"] for entry in entries if entry["note"] == "good"]
        listed = next(entry for entry in entries if entry["path"] == "/system/inputs" and entry["method"] == "GET")
        for item in listed["answer"]["inputs"]:
            if item["id"] not in created:
                self.ids[item["id"]] = self.api.inputs.add(item["title"], item["type"], **item["attributes"])

    def _own(self, text: str) -> str:
        return ID.sub(lambda match: self.ids.get(match[0], match[0]), text)

    def _learn(self, recorded: object, given: object) -> None:
        """Map ids at equal keys; list items are matched by title or field."""
        if isinstance(recorded, dict) and isinstance(given, dict):
            for key in recorded.keys() & given.keys():
                self._learn(recorded[key], given[key])
        elif isinstance(recorded, list) and isinstance(given, list):
            mine = {name_of(item): item for item in given if name_of(item)}
            for item in recorded:
                self._learn(item, mine.get(name_of(item)))
        elif isinstance(recorded, str) and isinstance(given, str) and ID.fullmatch(recorded):
            self.ids[recorded] = given

    def _ask(self, entry: dict) -> tuple[int, object]:
        headers = {key: value for key, value in HEADERS.items() if entry["note"] != "no CSRF header" or key[0] != "X"}
        login = ("admin", "wrong" if entry["note"] == "wrong password" else "secret")
        data = None if entry["body"] is None else self._own(json.dumps(entry["body"])).encode()
        return self.api.answer(entry["method"], self._own(entry["path"]), headers, data, login)

    def play(self, entry: dict) -> tuple[int, object]:
        """Return the stand-in's status and answer; poll for a start under way."""
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
        return status, "" if answer is None else answer


def differences(entry: dict, status: int, answer: object, ids: dict[str, str]) -> list[str]:
    """Return missing and extra keys of the stand-in's answer."""
    recorded = entry["answer"]
    if status != entry["status"]:
        return [f"status {status}, recorded {entry['status']}: {answer}"]
    if status >= 400 and message(recorded) != message(answer):
        return [f"says {message(answer)}, recorded {message(recorded)}"]
    if isinstance(recorded, dict) and "cut" in recorded:
        # A truncated answer has the options whose description begins before the cut.
        assert entry["path"].rsplit("/", 1)[-1] in CUT
        names = re.findall(r'"(\w+)": \{"human_name"', recorded["cut"])
        assert len(names) > 10
        return [f"lacks the option {name}" for name in names if name not in answer["requested_configuration"]]
    lacks, has = keys(recorded) - keys(answer), keys(answer) - keys(recorded)
    shape = [f"lacks {key}" for key in sorted(lacks)] + [f"has {key}" for key in sorted(has)]
    return shape if status >= 400 else shape + unlike(recorded, answer, ids, entry["path"])


@pytest.mark.parametrize("release", SESSIONS)
def test_recorded_session_is_answered_alike(release):
    replay, found = Replay(release), []
    name, length = SESSIONS[release]
    entries = [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]
    assert len(entries) == length
    if release == "3.3.11":
        replay.add_what_was_there(entries)
    for number, entry in enumerate(entries):
        for difference in differences(entry, *replay.play(entry), replay.ids):
            found.append(f"{number} {entry['note']} {entry['method']} {entry['path']}: {difference}")
    assert not found, "\n".join(found)
