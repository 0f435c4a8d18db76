"""Test requests to the server: retries, refusals and TLS."""

import ssl
import time

import pytest
from raycrafter_client.api import Api, ApiError, UnreachableError
from raycrafter_client.tls import client_context


@pytest.fixture()
def api(rest, pki):
    return Api(rest.url, "secret-token", client_context(pki.ca), retry_seconds=0.02)


def claim(api, seconds=20.0):
    return api.claim("42.server", "node1", time.monotonic() + seconds, lambda pause: time.sleep(pause))


def test_request_carries_token_and_body(api, rest):
    assert claim(api).status == 204
    assert rest.calls == [("claim", {"native_id": "42.server", "host": "node1"})]
    assert rest.headers[0]["Authorization"] == "Batch secret-token"


def test_server_error_is_retried(api, rest):
    rest.replies["claim"] = [(503, {}), (502, None), (500, {"title": "x"})]
    assert claim(api).status == 204
    assert len(rest.calls) == 4


def test_lost_response_is_retried(api, rest):
    rest.replies["claim"] = ["hang up"]
    assert claim(api).status == 204
    assert len(rest.calls) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 409, 410, 302])
def test_refusal_is_final_and_has_a_reason(api, rest, status):
    rest.replies["claim"] = [(status, {"title": "Title", "detail": "the very reason"})]
    with pytest.raises(ApiError, match="the very reason") as caught:
        claim(api)
    assert caught.value.status == status
    assert len(rest.calls) == 1


def test_foreign_response_counts_as_unreachable(api, rest):
    rest.replies["claim"] = [(200, ["a", "list"])]
    with pytest.raises(UnreachableError, match="did not answer as a RayCrafter server"):
        api.call("claim", {"native_id": "42.server", "host": ""})


def test_retries_end_at_the_deadline(api, rest):
    rest.stop()
    started = time.monotonic()
    with pytest.raises(UnreachableError, match=f"localhost:{rest.port}"):
        claim(api, seconds=0.5)
    assert time.monotonic() - started < 10


def test_api_trusts_only_the_configured_ca(rest, pki):
    api = Api(rest.url, "secret-token", client_context(pki.stranger_ca))
    with pytest.raises(UnreachableError, match=r"(?i)certificate"):
        api.call("claim", {})
    assert rest.calls == []


def test_api_checks_the_servers_name(rest, pki):
    # the certificate names localhost and 127.0.0.1
    api = Api(f"https://127.0.0.2:{rest.port}", "secret-token", client_context(pki.ca))
    with pytest.raises(UnreachableError):
        api.call("claim", {})
    assert rest.calls == []


def test_api_refuses_old_tls(pki):
    context = client_context(pki.ca)
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    if hasattr(context, "minimum_version"):
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_api_measures_the_clock_offset(api, rest):
    rest.clock_ahead = 5000.0
    claim(api)
    assert 4995 < api.clock_offset < 5005
