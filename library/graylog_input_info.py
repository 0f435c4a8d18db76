#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Gather all inputs of Graylog, for example to prove that none listens on UDP."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_input_info
short_description: Gather the inputs of Graylog
version_added: "0.1.0"
description:
  - Returns all inputs of Graylog 3.3 to 7 with their states; secrets are hidden.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
"""

EXAMPLES = r"""
- name: Gather the inputs
  graylog_input_info:
    username: admin
    password: "{{ vault_graylog_root_password }}"
  register: graylog

- name: Fail if an input listens on UDP
  ansible.builtin.assert:
    that: graylog.inputs | selectattr('udp') | length == 0
"""

RETURN = r"""
inputs:
  description: The inputs, sorted by title.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Graylog's id.
      type: str
    title:
      description: Title.
      type: str
    type:
      description: Java class of the type.
      type: str
    udp:
      description: Whether the input listens on UDP.
      type: bool
    state:
      description: Graylog's name of the state on this node, null for a stopped input.
      type: str
    global:
      description: Whether every node runs the input.
      type: bool
    node:
      description: The node of an input that is not global.
      type: str
    configuration:
      description: Settings as stored. Secrets are hidden; if the plugin is missing, all texts are hidden.
      type: dict
    static_fields:
      description: Fields that the input adds to every message.
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
    """Return the description of a type, None without its plugin.

    An input without its plugin exists but cannot run.
    """
    try:
        return client.input_schema(input_type)
    except GraylogError as error:
        if error.status != 404:
            raise
        return None


def answer(client: GraylogClient, _params: dict) -> dict:
    """Return the inputs sorted by title, with secrets hidden."""
    inputs = []
    # Only the ids are taken from the list, which shows encrypted secrets raw in Graylog 7.
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
