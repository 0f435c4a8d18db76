"""Turn every port and path of group_vars/all/endpoints.yml and look at every variable that reads it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WIRING = {path.name: yaml.safe_load(path.read_text()) for path in sorted((ROOT / "group_vars/all").glob("*.yml"))}
ENDPOINTS = WIRING["endpoints.yml"]["endpoint_ports"] | WIRING["endpoints.yml"]["endpoint_paths"]
# A row: the variable that turns it (gelf_ports has keys), and its default.
ROW = re.compile(r"(?:gelf_ports \| default\(\{\}\)\)\.)?(\w+) \| default\('?([^')]+)'?\)(?: \| int)? \}\}")
ROWS = {name: ROW.search(value).groups() for name, value in ENDPOINTS.items() if "{{" in str(value)}
TURNED = {
    name: str(20000 + number) if default.isdigit() else f"/turned/{name}"
    for number, (name, (_, default)) in enumerate(ROWS.items())
}
# What the wiring reads of the roles' own defaults.
DEFAULTS = {
    name: value
    for path in sorted((ROOT / "roles").glob("*/defaults/main.yml"))
    for name, value in yaml.safe_load(path.read_text()).items()
    if "{{" not in str(value) and not any(name in page for page in WIRING.values())
}
# Ports and paths that are a part of another word or number nowhere.
WORD = r"(?<![\w.]){}(?![\w])"


def readers(**variables: object) -> dict[str, str]:
    """Return {host: JSON of all variables of group_vars/all, except the table itself} for the example inventory."""
    secrets = re.findall(r"\bvault_\w+", "".join(path.read_text() for path in (ROOT / "group_vars/all").glob("*.yml")))
    site = (ROOT / "inventories/example/group_vars/all/main.yml").read_text()
    secrets += re.findall(r"\bvault_\w+", site)
    turnable = {variable for variable, _ in ROWS.values()}
    defaults = {name: value for name, value in DEFAULTS.items() if name not in turnable | yaml.safe_load(site).keys()}
    names = [name for page in WIRING.values() for name in page if not name.startswith("endpoint_")]
    expression = "{{ {" + ", ".join(f"'{name}': {name}" for name in names) + "} }}"
    facts = {"memtotal_mb": 16000, "processor_vcpus": 4}
    given = {"ansible_facts": facts} | defaults | dict.fromkeys(secrets, "secret" * 8) | variables
    done = subprocess.run(
        [
            Path(sys.executable).with_name("ansible"),
            *("--inventory", "inventories/example", "--playbook-dir", "playbooks", "--extra-vars", json.dumps(given)),
            *("managed", "--module-name", "ansible.builtin.debug", "--args", json.dumps({"msg": expression})),
        ],
        cwd=ROOT,
        env=os.environ
        | {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    hosts = json.loads(done.stdout)["plays"][0]["tasks"][0]["hosts"]
    return {host: json.dumps(answer["msg"]) for host, answer in hosts.items()}


@pytest.fixture(scope="module")
def before() -> str:
    return "\n".join(readers().values())


@pytest.fixture(scope="module")
def after() -> str:
    flat, gelf = {}, {}
    for name, (variable, default) in ROWS.items():
        value = int(TURNED[name]) if default.isdigit() else TURNED[name]
        (gelf if name.startswith("gelf_") else flat)[variable] = value
    return "\n".join(readers(gelf_ports=gelf, **flat).values())


@pytest.mark.parametrize("name", ROWS)
def test_all_readers_follow(before, after, name):
    default = WORD.format(re.escape(ROWS[name][1]))
    found = len(re.findall(default, before))
    assert found > 0, f"no variable reads {name}"
    assert re.findall(default, after) == []
    assert len(re.findall(WORD.format(re.escape(TURNED[name])), after)) == found


@pytest.mark.parametrize("name", [name for name in ROWS if not name.startswith("gelf_") and name != "media"])
def test_role_has_the_same_default(name):
    variable, default = ROWS[name]
    role = next(role for role in sorted((ROOT / "roles").iterdir()) if variable.startswith(f"{role.name}_"))
    assert str(yaml.safe_load((role / "defaults/main.yml").read_text())[variable]) == default
