#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module; the logic is in module_utils/graylog/event_definitions.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_event_definition
short_description: Manage event definitions of Graylog
version_added: "0.1.0"
description:
  - Creates, updates or deletes an event definition of Graylog 3.3 to 7, with its search and its notifications.
  - For the common case use O(query), O(streams), O(group_by) and O(condition), which the module converts to the
    release's format. For other cases use O(config).
  - Settings that are not given stay unchanged. Built-in definitions cannot be changed.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the definition must exist.
  title:
    type: str
    required: true
    description: Title of the definition.
  description:
    type: str
    description: Purpose of the definition.
  priority:
    type: int
    description: Priority of the events, 1 (low), 2 (normal) or 3 (high); 2 for a new definition.
  alert:
    type: bool
    description: Whether the events are alerts; true for a new definition.
  enabled:
    type: bool
    description: Whether Graylog runs the definition; true for a new definition.
  query:
    type: str
    description: The search for messages, in Graylog's query language.
  streams:
    type: list
    elements: str
    description: The exact set of titles of the streams to search; an empty list stands for all streams.
  group_by:
    type: list
    elements: str
    description: Fields to group the messages by. Requires O(condition).
  condition:
    type: dict
    description:
      - The condition under which a group of messages is an event.
      - Without it, each message is an event, at most 100 per search in a new definition of Graylog 5.2 and later.
    suboptions:
      function:
        type: str
        choices: [avg, card, count, max, min, stddev, sum, sumofsquares, variance]
        default: count
        description: The aggregate function.
      field:
        type: str
        description: The field to aggregate; not required for V(count).
      is:
        type: str
        choices: [">", ">=", "<", "<=", "=="]
        required: true
        description: The comparison.
      value:
        type: float
        required: true
        description: The number to compare with.
  search_within:
    type: int
    description: Seconds that a search covers; 300 for a new definition.
  execute_every:
    type: int
    description: Seconds between two searches; 300 for a new definition.
  config:
    type: dict
    description:
      - The search in the format of the server's release, instead of O(query), O(group_by) and O(condition).
      - Settings that are not given stay unchanged.
  notifications:
    type: list
    elements: str
    description: The exact set of titles of the event notifications.
  notification_settings:
    type: dict
    description: How often to notify.
    suboptions:
      grace_period_ms:
        type: int
        description: Milliseconds after a notification in which events with the same key are not notified again.
      backlog_size:
        type: int
        description: Number of messages that a notification contains.
  field_spec:
    type: dict
    description: Fields of the events, in Graylog's format.
  key_spec:
    type: list
    elements: str
    description: Fields of O(field_spec) that form the events' key, in order.
"""

EXAMPLES = r"""
- name: Notify the operators of many errors of one host
  graylog_event_definition:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    title: Errors of a host
    query: "level:<=3"
    streams: [Rendering]
    group_by: [source]
    condition: {function: count, is: ">", value: 10}
    search_within: 300
    execute_every: 60
    notifications: [Operators]
    notification_settings: {grace_period_ms: 600000, backlog_size: 5}
"""

RETURN = r"""
event_definition:
  description: The definition. In check mode, it is shown as before the change.
  returned: when the definition exists
  type: dict
  contains:
    id:
      description: Graylog's id.
      type: str
    title:
      description: Title.
      type: str
    description:
      description: Purpose of the definition.
      type: str
    priority:
      description: Priority of the events.
      type: int
    alert:
      description: Whether the events are alerts.
      type: bool
    enabled:
      description: Whether Graylog runs the definition.
      type: bool
    config:
      description: The search, in Graylog's format.
      type: dict
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
from ..module_utils.graylog.event_conditions import COMPARISONS, FUNCTIONS, Condition
from ..module_utils.graylog.event_definitions import Definition, DesiredDefinition
from ..module_utils.graylog.module import manage

ARGUMENTS = {
    "title": {"type": "str", "required": True},
    "description": {"type": "str"},
    "priority": {"type": "int"},
    "alert": {"type": "bool"},
    "enabled": {"type": "bool"},
    "query": {"type": "str"},
    "streams": {"type": "list", "elements": "str"},
    "group_by": {"type": "list", "elements": "str"},
    "condition": {
        "type": "dict",
        "options": {
            "function": {"type": "str", "choices": list(FUNCTIONS), "default": "count"},
            "field": {"type": "str"},
            "is": {"type": "str", "choices": list(COMPARISONS), "required": True},
            "value": {"type": "float", "required": True},
        },
    },
    "search_within": {"type": "int"},
    "execute_every": {"type": "int"},
    "config": {"type": "dict"},
    "notifications": {"type": "list", "elements": "str"},
    "notification_settings": {
        "type": "dict",
        "options": {"grace_period_ms": {"type": "int"}, "backlog_size": {"type": "int"}},
    },
    "field_spec": {"type": "dict"},
    "key_spec": {"type": "list", "elements": "str", "no_log": False},
}
SETTINGS = ("description", "priority", "alert", "enabled", "notification_settings", "field_spec", "key_spec")
SHOWN = ("id", "title", "description", "priority", "alert", "enabled", "config")


def given(options: dict) -> dict:
    """Return the options that are not None."""
    return {key: value for key, value in options.items() if value is not None}


def make(client: GraylogClient, params: dict) -> Definition:
    """Return the resource that the parameters describe."""
    settings = given({key: params[key] for key in SETTINGS})
    if "notification_settings" in settings:
        settings["notification_settings"] = given(settings["notification_settings"])
    times = {f"{key}_ms": params[key] and params[key] * 1000 for key in ("search_within", "execute_every")}
    config = {**(params["config"] or {}), **given({"query": params["query"], "group_by": params["group_by"], **times})}
    definition = DesiredDefinition(
        title=params["title"],
        settings=settings,
        config=config,
        condition=Condition.of(params["condition"]) if params["condition"] else None,
        streams=params["streams"],
        notifications=params["notifications"],
    )
    return Definition(client, definition)


def show(_resource: Definition, item: dict | None) -> dict:
    """Return the module's own return values."""
    return {"event_definition": {key: item.get(key) for key in SHOWN}} if item else {}


def main() -> None:
    """Run as a module."""
    rules = [("config", "query"), ("config", "group_by"), ("config", "condition")]
    manage(ARGUMENTS, make, show, mutually_exclusive=rules)


if __name__ == "__main__":
    main()
