"""Test the stand-in in releases without a session, and its helpers."""

from __future__ import annotations

import base64
import http.client
import json

import pytest

from module_utils.graylog.client import GraylogClient, GraylogError
from tests.unit.adhoc import run_module
from tests.unit.graylog.standin import RELEASES, StandIn
from tests.unit.graylog.support import GELF, Clock

OLD = [release for release in RELEASES if release < "7"]
NEW = [release for release in RELEASES if release > "7"]
INDEX_SET = {
    "title": "Applications",
    "index_prefix": "app",
    "shards": 1,
    "replicas": 0,
    "rotation_strategy_class": "org.graylog2.indexer.rotation.strategies.TimeBasedRotationStrategy",
    "rotation_strategy": {
        "type": "org.graylog2.indexer.rotation.strategies.TimeBasedRotationStrategyConfig",
        "rotation_period": "P1D",
    },
    "retention_strategy_class": "org.graylog2.indexer.retention.strategies.DeletionRetentionStrategy",
    "retention_strategy": {
        "type": "org.graylog2.indexer.retention.strategies.DeletionRetentionStrategyConfig",
        "max_number_of_indices": 7,
    },
    "index_analyzer": "standard",
    "index_optimization_max_num_segments": 1,
    "index_optimization_disabled": False,
    "field_type_refresh_interval": 5000,
    "writable": True,
    "creation_date": "2026-01-01T00:00:00.000Z",
}
USER = {"username": "ray", "password": "long enough", "email": "", "permissions": [], "roles": ["Reader"]}
FULL, SPLIT = {"full_name": "Ray Tracer"}, {"first_name": "Ray", "last_name": "Tracer"}
PACK = {
    "v": "1",
    "id": "p",
    "rev": 1,
    **dict.fromkeys(("name", "summary", "description", "vendor", "url"), "x"),
    "parameters": [],
    "entities": [{"id": "e"}],
}
SEARCH = {"id": "s1", "queries": [{"id": "q1", "timerange": {"type": "relative", "range": 5}, "query": {}}]}
DEFINITION = {
    "title": "Errors",
    "description": "",
    "priority": 2,
    "alert": False,
    # a type without rules in any release
    "config": {"type": "test-v1"},
    "key_spec": [],
    "notification_settings": {"grace_period_ms": 0, "backlog_size": 0},
}


class Server:
    """Return a stand-in with a client and a manual clock."""

    def __init__(self, release: str) -> None:
        self.clock = Clock()
        self.api = StandIn(release, clock=self.clock)
        self.ask = GraylogClient(self.api.opener, "http://log:9000", "admin", "secret").request

    def refused(self, method: str, path: str, body: object = None) -> str:
        with pytest.raises(GraylogError) as caught:
            self.ask(method, path, body)
        return f"{caught.value.status} {str(caught.value).split('): ', 1)[-1]}"

    def wrapped(self, body: dict) -> dict:
        return {"entity": body} if self.api.release.has("creates are wrapped") else body

    def create(self, path: str, body: dict) -> dict:
        return self.ask("POST", path, self.wrapped(body))

    def gelf(self, port: int = 12201, title: str = "Services", **more) -> str:
        configuration = {"bind_address": "127.0.0.1", "port": port, **more}
        return self.ask("POST", "/system/inputs", self.input(configuration, title))["id"]

    @staticmethod
    def input(configuration: dict, title: str = "Services") -> dict:
        return {"title": title, "type": GELF, "global": True, "configuration": configuration}

    def state(self, input_id: str, after: float = 3) -> dict:
        self.clock.sleep(after)
        return self.ask("GET", f"/system/inputstates/{input_id}")


@pytest.fixture(params=RELEASES)
def server(request) -> Server:
    return Server(request.param)


def test_releases_report_their_version(server):
    assert server.ask("GET", "/")["version"].startswith(server.api.release.version)


