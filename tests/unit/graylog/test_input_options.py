"""Test the options of inputs: conversion, comparison, bodies and secrets."""

from __future__ import annotations

import pytest

from module_utils.graylog.input_options import (
    DesiredInput,
    check_static_fields,
    coerce,
    gather_options,
    hide_secrets,
    is_udp,
    resolve_type,
    same,
)
from module_utils.graylog.reconcile import HIDDEN, DesiredStateError
from tests.unit.graylog.support import GELF

TLS = {"enable": True, "cert_file": "/c", "key_file": "/k"}


def desired(recording, options: dict, **more) -> DesiredInput:
    return DesiredInput("gelf", GELF, True, options, recording.schema(), **more)


@pytest.mark.parametrize("name", ["gelf_tcp", "gelf_http", "syslog_tcp", "raw_tcp", "beats"])
def test_short_names_are_resolved(name):
    assert resolve_type(name).startswith("org.graylog")
    assert not is_udp(resolve_type(name))


@pytest.mark.parametrize(
    "name",
    [
        "org.graylog2.inputs.gelf.udp.GELFUDPInput",
        "org.graylog2.inputs.syslog.udp.SyslogUDPInput",
        "org.graylog.plugins.netflow.inputs.NetFlowUdpInput",
        "org.graylog.integrations.ipfix.inputs.IpfixUdpInput",
        "gelf_udp",
    ],
)
def test_udp_types_are_refused(name):
    with pytest.raises(DesiredStateError, match="UDP"):
        resolve_type(name)


def test_unknown_short_name_is_refused():
    with pytest.raises(DesiredStateError, match="neither one of beats, gelf_http"):
        resolve_type("gelf")


@pytest.mark.parametrize(
    ("tls", "configuration", "words"),
    [
        ({"enable": True, "key_file": "/k"}, {}, r"tls\.cert_file"),
        ({"enable": True, "cert_file": "/c"}, {}, r"tls\.key_file"),
        ({**TLS, "client_auth": "required"}, {}, r"tls\.client_ca"),
        ({"enable": False, "client_auth": "required", "client_ca": "/a"}, {}, r"tls\.enable is off"),
        (None, {"tls_enable": True}, "set TLS options in tls"),
        (None, {"port": 1}, "repeats port"),
    ],
)
def test_ineffective_tls_options_are_refused(tls, configuration, words):
    with pytest.raises(DesiredStateError, match=words):
        gather_options(12201, "127.0.0.1", tls, configuration)


def test_options_get_graylogs_keys():
    tls = {**TLS, "client_auth": "required", "client_ca": "/a", "key_password": None}
    assert gather_options(1, "::", tls, {"max_message_size": 5}) == {
        "port": 1,
        "bind_address": "::",
        "tls_enable": True,
        "tls_cert_file": "/c",
        "tls_key_file": "/k",
        "tls_client_auth": "required",
        "tls_client_auth_cert_file": "/a",
        "max_message_size": 5,
    }


@pytest.mark.parametrize(
    ("key", "given", "wanted"),
    [
        ("port", "12201", 12201),
        ("port", 12201.0, 12201),
        ("tls_enable", "true", True),
        ("tls_enable", "False", False),
        ("tls_client_auth", "required", "required"),
        ("override_source", 5, "5"),
        ("override_source", None, None),
    ],
)
def test_values_get_server_types(recording, key, given, wanted):
    got = coerce({key: given}, recording.schema())[key]
    assert got == wanted
    assert type(got) is type(wanted)


@pytest.mark.parametrize(
    ("key", "given", "words"),
    [
        ("port", "http", "whole number"),
        ("port", True, "whole number"),
        ("port", 70000, "1 to 65535"),
        ("port", None, "must have a value"),
        ("tls_enable", "maybe", "true or false"),
        ("tls_enable", 1, "true or false"),
        ("tls_client_auth", "always", "one of disabled, optional, required"),
        ("override_source", ["a"], "needs text"),
        ("portt", 1, "unknown to this type of input"),
    ],
)
def test_invalid_values_are_refused_by_key(recording, key, given, words):
    with pytest.raises(DesiredStateError, match=f"option {key} .*{words}"):
        coerce({key: given}, recording.schema())


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (None, "", True),
        ("", None, True),
        (True, True, True),
        (True, "true", False),
        (1, True, False),
        (1, 1, True),
        (0, "", False),
    ],
)
def test_equality_follows_graylog(one, other, equal):
    assert same(one, other) is equal


def test_posted_options_do_not_differ(recording):
    """Compare the session's valid request with the input that was stored."""
    posted = recording.entry("good")["body"]["configuration"]
    stored = recording.entry("item with a secret")["answer"]
    desired_input = desired(recording, {**posted, "tls_enable": "true", "tls_cert_file": "/nosuch"})
    assert desired_input.differing(stored) == []


