#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible's face of module_utils/graylog/tokens.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_token
short_description: A token for a user of Graylog
version_added: "0.1.0"
description:
  - Makes, renews or deletes a token, with which a program logs in to Graylog 3.3 to 7 in place of a user.
  - A token's value is told once, by the task that makes it. Register the answer, set C(no_log) to true on that task and
    store RV(token) at once.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the token is there; V(absent) deletes all of the user's tokens of this name.
  user:
    type: str
    required: true
    description: The user whom the token stands for.
  name:
    type: str
    required: true
    description: What the token is called.
  lifetime:
    type: str
    description:
      - How long a new token is good, as days or as an ISO duration such as V(P30D).
      - Without it the server's default counts, 30 days in Graylog 6.2 and later. Older releases know no lifetime.
  renew_before:
    type: int
    description: A token that ends in fewer days than this is replaced by a new one. Without it none is.
"""

EXAMPLES = r"""
- name: The render service may ask Graylog
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
  returned: when one was made
  type: str
token_id:
  description: Graylog's id of the token; releases before 4.0 may have none.
  returned: when there is one
  type: str
expires_at:
  description: When the token ends, null where it does not.
  returned: when there is one
  type: str
actions:
  description: What was done, of created, updated, deleted; updated means replaced.
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
    """Return the wish of the parameters."""
    lifetime = None if params["lifetime"] is None else period(params["lifetime"])
    return Token(client, params["user"], params["name"], lifetime, params["renew_before"])


def show(resource: Token, item: dict | None) -> dict:
    """Return the module's own answer."""
    shown = {"token_id": item.get("id"), "expires_at": item.get("expires_at")} if item else {}
    if resource.value:
        shown["token"] = resource.value
    if resource.ignores_lifetime:
        shown["warnings"] = ["This release of Graylog knows no lifetime of tokens: the token does not end by itself"]
    return shown


def main() -> None:
    """Run as a module."""
    manage(ARGUMENTS, make, show)


if __name__ == "__main__":
    main()