def test_wrong_login_is_refused(server):
    wrong = GraylogClient(server.api.opener, "http://log:9000", "admin", "wrong")
    with pytest.raises(GraylogError, match="does not accept the login"):
        wrong.request("GET", "/system")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/system/inputs", Server.input({})),
        ("/roles", {"name": "r", "permissions": []}),
        ("/system/pipelines/rule", {"source": 'rule "r" when true then end'}),
        ("/system/content_packs", PACK),
        ("/system/indices/index_sets", INDEX_SET),
    ],
)
def test_unknown_keys_are_refused(server, path, body):
    said = server.refused("POST", path, {**body, "nosuch": 1})
    assert said.startswith("400 Unable to map property nosuch. Known properties include: ")
    assert server.api.inputs.items == {}


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("kind", ["streams", "notifications", "definitions", "views", "installations"])
def test_create_requires_entity_since_7(release, kind):
    server = Server(release)
    server.ask("POST", "/views/search", SEARCH)
    server.ask("POST", "/system/content_packs", PACK)
    path, body = {
        "streams": ("/streams", {"title": "s", "index_set_id": server.api.index_sets.default}),
        "notifications": ("/events/notifications", {"title": "n", "description": "", "config": {"type": "x"}}),
        "definitions": ("/events/definitions", DEFINITION),
        "views": ("/views", {"title": "d", "search_id": "s1", "state": {"q1": {}}}),
        "installations": ("/system/content_packs/p/1/installations", {"parameters": {}, "comment": ""}),
    }[kind]
    wrapped = {"entity": body, "share_request": None}
    good, bad = (wrapped, body) if release in NEW else (body, wrapped)
    assert server.refused("POST", path, bad).startswith("400 ")
    assert server.ask("POST", path, good)
    if release in NEW:
        assert "entity cannot be null" in server.refused("POST", path, body)


COUNT = {"expr": ">", "left": {"expr": "number-ref", "ref": "a"}, "right": {"expr": "number", "value": 1}}


def aggregation(server: Server, series: dict | None = None, expression: dict | None = None, **more) -> dict:
    """Return a valid definition with these changes."""
    word = "type" if server.api.release.number >= (5, 2) else "function"
    config = {
        "type": "aggregation-v1",
        "query": "*",
        "streams": [],
        "group_by": [],
        "series": [{"id": "a", word: "count", "field": None, **(series or {})}],
        "conditions": {"expression": COUNT if expression is None else expression},
        "search_within_ms": 60000,
        "execute_every_ms": 60000,
    }
    return {**DEFINITION, "config": {**config, **more}}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"nosuch": 1}, "Unable to map property nosuch"),
        ({"search_within_ms": None}, "searchWithinMs"),
        ({"group_by": None}, "groupBy"),
        ({"series": {"nosuch": 1}}, "Unable to map property nosuch"),
        ({"expression": {**COUNT, "nosuch": 1}}, "Unable to map property nosuch"),
        (
            {"expression": {**COUNT, "left": {"expr": "number-ref", "reference": "a"}}},
            "Unable to map property reference",
        ),
        ({"expression": {**COUNT, "right": {"expr": "number"}}}, "Null value"),
        ({"expression": {"expr": "=>"}}, "expr =>"),
        ({"conditions": {"expr": COUNT}}, "Unable to map property expr"),
        ({"conditions": {}}, "series must also contain conditions"),
    ],
)
def test_definition_settings_are_validated(server, wrong, words):
    assert server.create("/events/definitions", aggregation(server))
    body = server.wrapped(aggregation(server, **wrong))
    assert words in server.refused("POST", "/events/definitions", body)


def test_series_requires_key_of_release(server):
    old = server.api.release.number < (5, 2)
    series = {"id": "a", "field": None, "type" if old else "function": "count"}
    body = aggregation(server)
    body["config"]["series"] = [series]
    assert "Unable to map property" in server.refused("POST", "/events/definitions", server.wrapped(body))


@pytest.mark.parametrize(
    "config",
    [
        {"type": "http-notification-v1", "url": "http://127.0.0.1:1/x", "nosuch": 1},
        {"type": "email-notification-v1", "subject": "s", "recipients": ["a@b.example"]},
    ],
)
def test_notification_settings_are_validated(server, config):
    body = server.wrapped({"title": "n", "description": "", "config": config})
    assert "Unable to map property" in server.refused("POST", "/events/notifications", body)


