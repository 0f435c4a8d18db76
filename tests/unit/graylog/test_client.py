"""Test the requests of the client, and its errors."""

from __future__ import annotations

import io
import json
import urllib.error

import pytest

from module_utils.graylog import client as api
from module_utils.graylog import transport
from module_utils.graylog.client import GraylogClient, GraylogError


def client_for(recording, entry: dict, seen: list | None = None) -> GraylogClient:
    """Return a client whose next request gets the recorded answer."""

    def opener(url, **arguments):
        if seen is not None:
            seen.append((url, arguments))
        text = entry["answer"] if isinstance(entry["answer"], str) else json.dumps(entry["answer"])
        if entry["status"] >= 400:
            raise urllib.error.HTTPError(url, entry["status"], "refused", {}, io.BytesIO(text.encode()))
        return io.BytesIO(text.encode())

    return GraylogClient(opener, "http://127.0.0.1:9000", "admin", "secret")


def test_version_is_parsed(recording):
    client = client_for(recording, recording.entry(path="/"))
    assert client.hello()["version"].startswith(recording.release)
    expected = tuple(int(part) for part in recording.release.split("."))
    assert api.parse_version(client.hello()["version"]) == expected


# not recorded: the preflight page; form: none known, what has no version is refused
@pytest.mark.parametrize("version", [None, "", 7, "preflight"])
def test_answer_without_version_is_refused(version):
    with pytest.raises(GraylogError, match="preflight page"):
        api.parse_version(version)


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("no CSRF header", "X-Requested-By"),
        ("unknown key", "unknown_key"),
        ("port as a string", "Missing or invalid input configuration"),
        ("unknown type", "no such input type"),
        ("id in the body", "property id"),
    ],
)
def test_error_contains_server_reason(recording, note, words):
    entry = recording.entry(note)
    with pytest.raises(GraylogError, match=words) as caught:
        client_for(recording, entry).request(entry["method"], entry["path"], entry["body"])
    assert caught.value.status == entry["status"]
    assert f"{entry['method']} {entry['path']} ({entry['status']})" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_wrong_password_is_reported(recording):
    entry = recording.entry("wrong password")
    with pytest.raises(GraylogError, match="does not accept the login"):
        client_for(recording, entry).request("GET", "/system")


def test_find_returns_none_for_404(recording):
    assert client_for(recording, recording.entry("gone")).find("/system/inputs/x") is None


def test_find_raises_other_errors(recording):
    with pytest.raises(GraylogError):
        client_for(recording, recording.entry("wrong password")).find("/system/inputs/x")


def test_unknown_input_type_is_reported(recording):
    with pytest.raises(GraylogError, match=r"knows no inputs of type nosuch\.Type"):
        client_for(recording, recording.entry(path="nosuch.Type")).input_schema("nosuch.Type")


def test_requests_have_csrf_header_and_login(recording):
    seen: list = []
    client_for(recording, recording.entry("good"), seen).request("POST", "/system/inputs", {"title": "x"})
    url, arguments = seen[0]
    assert url == "http://127.0.0.1:9000/api/system/inputs"
    assert arguments["headers"]["X-Requested-By"]
    assert (arguments["url_username"], arguments["url_password"]) == ("admin", "secret")
    assert json.loads(arguments["data"]) == {"title": "x"}


def test_token_is_sent_as_user_with_password_token():
    seen: list = []

    def opener(_url, **arguments):
        seen.append(arguments)
        return io.BytesIO(b"{}")

    params = {"url": "https://log/api/", "token": "t0k3n", "username": None, "password": None}
    params.update(timeout=5, validate_certs=True, ca_path="/ca.pem", client_cert=None, client_key=None)
    client = GraylogClient.of(opener, params)
    client.request("GET", "/system")
    assert (seen[0]["url_username"], seen[0]["url_password"]) == ("t0k3n", "token")
    assert (seen[0]["ca_path"], seen[0]["timeout"]) == ("/ca.pem", 5)
    assert client.base == "https://log/api"


@pytest.mark.parametrize(
    "failure", [urllib.error.URLError("refused"), TimeoutError("timed out"), ConnectionResetError()]
)
def test_connection_error_names_service(failure):
    def opener(_url, **_arguments):
        raise failure

    pauses = []
    with pytest.raises(GraylogError, match="Is the service graylog-server up") as caught:
        GraylogClient(opener, "http://log:9000", "admin", "x", sleep=pauses.append).hello()
    assert caught.value.status is None
    assert len(pauses) == api.ATTEMPTS - 1


@pytest.mark.parametrize(("method", "asked"), [("GET", 2), ("POST", 1), ("PUT", 1), ("DELETE", 1)])
def test_only_get_is_retried(method, asked):
    seen = []

    def opener(url, **_arguments):
        seen.append(url)
        if len(seen) == 1:
            raise urllib.error.HTTPError(url, 503, "away", {}, io.BytesIO(b""))
        return io.BytesIO(b"{}")

    client = GraylogClient(opener, "http://log:9000", "admin", "x", sleep=lambda _seconds: None)
    if method == "GET":
        assert client.request(method, "/system") == {}
    else:
        with pytest.raises(GraylogError, match="503"):
            client.request(method, "/system", {})
    assert len(seen) == asked


@pytest.mark.parametrize("url", ["log:9000", "file:///etc/passwd", "", "ftp://log"])
def test_url_without_http_is_refused(url):
    with pytest.raises(GraylogError, match="write it like http"):
        GraylogClient(None, url, "admin", "x")


@pytest.mark.parametrize("files", [{"ca_path": "/nowhere.pem"}, {"client_cert": "/nowhere.pem", "client_key": "/k"}])
def test_missing_file_is_named(files):
    client = GraylogClient(transport.open_url, "https://127.0.0.1", "admin", "x", sleep=lambda _: None, **files)
    with pytest.raises(GraylogError, match=r"nowhere\.pem"):
        client.hello()


def test_pages_returns_all_items():
    def opener(url, **_arguments):
        page = int(url.split("page=")[1].split("&")[0])
        items = [{"id": number} for number in range(150)][(page - 1) * api.PER_PAGE :][: api.PER_PAGE]
        return io.BytesIO(json.dumps({"total": 150, "events": items}).encode())

    client = GraylogClient(opener, "http://log:9000", "admin", "x")
    assert [item["id"] for item in client.pages("/events", "events")] == list(range(150))


def test_response_without_json_is_reported():
    with pytest.raises(GraylogError, match="no JSON: '<html>'"):
        GraylogClient(lambda *_args, **_kwargs: io.BytesIO(b"<html>"), "http://log:9000", "a", "b").request("GET", "/")


def test_validation_errors_are_kept_whole():
    # not recorded: a validation's errors; form: ValidationResult.java of graylog2-server
    assert api.refusal('{"errors": {"title": ["empty"]}, "failed": true}') == (
        '{"errors": {"title": ["empty"]}, "failed": true}'
    )
    # not recorded: the nesting below validation_errors; form: ValidationApiError.java of graylog2-server 7.0
    answer = {"message": "Validation failed!", "validation_errors": {"title": [{"error": "empty"}]}}
    assert api.refusal(json.dumps(answer)) == "Validation failed!: title: empty"
    assert api.refusal("") == "no reason given"
