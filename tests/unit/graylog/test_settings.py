"""Test settings that only production has, rendered by Ansible."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import filter_loader, init_plugin_loader
from ansible.template import Templar, trust_as_template

ROOT = Path(__file__).parents[3]
FACTS = {"memtotal_mb": 16000, "processor_vcpus": 8, "virtualization_tech_guest": ["kvm"]}
DISK = {"stdout_lines": ["1M-blocks", "   100000", "   400000"]}
SECRETS = {"graylog_password_secret": "s" * 64, "graylog_root_password": "Pa$$\\word{{ 7 }}" * 3}


@pytest.fixture(scope="module", autouse=True)
def filters():
    init_plugin_loader()
    filter_loader.add_directory(str(ROOT / "filter_plugins"))


def evaluate(role: str, source: str, **values) -> object:
    """Template a text with a role's own defaults and vars."""
    loader = DataLoader()
    variables = {"ansible_managed": "managed", "inventory_hostname": "log1", "ansible_facts": FACTS}
    for name in ("defaults", "vars"):
        variables.update(
            loader.load_from_file(str(ROOT / "roles" / role / name / "main.yml"), trusted_as_template=True)
        )
    return Templar(loader=loader, variables={**variables, **values}).template(trust_as_template(source))


def render(role: str, template: str, **values) -> str:
    """Return a rendered template of a role."""
    source = (ROOT / "roles" / role / "templates" / f"{template}.j2").read_text(encoding="utf-8")
    return str(evaluate(role, source, **values))


def server_conf(release: str, **values) -> dict[str, str]:
    given = {"graylog_version": release, "graylog_external_uri": "https://logs/", "__graylog_disk": DISK}
    lines = render("graylog", "etc/graylog/server/server.conf", **given, **SECRETS, **values).splitlines()
    return dict(line.split(" = ", 1) for line in lines if " = " in line)


LINES = ("3.3", "4.0", "4.1", "4.2", "4.3", "5.0", "5.1", "5.2", "6.0", "6.1", "6.2", "6.3", "7.0", "7.1")
# Lines with is_master, with telemetry, and with a bundled Java.
IS_MASTER, TELEMETRY, JAVA = LINES[:4], LINES[6:], LINES[5:]


def test_lines_are_complete():
    spec = importlib.util.spec_from_file_location("graylog_filters", ROOT / "filter_plugins/graylog.py")
    plugin = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plugin)
    assert tuple(plugin.LINES) == LINES


@pytest.mark.parametrize("line", LINES)
def test_server_conf_has_settings_of_release(line):
    conf = server_conf(f"{line}.1", graylog_leader=False)
    assert {key for key in conf if key.startswith("is_")} == {"is_master" if line in IS_MASTER else "is_leader"}
    assert conf.get("is_master", conf.get("is_leader")) == "false"
    assert ("telemetry_enabled" in conf) == (line in TELEMETRY)
    assert evaluate("graylog", "{{ __graylog_leader_key }}", graylog_version=f"{line}.1") in conf


@pytest.mark.parametrize("line", LINES)
def test_environment_has_java_of_release(line):
    environment = render("graylog", "etc/default/graylog-server", graylog_version=f"{line}.1")
    assert ("JAVA=/usr/bin/java" in environment) == (line not in JAVA)
    assert ("--add-opens=java.base/java.lang=ALL-UNNAMED" in environment) == (line not in JAVA)
    assert "-Xms4096m -Xmx4096m" in environment  # not half of 16 GB, which is above the maximum


def test_old_java_needs_no_add_opens():
    old = render("graylog", "etc/default/graylog-server", graylog_version="4.2.13", graylog_java_version=11)
    assert "--add-opens" not in old


@pytest.mark.parametrize(
    ("cores", "expected"),
    [
        (1, {"processbuffer": 1, "outputbuffer": 1, "inputbuffer": 1, "batch": 500}),
        (2, {"processbuffer": 1, "outputbuffer": 1, "inputbuffer": 1, "batch": 500}),
        (8, {"processbuffer": 4, "outputbuffer": 2, "inputbuffer": 2, "batch": 1000}),
        (64, {"processbuffer": 24, "outputbuffer": 11, "inputbuffer": 4, "batch": 2000}),
    ],
)
def test_processors_follow_cores(cores, expected):
    conf = server_conf("7.1.7", ansible_facts={**FACTS, "processor_vcpus": cores})
    assert {
        **{name: int(conf[f"{name}_processors"]) for name in ("processbuffer", "outputbuffer", "inputbuffer")},
        "batch": int(conf["output_batch_size"]),
    } == expected


