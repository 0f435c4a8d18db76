"""The common condition of an event, one number against another, in Graylog's words and in a person's."""

from __future__ import annotations

from dataclasses import dataclass

from .reconcile import WishError

COMPARISONS = (">", ">=", "<", "<=", "==")
FUNCTIONS = ("avg", "card", "count", "max", "min", "stddev", "sum", "sumofsquares", "variance")


@dataclass(frozen=True)
class Condition:
    """`function` over `field` (None only for count) compared by `comparison` with `value`."""

    function: str
    field: str | None
    comparison: str
    value: float

    @classmethod
    def of(cls, given: dict) -> Condition:
        """Return the condition of a module's option. Raises WishError where the function lacks its field."""
        if given["function"] != "count" and not given.get("field"):
            raise WishError(f"The condition's function {given['function']} needs a field")
        return cls(given["function"], given.get("field"), given["is"], given["value"])

    def __str__(self) -> str:
        return f"{self.function}({self.field or ''}) {self.comparison} {self.value:g}"

    def config(self, series_word: str) -> dict:
        """Return Graylog's settings. series_word: how a series calls its function in the release."""
        name = f"{self.function}-{self.field or ''}"
        left = {"expr": "number-ref", "ref": name}
        right = {"expr": "number", "value": self.value}
        return {
            "series": [{"id": name, series_word: self.function, "field": self.field}],
            "conditions": {"expression": {"expr": self.comparison, "left": left, "right": right}},
        }


def held_condition(config: dict) -> str:
    """Return the condition of Graylog's settings in a person's words, "" where there is none.

    One that is not of the common form is told as Graylog has it.
    """
    series = config.get("series") or []
    expression = (config.get("conditions") or {}).get("expression")
    if not series and not expression:
        return ""
    try:
        (only,) = series
        same = expression["left"]["expr"] == "number-ref" and expression["left"]["ref"] == only["id"]
        if same and expression["right"]["expr"] == "number" and expression["expr"] in COMPARISONS:
            function = only.get("type") or only["function"]
            return str(Condition(function, only.get("field"), expression["expr"], expression["right"]["value"]))
    except (KeyError, TypeError, ValueError):
        pass
    return f"{series} {expression}"
