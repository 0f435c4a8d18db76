"""Test that the lab deploys from the shipped inventories with README's edits and a fixed list of substitutions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from lab.copy_inventory import EditError, copied, edited_hosts, edited_variables
from tests.unit.operator_inventory import ROOT, SECRETS, inventory_report

# Access, sources and versions of packages, heap sizes, stand-ins. Other keys must be README's edits.
SUBSTITUTIONS = {
    "ansible_user",
    "ansible_ssh_private_key_file",
    "ansible_ssh_common_args",
    "secrets_extra",
    "common_unattended_upgrades",
    *(f"{role}_{key}" for role in ("graylog", "elasticsearch", "mongodb") for key in ("repository", "version")),
    "graylog_package_version",
    "mongodb_package_version",
    "graylog_accept_unmaintained",
    "graylog_heap_mb",
    "elasticsearch_heap_mb",
    "mongodb_authentication",
}


@pytest.fixture
def state(tmp_path) -> Path:
    """Return a directory like the lab's state."""
    keys = tmp_path / "login-host-keys"
    keys.mkdir()
    (keys / "ssh_host_ed25519_key.pub").write_text("ssh-ed25519 AAAA\n")
    return tmp_path


def test_substitutions_are_a_fixed_list():
    assert yaml.safe_load((ROOT / "lab/substitutions.yml").read_text()).keys() == SUBSTITUTIONS


def test_edits_are_those_of_the_readme():
    table = re.findall(r"^   \|.*\|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    documented = set(re.findall(r"`(\w+)`", " ".join(table)))
    site = yaml.safe_load((ROOT / "lab/site.yml").read_text())
    assert site["variables"].keys() | site["variables_of_single_host"].keys() <= documented
    shipped = yaml.safe_load((ROOT / "inventories/example/group_vars/all/main.yml").read_text())
    assert documented - {"ansible_user"} <= shipped.keys()


@pytest.mark.parametrize("example", ["example", "single_host"])
def test_copy_has_no_fault_and_no_name_of_the_example(state, example):
    target = copied(example, state / "copy", "10.77.99", state)
    assert inventory_report(target, **SECRETS) == []
    lines = (target / "hosts.yml").read_text().splitlines()
    assert not [line for line in lines if "example.org" in line or "192.0.2." in line]


def test_copy_keeps_its_vault(state):
    target = copied("example", state / "copy", "10.77.99", state)
    (target / "group_vars/all/vault.yml").write_text("secret")
    copied("example", target, "10.77.99", state)
    assert (target / "group_vars/all/vault.yml").read_text() == "secret"


def test_edit_replaces_whole_names_only():
    text = "a.example.org: {ansible_host: 192.0.2.1}\nb.a.example.org: {ansible_host: 192.0.2.11}\n"
    edited = edited_hosts(text, {"a.example.org": "a1"}, {"192.0.2.1": "10.0.0.1"}, {})
    assert edited == "a1: {ansible_host: 10.0.0.1}\nb.a.example.org: {ansible_host: 192.0.2.11}\n"


def test_edit_of_an_unknown_variable_is_refused():
    with pytest.raises(EditError, match="colour is not in the shipped inventory"):
        edited_variables("---\nmail:\n  host: a\n", {"colour": 1})


def test_edit_keeps_the_other_variables():
    text = "---\nfirst: 1\n# about second\nsecond:\n  key: 2\nthird: 3\n"
    edited = edited_variables(text, {"second": {"key": 4}, "third": None})
    assert yaml.safe_load(edited) == {"first": 1, "second": {"key": 4}}