@pytest.mark.parametrize(("disk", "journal"), [(3000, 1024), (100000, 20000), (4000000, 51200)])
def test_journal_gets_fifth_of_disk(disk, journal):
    disks = {"stdout_lines": ["1M-blocks", f"  {disk}", "    7"]}
    lines = render(
        "graylog",
        "etc/graylog/server/server.conf",
        graylog_version="7.1.7",
        graylog_external_uri="https://logs/",
        __graylog_disk=disks,
        **SECRETS,
    )
    assert f"message_journal_max_size = {journal}mb\n" in lines


def test_cluster_has_one_leader_and_replicas():
    cluster = {
        "graylog_nodes": ["192.0.2.1:9000", "192.0.2.2:9000"],
        "graylog_elasticsearch_hosts": ["http://192.0.2.3:9200", "http://192.0.2.4:9200"],
        "graylog_mongodb_uri": "mongodb://graylog:a%2Fb@192.0.2.5:27017,192.0.2.6:27017/graylog?replicaSet=rs0",
    }
    first = server_conf("7.1.7", graylog_http_bind_address="192.0.2.1:9000", **cluster)
    second = server_conf("7.1.7", graylog_http_bind_address="192.0.2.2:9000", **cluster)
    assert (first["is_leader"], second["is_leader"]) == ("true", "false")
    assert second["http_publish_uri"] == "http://192.0.2.2:9000/"
    assert first["elasticsearch_hosts"] == "http://192.0.2.3:9200,http://192.0.2.4:9200"
    assert first["elasticsearch_replicas"] == "1"
    assert first["mongodb_uri"] == cluster["graylog_mongodb_uri"]
    alone = server_conf("7.1.7")
    assert (alone["is_leader"], alone["elasticsearch_replicas"]) == ("true", "0")


@pytest.mark.parametrize("release", ["3.3.11", "7.1.7"])
def test_server_conf_has_loopback_and_password_hash(release):
    conf = server_conf(release)
    assert conf["http_bind_address"] == "127.0.0.1:9000"
    assert conf["trusted_proxies"] == "127.0.0.1/32,::1/128"
    assert conf["root_password_sha2"] == hashlib.sha256(SECRETS["graylog_root_password"].encode()).hexdigest()
    assert SECRETS["graylog_root_password"] not in str(conf)


def test_config_extra_overrides_defaults():
    assert server_conf("7.1.7", graylog_config_extra={"ring_size": 8192, "telemetry_enabled": None}) == {
        **{key: value for key, value in server_conf("7.1.7").items() if key != "telemetry_enabled"},
        "ring_size": "8192",
    }


def mongod_conf(**values) -> dict:
    return yaml.safe_load(render("mongodb", "etc/mongod.conf", mongodb_version="8.0.4", **values))


def test_mongodb_requires_login():
    conf = mongod_conf()
    assert conf["security"] == {"authorization": "enabled"}
    assert conf["net"] == {"bindIp": "127.0.0.1", "port": 27017}
    assert "replication" not in conf
    conf = mongod_conf(mongodb_config_extra={"setParameter": {"ttlMonitorEnabled": False}, "net": {"port": 27018}})
    assert conf["setParameter"] == {"ttlMonitorEnabled": False}
    assert conf["net"] == {"bindIp": "127.0.0.1", "port": 27018}


@pytest.mark.parametrize(("memory", "cache"), [(1000, 0.25), (2048, 0.5), (4096, 1.5), (64000, 2)])
def test_mongodb_cache_is_default_with_maximum(memory, cache):
    assert mongod_conf(mongodb_memory_mb=memory)["storage"]["wiredTiger"]["engineConfig"] == {"cacheSizeGB": cache}


def test_mongodb_members_form_replica_set_with_key():
    members = {"mongodb_nodes": ["192.0.2.1", "192.0.2.2", "192.0.2.3"], "mongodb_node_address": "192.0.2.2"}
    conf = mongod_conf(**members, mongodb_bind_addresses=["127.0.0.1", "192.0.2.2"])
    assert conf["replication"] == {"replSetName": "rs0"}
    assert conf["security"] == {"authorization": "enabled", "keyFile": "/etc/mongod.key"}
    assert conf["net"]["bindIp"] == "127.0.0.1,192.0.2.2"


