#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module; the logic is in module_utils/graylog/index_sets.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_index_set
short_description: Manage index sets of Graylog
version_added: "0.1.0"
description:
  - Creates, updates or deletes an index set of Graylog 3.3 to 7, which stores messages.
  - Options that are not given leave a setting unchanged; a new index set gets the defaults named below.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the index set must exist.
  index_prefix:
    type: str
    required: true
    description:
      - Prefix of the names of the indices, which identifies the index set and is immutable.
      - No prefix may begin with the prefix of another index set.
  title:
    type: str
    description: Title. A new index set gets its prefix as title.
  description:
    type: str
    description: Purpose of the index set.
  index_analyzer:
    type: str
    description: Analyzer of the text fields, V(standard) for a new index set. It is immutable.
  shards:
    type: int
    description: Number of shards of an index, V(1) for a new index set.
  replicas:
    type: int
    description: Number of replicas of each shard, V(0) for a new index set.
  rotation:
    type: dict
    description: When to begin a new index; daily for a new index set.
    suboptions:
      strategy:
        type: str
        required: true
        choices: [time, size, count, time_size_optimizing]
        description:
          - Criterion of the rotation. With V(time_size_optimizing), which requires Graylog 5.1 or later, the lifetimes
            determine how long messages are stored, and Graylog chooses the size of the indices.
          - O(retention.max_indices) is ignored with V(time_size_optimizing).
      period:
        type: str
        description: Time covered by one index, as an ISO 8601 duration such as V(P1D). Required with V(time).
      size:
        type: int
        description: Maximum bytes of one index. Required with V(size).
      count:
        type: int
        description: Maximum messages of one index. Required with V(count).
      lifetime_min:
        type: str
        description: Minimum lifetime of messages, such as V(P30D). Required with V(time_size_optimizing).
      lifetime_max:
        type: str
        description: Maximum lifetime of messages, such as V(P40D). Required with V(time_size_optimizing).
  retention:
    type: dict
    description: What happens to old indices. A new index set keeps 20 and deletes older ones.
    suboptions:
      strategy:
        type: str
        required: true
        choices: [delete, close, none]
        description: Action on old indices. A server's configuration may forbid V(close) and V(none).
      max_indices:
        type: int
        description: Number of indices to keep.
  index_optimization_max_num_segments:
    type: int
    description: Segments that a complete index is merged into, V(1) for a new index set.
  index_optimization_disabled:
    type: bool
    description: Whether complete indices are left unmerged, V(false) for a new index set.
  field_type_refresh_interval:
    type: int
    description: Milliseconds between two refreshes of the field types, V(5000) for a new index set.
  writable:
    type: bool
    description: Whether the index set accepts messages, V(true) for a new index set.
  default:
    type: bool
    description: Whether this is the default index set of streams. V(true) replaces the current default.
  delete_indices:
    type: bool
    default: false
    description: With O(state=absent), whether to delete all indices with their messages too.
"""

EXAMPLES = r"""
- name: Store the messages of jobs for a month, one index a day
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

- name: Let Graylog choose the size of the indices
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
  description: The index set. In check mode, it is shown as before the change.
  returned: when the index set exists
  type: dict
  contains:
    id:
      description: Graylog's id.
      type: str
    index_prefix:
      description: Prefix of the indices.
      type: str
    title:
      description: Title.
      type: str
    rotation:
      description: Rotation, as in the option.
      type: dict
    retention:
      description: Retention, as in the option.
      type: dict
    default:
      description: Whether this is the default index set.
      type: bool
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
    """Return the resource that the parameters describe."""
    settings = {key: params[key] for key in SETTINGS}
    return IndexSet(client, params["index_prefix"], settings, params["delete_indices"])


def show(resource: IndexSet, item: dict | None) -> dict:
    """Return the module's own return values."""
    return {"index_set": {"id": item["id"], **resource.current(item)}} if item else {}


def main() -> None:
    """Run as a module."""
    manage(ARGUMENTS, make, show)


if __name__ == "__main__":
    main()
