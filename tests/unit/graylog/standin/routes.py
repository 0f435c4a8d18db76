"""Route requests to the methods of resources that are marked with `route`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from tests.unit.graylog.standin.shapes import RefusedError, Shape, fit, fit_created

if TYPE_CHECKING:
    from tests.unit.graylog.standin.app import StandIn


@dataclass(frozen=True)
class Call:
    """One request that passed the login. query: the last value of each key."""

    method: str
    path: str
    query: dict[str, str]
    body: object
    user: str
    accept: str

    @classmethod
    def of(cls, method: str, target: str, body: object, user: str, accept: str) -> Call:
        parts = urlsplit(target)
        query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        return cls(method, parts.path, query, body, user, accept)

    def flag(self, name: str, default: bool) -> bool:
        return self.query.get(name, str(default)).lower() == "true"

    def number(self, name: str, default: int) -> int:
        text = self.query.get(name, str(default))
        if not text.isdigit():
            raise RefusedError(404, "HTTP 404 Not Found")
        return int(text)


def route(method: str, path: str, since: str | None = None, until: str | None = None):
    """Mark a handler; `since` and `until` name entries of DIFFERENCES."""
    pattern = re.compile("".join(f"(?P<{p[1:-1]}>[^/]+)" if p[:1] == "{" else p for p in re.split(r"(\{\w+\})", path)))

    def mark(handler):
        handler.routes = [*getattr(handler, "routes", []), (method, pattern, since, until)]
        return handler

    return mark


class Resource:
    """Handlers of one part of the API; each returns (status, answer)."""

    def __init__(self, api: StandIn) -> None:
        self.api = api
        self.release = api.release

    def fit(self, shape: Shape, body: object) -> dict:
        return fit(self.release, shape, body)

    def fit_created(self, shape: Shape, body: object) -> dict:
        return fit_created(self.release, shape, body)

    def handlers(self):
        """Yield (method, pattern, handler) for all routes of the release."""
        for name in dir(type(self)):
            for method, pattern, since, until in getattr(getattr(type(self), name), "routes", []):
                if (since and not self.release.has(since)) or (until and self.release.has(until)):
                    continue
                yield method, pattern, getattr(self, name)


def dispatch(handlers: list, call: Call) -> tuple[int, object]:
    path = call.path.rstrip("/") or "/"
    found = [(method, match, handler) for method, pattern, handler in handlers if (match := pattern.fullmatch(path))]
    if not found:
        raise RefusedError(404, "HTTP 404 Not Found")
    # A path without variables takes precedence, as in JAX-RS.
    for method, match, handler in sorted(found, key=lambda entry: len(entry[1].groupdict())):
        if method == call.method:
            return handler(call, **{key: unquote(value) for key, value in match.groupdict().items()})
    # not recorded: a wrong method; form: Jersey's NotAllowedException
    raise RefusedError(405, "HTTP 405 Method Not Allowed")


def paged(items: list, call: Call, default: int = 50) -> tuple[list, int, int]:
    """Return the page's items, its number from 1 and its size."""
    page, size = max(call.number("page", 1), 1), call.number("per_page", default)
    start = (page - 1) * size
    return (items[start : start + size] if size else items), page, size
