"""What only production has, rendered by Ansible: new releases, users of MongoDB, hosts that are no containers."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import filter_loader, init_plugin_loader
from ansible.template import Templar, trust_as_template

ROOT = Path(__file__).parents[3]
SECRETS = {"graylog_password_secret": "s" * 64, "graylog_root_password": "Pa$$\\word{{ 7 }}" * 3}


@pytest.fixture(scope="module", autouse=True)
def filters():
    init_plugin_loader()
    filter_loader.add_directory(str(ROOT / "filter_plugins"))


def evaluate(role: str, source: str, **values) -> object:
    """Return what Ansible makes of a text, with a role's own defaults and vars."""
    loader = DataLoader()
    variables = {"ansible_managed": "managed", "inventory_hostname": "log1", "ansible_facts": {"memtotal_mb": 16000}}
    for name in ("defaults", "vars"):
        variables.update(
            loader.load_from_file(str(ROOT / "roles" / role / name / "main.yml"), trusted_as_template=True)
        )
    return Templar(loader=loader, variables={**variables, **values}).template(trust_as_template(source))


def render(role: str, template: str, **values) -> str:
    """Return a template of a role as it would lie on the host."""
    source = (ROOT / "roles" / role / "templates" / f"{template}.j2").read_text(encoding="utf-8")
    return str(evaluate(role, source, **values))


def server_conf(release: str, **values) -> dict[str, str]:
    values = {"graylog_version": release, "graylog_external_uri": "https://logs/", **SECRETS, **values}
    lines = render("graylog", "etc/graylog/server/server.conf", **values).splitlines()
    return dict(line.split(" = ", 1) for line in lines if " = " in line)


def test_an_old_graylog_gets_its_old_names():
    conf = server_conf("3.3.11")
    assert conf["is_master"] == "true"
    assert not {"is_leader", "telemetry_enabled", "mongodb_version_probe_attempts"} & set(conf)


@pytest.mark.parametrize("release", ["6.3.15", "7.1.7"])
def test_a_new_graylog_gets_its_new_names_and_waits_for_its_neighbours(release):
    conf = server_conf(release, graylog_leader=False)
    assert conf["is_leader"] == "false"
    assert conf["telemetry_enabled"] == "false"
    assert conf["mongodb_version_probe_attempts"] == conf["elasticsearch_version_probe_attempts"] == "0"
    assert "is_master" not in conf


@pytest.mark.parametrize("release", ["3.3.11", "7.1.7"])
def test_graylog_is_on_loopback_and_has_the_hash_of_the_password(release):
    conf = server_conf(release)
    assert conf["http_bind_address"] == "127.0.0.1:9000"
    assert conf["trusted_proxies"] == "127.0.0.1/32,::1/128"
    assert conf["root_password_sha2"] == hashlib.sha256(SECRETS["graylog_root_password"].encode()).hexdigest()
    assert SECRETS["graylog_root_password"] not in str(conf)


def test_a_site_has_the_last_word():
    assert server_conf("7.1.7", graylog_config_extra={"ring_size": 8192, "telemetry_enabled": None}) == {
        **{key: value for key, value in server_conf("7.1.7").items() if key != "telemetry_enabled"},
        "ring_size": "8192",
    }


def test_java_is_opened_for_old_releases_alone():
    old = render("graylog", "etc/default/graylog-server", graylog_version="3.3.11")
    new = render("graylog", "etc/default/graylog-server", graylog_version="7.1.7")
    assert "--add-opens=java.base/java.lang=ALL-UNNAMED" in old
    assert "JAVA=/usr/bin/java" in old
    assert "--add-opens" not in new
    assert "JAVA=/usr/bin/java" not in new  # the package brings its own
    assert "-Xmx2000m" in new  # an eighth of 16 GB


def test_mongodb_asks_for_a_login_unless_told_otherwise():
    conf = yaml.safe_load(render("mongodb", "etc/mongod.conf", mongodb_version="8.0.4"))
    assert conf["security"]["authorization"] == "enabled"
    assert conf["net"] == {"bindIp": "127.0.0.1", "port": 27017}
    extra = {"replication": {"replSetName": "rs0"}, "net": {"port": 27018}}
    conf = yaml.safe_load(render("mongodb", "etc/mongod.conf", mongodb_version="8.0.4", mongodb_config_extra=extra))
    assert conf["replication"] == {"replSetName": "rs0"}
    assert conf["net"] == {"bindIp": "127.0.0.1", "port": 27018}


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
def test_elasticsearch_gets_what_the_host_and_the_package_allow(package, guests, maps, expected):
    values = {
        "elasticsearch_version": "7.10.2",
        "elasticsearch_package": package,
        "ansible_facts": {"memtotal_mb": 16000, "virtualization_tech_guest": guests},
        "__elasticsearch_map_count": {"content": base64.b64encode(maps.encode()).decode()},
    }
    conf = yaml.safe_load(render("elasticsearch", "etc/elasticsearch/elasticsearch.yml", **values))
    special = {key: value for key, value in conf.items() if key.startswith(("node.store", "xpack"))}
    assert special == expected
    assert conf["network.host"] == "127.0.0.1"
    assert conf["action.auto_create_index"] is False


def test_every_input_with_tls_is_tried_however_it_is_written():
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
