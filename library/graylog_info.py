#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible's face of module_utils/graylog/overview.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_info
short_description: What a Graylog tells of itself
version_added: "0.1.0"
description:
  - Tells the state of a server of Graylog 3.3 to 7, its cluster and what is set up in it. It changes nothing.
  - C(graylog_input_info) tells more of the inputs.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  gather:
    type: list
    elements: str
    choices: [node, nodes, journal, indexer, inputs, index_sets, streams]
    default: [node, nodes, journal, indexer]
    description: The parts that are asked for, each of which is one key of the answer.
"""

EXAMPLES = r"""
- name: Graylog is asked how it is
  graylog_info:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    gather: [node, journal, inputs]
  register: graylog

- name: Graylog keeps up with the messages, and every input runs
  ansible.builtin.assert:
    that:
      - graylog.node.lb_status == 'alive'
      - graylog.journal.fill < 0.6
      - graylog.inputs.not_running == []
"""

RETURN = r"""
node:
  description:
    - The node that was asked, C(node_id), C(hostname), C(lifecycle), C(lb_status), C(is_processing), C(started_at) and
      C(timezone).
  returned: when it was gathered
  type: dict
nodes:
  description: All nodes, C(node_id), C(hostname), C(transport_address), C(last_seen) and C(is_leader).
  returned: when it was gathered
  type: list
  elements: dict
journal:
  description: The node's journal.
  returned: when it was gathered
  type: dict
  contains:
    enabled:
      description: Whether there is one.
      type: bool
    uncommitted_entries:
      description: How many messages wait in it.
      type: int
    size:
      description: Bytes that it has.
      type: int
    size_limit:
      description: Bytes that it may have.
      type: int
    fill:
      description: The part of the limit that is used, from 0 to 1.
      type: float
    oldest_segment:
      description: Since when it holds messages.
      type: str
indexer:
  description: The search engine, C(name), C(health) and the C(write_index) of the default index set.
  returned: when it was gathered
  type: dict
inputs:
  description: The inputs.
  returned: when it was gathered
  type: dict
  contains:
    total:
      description: How many there are.
      type: int
    states:
      description: How many are in each state, over all nodes.
      type: dict
    not_running:
      description: Titles of those that do not run on some node.
      type: list
      elements: str
index_sets:
  description:
    - The index sets, C(id), C(title), C(index_prefix), C(shards), C(replicas), C(default) and C(writable).
  returned: when it was gathered
  type: list
  elements: dict
streams:
  description: The streams, C(id), C(title), C(index_set_id), C(is_default) and C(running).
  returned: when it was gathered
  type: list
  elements: dict
version:
  description: Version of Graylog.
  returned: always
  type: str
"""

from ..module_utils.graylog.client import GraylogClient
from ..module_utils.graylog.module import gather
from ..module_utils.graylog.overview import PARTS

ARGUMENTS = {
    "gather": {
        "type": "list",
        "elements": "str",
        "choices": list(PARTS),
        "default": ["node", "nodes", "journal", "indexer"],
    }
}


def answer(client: GraylogClient, params: dict) -> dict:
    """Return the parts that are asked for."""
    return {name: PARTS[name](client) for name in params["gather"]}


def main() -> None:
    """Run as a module."""
    gather(ARGUMENTS, answer)


if __name__ == "__main__":
    main()