def test_users_have_full_name_in_3_and_two_names_later(server):
    old = server.api.release.version.startswith("3.")
    right, wrong = (FULL, SPLIT) if old else (SPLIT, FULL)
    assert server.refused("POST", "/users", {**USER, **wrong}).startswith("400 ")
    server.ask("POST", "/users", {**USER, **right})
    user = server.ask("GET", "/users/ray")
    assert user["full_name"] == "Ray Tracer"
    assert "Username is already taken" in server.refused("POST", "/users", {**USER, **right})
    key, other = (user["username"], user["id"]) if old else (user["id"], user["username"])
    assert server.refused("PUT", f"/users/{other}", {"email": "a@b.example"}).startswith("404 ")
    server.ask("PUT", f"/users/{key}", {"email": "a@b.example"})
    assert server.ask("GET", "/users/ray")["email"] == "a@b.example"


@pytest.mark.parametrize(("release", "shown"), [("3.3.11", True), ("7.1.7", False)])
def test_token_is_login_and_expires(release, shown):
    server = Server(release)
    server.ask("POST", "/users", {**USER, **FULL, **SPLIT} if release in NEW else {**USER, **FULL})
    key = "ray" if release == "3.3.11" else server.ask("GET", "/users/ray")["id"]
    created = server.ask("POST", f"/users/{key}/tokens/t", {"token_ttl": "P2D"} if release in NEW else None)
    listed = server.ask("GET", f"/users/{key}/tokens")["tokens"]
    assert ["token" in token for token in listed] == [shown]
    client = GraylogClient(server.api.opener, "http://log:9000", created["token"], "token")
    assert client.request("GET", "/system")
    server.clock.sleep(3 * 86400)
    if release in NEW:
        with pytest.raises(GraylogError, match="does not accept the login"):
            client.request("GET", "/system")
    else:
        assert client.request("GET", "/system")


def test_index_sets_accept_default_before_7_only(server):
    body = {**INDEX_SET, "default": False}
    if server.api.release.version in NEW:
        assert "Unable to map property default" in server.refused("POST", "/system/indices/index_sets", body)
        body = INDEX_SET
    created = server.ask("POST", "/system/indices/index_sets", body)
    path = f"/system/indices/index_sets/{created['id']}"
    assert server.ask("PUT", path, {**INDEX_SET, "id": created["id"], "title": "New"})["title"] == "New"
    if server.api.release.version in NEW:
        assert "Missing required properties: id" in server.refused("PUT", path, INDEX_SET)
    else:
        assert server.ask("PUT", path, INDEX_SET)["title"] == "Applications"


@pytest.mark.parametrize(
    ("release", "change", "words"),
    [
        ("3.3.11", {"creation_date": None}, "Null creationDate"),
        ("7.1.7", {"use_legacy_rotation": False}, "Data tiering"),
        ("7.1.7", {"shards": None}, "Missing required properties: shards"),
        ("3.3.11", {"shards": "many"}, "shards"),
        ("7.1.7", {"rotation_strategy": {**INDEX_SET["rotation_strategy"], "max_size": 1}}, "property max_size"),
        ("7.1.7", {"retention_strategy": {"type": "x"}}, "Could not resolve type id 'x'"),
        ("7.1.7", {"index_prefix": "gray"}, "conflict with existing index set prefix 'graylog'"),
        ("3.3.11", {"index_prefix": "Upper"}, "index_prefix"),
    ],
)
def test_invalid_index_sets_are_refused(release, change, words):
    server = Server(release)
    assert words in server.refused("POST", "/system/indices/index_sets", {**INDEX_SET, **change})
    assert len(server.api.index_sets.items) == 3


def test_input_update_replaces_in_4_and_merges_since_5_1(server):
    input_id = server.gelf(recv_buffer_size=1000)
    server.ask("PUT", f"/system/inputs/{input_id}", server.input({"bind_address": "127.0.0.1", "port": 12201}))
    kept = "recv_buffer_size" in server.ask("GET", f"/system/inputs/{input_id}")["attributes"]
    assert kept == (server.api.release.number >= (5, 1))


def test_key_password_is_encrypted_in_7_1_7():
    server = Server("7.1.7")
    input_id = server.gelf(tls_key_password="hunter2x")
    path, key = f"/system/inputs/{input_id}", "tls_key_password"
    assert server.ask("GET", path)["attributes"][key] == {"is_set": True}
    assert set(server.ask("GET", "/system/inputs")["inputs"][0]["attributes"][key]) == {"encrypted_value", "salt"}
    assert server.ask("GET", "/system/inputs/types/" + GELF)["requested_configuration"][key]["is_encrypted"]
    base = {"bind_address": "127.0.0.1", "port": 12201}
    for written, is_set in (({"keep_value": True}, True), ({"delete_value": True}, False), ({"set_value": "x"}, True)):
        server.ask("PUT", path, server.input({**base, key: written}))
        assert server.ask("GET", path)["attributes"][key] == {"is_set": is_set}
    assert server.refused("PUT", path, server.input({**base, key: {"is_set": True}})).startswith("400 ")


