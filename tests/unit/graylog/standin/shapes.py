"""Describe request bodies, and validate them as Graylog's JSON reader does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.unit.graylog.standin.releases import Release

TEXT, WHOLE, BOOL, MAP, LIST, TEXTS, ANY = "text", "whole number", "boolean", "object", "list", "list of text", "any"


class RefusedError(Exception):
    """An error response. answer: its JSON, text, or "" for an empty body."""

    def __init__(self, status: int, answer: object) -> None:
        super().__init__(f"{status}: {answer}")
        self.status = status
        self.answer = {"type": "ApiError", "message": answer} if isinstance(answer, str) and answer else answer


@dataclass(frozen=True)
class Key:
    kind: str
    needed: bool = False
    since: tuple[int, ...] | None = None
    until: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Shape:
    """The keys of one kind of body.

    java: class name in the server's errors.
    builder: whether errors name all missing keys, not only the first.
    lenient: unknown keys are ignored.
    """

    java: str
    keys: dict[str, Key] = field(default_factory=dict)
    builder: bool = False
    lenient: Callable[[Release], bool] = lambda _release: False


def needed(kind: str, **span) -> Key:
    return Key(kind, True, **span)


def optional(kind: str, **span) -> Key:
    return Key(kind, **span)


def always(_release: Release) -> bool:
    return True


def cannot_read(release: Release, shape: Shape, problem: str, column: int) -> RefusedError:
    """Return the release's error for a body that does not fit its class."""
    if release.has("errors say the place"):
        answer = {
            "type": "RequestError",
            "message": f'Error at "" [1, {column}]: {problem}',
            "line": 1,
            "column": column,
            "reference_path": shape.java + (".Builder" if shape.builder else ""),
        }
        return RefusedError(400, answer)
    return RefusedError(
        400,
        f"Cannot construct instance of `{shape.java}`, problem: {problem}\n at [Source: "
        "(org.glassfish.jersey.message.internal.ReaderInterceptorExecutor$UnCloseableInputStream); "
        f"line: 1, column: {column}]",
    )


def unknown_key(release: Release, shape: Shape, key: str, known: list[str], column: int) -> RefusedError:
    message = f"Unable to map property {key}.\nKnown properties include: {', '.join(known)}"
    if not release.has("errors say the place"):
        return RefusedError(400, message)
    package, name = shape.java.rsplit(".", 1)
    path = f'{package}.AutoValue_{name}{"$Builder" if shape.builder else ""}["{key}"]'
    place = {"line": 1, "column": column, "path": key, "reference_path": path}
    return RefusedError(400, {"type": "RequestError", "message": message, **place})


def camel(key: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), key)


def converted(kind: str, value: object) -> object:
    """Convert a value between numbers and text as Jackson does.

    Raises ValueError for a value that does not fit.
    """
    if value is None or kind == ANY:
        return value
    if kind == TEXT and isinstance(value, str | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if kind == WHOLE and isinstance(value, str | int | float) and not isinstance(value, bool):
        return int(value)
    if kind == BOOL and (isinstance(value, bool | int) or value in ("true", "false")):
        return value == "true" if isinstance(value, str) else bool(value)
    if kind == MAP and isinstance(value, dict):
        return value
    if kind in (LIST, TEXTS) and isinstance(value, list):
        return [converted(TEXT, item) for item in value] if kind == TEXTS else value
    raise ValueError(f"Must be {kind}, but is {type(value).__name__}")


def fit(release: Release, shape: Shape, body: object) -> dict:
    """Return the given keys of the body as the server parses them.

    Raises RefusedError for a body that is no object, unknown keys, wrong types and missing keys, in this order.
    """
    if not isinstance(body, dict):
        # not recorded: a body that is no object; form: none known, the status is that of an empty body
        raise RefusedError(400, "Request body is missing or is no JSON object.")
    keys = {name: key for name, key in shape.keys.items() if release.within(key.since, key.until)}
    column = len(str(body))
    found = {}
    for name, value in body.items():
        if name not in keys:
            if shape.lenient(release):
                continue
            raise unknown_key(release, shape, name, list(keys), column)
        try:
            found[name] = converted(keys[name].kind, value)
        except ValueError as error:
            raise cannot_read(release, shape, f"{name}: {error}", column) from error
    missing = [name for name, key in keys.items() if key.needed and found.get(name) is None]
    if missing and shape.builder:
        raise cannot_read(release, shape, "Missing required properties: " + " ".join(map(camel, missing)), column)
    if missing:
        raise cannot_read(release, shape, f"Null {camel(missing[0])}", column)
    return found


ENTITY = Shape("org.graylog.security.shares.CreateEntityRequest")


def fit_created(release: Release, shape: Shape, body: object) -> dict:
    """Like `fit`, for creates: wrapped in {"entity": ...} since 7.0, lenient in 6.3."""
    if not release.has("creates are wrapped"):
        lenient = always if release.has("creates are unwrapped leniently") else shape.lenient
        return fit(release, Shape(shape.java, shape.keys, shape.builder, lenient), body)
    if not isinstance(body, dict):
        raise RefusedError(400, "Request body is missing or is no JSON object.")
    if body.get("entity") is None:
        raise cannot_read(release, ENTITY, "entity cannot be null", len(str(body)))
    return fit(release, shape, body["entity"])
