#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module; the logic is in module_utils/graylog/users.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_user
short_description: Manage users of Graylog
version_added: "0.1.0"
description:
  - Creates, updates or deletes a user of Graylog 3.3 to 7.
  - The administrator in server.conf and users of an external directory cannot be changed.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the user must exist.
  name:
    type: str
    required: true
    description: Login name of the user. O(username) is the account that the module logs in with.
  first_name:
    type: str
    description: First name, required for a new user. Graylog 3.3 stores it with O(last_name) as the full name.
  last_name:
    type: str
    description: Last name.
  email:
    type: str
    description: Email address, required for a new user.
  roles:
    type: list
    elements: str
    description: The exact set of role names. Without it, the roles stay unchanged, and a new user has none.
  permissions:
    type: list
    elements: str
    description: The exact set of permissions besides those of the roles. Without it, they stay unchanged.
  timezone:
    type: str
    description: Time zone, for example V(Europe/Berlin).
  session_timeout_ms:
    type: int
    description: Milliseconds until an idle session ends, 8 hours for a new user.
  user_password:
    type: str
    description: The user's password, required for a new user. Graylog 7 and later require a minimum complexity.
  update_password:
    type: str
    choices: [on_create, always]
    default: on_create
    description:
      - When the password is written. Graylog does not show it, so V(always) reports a change in every run.
      - An account can change its own password. The module does not write the password that it logged in with.
"""

EXAMPLES = r"""
- name: Create a user who reads the logs
  graylog_user:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    name: ada
    first_name: Ada
    last_name: Lovelace
    email: ada@example.org
    roles: [Reader, Operators]
    user_password: "{{ vault_graylog_ada_password }}"

- name: Delete a user
  graylog_user:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    name: charles
    state: absent
"""

RETURN = r"""
user:
  description: The user. In check mode, it is shown as before the change.
  returned: when the user exists
  type: dict
  contains:
    id:
      description: Graylog's id.
      type: str
    username:
      description: Login name.
      type: str
    full_name:
      description: First and last name.
      type: str
    email:
      description: Email address.
      type: str
    roles:
      description: Names of the roles, sorted.
      type: list
      elements: str
    timezone:
      description: Time zone.
      type: str
    session_timeout_ms:
      description: Milliseconds until an idle session ends.
      type: int
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
from ..module_utils.graylog.users import DesiredUser, User

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "first_name": {"type": "str"},
    "last_name": {"type": "str"},
    "email": {"type": "str"},
    "roles": {"type": "list", "elements": "str"},
    "permissions": {"type": "list", "elements": "str"},
    "timezone": {"type": "str"},
    "session_timeout_ms": {"type": "int"},
    "user_password": {"type": "str", "no_log": True},
    "update_password": {"type": "str", "choices": ["on_create", "always"], "default": "on_create", "no_log": False},
}
SAME = ("first_name", "last_name", "email", "roles", "permissions", "timezone", "session_timeout_ms")
SHOWN = ("id", "username", "full_name", "email", "timezone", "session_timeout_ms")


def make(client: GraylogClient, params: dict) -> User:
    """Return the resource that the parameters describe."""
    user = DesiredUser(
        username=params["name"],
        password=params["user_password"],
        always=params["update_password"] != "on_create",  # noqa: S105 a word, no password
        old_password=params["password"] if params["username"] == params["name"] else None,
        **{name: params[name] for name in SAME},
    )
    return User(client, user)


def show(_resource: User, item: dict | None) -> dict:
    """Return the module's own return values."""
    if not item:
        return {}
    return {"user": {**{key: item.get(key) for key in SHOWN}, "roles": sorted(item["roles"])}}


def main() -> None:
    """Run as a module."""
    manage(
        ARGUMENTS,
        make,
        show,
        required_together=[("first_name", "last_name")],
        required_if=[("update_password", "always", ["user_password"])],
    )


if __name__ == "__main__":
    main()
