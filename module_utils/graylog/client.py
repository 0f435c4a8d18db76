"""Call Graylog's REST API, from 3.3 to 7.x, and explain its errors.

The client gets the function that sends a request: `open_url` of transport.py, or a stand-in in tests.
"""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.error
from urllib.parse import quote

from .releases import Release, release_of

# Any value is accepted; without the header Graylog refuses every request except GET.
REQUESTED_BY = "ansible"
CHARSET = "utf-8"

# Answers of a proxy while Graylog restarts. A GET is then repeated, a write never is.
RESTARTING = (502, 503)
ATTEMPTS = 5
# Seconds between two attempts.
PAUSE = 2.0
# Items of one page of a list, and the maximum of pages.
PER_PAGE = 100
MAX_PAGES = 100


class GraylogError(Exception):
    """Graylog refused a request, or could not be reached.

    status: the HTTP status, None without an answer.
    """

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


def parse_version(text: object) -> tuple[int, int, int]:
    """Convert "7.0.1+29f3984" to (7, 0, 1).

    Raises GraylogError without a version: the server is then not Graylog, or shows only its preflight page.
    """
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", text) if isinstance(text, str) else None
    if not match:
        raise GraylogError(
            f"The server is not a running Graylog: its version is {text!r}. "
            "Check its log; with an empty elasticsearch_hosts Graylog serves its preflight page only."
        )
    return (int(match[1]), int(match[2]), int(match[3]))


def refusal(body: str) -> str:
    """Return the reason in an error response, on one line.

    Most responses have {"message": ...}. Sources of pipelines return a list of errors with positions. Validations
    return {"errors": ...}, which is kept whole.
    """
    try:
        answer = json.loads(body)
    except ValueError:
        return " ".join(body.split()) or "no reason given"
    if isinstance(answer, dict) and isinstance(answer.get("message"), str):
        # Graylog 7 has the message "Validation failed!" and the reasons in validation_errors.
        texts = [answer["message"], *_texts(answer.get("validation_errors"))]
        return " ".join(": ".join(texts).split())
    if isinstance(answer, list) and answer and all(isinstance(error, dict) and "line" in error for error in answer):
        return "; ".join(_placed(error) for error in answer)
    return json.dumps(answer)


def _texts(tree: object) -> list[str]:
    """Return all texts in a JSON tree, with their nearest key."""
    if isinstance(tree, str):
        return [tree]
    if isinstance(tree, dict):
        return [text if key == "error" else f"{key}: {text}" for key, value in tree.items() for text in _texts(value)]
    return [text for value in tree for text in _texts(value)] if isinstance(tree, list) else []


def _placed(error: dict) -> str:
    rest = {key: value for key, value in error.items() if key not in ("line", "position_in_line")}
    return f"line {error['line']}, position {error.get('position_in_line')}: {rest.get('reason') or json.dumps(rest)}"


def api_base(url: str) -> str:
    """Return the URL of the API for a server's URL with or without /api.

    Raises GraylogError for an address that does not begin with http:// or https://.
    """
    if not url.startswith(("http://", "https://")):
        raise GraylogError(f"Graylog's url is {url!r}: write it like http://127.0.0.1:9000 or https://logs.example.org")
    base = url.rstrip("/")
    return base if base.endswith("/api") else f"{base}/api"


class GraylogClient:
    """The API of one Graylog node.

    opener: function with the arguments of transport.open_url.
    username, password: of an account; for a token, the token itself and the word "token".
    timeout: seconds for one request.
    sleep: function that waits between two attempts.
    options: further arguments for the opener (validate_certs, ca_path, client_cert, client_key).
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
        """Return a client for a module's connection arguments, see module.py."""
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
        """Return the server's version, node_id and cluster_id."""
        if self._hello is None:
            answer = self.request("GET", "/")
            parse_version(answer.get("version") if isinstance(answer, dict) else None)
            self._hello = answer
        return self._hello

    @property
    def version(self) -> tuple[int, int, int]:
        """The server's version as three numbers."""
        return parse_version(self.hello()["version"])

    @property
    def release(self) -> Release:
        """The features of the server's release."""
        return release_of(self.version)

    def request(self, method: str, path: str, body: dict | list | None = None):
        """Send a request and return the JSON of the response, or None for an empty one.

        A GET is repeated for a few seconds without an answer, or if a proxy reports that Graylog is unavailable.
        Raises GraylogError with method, path, status and the server's reason.
        """
        for _attempt in range(ATTEMPTS - 1 if method == "GET" else 0):
            try:
                return self._once(method, path, body)
            except GraylogError as error:
                if error.status not in (None, *RESTARTING):
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
            # 200 prevents a repetition: the server is another program
            raise GraylogError(
                f"Graylog at {self.base} answered {method} {path} with no JSON: {text[:80]!r}", status=200
            ) from error

    def create(self, path: str, body: dict):
        """Send the POST of a new object; Graylog 7 requires the body to be wrapped."""
        return self.request("POST", path, {"entity": body, "share_request": None} if self.release.wraps else body)

    def pages(self, path: str, key: str) -> list[dict]:
        """Return the items under `key` from all pages; `path` has no query string."""
        items: list[dict] = []
        for page in range(1, MAX_PAGES + 1):
            answer = self.request("GET", f"{path}?page={page}&per_page={PER_PAGE}")
            items += answer[key]
            if len(items) >= answer["total"] or not answer[key]:
                return items
        raise GraylogError(f"Graylog at {self.base} lists more than {MAX_PAGES * PER_PAGE} items under {path}")

    def _refused(self, method: str, path: str, error: urllib.error.HTTPError) -> GraylogError:
        reason = refusal(error.read().decode(CHARSET, "replace"))
        text = f"Graylog at {self.base} refused {method} {path} ({error.code}): {reason}"
        if error.code == 401:
            text = (
                f"Graylog at {self.base} does not accept the login ({error.code}). Check the user and the password; "
                "a token of Graylog 7 and later expires after 30 days unless its lifetime was set."
            )
        if error.code == 403:
            text += ". The account lacks the permission: give it a role with that permission, or use another account"
        return GraylogError(text, error.code)

    def find(self, path: str):
        """Return the response of a GET, or None for status 404."""
        try:
            return self.request("GET", path)
        except GraylogError as error:
            if error.status == 404:
                return None
            raise

    def input_schema(self, input_type: str) -> dict:
        """Return the server's description of an input type's options, by Java class.

        Raises GraylogError, with status 404 for an unknown type.
        """
        if input_type not in self._schemas:
            found = self.find(f"/system/inputs/types/{quote(input_type)}")
            if found is None:
                raise GraylogError(f"This Graylog knows no inputs of type {input_type}: is the plugin installed?", 404)
            self._schemas[input_type] = found["requested_configuration"]
        return self._schemas[input_type]

    def log_in_with(self, password: str) -> None:
        """Use another password from now on, after the account has changed its own."""
        self._arguments["url_password"] = password