def search_conf(**values) -> dict:
    given = {
        "elasticsearch_version": "7.10.2",
        "__elasticsearch_map_count": {"content": base64.b64encode(b"65530\n").decode()},
        "__elasticsearch_first_start": False,
    }
    return yaml.safe_load(render("elasticsearch", "etc/elasticsearch/elasticsearch.yml", **{**given, **values}))


@pytest.mark.parametrize(
    ("package", "guests", "maps", "expected"),
    [
        ("elasticsearch-oss", [], "65530\n", {}),
        ("elasticsearch-oss", ["docker", "container"], "65530\n", {"node.store.allow_mmap": False}),
        ("elasticsearch-oss", ["docker", "container"], "262144\n", {}),
        (
            "elasticsearch",
            ["kvm"],
            "262144\n",
            {"xpack.ml.enabled": False, "xpack.security.enabled": False, "xpack.watcher.enabled": False},
        ),
    ],
)
def test_elasticsearch_settings_fit_host_and_package(package, guests, maps, expected):
    conf = search_conf(
        elasticsearch_package=package,
        ansible_facts={**FACTS, "virtualization_tech_guest": guests},
        __elasticsearch_map_count={"content": base64.b64encode(maps.encode()).decode()},
    )
    special = {key: value for key, value in conf.items() if key.startswith(("node.store", "xpack"))}
    assert special == expected
    assert conf["http.host"] == conf["transport.host"] == "127.0.0.1"
    assert conf["action.auto_create_index"] is False
    assert conf["bootstrap.memory_lock"] is ("docker" not in guests)


NODES = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]


@pytest.mark.parametrize(
    ("flavour", "version", "nodes", "first", "expected"),
    [
        ("elasticsearch", "6.8.23", ["127.0.0.1"], True, {"discovery.type": "single-node"}),
        ("opensearch", "2.19.3", ["127.0.0.1"], True, {"discovery.type": "single-node"}),
        (
            "elasticsearch",
            "6.8.23",
            NODES,
            True,
            {"discovery.zen.ping.unicast.hosts": NODES, "discovery.zen.minimum_master_nodes": 2},
        ),
        (
            "elasticsearch",
            "7.10.2",
            NODES,
            True,
            {"discovery.seed_hosts": NODES, "cluster.initial_master_nodes": NODES},
        ),
        ("elasticsearch", "7.10.2", NODES, False, {"discovery.seed_hosts": NODES}),
        ("opensearch", "1.3.20", NODES, True, {"discovery.seed_hosts": NODES, "cluster.initial_master_nodes": NODES}),
        (
            "opensearch",
            "2.19.3",
            NODES,
            True,
            {"discovery.seed_hosts": NODES, "cluster.initial_cluster_manager_nodes": NODES},
        ),
        ("opensearch", "2.19.3", NODES, False, {"discovery.seed_hosts": NODES}),
    ],
)
def test_search_nodes_have_discovery_of_version(flavour, version, nodes, first, expected):
    conf = search_conf(
        elasticsearch_flavour=flavour,
        elasticsearch_version=version,
        elasticsearch_nodes=nodes,
        elasticsearch_bind_address=nodes[0],
        __elasticsearch_first_start=first,
    )
    found = {key: value for key, value in conf.items() if key.startswith(("discovery", "cluster.initial"))}
    assert found == expected
    assert conf["path.data"] == f"/var/lib/{flavour}"
    assert ("plugins.security.disabled" in conf) == (flavour == "opensearch")


@pytest.mark.parametrize(
    ("marks", "first"),
    [
        ([False, False, False], True),
        ([True, False, False], False),  # the others join the node that has been in a cluster
        ([False, False], False),  # the missing node may have a cluster
    ],
)
def test_cluster_is_bootstrapped_once(marks, first):
    hosts = {
        f"log{number}": {"__elasticsearch_formed": {"stat": {"exists": mark}}} for number, mark in enumerate(marks)
    }
    values = {"elasticsearch_nodes": NODES, "ansible_play_hosts": list(hosts), "hostvars": hosts}
    assert evaluate("elasticsearch", "{{ __elasticsearch_first_start }}", **values) is first


