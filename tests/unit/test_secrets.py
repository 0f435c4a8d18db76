"""playbooks/secrets.yml makes what is missing in an inventory's vault and leaves the rest as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture
def run(tmp_path):
    """Return run(command...): what a command of ansible's prints, with a vault password of its own."""
    password = tmp_path / "password"
    password.write_text("correct horse\n")
    environment = os.environ | {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_VAULT_PASSWORD_FILE": str(password),
    }

    def run(command: str, *arguments: Path | str) -> str:
        line = [BIN / command, *arguments]
        return subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout

    return run


def test_what_is_missing_is_made_and_the_rest_stays(run, tmp_path):
    inventory = shutil.copytree(ROOT / "inventories/example", tmp_path / "inventory")
    vault = inventory / "group_vars/all/vault.yml"
    vault.write_text(yaml.safe_dump({"vault_django_secret_key": "k" * 50, "vault_of_another_playbook": "kept"}))
    run("ansible-vault", "encrypt", vault)
    told = run("ansible-playbook", "-i", inventory, "playbooks/secrets.yml")
    assert "changed=1" in told
    made = yaml.safe_load(run("ansible-vault", "view", vault))
    assert made.pop("vault_of_another_playbook") == "kept"
    assert made.pop("vault_django_secret_key") == "k" * 50
    assert made and all(len(value) >= 20 for value in made.values())
    assert not [value for value in made.values() if value in told]
    assert "changed=1" not in run("ansible-playbook", "-i", inventory, "playbooks/secrets.yml")
    assert yaml.safe_load(run("ansible-vault", "view", vault)).items() >= made.items()
    assert vault.read_text().startswith("$ANSIBLE_VAULT") and vault.stat().st_mode & 0o777 == 0o600
