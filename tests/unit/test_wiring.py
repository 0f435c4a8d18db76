"""Test the variables that group_vars/ derives from an inventory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.copy_inventory import copied

ROOT = Path(__file__).resolve().parents[2]
SEVERAL = "tests/inventories/several"


@pytest.fixture(scope="module")
def wired() -> Callable[..., dict]:
    """Return wired(inventory, expression, **variables).

    The function returns {host: value of the Jinja expression} for all managed hosts; ``variables`` override the
    inventory.
    """
    environment = os.environ | {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
    }

    def evaluate(inventory: str, expression: str, **others: object) -> dict:
        command = [
            Path(sys.executable).with_name("ansible"),
            "--inventory",
            inventory,
            "--playbook-dir",
            "playbooks",
            "--extra-vars",
            json.dumps({"vault_mongodb_graylog_password": "a/b", **others}),
            "managed",
        ]
        debug = ["--module-name", "ansible.builtin.debug", "--args", json.dumps({"msg": "{{ " + expression + " }}"})]
        run = subprocess.run([*command, *debug], cwd=ROOT, env=environment, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
        hosts = json.loads(run.stdout)["plays"][0]["tasks"][0]["hosts"]
        return {name: result["msg"] for name, result in hosts.items()}

    return evaluate


def test_media_files_are_on_one_web_host(wired):
    media = wired(SEVERAL, "django_media")
    assert "root" in media["web1"]
    assert all(media[name] == {"url": "https://web1:8444/"} for name in ("web2", "worker1", "worker2"))


def test_table_has_every_port_between_hosts(wired):
    flows = "firewall_flows | flows_for_host(group_names, groups, network_addresses)"
    ports = {
        name: {port: flow["ipv4"] for flow in incoming for port in flow["ports"]}
        for name, incoming in wired(SEVERAL, flows).items()
    }
    assert ports["search2"] == {
        9200: ["192.0.2.31", "192.0.2.32"],
        9300: ["192.0.2.41", "192.0.2.42", "192.0.2.43"],
        27017: ["192.0.2.31", "192.0.2.32", "192.0.2.41", "192.0.2.42", "192.0.2.43"],
    }
    assert ports["db1"] == {5432: ["192.0.2.11", "192.0.2.12", "192.0.2.21", "192.0.2.22"]}
    assert ports["worker1"] == {}


def test_graylog_has_its_own_name_beside_the_web_pages(wired):
    sites = wired("inventories/single_host", "nginx_sites")["render.example.org"]
    names = {site["kind"]: site["server_names"] for site in sites}
    assert not set(names["django"]) & set(names["graylog"])


def test_web_hosts_share_the_load(wired):
    sites = {
        name: {site["kind"]: site for site in answer}
        for name, answer in wired(SEVERAL, "nginx_sites if 'web' in group_names else []").items()
    }
    assert sites["web1"].keys() == {"django", "backend", "media"}
    assert sites["web2"].keys() == {"django", "backend"}
    for name, other in (("web1", "192.0.2.12"), ("web2", "192.0.2.11")):
        assert other in [peer["address"] for peer in sites[name]["django"]["upstreams"]]
        assert other in sites[name]["backend"]["allow"]
    assert "flower" in sites["web1"]["django"] and "flower" not in sites["web2"]["django"]


def test_log_service_spans_several_hosts(wired):
    nodes = wired(
        SEVERAL, "[elasticsearch_bind_address, elasticsearch_nodes, graylog_nodes, graylog_elasticsearch_hosts]"
    )
    bind, search, graylog, hosts = nodes["search2"]
    assert bind == "192.0.2.42" and search == ["192.0.2.41", "192.0.2.42", "192.0.2.43"]
    assert graylog == ["192.0.2.31:9000", "192.0.2.32:9000"]
    assert hosts == [f"http://{address}:9200" for address in search]
    members = "192.0.2.41:27017,192.0.2.42:27017,192.0.2.43:27017"
    uri = f"mongodb://graylog:a%2Fb@{members}/graylog?authSource=graylog&replicaSet=rs0"
    assert set(wired(SEVERAL, "graylog_mongodb_uri").values()) == {uri}
    assert wired(SEVERAL, "secrets_required")["graylog1"][-1] == "vault_mongodb_replica_key"
    targets = set(wired(SEVERAL, "log_shipping_target").values())
    assert targets == {"graylog1", "graylog2"}


def test_first_node_watches_the_journals_of_all_nodes(wired):
    urls = wired(SEVERAL, "watch_graylog_urls")
    assert urls.pop("graylog1") == ["http://192.0.2.31:9000/api", "http://192.0.2.32:9000/api"]
    assert set(map(str, urls.values())) == {"[]"}
    assert wired("inventories/single_host", "watch_graylog_urls").popitem()[1] == ["http://127.0.0.1:9000/api"]


@pytest.mark.parametrize("inventory", ["inventories/example", "inventories/single_host"])
def test_single_log_host_keeps_its_stores_on_loopback(wired, inventory):
    addresses = wired(inventory, "[elasticsearch_bind_address, mongodb_bind_addresses, graylog_http_bind_address]")
    assert all(answer == ["127.0.0.1", ["127.0.0.1"], "127.0.0.1:9000"] for answer in addresses.values())
    uri = "mongodb://graylog:a%2Fb@127.0.0.1:27017/graylog?authSource=graylog"
    assert set(wired(inventory, "graylog_mongodb_uri").values()) == {uri}


@pytest.mark.parametrize("kind", ["gridftp", "ssh"])
def test_site_without_gridftp_needs_no_gridftp_settings(wired, kind):
    cluster = {"name": "x"} | ({"transfer": "ssh"} if kind == "ssh" else {})
    answers = wired(
        SEVERAL, "[celery_transfer_kind, django_cluster, watch_proxies]", cluster=cluster, cluster_client_dir="/sw"
    )
    found, settings, proxies = answers["worker1"]
    assert found == kind
    assert ("proxy_file" in settings, len(proxies)) == ((True, 1) if kind == "gridftp" else (False, 0))
    assert not answers["web1"][2]


def test_site_without_a_relay_sends_no_mail(wired, tmp_path):
    lab = str(copied("example", tmp_path / "lab", "10.77.99", tmp_path))
    for name, mail in wired(lab, "[django_mail, graylog_mail_relay, graylog_alert_mail]").items():
        assert mail == [{}, "", []], name


def test_one_relay_gets_all_mail(wired):
    for name, mail in wired("inventories/example", "[django_mail, graylog_mail_relay, graylog_alert_mail]").items():
        assert mail[0]["host"] == "mail.example.org" and mail[0]["sender"], name
        assert mail[1:] == ["mail.example.org:25", ["operators@example.org"]]