def test_key_password_is_readable_in_3_3():
    server = Server("3.3.11")
    input_id = server.gelf(tls_key_password="hunter2x")
    assert server.ask("GET", f"/system/inputs/{input_id}")["attributes"]["tls_key_password"] == "hunter2x"


def test_input_is_launched_step_by_step(server):
    input_id = server.gelf()
    assert server.refused("GET", f"/system/inputstates/{input_id}").startswith("404 ")
    states = [server.state(input_id, after)["state"] for after in (1.0, 0.3, 0.3)]
    assert states == ["CREATED", "STARTING", "RUNNING"]


def test_second_input_on_port_fails_until_started_again(server):
    first = server.gelf()
    assert server.state(first)["state"] == "RUNNING"
    second = server.gelf(title="Second")
    assert server.state(second)["state"] == "FAILED"
    assert "Address already in use" in server.state(second)["detailed_message"]
    server.ask("DELETE", f"/system/inputs/{first}")
    assert server.state(second)["state"] == "FAILED"
    server.ask("PUT", f"/system/inputstates/{second}")
    assert server.state(second)["state"] == "RUNNING"


def test_failed_input_stays_down_after_fix(server):
    server.api.fail_input("Services", "no such certificate")
    input_id = server.gelf()
    assert server.state(input_id)["detailed_message"] == "no such certificate"
    server.api.fail_input("Services", None)
    server.ask("PUT", f"/system/inputs/{input_id}", server.input({"bind_address": "127.0.0.1", "port": 12202}))
    server.clock.sleep(3)
    assert server.refused("GET", f"/system/inputstates/{input_id}").startswith("404 ")


def test_overlapping_restarts_leave_port_busy(server):
    input_id = server.gelf()
    server.state(input_id)
    for _ in range(2):
        server.ask("PUT", f"/system/inputs/{input_id}", server.input({"bind_address": "127.0.0.1", "port": 12201}))
    assert server.state(input_id)["state"] == "FAILED"
    assert server.api.busy == {12201}


def test_streams_differ_between_releases(server):
    number = server.api.release.number
    body = {"title": " Frames ", "description": "d", "index_set_id": server.api.index_sets.default}
    path = f"/streams/{server.create('/streams', body)['stream_id']}"
    stream = server.ask("GET", path)
    assert stream["disabled"]
    assert stream["title"] == ("Frames" if number >= (6, 0) else " Frames ")
    server.ask("PUT", path, {"title": "Frames"})
    assert server.ask("GET", path)["description"] == (None if number >= (6, 3) else "d")
    match_input = {"type": 8, "field": "", "value": "x", "inverted": False, "description": ""}
    if number < (4, 0):
        assert server.refused("POST", f"{path}/rules", match_input).startswith("400 ")
    else:
        assert server.ask("POST", f"{path}/rules", match_input)["streamrule_id"]
    assert "index set" in server.refused("POST", "/streams", wrapped_if(number, {**body, "index_set_id": "x"})).lower()


def wrapped_if(number: tuple[int, ...], body: dict) -> dict:
    return {"entity": body} if number >= (7, 0) else body


def test_connections_replace_whole_set(server):
    stream = "000000000000000000000001"
    assert server.refused("GET", f"/system/pipelines/connections/{stream}").startswith("404 ")
    ids = []
    for name in "ab":
        source = f'pipeline "{name}"\nstage 0 match all\nrule "r";\nstage 5 match pass\nend'
        created = server.ask("POST", "/system/pipelines/pipeline", {"title": "ignored", "source": source})
        assert (created["title"], [stage["stage"] for stage in created["stages"]]) == (name, [0, 5])
        ids.append(created["id"])
    to_stream = "/system/pipelines/connections/to_stream"
    server.ask("POST", to_stream, {"stream_id": stream, "pipeline_ids": ids})
    server.ask("POST", to_stream, {"stream_id": stream, "pipeline_ids": ids[:1]})
    assert server.ask("GET", f"/system/pipelines/connections/{stream}")["pipeline_ids"] == ids[:1]
    both = {"pipeline_id": ids[1], "stream_ids": [stream]}
    server.ask("POST", "/system/pipelines/connections/to_pipeline", both)
    assert server.ask("GET", f"/system/pipelines/connections/{stream}")["pipeline_ids"] == ids


