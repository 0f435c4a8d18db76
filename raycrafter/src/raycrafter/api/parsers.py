"""JSON of requests: endless nesting is malformed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import exceptions, parsers

MAX_DEPTH = 100  # lists and objects in each other
TOO_DEEP = f"nested more than {MAX_DEPTH} deep"


def is_too_deep(value: Any) -> bool:
    """Whether lists and objects are nested deeper than MAX_DEPTH.

    Walking through them would end in a RecursionError.
    """
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for item in level if isinstance(item, (dict, list)) for inner in _inside(item)]
        if not level:
            return False
    return True


def _inside(item: dict[str, Any] | list[Any]) -> Any:
    return item.values() if isinstance(item, dict) else item


class JSONParser(parsers.JSONParser):
    """REST framework's, which lets Python's RecursionError through."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """Return the data."""
        try:
            data = super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise exceptions.ParseError(f"The JSON is {TOO_DEEP}.") from error
        if is_too_deep(data):
            raise exceptions.ParseError(f"The JSON is {TOO_DEEP}.")
        return data
