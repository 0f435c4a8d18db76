#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible's face of module_utils/graylog/index_sets.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_index_set
short_description: An index set of Graylog
version_added: "0.1.0"
description:
  - Makes, changes or deletes an index set of Graylog 3.3 to 7, where messages are kept.
  - What is not given stays as it is; a new index set then has the values named below.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the index set is there.
  index_prefix:
    type: str
    required: true
    description:
      - What the names of its indices begin with, by which the index set is known. It cannot be changed later.
      - No prefix may begin with the prefix of another index set.
  title:
    type: str
    description: What people call it; the prefix for a new one.
  description:
    type: str
    description: What is kept in it.
  index_analyzer:
    type: str
    description: How texts are taken apart, V(standard) for a new one. It cannot be changed later.
  shards:
    type: int
    description: Pieces of an index, V(1) for a new one.
  replicas:
    type: int
    description: Copies of each piece beside the first, V(0) for a new one.
  rotation:
    type: dict
    description: When a new index is begun; every day for a new index set.
    suboptions:
      strategy:
        type: str
        required: true
        choices: [time, size, count, time_size_optimizing]
        description:
          - By which measure. With V(time_size_optimizing), which Graylog has since 5.1, it is said how long messages
            are kept, and Graylog chooses the indices' sizes; O(retention.max_indices) then counts for nothing.
      period:
        type: str
        description: Time that one index covers, as of ISO 8601, such as V(P1D). Required with V(time).
      size:
        type: int
        description: Bytes of one index. Required with V(size).
      count:
        type: int
        description: Messages of one index. Required with V(count).
      lifetime_min:
        type: str
        description: Time that messages are kept at least, such as V(P30D). Required with V(time_size_optimizing).
      lifetime_max:
        type: str
        description: Time that messages are kept at most, such as V(P40D). Required with V(time_size_optimizing).
  retention:
    type: dict
    description: What becomes of old indices; deleted when there are more than 20 for a new index set.
    suboptions:
      strategy:
        type: str
        required: true
        choices: [delete, close, none]
        description: What is done with them. A server's configuration may forbid V(close) and V(none).
      max_indices:
        type: int
        description: How many are kept before.
  index_optimization_max_num_segments:
    type: int
    description: Segments that an index is brought to when it is complete, V(1) for a new index set.
  index_optimization_disabled:
    type: bool
    description: Whether that is left out, V(false) for a new index set.
  field_type_refresh_interval:
    type: int
    description: Milliseconds between two looks at the types of the fields, V(5000) for a new index set.
  writable:
    type: bool
    description: Whether messages are taken, V(true) for a new index set.
  default:
    type: bool
    description: Whether streams have this index set where they name none; V(true) takes it from the one that has it.
  delete_indices:
    type: bool
    default: false
    description: With O(state=absent), whether all indices, and so all messages in them, are deleted too.
"""

EXAMPLES = r"""
- name: Jobs' messages are kept for a month, one index a day
  graylog_index_set:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    index_prefix: jobs
    title: Jobs
    rotation:
      strategy: time
      period: P1D
    retention:
      strategy: delete
      max_indices: 31

- name: Graylog chooses the size of the indices
  graylog_index_set:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    index_prefix: services
    rotation:
      strategy: time_size_optimizing
      lifetime_min: P60D
      lifetime_max: P90D
"""

RETURN = r"""
index_set:
  description: The index set; in check mode as it is before the change.
  returned: when there is one
  type: dict
  contains:
    id:
      description: Graylog's own name of it.
      type: str
    index_prefix:
      description: Prefix of its indices.
      type: str
    title:
      description: Its title.
      type: str
    rotation:
      description: When a new index is begun, as in the option.
      type: dict
    retention:
      description: What becomes of old indices, as in the option.
      type: dict
    default:
      description: Whether it is the default one.
      type: bool
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
from ..module_utils.graylog.index_sets import IndexSet
from ..module_utils.graylog.module import manage

SETTINGS = {
    "title": {"type": "str"},
    "description": {"type": "str"},
    "index_analyzer": {"type": "str"},
    "shards": {"type": "int"},
    "replicas": {"type": "int"},
    "rotation": {
        "type": "dict",
        "options": {
            "strategy": {
                "type": "str",
                "required": True,
                "choices": ["time", "size", "count", "time_size_optimizing"],
            },
            "period": {"type": "str"},
            "size": {"type": "int"},
            "count": {"type": "int"},
            "lifetime_min": {"type": "str"},
            "lifetime_max": {"type": "str"},
        },
        "required_if": [
            ("strategy", "time", ["period"]),
            ("strategy", "size", ["size"]),
            ("strategy", "count", ["count"]),
            ("strategy", "time_size_optimizing", ["lifetime_min", "lifetime_max"]),
        ],
    },
    "retention": {
        "type": "dict",
        "options": {
            "strategy": {"type": "str", "required": True, "choices": ["delete", "close", "none"]},
            "max_indices": {"type": "int"},
        },
    },
    "index_optimization_max_num_segments": {"type": "int"},
    "index_optimization_disabled": {"type": "bool"},
    "field_type_refresh_interval": {"type": "int"},
    "writable": {"type": "bool"},
    "default": {"type": "bool"},
}
ARGUMENTS = {
    "index_prefix": {"type": "str", "required": True},
    "delete_indices": {"type": "bool", "default": False},
    **SETTINGS,
}


def make(client: GraylogClient, params: dict) -> IndexSet:
    """Return the wish of the parameters."""
    settings = {key: params[key] for key in SETTINGS}
    return IndexSet(client, params["index_prefix"], settings, params["delete_indices"])


def show(resource: IndexSet, item: dict | None) -> dict:
    """Return the module's own answer."""
    return {"index_set": {"id": item["id"], **resource.current(item)}} if item else {}


def main() -> None:
    """Run as a module."""
    manage(ARGUMENTS, make, show)


if __name__ == "__main__":
    main()
