#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible's face of module_utils/graylog/roles.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_role
short_description: A role of Graylog
version_added: "0.1.0"
description:
  - Makes, changes or deletes a role of Graylog 3.3 to 7.
  - Graylog's own roles, such as V(Admin) and V(Reader), cannot be changed.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the role is there.
  name:
    type: str
    required: true
    description: Name of the role; Graylog takes no notice of upper and lower case in it.
  description:
    type: str
    description: What the role is for. Without it the description stays as it is.
  permissions:
    type: list
    elements: str
    description: What it permits, the exact set, for example V(streams:read). Required with O(state=present).
"""

EXAMPLES = r"""
- name: Operators see every stream and dashboard
  graylog_role:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    name: Operators
    description: Look at everything, change nothing
    permissions: ["streams:read", "dashboards:read", "view:read"]
"""

RETURN = r"""
role:
  description: The role; in check mode as it is before the change.
  returned: when there is one
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    description:
      description: What it is for.
      type: str
    permissions:
      description: What it permits, sorted.
      type: list
      elements: str
actions:
  description: What was done, of created, updated, deleted.
  returned: always
  type: list
  elements: str
version:
  description: Version of Graylog.
  returned: always
  type: str
"""

from ..module_utils.graylog.client import GraylogClient
from ..module_utils.graylog.module import manage
from ..module_utils.graylog.roles import Role

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "description": {"type": "str"},
    "permissions": {"type": "list", "elements": "str"},
}


def make(client: GraylogClient, params: dict) -> Role:
    """Return the wish of the parameters."""
    return Role(client, params["name"], params["permissions"] or [], params["description"])


def show(resource: Role, item: dict | None) -> dict:
    """Return the module's own answer."""
    return {"role": resource.current(item)} if item else {}


def main() -> None:
    """Run as a module."""
    manage(ARGUMENTS, make, show, required_if=[("state", "present", ["permissions"])])


if __name__ == "__main__":
    main()