def test_content_pack_is_installed_at_every_request(server):
    server.ask("POST", "/system/content_packs", PACK)
    for _ in range(2):
        server.create("/system/content_packs/p/1/installations", {"parameters": {}, "comment": ""})
    assert server.ask("GET", "/system/content_packs/p/installations")["total"] == 2
    assert server.refused("DELETE", "/system/content_packs/p/1").startswith("400 ")


def test_event_updates_need_id(server):
    created = server.create("/events/notifications", {"title": "n", "description": "", "config": {"type": "x"}})
    path = f"/events/notifications/{created['id']}"
    body = {"title": "m", "description": "", "config": {"type": "x"}}
    assert server.refused("PUT", path, body).startswith("400 ")
    assert server.ask("PUT", path, {**body, "id": created["id"]})["title"] == "m"
    empty = {**body, "title": ""}
    assert "title cannot be empty" in server.refused("PUT", path, {**empty, "id": created["id"]})


@pytest.mark.parametrize(("java", "status"), [("org.graylog2.users.PasswordComplexityConfig", 7), ("no.Such", None)])
def test_cluster_config_is_stored_by_class(server, java, status):
    path = f"/system/cluster_config/{java}"
    if status is None or server.api.release.number < (status,):
        assert server.refused("GET", path).startswith("404 ")
        return
    assert server.ask("PUT", path, {"min_length": 12})["min_length"] == 12
    assert server.ask("GET", path) == {"min_length": 12}
    assert server.refused("PUT", path, {"nosuch": 1}) == "400 no reason given"


def test_url_list_has_new_path_since_7(server):
    names = ["urlwhitelist", "urlallowlist"]
    right, wrong = names if server.api.release.version in OLD else reversed(names)
    entry = {"id": "1", "title": "t", "value": "https://x.example", "type": "literal"}
    server.ask("PUT", f"/system/{right}", {"entries": [entry], "disabled": False})
    assert server.ask("GET", f"/system/{right}")["entries"] == [entry]
    assert server.refused("GET", f"/system/{wrong}").startswith("404 ")
    assert server.refused("PUT", f"/system/{right}", {"entries": [{**entry, "type": "glob"}]}).startswith("400 ")


def test_faults_are_answered_and_recorded(server):
    server.api.break_next(2)
    for _ in range(2):
        assert server.refused("POST", "/roles", {"name": "r", "permissions": []}).startswith("503 ")
    assert server.ask("POST", "/roles", {"name": "r", "permissions": []})["name"] == "r"
    assert server.api.writes == [("POST", "/roles")] * 3
    assert server.api.requests[0] == ("POST", "/roles", {"name": "r", "permissions": []})


def test_stand_in_serves_http(server):
    login = {"Authorization": "Basic " + base64.b64encode(b"admin:secret").decode()}

    def get(path: str, headers: dict) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=5)
        connection.request("GET", f"/api{path}", headers=headers)
        with connection.getresponse() as answer:
            return answer.status, answer.read()

    with server.api.serve() as address:
        status, text = get("/system/inputs", login)
        assert (status, json.loads(text)) == (200, {"inputs": [], "total": 0})
        assert get("/system", {})[0] == 401
        # The load balancer's page is plain text without a login.
        assert get("/system/lbstatus", {}) == (200, b"ALIVE")
    assert [path for _method, path, _body in server.api.requests] == ["/system/inputs", "/system", "/system/lbstatus"]


def test_ansible_runs_module_against_stand_in(tmp_path):
    api = StandIn("7.1.7")
    input_id = api.inputs.add("Services", GELF, bind_address="127.0.0.1", port=12201)
    api.states.put_up(input_id)
    with api.serve() as address:
        arguments = {"url": address, "username": "admin", "password": "secret"}
        answer = run_module("graylog_input_info", arguments, home=tmp_path)
    assert [(item["title"], item["state"]) for item in answer["inputs"]] == [("Services", "RUNNING")]
    assert api.writes == []
