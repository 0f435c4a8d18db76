#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module; the logic is in module_utils/graylog/streams.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_stream
short_description: Manage streams of Graylog
version_added: "0.1.0"
description:
  - Creates, updates or deletes a stream of Graylog 3.3 to 7, with its rules and its connections to pipelines.
  - Options that are not given leave a setting unchanged; a new stream gets the defaults named below.
  - Of built-in streams, such as the default stream, only O(pipelines) can be managed. The default stream is found by
    each of its titles, V(All messages) and V(Default Stream), in every release.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the stream must exist.
  title:
    type: str
    required: true
    description: Title, which identifies the stream.
  description:
    type: str
    description: Purpose of the stream.
  index_set:
    type: str
    description: Prefix or title of the index set that stores the messages. A new stream gets the default index set.
  matching_type:
    type: str
    choices: [AND, OR]
    description: Whether a message must match all rules or one of them, V(AND) for a new stream.
  remove_matches_from_default_stream:
    type: bool
    description: Whether matching messages are removed from the default stream, V(false) for a new stream.
  started:
    type: bool
    description: Whether the stream receives messages or is paused, V(true) for a new stream.
  rules:
    type: list
    elements: dict
    description: The rules that select messages.
    suboptions:
      type:
        type: str
        required: true
        choices: [exact, regex, greater, smaller, presence, contains, always, match_input]
        description: Kind of comparison. V(match_input) requires Graylog 4.0 or later.
      field:
        type: str
        description: Field of the message. Not allowed with V(always) and V(match_input).
      value:
        type: str
        description:
          - Value to compare the field with. Not allowed with V(presence) and V(always).
          - With V(match_input), the title or the id of an input.
      inverted:
        type: bool
        default: false
        description: Whether to select messages that do not match.
      description:
        type: str
        description: Purpose of the rule. Without it, the description stays unchanged.
  purge_rules:
    type: bool
    default: false
    description: Whether to delete rules that are not in O(rules).
  pipelines:
    type: list
    elements: str
    description: The exact set of titles of the pipelines that process the messages.
"""

EXAMPLES = r"""
- name: Collect the messages of jobs in a stream
  graylog_stream:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    title: Jobs
    index_set: jobs
    remove_matches_from_default_stream: true
    rules:
      - type: presence
        field: job
    purge_rules: true
    pipelines: [jobs]

- name: Connect a pipeline to the default stream
  graylog_stream:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    title: Default Stream
    pipelines: [routing]
"""

RETURN = r"""
stream:
  description: The stream. In check mode, it is shown as before the change.
  returned: when the stream exists
  type: dict
  contains:
    id:
      description: Graylog's id.
      type: str
    title:
      description: Title.
      type: str
    index_set:
      description: Prefix of the index set that stores the messages.
      type: str
    started:
      description: Whether the stream receives messages.
      type: bool
    rules:
      description: All rules, as in the option, if it was given.
      type: list
      elements: dict
    pipelines:
      description: Titles of the pipelines, if the option was given.
      type: list
      elements: str
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
from ..module_utils.graylog.module import manage
from ..module_utils.graylog.streams import Stream

SETTINGS = {
    "description": {"type": "str"},
    "index_set": {"type": "str"},
    "matching_type": {"type": "str", "choices": ["AND", "OR"]},
    "remove_matches_from_default_stream": {"type": "bool"},
    "started": {"type": "bool"},
}
RULE = {
    "type": {
        "type": "str",
        "required": True,
        "choices": ["exact", "regex", "greater", "smaller", "presence", "contains", "always", "match_input"],
    },
    "field": {"type": "str"},
    "value": {"type": "str"},
    "inverted": {"type": "bool", "default": False},
    "description": {"type": "str"},
}
ARGUMENTS = {
    "title": {"type": "str", "required": True},
    **SETTINGS,
    "rules": {"type": "list", "elements": "dict", "options": RULE},
    "purge_rules": {"type": "bool", "default": False},
    "pipelines": {"type": "list", "elements": "str"},
}


def make(client: GraylogClient, params: dict) -> Stream:
    """Return the resource that the parameters describe."""
    settings = {key: params[key] for key in SETTINGS}
    return Stream(client, params["title"], settings, params["rules"], params["purge_rules"], params["pipelines"])


def show(resource: Stream, item: dict | None) -> dict:
    """Return the module's own return values."""
    return {"stream": {"id": item["id"], **resource.current(item)}} if item else {}


def main() -> None:
    """Run as a module."""
    manage(ARGUMENTS, make, show)


if __name__ == "__main__":
    main()
