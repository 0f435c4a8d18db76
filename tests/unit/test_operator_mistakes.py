"""Test that preflight names host, variable and fix of an operator's mistakes, and accepts the shipped inventories."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
import yaml

from tests.unit.operator_inventory import ROOT, SECRETS, inventory_report

SITE = yaml.safe_load((ROOT / "playbooks/vars/site_variables.yml").read_text())["options"]
HOSTS, MAIN = "hosts.yml", "group_vars/all/main.yml"

# (inventory, file, text, its replacement, host, place, part of the fix)
MISTAKES = {
    "host without an address": (
        "example", HOSTS, "                  ansible_host: 192.0.2.13\n", "",
        "logging.example.org", "ansible_host is missing", "set the host's IP address",
    ),
    "name as address": (
        "example", HOSTS, "ansible_host: 192.0.2.12", "ansible_host: worker",
        "worker.example.org", "ansible_host worker", "set the host's IP address",
    ),
    "two hosts with one address": (
        "example", HOSTS, "ansible_host: 192.0.2.12", "ansible_host: 192.0.2.11",
        "worker.example.org", "ansible_host 192.0.2.11", "also the address of master.example.org",
    ),
    "no login node": (
        "example", HOSTS, "    cluster_login:\n", "    cluster_logins:\n",
        "inventory", "group cluster_login", "has no host",
    ),
    "underscore in a host name": (
        "example", HOSTS, "worker.example.org", "render_worker.example.org",
        "render_worker.example.org", "its name", "is no host name",
    ),
    "impossible prefix": (
        "example", MAIN, "198.51.100.0/24", "198.51.100.0/244",
        "master.example.org", "cluster_networks", "write address/prefix",
    ),
    "address instead of a network": (
        "example", MAIN, "203.0.113.0/24", "203.0.113.5/24",
        "master.example.org", "operator_networks", "has host bits set",
    ),
    "misspelt site variable": (
        "example", MAIN, "operator_networks:", "operator_network:",
        "all hosts", "operator_network", "did you mean operator_networks?",
    ),
    "missing site variable": (
        "example", MAIN, "cluster_networks:", "networks_of_compute_nodes:",
        "all hosts", "cluster_networks", "is missing",
    ),
    "pages without TLS": (
        "example", MAIN, "django_public_url: https:", "django_public_url: http:",
        "master.example.org", "django_public_url http://master.example.org", "must look like https://host",
    ),
    "pages under an unknown name": (
        "example", MAIN, "django_public_url: https://master.", "django_public_url: https://pages.",
        "master.example.org", "django_public_url https://pages.example.org", "add pages.example.org to",
    ),
    "pages on another port": (
        "example", MAIN, "django_public_url: https://master.example.org", "django_public_url: https://master.example.org:8443",
        "master.example.org", "django_public_url https://master.example.org:8443", "nginx listens on port 443",
    ),
    "underscore in a public name": (
        "example", MAIN, "django_allowed_hosts: [master", "django_allowed_hosts: [my_farm.example.org, master",
        "master.example.org", "django_allowed_hosts", "my_farm.example.org: is no host name",
    ),
    "misspelt role variable": (
        "example", MAIN, "django_allowed_hosts:", "django_allowed_host:",
        "all hosts", "django_allowed_host", "did you mean django_allowed_hosts?",
    ),
    "misspelt key of a user": (
        "example", MAIN, "    email: operator", "    mail: operator",
        "all hosts", "django_users[0].mail", "did you mean email?",
    ),
    "user without a name": (
        "example", MAIN, "  - username: operator\n    email", "  - email",
        "all hosts", "django_users", "missing required arguments: username",
    ),
    "misspelt key of mail": (
        "example", MAIN, "  port: 25", "  prot: 25",
        "all hosts", "mail.prot", "did you mean port?",
    ),
    "unknown encryption of mail": (
        "example", MAIN, "  tls: none", "  tls: ssl",
        "all hosts", "mail", "one of: starttls, tls, none",
    ),
    "mail without a sender": (
        "example", MAIN, "  sender: render@example.org\n", "",
        "all hosts", "mail", "sender",
    ),
    "port in words": (
        "example", MAIN, "  port: 25", "  port: smtp",
        "all hosts", "mail", "unable to convert to int",
    ),
    "misspelt key of the retention": (
        "example", MAIN, "keep_days: 180", "keepdays: 180",
        "all hosts", "django_retention.keepdays", "did you mean keep_days?",
    ),
    "misspelt key of the cluster": (
        "example", MAIN, "  scheduler: torque", "  schedular: torque",
        "all hosts", "cluster.schedular", "did you mean scheduler?",
    ),
    "unknown scheduler": (
        "example", MAIN, "  scheduler: torque", "  scheduler: sge",
        "all hosts", "cluster", "one of: torque, pbspro",
    ),
    "unknown dialect": (
        "example", MAIN, "  dialect: torque", "  dialect: lsf",
        "all hosts", "cluster", "one of: torque, torque_cray",
    ),
    "unknown launcher": (
        "example", MAIN, "  launcher: aprun", "  launcher: aprum",
        "all hosts", "cluster", "got: aprum",
    ),
    "cores in words": (
        "example", MAIN, "cores_per_node: 24", "cores_per_node: many",
        "all hosts", "cluster", "unable to convert to int",
    ),
    "walltime without quotes": (
        "example", MAIN, '"04:00:00"', "4:00:00",
        "all hosts", "cluster.walltime", "put it in quotes",
    ),
    "cluster without a queue": (
        "example", MAIN, "  queue: multi\n", "",
        "all hosts", "cluster", "missing required arguments: queue",
    ),
    "misspelt renderer": (
        "example", MAIN, "    povray: /opt", "    povrai: /opt",
        "all hosts", "cluster.renderers.povrai", "did you mean povray?",
    ),
    "number as version": (
        "example", MAIN, "graylog_version: 7.1.7", "graylog_version: 7.1",
        "all hosts", "graylog_version", "put it in quotes",
    ),
    "misspelt key of a repository": (
        "example", MAIN, '  suites: [stable]\n  components: ["7.1"]', '  suite: [stable]\n  components: ["7.1"]',
        "all hosts", "graylog_repository.suite", "did you mean suites?",
    ),
    "Graylog's address without a scheme": (
        "example", MAIN, "graylog_external_uri: https://logging", "graylog_external_uri: logging",
        "master.example.org", "graylog_external_uri logging.example.org/", "must look like https://host",
    ),
    "Graylog's address in a misspelt variable": (
        "example", MAIN, "graylog_external_uri:", "graylog_external_url:",
        "all hosts", "graylog_external_url", "did you mean graylog_external_uri?",
    ),
    "Graylog under a name of the pages": (
        "single_host", MAIN, "graylog_external_uri: https://logs.", "graylog_external_uri: https://render.",
        "render.example.org", "graylog_external_uri https://render.example.org/", "needs a name of its own",
    ),
    "short secret": (
        "example", MAIN, "---\n", "---\nvault_graylog_root_password: admin\n",
        "all hosts", "vault_graylog_root_password", "playbooks/secrets.yml",
    ),
    "variable that the project computes": (
        "example", MAIN, "---\n", "---\ncertificates_names: [alias.example.org]\n",
        "all hosts", "certificates_names", "computed by group_vars/all",
    ),
    "heap without its unit": (
        "example", MAIN, "---\n", "---\nelasticsearch_heap: 4096\n",
        "all hosts", "elasticsearch_heap", "did you mean elasticsearch_heap_mb?",
    ),
}  # fmt: skip


@pytest.fixture
def copy(tmp_path):
    """Return copy(name): a copy of a shipped inventory."""

    def copied(name: str) -> Path:
        return Path(shutil.copytree(ROOT / "inventories" / name, tmp_path / name))

    return copied


@pytest.mark.parametrize("inventory", ["example", "single_host"])
def test_shipped_inventory_has_no_fault(inventory):
    assert inventory_report(ROOT / "inventories" / inventory, **SECRETS) == []


def test_pages_on_another_port_of_nginx_are_accepted(copy):
    site = copy("example")
    source = (site / MAIN).read_text()
    url = "django_public_url: https://master.example.org"
    assert url in source
    (site / MAIN).write_text(source.replace(url, f"nginx_https_port: 8443\n{url}:8443"))
    assert inventory_report(site, **SECRETS) == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_reported_with_its_fix(copy, mistake):
    inventory, file, text, replacement, host, place, fix = MISTAKES[mistake]
    site = copy(inventory)
    source = (site / file).read_text()
    assert text in source
    (site / file).write_text(source.replace(text, replacement))
    secrets = {name: value for name, value in SECRETS.items() if name not in replacement}
    found = inventory_report(site, **secrets)
    assert [(fault["host"], fault["place"]) for fault in found if fix in fault["fix"]] == [(host, place)], found


def test_all_faults_are_in_one_report_before_any_connection(copy):
    site = copy("example")
    source = (site / MAIN).read_text()
    for text, replacement in (("  port: 25", "  prot: 25"), ("launcher: aprun", "launcher: aprum")):
        source = source.replace(text, replacement)
    (site / MAIN).write_text(source)
    environment = os.environ | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    command = [Path(sys.executable).with_name("ansible-playbook"), "-i", site, ROOT / "site.yml"]
    extra = [word for name, value in SECRETS.items() for word in ("-e", f"{name}={value}")]
    run = subprocess.run([*command, *extra], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    report = [line for line in (run.stdout + run.stderr).splitlines() if line.startswith("[ ] ")]
    assert run.returncode != 0
    assert len(report) == 2 and "mail.prot" in report[0] + report[1] and "aprum" in report[0] + report[1], run.stdout
    assert "unreachable=1" not in run.stdout


def test_schema_has_the_settings_of_the_application():
    from raycrafter.config.cluster import Cluster

    wired = {"ssh_config", "ssh_host", "proxy_file", "scratch", "client_python", "client_tls_dir"}
    settings = {field.name: field for field in fields(Cluster) if field.name not in wired}
    options = SITE["cluster"]["options"]
    assert options.keys() == settings.keys()
    required = {
        name for name, field in settings.items() if field.default is MISSING and field.default_factory is MISSING
    }
    assert {name for name, option in options.items() if option.get("required")} == required


def test_schema_has_the_choices_of_the_application():
    from raycrafter.cluster.batch.launchers import LAUNCHERS
    from raycrafter.cluster.batch.registry import DIALECTS, SCHEDULERS
    from raycrafter.cluster.transfer import KINDS
    from raycrafter.renderers import ADAPTERS

    options = SITE["cluster"]["options"]
    for name, choices in {
        "dialect": DIALECTS,
        "scheduler": SCHEDULERS,
        "launcher": LAUNCHERS,
        "transfer": KINDS,
    }.items():
        assert set(options[name]["choices"]) == set(choices), name
    assert options["renderers"]["options"].keys() == ADAPTERS.keys()
