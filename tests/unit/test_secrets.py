"""Test that playbooks/secrets.yml creates missing secrets only."""

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
    """Return run(command, arguments...), which returns an Ansible command's output."""
    password = tmp_path / "password"
    password.write_text("correct horse\n")
    environment = os.environ | {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_VAULT_PASSWORD_FILE": str(password),
    }

    def run(command: str, *arguments: Path | str, **others: str | None) -> str:
        line = [BIN / command, *arguments]
        for name, value in others.items():
            environment.pop(name) if value is None else environment.update({name: value})
        return subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout

    return run


def test_missing_secrets_are_created_and_others_stay(run, tmp_path):
    inventory = shutil.copytree(ROOT / "inventories/example", tmp_path / "inventory")
    vault = inventory / "group_vars/all/vault.yml"
    vault.write_text(yaml.safe_dump({"vault_django_secret_key": "k" * 50, "vault_of_another_playbook": "kept"}))
    run("ansible-vault", "encrypt", vault)
    output = run("ansible-playbook", "-i", inventory, "playbooks/secrets.yml")
    assert "changed=1" in output
    created = yaml.safe_load(run("ansible-vault", "view", vault))
    assert created.pop("vault_of_another_playbook") == "kept"
    assert created.pop("vault_django_secret_key") == "k" * 50
    assert created and all(len(value) >= 20 for value in created.values())
    assert not [value for value in created.values() if value in output]
    assert "changed=1" not in run("ansible-playbook", "-i", inventory, "playbooks/secrets.yml")
    assert yaml.safe_load(run("ansible-vault", "view", vault)).items() >= created.items()
    assert vault.read_text().startswith("$ANSIBLE_VAULT") and vault.stat().st_mode & 0o777 == 0o600


def program(path: Path, password: str) -> Path:
    """Return an executable that prints a vault's password."""
    path.write_text(f"#!/bin/sh\necho '{password}'\n")
    path.chmod(0o700)
    return path


def test_vault_opens_with_the_secret_that_ansible_was_started_with(run, tmp_path):
    inventory = shutil.copytree(ROOT / "inventories/example", tmp_path / "inventory")
    vault = inventory / "group_vars/all/vault.yml"
    given = {"ANSIBLE_VAULT_PASSWORD_FILE": str(program(tmp_path / "program", "of a program"))}
    run("ansible-playbook", "-i", inventory, "playbooks/secrets.yml", **given)
    (tmp_path / "password").write_text("of a program\n")
    given = {"ANSIBLE_VAULT_PASSWORD_FILE": str(tmp_path / "password")}
    assert "vault_django_secret_key" in run("ansible-vault", "view", vault, **given)
    vault.unlink()
    client = f"site@{program(tmp_path / 'site-client', 'of a client')}"
    arguments = ("-i", inventory, "--vault-id", client, "playbooks/secrets.yml")
    run("ansible-playbook", *arguments, ANSIBLE_VAULT_PASSWORD_FILE=None)
    assert vault.read_text().startswith("$ANSIBLE_VAULT;1.2;AES256;site")
    assert "vault_django_secret_key" in run("ansible-vault", "view", "--vault-id", client, vault)


def test_playbook_without_a_vault_secret_fails(run, tmp_path):
    inventory = shutil.copytree(ROOT / "inventories/example", tmp_path / "inventory")
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run("ansible-playbook", "-i", inventory, "playbooks/secrets.yml", ANSIBLE_VAULT_PASSWORD_FILE=None)
    assert not (inventory / "group_vars/all/vault.yml").exists()
    assert "ANSIBLE_VAULT_PASSWORD_FILE" in failed.value.stdout + failed.value.stderr