@pytest.mark.parametrize(
    ("flavour", "memory", "expected"),
    [
        ("elasticsearch", 900, 'ES_JAVA_OPTS="-Xms512m -Xmx512m"'),
        ("elasticsearch", 16000, 'ES_JAVA_OPTS="-Xms8000m -Xmx8000m"'),
        ("opensearch", 128000, 'OPENSEARCH_JAVA_OPTS="-Xms31744m -Xmx31744m"'),
    ],
)
def test_elasticsearch_heap_is_half_of_memory_with_maximum(flavour, memory, expected):
    values = {"elasticsearch_flavour": flavour, "elasticsearch_memory_mb": memory}
    environment = render("elasticsearch", "etc/default/elasticsearch", **values)
    assert expected in environment
    assert f"_PATH_CONF=/etc/{flavour}" in environment


def test_tls_inputs_are_selected_in_every_notation():
    tls = {"cert_file": "/c", "key_file": "/k", "client_auth": "required", "client_ca": "/a"}
    inputs = [
        {"title": "by default", "port": 1, "tls": tls},
        {"title": "in words", "port": 2, "tls": {**tls, "enable": True}},
        {"title": "off", "port": 3, "tls": {"enable": False}},
        {"title": "none", "port": 4},
    ]
    tried = evaluate("graylog", "{{ __graylog_tls_inputs | map(attribute='title') }}", graylog_inputs=inputs)
    assert tried == ["by default", "in words"]
    files = evaluate("graylog", "{{ __graylog_tls_files }}", graylog_inputs=inputs)
    assert files == ["/c", "/k", "/a"]


def test_loops_over_inputs_hide_configuration():
    header = {"authorization_header_value": "hunter2x"}
    inputs = [{"title": "jobs", "port": 1, "tls": {"cert_file": "/c", "key_file": "/k"}, "configuration": header}]
    for name in ("__graylog_shown_inputs", "__graylog_tls_inputs"):
        (shown,) = evaluate("graylog", "{{ " + name + " }}", graylog_inputs=inputs)
        assert (shown["title"], shown["configuration"]) == ("jobs", {})
    loops = [
        path.name
        for path in (ROOT / "roles/graylog/tasks").glob("*.yml")
        for task in yaml.safe_load(path.read_text(encoding="utf-8"))
        if task.get("loop") == "{{ graylog_inputs }}" and "ansible.builtin.include_tasks" not in task
    ]
    assert loops == []


def test_webhook_is_secret():
    given = {"graylog_alert_webhook": "https://hooks.example.org/key"}
    (hook,) = evaluate("graylog", "{{ __graylog_receivers | selectattr('title', 'eq', 'Webhook') }}", **given)
    assert hook["secrets"] == {"url": given["graylog_alert_webhook"]}
    assert "hooks" not in str(hook["config"])


# A stand-in for pymongo with one valid login and one fault.
PYMONGO = """
import contextlib
from pymongo import errors

class MongoClient(contextlib.AbstractContextManager):
    def __init__(self, host, port, username=None, password=None, authSource=None, **settings):
        assert settings["directConnection"], "another member would answer"
        self.admin, self.login = self, (username, password, authSource)

    def __exit__(self, *error):
        pass

    def command(self, name):
        if name == "ping" and self.login[0] == "locked":
            raise errors.OperationFailure(8000)
        if name == "ping" and self.login != ("admin", "right", "admin"):
            raise errors.OperationFailure(18)
        return {"ismaster": True}
"""
ERRORS = """
class OperationFailure(Exception):
    def __init__(self, code):
        self.code = code
"""


def try_logins(tmp_path: Path, *logins: tuple[str, str, str]) -> subprocess.CompletedProcess:
    """Run the role's script against the stand-in."""
    (tmp_path / "pymongo").mkdir()
    (tmp_path / "pymongo/__init__.py").write_text(PYMONGO)
    (tmp_path / "pymongo/errors.py").write_text(ERRORS)
    source = (ROOT / "roles/mongodb/files/try_logins.py").read_text()
    given = [dict(zip(("name", "password", "database"), login, strict=True)) for login in logins]
    return subprocess.run(
        [sys.executable, "-c", source, "27017"],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(tmp_path)},
    )


def test_try_logins_reports_accepted_passwords(tmp_path):
    logins = [("admin", "wrong", "admin"), ("admin", "", "admin"), ("admin", "right", "admin"), ("a", "right", "b")]
    run = try_logins(tmp_path, *logins)
    assert json.loads(run.stdout) == {"writable": True, "taken": [False, False, True, False]}


def test_try_logins_fails_for_other_errors(tmp_path):
    run = try_logins(tmp_path, ("locked", "right", "admin"))
    assert run.returncode != 0
    assert run.stdout == ""
