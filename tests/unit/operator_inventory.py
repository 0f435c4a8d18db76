"""Copies of the shipped inventories, and preflight's faults of them, evaluated in this process."""

from __future__ import annotations

import functools
from pathlib import Path

import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import filter_loader, init_plugin_loader
from ansible.template import Templar, trust_as_template
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

ROOT = Path(__file__).resolve().parents[2]
# A value for each secret of the shipped inventories.
SECRETS = dict.fromkeys(
    [
        *yaml.safe_load((ROOT / "group_vars/all/secrets.yml").read_text())["secrets_default"],
        "vault_mongodb_admin_password",
        "vault_mongodb_graylog_password",
        "vault_lab_user_password",
    ],
    "s" * 64,
)


@functools.cache
def load_filters() -> None:
    """Make the project's filters known to Ansible, once in a process."""
    init_plugin_loader()
    filter_loader.add_directory(str(ROOT / "filter_plugins"))


def inventory_report(directory: Path, **extra: object) -> list[dict]:
    """Return the faults that preflight reports about an inventory before it connects to a host.

    extra: variables that override the inventory, as --extra-vars does.
    """
    load_filters()
    loader = DataLoader()
    loader.set_basedir(str(ROOT / "playbooks"))
    inventory = InventoryManager(loader=loader, sources=[str(directory)])
    manager = VariableManager(loader=loader, inventory=inventory)
    manager._extra_vars = extra  # the public dictionary is shared by all managers
    hostvars = HostVars(inventory=inventory, variable_manager=manager, loader=loader)
    host = inventory.get_hosts()[0]
    play = yaml.safe_load((ROOT / "playbooks/preflight.yml").read_text())[0]
    task = loader.load_from_file(str(ROOT / "playbooks/preflight.yml"), trusted_as_template=True)[0]["tasks"][0]
    assert play["gather_facts"] is False
    variables = manager.get_vars(host=host) | {"hostvars": hostvars, "playbook_dir": str(ROOT / "playbooks")}
    variables |= {"groups": inventory.get_groups_dict()} | task["vars"]
    return Templar(loader=loader, variables=variables).template(trust_as_template("{{ __preflight_faults }}"))
