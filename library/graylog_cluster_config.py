#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible's face of module_utils/graylog/cluster_config.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_cluster_config
short_description: Settings of a whole Graylog cluster
version_added: "0.1.0"
description:
  - Sets the order of the message processors, the addresses that Graylog may call, or the settings of any other class
    of a cluster of Graylog 3.3 to 7.
  - What is not given stays as it is.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description:
      - Whether the settings are there.
      - V(absent) is for O(class_name) only; Graylog's own values are then in force.
  message_processors:
    type: dict
    description: The steps that each message goes through, by their titles or Java classes.
    suboptions:
      order:
        type: list
        elements: str
        description: The order in which these shall stand; those that are not named keep their places.
      disabled:
        type: list
        elements: str
        description: Those that are left out, the exact set.
  url_list:
    type: dict
    description: The addresses that Graylog may call, for example to notify. Up to 6.3 Graylog calls it the whitelist.
    suboptions:
      entries:
        type: list
        elements: dict
        description: The addresses, known by their values.
        suboptions:
          value:
            type: str
            required: true
            description: An address, or a regular expression for addresses.
          type:
            type: str
            choices: [literal, regex]
            default: literal
            description: Which of the two it is.
          title:
            type: str
            description: What people call it. Without it the title stays; it is the value for a new entry.
          id:
            type: str
            description: Graylog's own name of a new entry; made up where it is not given.
      purge:
        type: bool
        default: false
        description: Whether entries go that are not named.
      disabled:
        type: bool
        description: Whether every address may be called.
  class_name:
    type: str
    description: A Java class of settings, such as V(org.graylog2.users.UserConfiguration).
  settings:
    type: dict
    description: Settings of O(class_name), those that shall be managed. Required with it, other than to take it away.
"""

EXAMPLES = r"""
- name: Pipelines see the streams that a message is in (Graylog before 5 has no Stream Rule Processor)
  graylog_cluster_config:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    message_processors:
      order: [Message Filter Chain, Stream Rule Processor, Pipeline Processor]

- name: Graylog may notify the operators' service
  graylog_cluster_config:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    url_list:
      entries:
        - title: Operators
          value: https://operators.example.org/notify

- name: A login ends after eight hours
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
  description: The managed settings; in check mode as they are before the change.
  returned: when there are some
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
    """Return the wish of the parameters."""
    processors, addresses = params["message_processors"], params["url_list"]
    if processors:
        return Processors(client, processors["order"], processors["disabled"])
    if addresses:
        return UrlList(client, addresses["entries"], addresses["disabled"], addresses["purge"])
    return ConfigClass(client, params["class_name"], params["settings"] or {})


def show(resource: Processors | UrlList | ConfigClass, item: dict | None) -> dict:
    """Return the module's own answer."""
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
