#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every input of Graylog, for reports and for the proof that none of them listens on UDP."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_input_info
short_description: The inputs of Graylog
version_added: "0.1.0"
description:
  - Tells every input of Graylog 3.3 to 7 with its state, secrets hidden.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
"""

EXAMPLES = r"""
- name: The inputs are known
  graylog_input_info:
    username: admin
    password: "{{ vault_graylog_root_password }}"
  register: graylog

- name: None of them listens on UDP
  ansible.builtin.assert:
    that: graylog.inputs | selectattr('udp') | length == 0
"""

RETURN = r"""
inputs:
  description: The inputs, in the order of their titles.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Its id.
      type: str
    title:
      description: Its title.
      type: str
    type:
      description: Its Java class.
      type: str
    udp:
      description: Whether it listens on UDP.
      type: bool
    state:
      description: Graylog's word for what it does on this node, null where it is stopped.
      type: str
    global:
      description: Whether every node has it.
      type: bool
    node:
      description: The node that has it, where it is not global.
      type: str
    configuration:
      description: Its settings as the server holds them, secrets hidden, and all texts where the plugin is missing.
      type: dict
    static_fields:
      description: Fields that it adds to every message.
      type: dict
version:
  description: Version of Graylog.
  returned: always
  type: str
"""

from ..module_utils.graylog.client import GraylogClient, GraylogError
from ..module_utils.graylog.input_options import hide_secrets, is_udp
from ..module_utils.graylog.module import gather


def schema_of(client: GraylogClient, input_type: str) -> dict | None:
    """Return the description of a type, None where its plugin is missing: such an input stays, and does not run."""
    try:
        return client.input_schema(input_type)
    except GraylogError as error:
        if error.status != 404:
            raise
        return None


def answer(client: GraylogClient, _params: dict) -> dict:
    """Return the inputs, secrets hidden, sorted by title."""
    inputs = []
    # The list only tells the ids: in Graylog 7 it shows encrypted secrets raw.
    for listed in client.request("GET", "/system/inputs")["inputs"]:
        item = client.request("GET", f"/system/inputs/{listed['id']}")
        shown = hide_secrets(item, schema_of(client, item["type"]))
        state = client.find(f"/system/inputstates/{item['id']}") or {}
        inputs.append({**shown, "udp": is_udp(item["type"]), "state": state.get("state")})
    return {"inputs": sorted(inputs, key=lambda item: (item["title"], item["id"]))}


def main() -> None:
    """Run as a module."""
    gather({}, answer)


if __name__ == "__main__":
    main()
