"""Manage the rules of a stream, with readable names for Graylog's numbers and ids."""

from __future__ import annotations

from .client import GraylogClient
from .reconcile import DesiredStateError, only

TYPES = {
    "exact": 1,
    "regex": 2,
    "greater": 3,
    "smaller": 4,
    "presence": 5,
    "contains": 6,
    "always": 7,
    "match_input": 8,
}
NAMES = {number: name for name, number in TYPES.items()}
# The options of a type; a type that is not listed here has both.
OPTIONS = {"presence": ("field",), "always": (), "match_input": ("value",)}
BOTH = ("field", "value")
# A rule is identified by these keys.
IDENTITY = ("type", "field", "value", "inverted")


class StreamRules:
    """The desired rules of one stream.

    Each rule has `type`, `field`, `value`, `inverted` and `description`; all but the description identify the rule.
    A description of None leaves it unchanged. The value of a match_input rule is the title or the id of an input.
    purge: whether other rules are deleted.
    """

    def __init__(self, client: GraylogClient, stream: str, rules: list[dict], purge: bool) -> None:
        self._client = client
        self._stream = stream
        self._purge = purge
        self._inputs: list[dict] | None = None
        self._rules = [self._validated(rule) for rule in rules]

    def _validated(self, rule: dict) -> dict:
        kind = rule["type"]
        for option in BOTH:
            if option not in OPTIONS.get(kind, BOTH):
                if rule.get(option):
                    raise DesiredStateError(
                        f"The stream {self._stream!r} has a rule of the type {kind} with {option}: remove it"
                    )
            elif not rule.get(option):
                raise DesiredStateError(
                    f"The stream {self._stream!r} has a rule of the type {kind} without {option}: set it"
                )
        return {**rule, "field": rule.get("field") or "", "value": rule.get("value") or ""}

    def current(self, stored: list[dict]) -> list[dict]:
        """Return the server's rules in readable form."""
        return _sorted([self._readable(rule) for rule in stored])

    def _readable(self, rule: dict) -> dict:
        kind = NAMES.get(rule["type"], str(rule["type"]))
        value = rule.get("value") or ""
        if kind == "match_input":
            value = self._input_title(value)
        return {
            "type": kind,
            "field": (rule.get("field") or "") if "field" in OPTIONS.get(kind, BOTH) else "",
            "value": value if "value" in OPTIONS.get(kind, BOTH) else "",
            "inverted": rule["inverted"],
            "description": rule.get("description") or "",
        }

    def desired(self, stored: list[dict]) -> list[dict]:
        """Return the desired rules.

        Raises DesiredStateError for a type that the release does not have.
        """
        if any(rule["type"] == "match_input" for rule in self._rules) and not self._client.release.matches_inputs:
            raise DesiredStateError(
                f"The stream {self._stream!r} cannot have a rule of the type match_input: only Graylog 4.0 and later "
                "have it. Match a static field of the input instead"
            )
        pairs, others = self._pairs(stored)
        desired = [self._desired(rule, match) for rule, match in pairs]
        return _sorted(desired + [self._readable(rule) for rule in ([] if self._purge else others)])

    def bodies(self) -> list[dict]:
        """Return the request bodies of the rules of a new stream."""
        return [self._body(self._desired(rule, None)) for rule in self._rules]

    def apply(self, path: str, stored: list[dict]) -> None:
        """Create, update and delete rules of the stream at this path."""
        pairs, others = self._pairs(stored)
        for rule, match in pairs:
            desired = self._desired(rule, match)
            if match is None:
                self._client.request("POST", f"{path}/rules", self._body(desired))
            elif desired != self._readable(match):
                self._client.request("PUT", f"{path}/rules/{match['id']}", self._body(desired))
        for rule in others if self._purge else []:
            self._client.request("DELETE", f"{path}/rules/{rule['id']}")

    def check_inputs(self) -> None:
        """Raise DesiredStateError if a rule names a missing or ambiguous input."""
        for rule in self._rules:
            if rule["type"] == "match_input":
                self._input_id(rule["value"])

    def _pairs(self, stored: list[dict]) -> tuple[list[tuple[dict, dict | None]], list[dict]]:
        """Return desired rules with their stored rules or None, and other stored rules."""
        others = list(stored)
        pairs = []
        for rule in self._rules:
            identity = _identity(self._desired(rule, None))
            match = next((other for other in others if _identity(self._readable(other)) == identity), None)
            if match:
                others.remove(match)
            pairs.append((rule, match))
        return pairs, others

    def _desired(self, rule: dict, match: dict | None) -> dict:
        desired = {key: rule[key] for key in IDENTITY}
        if desired["type"] == "match_input":
            desired["value"] = self._input_title(desired["value"])
        description = self._readable(match)["description"] if match else ""
        return {**desired, "description": description if rule["description"] is None else rule["description"]}

    def _body(self, desired: dict) -> dict:
        value = self._input_id(desired["value"]) if desired["type"] == "match_input" else desired["value"]
        return {**desired, "type": TYPES[desired["type"]], "value": value}

    def _all_inputs(self) -> list[dict]:
        if self._inputs is None:
            self._inputs = self._client.request("GET", "/system/inputs")["inputs"]
        return self._inputs

    def _input_title(self, name: str) -> str:
        """Return the title of the input with this id, or the name itself, a title."""
        return next((item["title"] for item in self._all_inputs() if item["id"] == name), name)

    def _input_id(self, name: str) -> str:
        found = only("input", name, [item for item in self._all_inputs() if name in (item["id"], item["title"])])
        if found is None:
            raise DesiredStateError(
                f"A rule of the stream {self._stream!r} needs the input {name!r}, which does not exist: create it first"
            )
        return found["id"]


def _identity(rule: dict) -> tuple:
    return tuple(rule[key] for key in IDENTITY)


def _sorted(rules: list[dict]) -> list[dict]:
    return sorted(rules, key=lambda rule: [str(value) for value in (*_identity(rule), rule["description"])])
