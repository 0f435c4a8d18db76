#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible's face of module_utils/graylog/users.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_user
short_description: A user of Graylog
version_added: "0.1.0"
description:
  - Makes, changes or deletes a user of Graylog 3.3 to 7.
  - The administrator of server.conf and users of an outside directory cannot be changed.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the user is there.
  name:
    type: str
    required: true
    description: Name of the user's login; O(username) is the account that asks.
  first_name:
    type: str
    description: First name, needed for a new user. Graylog 3.3 keeps it together with O(last_name) as the full name.
  last_name:
    type: str
    description: Last name.
  email:
    type: str
    description: Address for mail, needed for a new user.
  roles:
    type: list
    elements: str
    description: Names of the roles, the exact set. Without it they stay as they are, and a new user has none.
  permissions:
    type: list
    elements: str
    description: What the user may do beside the roles, the exact set. Without it that stays as it is.
  timezone:
    type: str
    description: Time zone, for example V(Europe/Berlin).
  session_timeout_ms:
    type: int
    description: Milliseconds until an idle session ends. A new user has 8 hours.
  user_password:
    type: str
    description: The user's password, needed for a new user. From Graylog 7 on it must be as complex as the server asks.
  update_password:
    type: str
    choices: [on_create, always]
    default: on_create
    description:
      - When the password is written. Graylog does not show it, so V(always) is a change in every run.
      - An account can change its own password; it is not written where it is the one of the login.
"""

EXAMPLES = r"""
- name: Somebody who looks at the logs
  graylog_user:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    name: ada
    first_name: Ada
    last_name: Lovelace
    email: ada@example.org
    roles: [Reader, Operators]
    user_password: "{{ vault_graylog_ada_password }}"

- name: Nobody of that name
  graylog_user:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    name: charles
    state: absent
"""

RETURN = r"""
user:
  description: The user; in check mode as it is before the change.
  returned: when there is one
  type: dict
  contains:
    id:
      description: Graylog's id.
      type: str
    username:
      description: Name of the login.
      type: str
    full_name:
      description: First and last name.
      type: str
    email:
      description: Address for mail.
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
    """Return the wish of the parameters."""
    wish = DesiredUser(
        username=params["name"],
        password=params["user_password"],
        always=params["update_password"] != "on_create",  # noqa: S105 a word, no password
        old_password=params["password"] if params["username"] == params["name"] else None,
        **{name: params[name] for name in SAME},
    )
    return User(client, wish)


def show(_resource: User, item: dict | None) -> dict:
    """Return the module's own answer."""
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
