"""Convert event conditions that compare one aggregated number with a constant."""

from __future__ import annotations

from dataclasses import dataclass

from .reconcile import DesiredStateError

COMPARISONS = (">", ">=", "<", "<=", "==")
FUNCTIONS = ("avg", "card", "count", "max", "min", "stddev", "sum", "sumofsquares", "variance")


@dataclass(frozen=True)
class Condition:
    """Compare `function` of `field` (None only for count) with `value`."""

    function: str
    field: str | None
    comparison: str
    value: float

    @classmethod
    def of(cls, option: dict) -> Condition:
        """Return the condition of a module's option.

        Raises DesiredStateError if the function needs a field.
        """
        if option["function"] != "count" and not option.get("field"):
            raise DesiredStateError(f"The condition's function {option['function']} needs a field: set field")
        return cls(option["function"], option.get("field"), option["is"], option["value"])

    def __str__(self) -> str:
        return f"{self.function}({self.field or ''}) {self.comparison} {self.value:g}"

    def config(self, series_key: str) -> dict:
        """Return Graylog's settings.

        series_key: the release's key for the function of a series.
        """
        name = f"{self.function}-{self.field or ''}"
        left = {"expr": "number-ref", "ref": name}
        right = {"expr": "number", "value": self.value}
        return {
            "series": [{"id": name, series_key: self.function, "field": self.field}],
            "conditions": {"expression": {"expr": self.comparison, "left": left, "right": right}},
        }


def current_condition(config: dict) -> str:
    """Return the condition in Graylog's settings as text, "" for none.

    Other conditions than the common form are returned as Graylog stores them.
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
