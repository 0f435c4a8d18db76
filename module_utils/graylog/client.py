"""Graylog's REST API from 3.3 to 7.x: how to ask, and what its refusals say.

Sends nothing itself: a module hands over `open_url` of graylog_http.py, a test a stand-in of the same calling form.
"""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.error
from urllib.parse import quote

from .releases import Release, release_of

# Any value will do; without the header every request that is not a GET is refused.
REQUESTED_BY = "ansible"
CHARSET = "utf-8"

# Answers of a proxy whose Graylog is about to come back; a GET is then asked again, a write never is.
COMING_BACK = (502, 503)
ATTEMPTS = 5
# Seconds between two attempts.
PAUSE = 2.0
# Things that a list gives at once, and how many pages are read at most.
PER_PAGE = 100
MAX_PAGES = 100


class GraylogError(Exception):
    """A request that Graylog refused, or that never reached it.

    status: the HTTP status, None where there was no answer.
    """

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


def parse_version(text: object) -> tuple[int, int, int]:
    """Return (7, 0, 1) of "7.0.1+29f3984".

    Raises GraylogError where the answer names no version: what listens is then not Graylog, or only its preflight page.
    """
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", text) if isinstance(text, str) else None
    if not match:
        raise GraylogError(
            f"What answers is no Graylog that has started: its version is {text!r}. "
            "Look at the server's log; with an empty elasticsearch_hosts Graylog serves its preflight page only."
        )
    return (int(match[1]), int(match[2]), int(match[3]))


def refusal(body: str) -> str:
    """Return what a refusing answer says, on one line.

    Most say {"message": ...}; sources of pipelines are answered with a list of errors, each with its place; validations
    answer {"errors": ...}, which is given whole.
    """
    try:
        answer = json.loads(body)
    except ValueError:
        return " ".join(body.split()) or "no reason given"
    if isinstance(answer, dict) and isinstance(answer.get("message"), str):
        # Graylog 7 says "Validation failed!" and why in validation_errors.
        texts = [answer["message"], *_texts(answer.get("validation_errors"))]
        return " ".join(": ".join(texts).split())
    if isinstance(answer, list) and answer and all(isinstance(error, dict) and "line" in error for error in answer):
        return "; ".join(_placed(error) for error in answer)
    return json.dumps(answer)


def _texts(tree: object) -> list[str]:
    """All texts in a JSON tree, with their nearest key."""
    if isinstance(tree, str):
        return [tree]
    if isinstance(tree, dict):
        return [text if key == "error" else f"{key}: {text}" for key, value in tree.items() for text in _texts(value)]
    return [text for value in tree for text in _texts(value)] if isinstance(tree, list) else []


def _placed(error: dict) -> str:
    rest = {key: value for key, value in error.items() if key not in ("line", "position_in_line")}
    return f"line {error['line']}, position {error.get('position_in_line')}: {rest.get('reason') or json.dumps(rest)}"


def api_base(url: str) -> str:
    """Return the API's address without a slash at the end, of the server's address with or without /api.

    Raises GraylogError for what is no address of a web server.
    """
    if not url.startswith(("http://", "https://")):
        raise GraylogError(f"Graylog's url is {url!r}: write it like http://127.0.0.1:9000 or https://logs.example.org")
    base = url.rstrip("/")
    return base if base.endswith("/api") else f"{base}/api"


