"""Test the input modules over HTTP: arguments, check mode, diff and answers."""

from __future__ import annotations

import json

import pytest

from tests.unit.graylog.runner import Runner
from tests.unit.graylog.standin import StandIn
from tests.unit.graylog.standin.input_types import GELF, GELF_UDP

TLS = {"cert_file": "/c", "key_file": "/k", "client_auth": "required", "client_ca": "/a", "key_password": "hunter2x"}


@pytest.fixture
def server():
    graylog = StandIn("3.3.11", login=("admin", "correct horse"))
    graylog.states.hurry()
    with graylog.serve() as graylog.url:
        yield graylog


@pytest.fixture
def run(server, monkeypatch, capsys) -> Runner:
    monkeypatch.setattr("module_utils.graylog.inputs.POLL_INTERVAL", 0.02)
    return Runner(server.url, monkeypatch, capsys)


def test_input_is_created_once_and_secret_never_shown(run, monkeypatch):
    monkeypatch.setattr("module_utils.graylog.tls.served_certificate", lambda *_where: b"another's")
    options = {"title": "Services", "type": "gelf_tcp", "port": "12201", "tls": TLS}
    planned = run("graylog_input", check=True, **options)
    done = run("graylog_input", **options)
    again = run("graylog_input", **options)
    assert [answer["changed"] for answer in (planned, done, again)] == [True, True, False]
    assert done["input"]["configuration"]["tls_client_auth"] == "required"
    assert done["input_state"] == "RUNNING"
    assert ["cannot read that file" in json.dumps(answer) for answer in (planned, done, again)] == [False, True, True]
    assert planned["diff"] == done["diff"]
    assert "hunter2x" not in json.dumps([planned["diff"], done["diff"], done["input"], again["input"]])


def test_input_is_deleted(run, server):
    run("graylog_input", title="Services", type="gelf_tcp", port=12201)
    assert run("graylog_input", title="Services", state="absent")["actions"] == ["deleted"]
    assert server.inputs.items == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"title": "x", "type": "gelf_tcp"}, "port"),
        ({"title": "x", "type": "org.graylog2.inputs.gelf.udp.GELFUDPInput", "port": 1}, "UDP"),
        ({"title": "x", "type": "gelf_tcp", "port": 1, "configuration": {"nosuch": 1}}, "option nosuch is unknown"),
        ({"title": "x", "type": "nosuch.Type", "port": 1}, "knows no inputs of type"),
        ({"title": "x", "type": "gelf_tcp", "port": 1, "token": "long-token-value"}, "mutually exclusive"),
    ],
)
def test_invalid_options_are_refused_without_writes(run, server, arguments, words):
    answer = run("graylog_input", **arguments)
    assert answer["failed"]
    assert words in answer["msg"]
    assert server.writes == []


def test_input_info_reports_udp(run, server):
    server.inputs.add("old", GELF_UDP, port=12201)
    server.inputs.add("new", GELF, port=12201, tls_key_password="hunter2x")
    answer = run("graylog_input_info")
    assert [(item["title"], item["udp"], item["state"]) for item in answer["inputs"]] == [
        ("new", False, None),
        ("old", True, None),
    ]
    assert "hunter2x" not in json.dumps(answer["inputs"])


def test_input_info_includes_input_without_plugin(run, server):
    server.inputs.add("new", GELF, port=12201)
    number = server.inputs.add("gone", GELF, port=5000, api_key="hunter2x")
    server.inputs.items[number]["type"] = "org.example.GoneUdpInput"
    answer = run("graylog_input_info")
    assert [(item["title"], item["udp"]) for item in answer["inputs"]] == [("gone", True), ("new", False)]
    assert answer["inputs"][0]["configuration"]["port"] == 5000
    assert "hunter2x" not in json.dumps(answer)


HEADER = {"authorization_header_name": "x-key", "authorization_header_value": "hunter2x", "max_chunk_size": 70007}
NEEDS_HEADER = {"title": "Jobs", "type": "gelf_http", "port": 12203, "configuration": HEADER}


@pytest.fixture
def recent(monkeypatch, capsys):
    """Return a Graylog whose HTTP inputs can require a header, with a runner."""
    monkeypatch.setattr("module_utils.graylog.inputs.POLL_INTERVAL", 0.02)
    graylog = StandIn("7.1.7", login=("admin", "correct horse"))
    graylog.states.hurry()
    with graylog.serve() as url:
        graylog.run = Runner(url, monkeypatch, capsys)
        yield graylog


def test_configuration_secret_is_absent_from_answers(recent):
    answers = [recent.run("graylog_input", check=True, **NEEDS_HEADER), recent.run("graylog_input", **NEEDS_HEADER)]
    assert recent.inputs.items.popitem()[1]["attributes"] == {"bind_address": "127.0.0.1", "port": 12203, **HEADER}
    assert [answer["actions"] for answer in answers] == [["created"], ["created"]]
    assert answers[1]["invocation"]["module_args"]["configuration"]["max_chunk_size"] == 70007
    assert "hunter2x" not in json.dumps(answers)
    assert answers[1]["diff"]["after"]["configuration"]["max_chunk_size"] == 70007


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({"url": "http://127.0.0.1:1"}, "does not answer"),
        ({"password": "wrong"}, "does not accept the login"),
        ({"configuration": {**HEADER, "nosuch": 1}}, "option nosuch is unknown"),
        ({"configuration": {"authorization_header_valu": "hunter2x"}}, "is unknown to this type"),
        ({"configuration": {"authorization_header_value": {"set_value": "hunter2x"}}}, "it needs text"),
        ({"configuration": {**HEADER, "max_chunk_size": "much"}}, "got 'much', it needs a whole number"),
        ({"state": "absent"}, None),
    ],
)
def test_configuration_secret_is_absent_from_errors(recent, monkeypatch, others, words):
    monkeypatch.setattr("module_utils.graylog.client.PAUSE", 0)
    answer = recent.run("graylog_input", **{**NEEDS_HEADER, **others})
    assert words in answer["msg"] if words else not answer.get("failed")
    assert "hunter2x" not in json.dumps(answer)


def test_missing_secret_is_written_once(recent):
    options = {"title": "Services", "type": "gelf_tcp", "port": 12201, "running": False}
    number = recent.inputs.add("Services", GELF, bind_address="127.0.0.1", port=12201, tls_key_password="")
    tls = {"enable": False, "key_password": "hunter2x"}
    planned = recent.run("graylog_input", check=True, **options, tls=tls)
    done = recent.run("graylog_input", **options, tls=tls)
    again = recent.run("graylog_input", **options, tls=tls)
    assert [answer["actions"] for answer in (planned, done, again)] == [["updated"], ["updated"], []]
    assert planned["diff"] == done["diff"]
    assert done["diff"]["before"]["configuration"]["tls_key_password"] == ""
    assert recent.inputs.items[number]["attributes"]["tls_key_password"] == "hunter2x"
    recent.run("graylog_input", **{**options, "port": 12202})
    assert recent.inputs.items[number]["attributes"]["tls_key_password"] == "hunter2x"
