"""The secrets of the lab; they are made for it alone and open nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import yaml

VAULT = Path(__file__).resolve().parents[1] / "inventories/lab/group_vars/all/vault.yml"


class Hidden(dict):
    """A dictionary whose values a failing test does not print."""

    def __repr__(self) -> str:
        return f"<{len(self)} hidden values>"


def opened() -> Hidden:
    """Return the lab's secrets by their names.

    Raises CalledProcessError when there is no vault yet, or ANSIBLE_VAULT_PASSWORD_FILE does not open it.
    """
    return Hidden(yaml.safe_load(subprocess.check_output(["ansible-vault", "view", VAULT], text=True)))
