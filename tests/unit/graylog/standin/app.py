"""Answer requests: logins, a record of requests, faults, HTTP and direct calls."""

from __future__ import annotations

import copy
import io
import json
import threading
import time
import urllib.error
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from tests.unit.graylog.standin.content_packs import ContentPacks
from tests.unit.graylog.standin.events import Definitions
from tests.unit.graylog.standin.index_sets import IndexSets
from tests.unit.graylog.standin.input_states import InputStates
from tests.unit.graylog.standin.inputs import Inputs
from tests.unit.graylog.standin.notifications import Notifications
from tests.unit.graylog.standin.pipelines import Connections, Pipelines, Rules
from tests.unit.graylog.standin.releases import Release
from tests.unit.graylog.standin.roles import Roles
from tests.unit.graylog.standin.routes import Call, Resource, dispatch
from tests.unit.graylog.standin.server import encode, listen
from tests.unit.graylog.standin.settings import Settings
from tests.unit.graylog.standin.shapes import RefusedError
from tests.unit.graylog.standin.streams import Streams
from tests.unit.graylog.standin.system import System
from tests.unit.graylog.standin.tokens import Tokens
from tests.unit.graylog.standin.users import Users
from tests.unit.graylog.standin.views import Views

ADMIN = ("admin", "secret")
WITHOUT_LOGIN = {"/", "/system/lbstatus", "/system/sessions"}


class StandIn:
    """One Graylog node of a release.

    requests: (method, path with query, body) of all requests, refused or not.
    login: user and password of the administrator.
    clock: seconds; determines when inputs start and stop.
    busy: ports that another program holds.
    """

    def __init__(
        self,
        version: str = "7.1.7",
        login: tuple[str, str] = ADMIN,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.release = Release(version)
        self.admin = login
        self.clock = clock
        self.node_id = "1449a8b4-2c17-468a-9e21-36d6ba4fe5c9"
        self.cluster_id = "b516da63-df23-4403-a8c0-374a317c6a4d"
        self.requests: list[tuple[str, str, object]] = []
        self.busy: set[int] = set()
        self._faults: list[int] = []
        self._ids = 0
        self._lock = threading.Lock()
        self.index_sets = IndexSets(self)
        self.streams = Streams(self)
        self.inputs = Inputs(self)
        self.states = InputStates(self)
        self.rules = Rules(self)
        self.pipelines = Pipelines(self)
        self.connections = Connections(self)
        self.roles = Roles(self)
        self.tokens = Tokens(self)
        self.users = Users(self)
        self.notifications = Notifications(self)
        self.definitions = Definitions(self)
        self.content_packs = ContentPacks(self)
        self.views = Views(self)
        self.settings = Settings(self)
        self.system = System(self)
        resources = [value for value in vars(self).values() if isinstance(value, Resource)]
        self._handlers = [handler for resource in resources for handler in resource.handlers()]

    @property
    def writes(self) -> list[tuple[str, str]]:
        """Return all requests except GET: none in check mode and in a second run."""
        return [(method, path) for method, path, _body in self.requests if method != "GET"]

    def break_next(self, count: int, status: int = 503) -> None:
        """Answer the next requests with this status."""
        self._faults += [status] * count

    def fail_input(self, title: str, detailed_message: str | None) -> None:
        """Let inputs of this title fail to start with this message; None resets."""
        self.states.failures[title] = detailed_message

    def new_id(self) -> str:
        self._ids += 1
        return f"6b0377a4{self._ids:016x}"

    def now(self, seconds_from_now: float = 0) -> str:
        moment = datetime.fromtimestamp(self.clock(), UTC) + timedelta(seconds=seconds_from_now)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def opener(
        self, url, method="GET", headers=None, data=None, url_username=None, url_password=None, **_options
    ) -> io.BytesIO:
        """Answer as transport.open_url: return a response, or raise HTTPError."""
        parts = urlsplit(url)
        target = parts.path.split("/api", 1)[1] + (f"?{parts.query}" if parts.query else "")
        login = None if url_username is None else (url_username, url_password or "")
        status, answer = self.answer(method, target or "/", dict(headers or {}), data, login)
        if status >= 400:
            raise urllib.error.HTTPError(url, status, "refused", {}, io.BytesIO(encode(answer)))
        return io.BytesIO(encode(answer))

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Listen on a free port of 127.0.0.1 and yield the address for a module's `url`."""
        with listen(self) as address:
            yield address

    def answer(
        self, method: str, target: str, headers: dict, data: bytes | None, login: tuple[str, str] | None
    ) -> tuple[int, object]:
        """Return status and answer of one request; `login` is user and password."""
        with self._lock:
            given = {key.lower(): value for key, value in headers.items()}
            try:
                return self._checked(method, target, given, data, login or basic_login(given))
            except RefusedError as refusal:
                return refusal.status, refusal.answer

    def _checked(self, method: str, target: str, headers: dict, data: bytes | None, login) -> tuple[int, object]:
        body = self._read(data)
        self.requests.append((method, target, copy.deepcopy(body) if data else None))
        if self._faults:
            # not recorded: a server in trouble; form: nginx or Graylog with an empty body
            raise RefusedError(self._faults.pop(0), "")
        if method != "GET" and not headers.get("x-requested-by"):
            raise RefusedError(
                400, 'CSRF protection header is missing. Please add a "X-Requested-By" header to your request.'
            )
        user = self.users.who(login) if login else None
        if user is None and urlsplit(target).path not in WITHOUT_LOGIN:
            raise RefusedError(401, "")
        if isinstance(body, ValueError):
            raise RefusedError(400, f"Unexpected character: {body}")
        if data and not headers.get("content-type", "").startswith("application/json"):
            # not recorded: a wrong content type; form: Jersey's NotSupportedException
            raise RefusedError(415, "HTTP 415 Unsupported Media Type")
        self.states.pass_time()
        call = Call.of(method, target, body, user or "", headers.get("accept", "*/*"))
        status, answer = dispatch(self._handlers, call)
        return status, copy.deepcopy(answer)

    @staticmethod
    def _read(data: bytes | None) -> object:
        """Return the parsed body, or the parser's error."""
        try:
            return json.loads(data) if data else None
        except ValueError as error:
            return error


def basic_login(headers: dict) -> tuple[str, str] | None:
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    username, _, password = b64decode(value).decode().partition(":")
    return username, password
