#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module; the logic is in module_utils/graylog/overview.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_info
short_description: Gather the state of a Graylog server
version_added: "0.1.0"
description:
  - Gathers the state of a server of Graylog 3.3 to 7, of its cluster, inputs, index sets and streams.
  - C(graylog_input_info) returns more about the inputs.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  gather:
    type: list
    elements: str
    choices: [node, nodes, journal, indexer, inputs, index_sets, streams]
    default: [node, nodes, journal, indexer]
    description: The parts to gather, each of which is one return value.
"""

EXAMPLES = r"""
- name: Gather the state of Graylog
  graylog_info:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    gather: [node, journal, inputs]
  register: graylog

- name: Fail if Graylog lags behind or an input does not run
  ansible.builtin.assert:
    that:
      - graylog.node.lb_status == 'alive'
      - graylog.journal.fill < 0.6
      - graylog.inputs.not_running == []
"""

RETURN = r"""
node:
  description:
    - The queried node, C(node_id), C(hostname), C(lifecycle), C(lb_status), C(is_processing), C(started_at) and
      C(timezone).
  returned: when gathered
  type: dict
nodes:
  description: All nodes, C(node_id), C(hostname), C(transport_address), C(last_seen) and C(is_leader).
  returned: when gathered
  type: list
  elements: dict
journal:
  description: The node's journal.
  returned: when gathered
  type: dict
  contains:
    enabled:
      description: Whether the journal is enabled.
      type: bool
    uncommitted_entries:
      description: Number of messages not yet processed.
      type: int
    size:
      description: Size in bytes.
      type: int
    size_limit:
      description: Maximum size in bytes.
      type: int
    fill:
      description: Used fraction of the maximum size, from 0 to 1.
      type: float
    oldest_segment:
      description: Time of the oldest segment.
      type: str
indexer:
  description: The search engine, C(name), C(health) and the C(write_index) of the default index set.
  returned: when gathered
  type: dict
inputs:
  description: The inputs.
  returned: when gathered
  type: dict
  contains:
    total:
      description: Number of inputs.
      type: int
    states:
      description: Number of inputs in each state, over all nodes.
      type: dict
    not_running:
      description: Titles of the inputs that do not run on at least one node.
      type: list
      elements: str
index_sets:
  description:
    - The index sets, C(id), C(title), C(index_prefix), C(shards), C(replicas), C(default) and C(writable).
  returned: when gathered
  type: list
  elements: dict
streams:
  description: The streams, C(id), C(title), C(index_set_id), C(is_default) and C(running).
  returned: when gathered
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
    """Return the parts to gather."""
    return {name: PARTS[name](client) for name in params["gather"]}


def main() -> None:
    """Run as a module."""
    gather(ARGUMENTS, answer)


if __name__ == "__main__":
    main()
