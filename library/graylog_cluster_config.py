#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module; the logic is in module_utils/graylog/cluster_config.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_cluster_config
short_description: Manage settings of a Graylog cluster
version_added: "0.1.0"
description:
  - Sets the order of the message processors, the list of allowed URLs, or the settings of any other class of a cluster
    of Graylog 3.3 to 7.
  - Settings that are not given stay unchanged.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description:
      - Whether the settings must exist.
      - V(absent) is for O(class_name) only; Graylog's defaults then apply.
  message_processors:
    type: dict
    description: The processors of every message, by their titles or Java classes.
    suboptions:
      order:
        type: list
        elements: str
        description: The order of these processors; processors that are not named keep their positions.
      disabled:
        type: list
        elements: str
        description: The exact set of disabled processors.
  url_list:
    type: dict
    description: The URLs that Graylog may call, for example for notifications; called whitelist up to Graylog 6.3.
    suboptions:
      entries:
        type: list
        elements: dict
        description: The URLs, identified by their values.
        suboptions:
          value:
            type: str
            required: true
            description: A URL, or a regular expression for URLs.
          type:
            type: str
            choices: [literal, regex]
            default: literal
            description: Whether the value is a URL or a regular expression.
          title:
            type: str
            description: Title. Without it, the title stays unchanged; a new entry gets its value as title.
          id:
            type: str
            description: Graylog's id of a new entry, generated if not given.
      purge:
        type: bool
        default: false
        description: Whether to remove entries that are not in the list.
      disabled:
        type: bool
        description: Whether all URLs are allowed.
  class_name:
    type: str
    description: A Java class of settings, such as V(org.graylog2.users.UserConfiguration).
  settings:
    type: dict
    description: The managed settings of O(class_name). Required with O(class_name) and O(state=present).
"""

EXAMPLES = r"""
- name: Run pipelines after the stream rules (Graylog before 5 has no Stream Rule Processor)
  graylog_cluster_config:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    message_processors:
      order: [Message Filter Chain, Stream Rule Processor, Pipeline Processor]

- name: Allow notifications to the operators' service
  graylog_cluster_config:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    url_list:
      entries:
        - title: Operators
          value: https://operators.example.org/notify

- name: End a login after eight hours
  graylog_cluster_config:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    class_name: org.graylog2.users.UserConfiguration
    settings:
      enable_global_session_timeout: true
      global_session_timeout_interval: PT8H
"""

RETURN = r"""
config:
  description: The managed settings. In check mode, they are shown as before the change.
  returned: when the settings exist
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
from ..module_utils.graylog.cluster_config import ConfigClass, Processors, UrlList
from ..module_utils.graylog.module import manage

ENTRY = {
    "value": {"type": "str", "required": True},
    "type": {"type": "str", "choices": ["literal", "regex"], "default": "literal"},
    "title": {"type": "str"},
    "id": {"type": "str"},
}
ARGUMENTS = {
    "message_processors": {
        "type": "dict",
        "options": {
            "order": {"type": "list", "elements": "str"},
            "disabled": {"type": "list", "elements": "str"},
        },
    },
    "url_list": {
        "type": "dict",
        "options": {
            "entries": {"type": "list", "elements": "dict", "options": ENTRY},
            "purge": {"type": "bool", "default": False},
            "disabled": {"type": "bool"},
        },
    },
    "class_name": {"type": "str"},
    "settings": {"type": "dict"},
}


def make(client: GraylogClient, params: dict) -> Processors | UrlList | ConfigClass:
    """Return the resource that the parameters describe."""
    processors, addresses = params["message_processors"], params["url_list"]
    if processors:
        return Processors(client, processors["order"], processors["disabled"])
    if addresses:
        return UrlList(client, addresses["entries"], addresses["disabled"], addresses["purge"])
    return ConfigClass(client, params["class_name"], params["settings"] or {})


def show(resource: Processors | UrlList | ConfigClass, item: dict | None) -> dict:
    """Return the module's own return values."""
    return {"config": resource.current(item)} if item else {}


def main() -> None:
    """Run as a module."""
    manage(
        ARGUMENTS,
        make,
        show,
        required_one_of=[("message_processors", "url_list", "class_name")],
        mutually_exclusive=[
            ("message_processors", "url_list", "class_name"),
            ("message_processors", "url_list", "settings"),
        ],
        required_if=[
            ("state", "present", ("message_processors", "url_list", "settings"), True),
            ("state", "absent", ["class_name"]),
        ],
    )


if __name__ == "__main__":
    main()
