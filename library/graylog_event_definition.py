#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible's face of module_utils/graylog/event_definitions.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_event_definition
short_description: A definition of Graylog's events
version_added: "0.1.0"
description:
  - Makes, changes or deletes a definition of events of Graylog 3.3 to 7, what it searches for and who is told.
  - The common case has O(query), O(streams), O(group_by) and O(condition), which are put into each release's words. Any
    other has O(config).
  - Settings that are not given stay as they are. Graylog's own definitions cannot be changed.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the definition is there.
  title:
    type: str
    required: true
    description: Title of the definition.
  description:
    type: str
    description: What it is for.
  priority:
    type: int
    description: How grave its events are, from 1, low, over 2, normal, which a new one has, to 3, high.
  alert:
    type: bool
    description: Whether its events are alerts. A new definition's are.
  enabled:
    type: bool
    description: Whether Graylog runs it. A new one runs.
  query:
    type: str
    description: The search for messages, in Graylog's language.
  streams:
    type: list
    elements: str
    description: Titles of the streams that are searched, the exact set; an empty list stands for all.
  group_by:
    type: list
    elements: str
    description: Fields by whose values the messages are counted apart. Needs O(condition).
  condition:
    type: dict
    description:
      - What a group of messages must be like to make an event.
      - Without one each message makes an event, in a new definition of Graylog 5.2 and later at most 100 in one search.
    suboptions:
      function:
        type: str
        choices: [avg, card, count, max, min, stddev, sum, sumofsquares, variance]
        default: count
        description: What is computed.
      field:
        type: str
        description: The field that it is computed of; V(count) needs none.
      is:
        type: str
        choices: [">", ">=", "<", "<=", "=="]
        required: true
        description: How it is compared.
      value:
        type: float
        required: true
        description: The number that it is compared with.
  search_within:
    type: int
    description: Seconds back that a search looks. A new one looks 300 back.
  execute_every:
    type: int
    description: Seconds between two searches. A new one has 300.
  config:
    type: dict
    description:
      - The search in the words of the server's release, in place of O(query), O(group_by) and O(condition).
      - What it does not speak of stays as it is.
  notifications:
    type: list
    elements: str
    description: Titles of the notifications that tell the events, the exact set.
  notification_settings:
    type: dict
    description: How often the notifications tell.
    suboptions:
      grace_period_ms:
        type: int
        description: Milliseconds in which events with the same key are told once.
      backlog_size:
        type: int
        description: How many messages a notification gets along with the event.
  field_spec:
    type: dict
    description: Fields that the events get, in Graylog's words.
  key_spec:
    type: list
    elements: str
    description: Fields of O(field_spec) that make up the events' key, in their order.
"""

EXAMPLES = r"""
- name: Many errors of one host are an event
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
  description: The definition; in check mode as it is before the change.
  returned: when there is one
  type: dict
  contains:
    id:
      description: Its id.
      type: str
    title:
      description: Its title.
      type: str
    description:
      description: What it is for.
      type: str
    priority:
      description: How grave its events are.
      type: int
    alert:
      description: Whether its events are alerts.
      type: bool
    enabled:
      description: Whether Graylog runs it.
      type: bool
    config:
      description: The search, in Graylog's words.
      type: dict
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
    """Return the options that were given."""
    return {key: value for key, value in options.items() if value is not None}


def make(client: GraylogClient, params: dict) -> Definition:
    """Return the wish of the parameters."""
    settings = given({key: params[key] for key in SETTINGS})
    if "notification_settings" in settings:
        settings["notification_settings"] = given(settings["notification_settings"])
    times = {f"{key}_ms": params[key] and params[key] * 1000 for key in ("search_within", "execute_every")}
    config = {**(params["config"] or {}), **given({"query": params["query"], "group_by": params["group_by"], **times})}
    wish = DesiredDefinition(
        title=params["title"],
        settings=settings,
        config=config,
        condition=Condition.of(params["condition"]) if params["condition"] else None,
        streams=params["streams"],
        notifications=params["notifications"],
    )
    return Definition(client, wish)


def show(_resource: Definition, item: dict | None) -> dict:
    """Return the module's own answer."""
    return {"event_definition": {key: item.get(key) for key in SHOWN}} if item else {}


def main() -> None:
    """Run as a module."""
    rules = [("config", "query"), ("config", "group_by"), ("config", "condition")]
    manage(ARGUMENTS, make, show, mutually_exclusive=rules)


if __name__ == "__main__":
    main()
