#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module; the logic is in module_utils/graylog/tokens.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_token
short_description: Manage access tokens of Graylog users
version_added: "0.1.0"
description:
  - Creates, renews or deletes an access token, with which a program logs in to Graylog 3.3 to 7 as a user.
  - Only the task that creates a token returns its value. Register the result, set C(no_log) to true on that task and
    store RV(token) at once.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the token must exist. V(absent) deletes all of the user's tokens of this name.
  user:
    type: str
    required: true
    description: The owner of the token.
  name:
    type: str
    required: true
    description: Name of the token.
  lifetime:
    type: str
    description:
      - Lifetime of a new token, in days or as an ISO duration such as V(P30D).
      - The server's default is 30 days in Graylog 6.2 and later. Tokens of older releases never expire.
  renew_before:
    type: int
    description: Replace a token that expires in fewer days than this. Without it, no token is replaced.
"""

EXAMPLES = r"""
- name: Create a token for the render service
  graylog_token:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    user: raycrafter
    name: render service
    lifetime: P365D
    renew_before: 30
  register: graylog_service_token
  no_log: true
"""

RETURN = r"""
token:
  description: The token's value, a secret.
  returned: when a token was created
  type: str
token_id:
  description: Graylog's id of the token. Releases before 4.0 may have none.
  returned: when the token exists
  type: str
expires_at:
  description: Expiry time of the token, null for a token that never expires.
  returned: when the token exists
  type: str
actions:
  description: The actions taken, of created, updated (replaced), deleted.
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
from ..module_utils.graylog.tokens import Token, period

ARGUMENTS = {
    "user": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "lifetime": {"type": "str"},
    "renew_before": {"type": "int"},
}


def make(client: GraylogClient, params: dict) -> Token:
    """Return the resource that the parameters describe."""
    lifetime = None if params["lifetime"] is None else period(params["lifetime"])
    return Token(client, params["user"], params["name"], lifetime, params["renew_before"])


def show(resource: Token, item: dict | None) -> dict:
    """Return the module's own return values."""
    shown = {"token_id": item.get("id"), "expires_at": item.get("expires_at")} if item else {}
    if resource.value:
        shown["token"] = resource.value
    if resource.ignores_lifetime:
        shown["warnings"] = ["Graylog before 6.2 ignores the lifetime of tokens: the token never expires"]
    return shown


def main() -> None:
    """Run as a module."""
    manage(ARGUMENTS, make, show)


if __name__ == "__main__":
    main()
