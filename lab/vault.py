"""Read the lab's secrets, which are valid for this lab only."""

from __future__ import annotations

import subprocess

import yaml

from lab.copy_inventory import directory


class Hidden(dict):
    """A dictionary that hides its values from the output of failed tests."""

    def __repr__(self) -> str:
        return f"<{len(self)} hidden values>"


def opened() -> Hidden:
    """Return the lab's secrets by name.

    Raises CalledProcessError without a vault, or if ANSIBLE_VAULT_PASSWORD_FILE has the wrong password.
    """
    vault = directory() / "group_vars/all/vault.yml"
    return Hidden(yaml.safe_load(subprocess.check_output(["ansible-vault", "view", vault], text=True)))