def test_type_default_counts_as_set(recording):
    stored = recording.entry("item with a secret")["answer"]
    desired_input = desired(recording, {"tcp_keepalive": False, "max_message_size": 2097152, "override_source": ""})
    assert desired_input.differing(stored) == []


def test_computed_default_does_not_count_as_set(recording):
    stored = recording.entry("item with a secret")["answer"]
    threads = recording.schema()["number_worker_threads"]["default_value"]
    assert desired(recording, {"number_worker_threads": threads}).differing(stored) == ["number_worker_threads"]


def test_text_instead_of_boolean_differs(recording):
    """Use a stored "true" for tls_enable, with which TLS was off."""
    put = recording.entries.index(recording.entry("tls_enable as a string"))
    stored = next(entry for entry in recording.entries[put + 1 :] if entry["method"] == "GET")["answer"]
    assert stored["attributes"]["tls_enable"] == "true"
    assert desired(recording, {"tls_enable": True}).differing(stored) == ["tls_enable"]


def test_shown_secret_is_compared(recording):
    stored = recording.entry("item with a secret")["answer"]
    assert desired(recording, {"tls_key_password": "s3cret"}).differing(stored) == []
    assert desired(recording, {"tls_key_password": "other"}).differing(stored) == ["tls_key_password"]


@pytest.mark.parametrize("shown", [{"is_set": True}, {"encrypted_value": "a", "salt": "b"}, "<password set>"])
def test_hidden_secret_is_sent_only_on_request(recording, shown):
    stored = {**recording.entry("item with a secret")["answer"]}
    stored["attributes"] = {**stored["attributes"], "tls_key_password": shown}
    quiet = desired(recording, {"tls_key_password": "other", "port": 1})
    assert quiet.differing(stored) == ["port"]
    assert quiet.body("node", stored)["configuration"]["tls_key_password"] != "other"
    always = desired(recording, {"tls_key_password": "other"}, always_send_secrets=True)
    assert always.differing(stored) == ["tls_key_password"]
    assert always.body("node", stored)["configuration"]["tls_key_password"] == "other"


def test_encrypted_secret_is_kept_by_keep_value(recording):
    stored = {**recording.entry("item with a secret")["answer"]}
    stored["attributes"] = {**stored["attributes"], "tls_key_password": {"is_set": True}}
    assert desired(recording, {"port": 1}).body("n", stored)["configuration"]["tls_key_password"] == {
        "keep_value": True
    }


def test_encrypted_secret_without_value_counts_as_empty(recording):
    stored = {**recording.entry("item with a secret")["answer"]}
    stored["attributes"] = {**stored["attributes"], "tls_key_password": {"is_set": False}}
    desired_input = desired(recording, {"tls_key_password": "new"})
    assert desired_input.differing(stored) == ["tls_key_password"]
    assert desired_input.body("n", stored)["configuration"]["tls_key_password"] == "new"
    assert desired(recording, {"tls_key_password": ""}).differing(stored) == []
    assert "tls_key_password" not in desired(recording, {"port": 1}).body("n", stored)["configuration"]
    assert hide_secrets(stored, recording.schema())["configuration"]["tls_key_password"] == ""


def test_body_of_new_input_has_server_keys(recording):
    good = recording.entry("good")["body"]
    body = desired(recording, good["configuration"]).body("node-1")
    assert body["configuration"] == good["configuration"]
    assert set(body) - {"node"} == set(good)
    assert body["node"] is None


def test_body_of_local_input_names_node(recording):
    schema = recording.schema()
    assert DesiredInput("x", GELF, False, {"port": 1}, schema).body("node-1")["node"] == "node-1"


def test_update_keeps_unmanaged_options(recording):
    stored = recording.entry("item with a secret")["answer"]
    configuration = desired(recording, {"port": 1}).body("n", stored)["configuration"]
    assert configuration["port"] == 1
    assert configuration["recv_buffer_size"] == 1048576


def test_secrets_are_hidden(recording):
    stored = recording.entry("item with a secret")["answer"]
    desired_input = desired(recording, {"tls_key_password": "s3cret"})
    shown = (hide_secrets(stored, recording.schema()), desired_input.shown({**stored, "state": "RUNNING"}))
    assert "s3cret" not in repr(shown)
    assert shown[0]["configuration"]["tls_key_password"] == HIDDEN


def test_static_fields_are_texts_with_valid_names():
    assert check_static_fields({"site": "a", "n": 3}) == {"site": "a", "n": "3"}
    assert check_static_fields(None) is None
    with pytest.raises(DesiredStateError, match="static field 'a b'"):
        check_static_fields({"a b": "x"})
    with pytest.raises(DesiredStateError, match=r"static_fields\.a"):
        check_static_fields({"a": ["x"]})