class GraylogClient:
    """One Graylog node's API.

    opener: a function with the calling form of graylog_http.open_url.
    username, password: of an account; for a token the token itself and the word "token".
    timeout: seconds for one request.
    sleep: passes the time between two attempts.
    options: more arguments for the opener (validate_certs, ca_path, client_cert, client_key).
    """

    def __init__(
        self, opener, url: str, username: str, password: str, timeout: int = 30, sleep=time.sleep, **options
    ) -> None:
        self.base = api_base(url)
        self._opener = opener
        self._sleep = sleep
        self._arguments = {
            "url_username": username,
            "url_password": password,
            "timeout": timeout,
            **options,
        }
        self._hello: dict | None = None
        self._schemas: dict[str, dict] = {}

    @classmethod
    def of(cls, opener, params: dict) -> GraylogClient:
        """Return a client of a module's connection arguments, see graylog_module.py."""
        return cls(
            opener,
            params["url"],
            params["token"] or params["username"],
            "token" if params["token"] else params["password"],
            timeout=params["timeout"],
            validate_certs=params["validate_certs"],
            ca_path=params["ca_path"],
            client_cert=params["client_cert"],
            client_key=params["client_key"],
        )

    def hello(self) -> dict:
        """Return what the server tells of itself: version, node_id, cluster_id."""
        if self._hello is None:
            answer = self.request("GET", "/")
            parse_version(answer.get("version") if isinstance(answer, dict) else None)
            self._hello = answer
        return self._hello

    @property
    def version(self) -> tuple[int, int, int]:
        """The server's release as three numbers."""
        return parse_version(self.hello()["version"])

    @property
    def release(self) -> Release:
        """How the server's release differs from the others."""
        return release_of(self.version)

    def request(self, method: str, path: str, body: dict | list | None = None):
        """Return the answer's JSON, None where it has none.

        A GET is asked again for a few seconds where nothing answers, or a proxy says that Graylog is away.
        Raises GraylogError with the method, the path, the status and what the server said.
        """
        for _attempt in range(ATTEMPTS - 1 if method == "GET" else 0):
            try:
                return self._once(method, path, body)
            except GraylogError as error:
                if error.status not in (None, *COMING_BACK):
                    raise
                self._sleep(PAUSE)
        return self._once(method, path, body)

    def _once(self, method: str, path: str, body: dict | list | None):
        headers = {"Accept": "application/json", "X-Requested-By": REQUESTED_BY}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode(CHARSET)
        try:
            with self._opener(self.base + path, method=method, headers=headers, data=data, **self._arguments) as answer:
                text = answer.read().decode(CHARSET)
        except urllib.error.HTTPError as error:
            raise self._refused(method, path, error) from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise GraylogError(
                f"Graylog at {self.base} does not answer {method} {path}: {reason}. Is the service graylog-server up?"
            ) from error
        try:
            return json.loads(text) if text.strip() else None
        except ValueError as error:
            # a status that is not to be asked again: what answers is another program
            raise GraylogError(
                f"Graylog at {self.base} answered {method} {path} with no JSON: {text[:80]!r}", status=200
            ) from error

    def create(self, path: str, body: dict):
        """Return the answer to the POST of a new thing whose body Graylog 7 wants wrapped, beside its shares."""
        return self.request("POST", path, {"entity": body, "share_request": None} if self.release.wraps else body)

    def pages(self, path: str, key: str) -> list[dict]:
        """Return the items of all pages of a list, found under `key` in each answer; `path` has no query yet."""
        items: list[dict] = []
        for page in range(1, MAX_PAGES + 1):
            answer = self.request("GET", f"{path}?page={page}&per_page={PER_PAGE}")
            items += answer[key]
            if len(items) >= answer["total"] or not answer[key]:
                return items
        raise GraylogError(f"Graylog at {self.base} lists more than {MAX_PAGES * PER_PAGE} things under {path}")

    def _refused(self, method: str, path: str, error: urllib.error.HTTPError) -> GraylogError:
        said = refusal(error.read().decode(CHARSET, "replace"))
        text = f"Graylog at {self.base} refused {method} {path} ({error.code}): {said}"
        if error.code == 401:
            text = (
                f"Graylog at {self.base} does not accept the login ({error.code}). Look at the user and the password; "
                "a token of Graylog 7 and later ends after 30 days unless its lifetime was set."
            )
        if error.code == 403:
            text += ". The account lacks the permission: give it a role that has it, or use another account"
        return GraylogError(text, error.code)

    def find(self, path: str):
        """Return the answer of a GET, None where there is no such thing (404)."""
        try:
            return self.request("GET", path)
        except GraylogError as error:
            if error.status == 404:
                return None
            raise

    def input_schema(self, input_type: str) -> dict:
        """Return the server's description of the options of an input type, by its Java class.

        Raises GraylogError, with status 404 for a type that the server does not know.
        """
        if input_type not in self._schemas:
            found = self.find(f"/system/inputs/types/{quote(input_type)}")
            if found is None:
                raise GraylogError(f"This Graylog knows no inputs of type {input_type}: is the plugin installed?", 404)
            self._schemas[input_type] = found["requested_configuration"]
        return self._schemas[input_type]

    def log_in_with(self, password: str) -> None:
        """Use another password from now on: the account has changed its own."""
        self._arguments["url_password"] = password
