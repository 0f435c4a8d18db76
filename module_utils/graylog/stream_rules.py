"""Rules of a stream: which messages it takes. A person's words, and Graylog's numbers and ids."""

from __future__ import annotations

from .client import GraylogClient
from .reconcile import WishError, only

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
# Which of `field` and `value` a type has; the others have both.
HAS = {"presence": ("field",), "always": (), "match_input": ("value",)}
BOTH = ("field", "value")
# What makes a rule this one and no other.
IDENTITY = ("type", "field", "value", "inverted")


class StreamRules:
    """The wished rules of one stream, each with `type`, `field`, `value`, `inverted` and `description`.

    A rule is known by all but its description, which None leaves as it is. purge: whether other rules go.
    The value of a rule of the type match_input is the title or the id of an input.
    """

    def __init__(self, client: GraylogClient, stream: str, rules: list[dict], purge: bool) -> None:
        self._client = client
        self._stream = stream
        self._purge = purge
        self._inputs: list[dict] | None = None
        self._rules = [self._checked(rule) for rule in rules]

    def _checked(self, rule: dict) -> dict:
        kind = rule["type"]
        for option in BOTH:
            if option not in HAS.get(kind, BOTH):
                if rule.get(option):
                    raise WishError(
                        f"The stream {self._stream!r} has a rule of the type {kind} with {option}: leave it out"
                    )
            elif not rule.get(option):
                raise WishError(f"The stream {self._stream!r} has a rule of the type {kind} without {option}: give it")
        return {**rule, "field": rule.get("field") or "", "value": rule.get("value") or ""}

    def pictures(self, held: list[dict]) -> list[dict]:
        """Return the server's rules in a person's words."""
        return _sorted([self._picture(rule) for rule in held])

    def _picture(self, rule: dict) -> dict:
        kind = NAMES.get(rule["type"], str(rule["type"]))
        value = rule.get("value") or ""
        if kind == "match_input":
            value = self._input_title(value)
        return {
            "type": kind,
            "field": (rule.get("field") or "") if "field" in HAS.get(kind, BOTH) else "",
            "value": value if "value" in HAS.get(kind, BOTH) else "",
            "inverted": rule["inverted"],
            "description": rule.get("description") or "",
        }

    def wished(self, held: list[dict]) -> list[dict]:
        """Return the rules as they shall be. Raises WishError for a type that the release does not have."""
        if any(rule["type"] == "match_input" for rule in self._rules) and not self._client.release.matches_inputs:
            raise WishError(
                f"The stream {self._stream!r} cannot have a rule of the type match_input: only Graylog 4.0 and later "
                "can. Match a static field of the input instead"
            )
        pairs, others = self._pairs(held)
        shall = [self._shall(wish, rule) for wish, rule in pairs]
        return _sorted(shall + [self._picture(rule) for rule in ([] if self._purge else others)])

    def new(self) -> list[dict]:
        """Return the bodies of the rules for a stream that is not there yet."""
        return [self._body(self._shall(wish, None)) for wish in self._rules]

    def apply(self, path: str, held: list[dict]) -> None:
        """Bring the rules of the stream at this path to the wish."""
        pairs, others = self._pairs(held)
        for wish, rule in pairs:
            shall = self._shall(wish, rule)
            if rule is None:
                self._client.request("POST", f"{path}/rules", self._body(shall))
            elif shall != self._picture(rule):
                self._client.request("PUT", f"{path}/rules/{rule['id']}", self._body(shall))
        for rule in others if self._purge else []:
            self._client.request("DELETE", f"{path}/rules/{rule['id']}")

    def look_at_inputs(self) -> None:
        """Raise WishError where a rule names an input that is not there, or not the only one of the title."""
        for rule in self._rules:
            if rule["type"] == "match_input":
                self._input_id(rule["value"])

    def _pairs(self, held: list[dict]) -> tuple[list[tuple[dict, dict | None]], list[dict]]:
        """Return each wished rule with the server's own, None where it has none, and the server's other rules."""
        others = list(held)
        pairs = []
        for wish in self._rules:
            identity = _identity(self._shall(wish, None))
            found = next((rule for rule in others if _identity(self._picture(rule)) == identity), None)
            if found:
                others.remove(found)
            pairs.append((wish, found))
        return pairs, others

    def _shall(self, wish: dict, rule: dict | None) -> dict:
        shall = {key: wish[key] for key in IDENTITY}
        if shall["type"] == "match_input":
            shall["value"] = self._input_title(shall["value"])
        held = self._picture(rule)["description"] if rule else ""
        return {**shall, "description": held if wish["description"] is None else wish["description"]}

    def _body(self, shall: dict) -> dict:
        value = self._input_id(shall["value"]) if shall["type"] == "match_input" else shall["value"]
        return {**shall, "type": TYPES[shall["type"]], "value": value}

    def _all_inputs(self) -> list[dict]:
        if self._inputs is None:
            self._inputs = self._client.request("GET", "/system/inputs")["inputs"]
        return self._inputs

    def _input_title(self, name: str) -> str:
        """Return the title of the input of this id; else the name itself, which then is a title."""
        return next((item["title"] for item in self._all_inputs() if item["id"] == name), name)

    def _input_id(self, name: str) -> str:
        found = only("input", name, [item for item in self._all_inputs() if name in (item["id"], item["title"])])
        if found is None:
            raise WishError(
                f"A rule of the stream {self._stream!r} names the input {name!r}, which is not there: make it first"
            )
        return found["id"]


def _identity(picture: dict) -> tuple:
    return tuple(picture[key] for key in IDENTITY)


def _sorted(pictures: list[dict]) -> list[dict]:
    return sorted(pictures, key=lambda picture: [str(value) for value in (*_identity(picture), picture["description"])])
