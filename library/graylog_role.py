#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module; the logic is in module_utils/graylog/roles.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_role
short_description: Manage roles of Graylog
version_added: "0.1.0"
description:
  - Creates, updates or deletes a role of Graylog 3.3 to 7.
  - Built-in roles, such as V(Admin) and V(Reader), cannot be changed.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the role must exist.
  name:
    type: str
    required: true
    description: Name of the role. Graylog ignores its case.
  description:
    type: str
    description: Purpose of the role. Without it, the description stays unchanged.
  permissions:
    type: list
    elements: str
    description: The exact set of permissions, for example V(streams:read). Required with O(state=present).
"""

EXAMPLES = r"""
- name: Let operators see every stream and dashboard
  graylog_role:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    name: Operators
    description: Look at everything, change nothing
    permissions: ["streams:read", "dashboards:read", "view:read"]
"""

RETURN = r"""
role:
  description: The role. In check mode, it is shown as before the change.
  returned: when the role exists
  type: dict
  contains:
    name:
      description: Name.
      type: str
    description:
      description: Purpose.
      type: str
    permissions:
      description: Permissions, sorted.
      type: list
      elements: str
actions:
  description: The actions taken, of created, updated, deleted.
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
    """Return the resource that the parameters describe."""
    return Role(client, params["name"], params["permissions"] or [], params["description"])


def show(resource: Role, item: dict | None) -> dict:
    """Return the module's own return values."""
    return {"role": resource.current(item)} if item else {}


def main() -> None:
    """Run as a module."""
    manage(ARGUMENTS, make, show, required_if=[("state", "present", ["permissions"])])


if __name__ == "__main__":
    main()
