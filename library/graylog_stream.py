#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible's face of module_utils/graylog/streams.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_stream
short_description: A stream of Graylog
version_added: "0.1.0"
description:
  - Makes, changes or deletes a stream of Graylog 3.3 to 7, with its rules and the pipelines that it goes through.
  - What is not given stays as it is; a new stream then has the values named below.
  - Of Graylog's own streams, such as the default stream, only O(pipelines) can be managed. The default stream is
    found by each of its titles, V(All messages) and V(Default Stream), in every release.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the stream is there.
  title:
    type: str
    required: true
    description: Title of the stream, by which it is known.
  description:
    type: str
    description: What belongs in it.
  index_set:
    type: str
    description: Prefix or title of the index set that keeps its messages; for a new stream the default one.
  matching_type:
    type: str
    choices: [AND, OR]
    description: Whether a message must match all rules or one, V(AND) for a new stream.
  remove_matches_from_default_stream:
    type: bool
    description: Whether its messages leave the default stream, V(false) for a new stream.
  started:
    type: bool
    description: Whether it takes messages or is paused, V(true) for a new stream.
  rules:
    type: list
    elements: dict
    description: Which messages it takes.
    suboptions:
      type:
        type: str
        required: true
        choices: [exact, regex, greater, smaller, presence, contains, always, match_input]
        description: How a message is compared. V(match_input) is there since Graylog 4.0.
      field:
        type: str
        description: The message's field; none with V(always) and V(match_input).
      value:
        type: str
        description:
          - What the field is compared with; none with V(presence) and V(always).
          - With V(match_input) the title or the id of an input.
      inverted:
        type: bool
        default: false
        description: Whether messages are taken that do not match.
      description:
        type: str
        description: What the rule is for. Without it the description stays as it is.
  purge_rules:
    type: bool
    default: false
    description: Whether rules go that O(rules) does not name.
  pipelines:
    type: list
    elements: str
    description: Titles of the pipelines that its messages go through, the exact set.
"""

EXAMPLES = r"""
- name: Jobs' messages have a stream of their own
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

- name: A pipeline sees every message first
  graylog_stream:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    title: Default Stream
    pipelines: [routing]
"""

RETURN = r"""
stream:
  description: The stream; in check mode as it is before the change.
  returned: when there is one
  type: dict
  contains:
    id:
      description: Graylog's own name of it.
      type: str
    title:
      description: Its title.
      type: str
    index_set:
      description: Prefix of the index set that keeps its messages.
      type: str
    started:
      description: Whether it takes messages.
      type: bool
    rules:
      description: All its rules, as in the option, where it was given.
      type: list
      elements: dict
    pipelines:
      description: Titles of the pipelines, where the option was given.
      type: list
      elements: str
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
    """Return the wish of the parameters."""
    settings = {key: params[key] for key in SETTINGS}
    return Stream(client, params["title"], settings, params["rules"], params["purge_rules"], params["pipelines"])


def show(resource: Stream, item: dict | None) -> dict:
    """Return the module's own answer."""
    return {"stream": {"id": item["id"], **resource.current(item)}} if item else {}


def main() -> None:
    """Run as a module."""
    manage(ARGUMENTS, make, show)


if __name__ == "__main__":
    main()
