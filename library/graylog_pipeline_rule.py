#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module; the logic is in module_utils/graylog/pipelines.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_pipeline_rule
short_description: Manage pipeline rules of Graylog
version_added: "0.1.0"
description:
  - Creates, updates or deletes a rule of Graylog 3.3 to 7, which pipelines refer to by title.
  - The server parses a new source before the first write, also in check mode.
  - A rule that a pipeline refers to is not deleted.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the pipeline rule must exist.
  title:
    type: str
    description: Title of the pipeline rule, as in O(source). Required only without a source.
  source:
    type: str
    description:
      - The pipeline rule in Graylog's own language; it begins with its title, as V(rule "TITLE").
      - Trailing blanks and trailing empty lines are ignored. Required with O(state=present).
  description:
    type: str
    description: Purpose of the rule. Without it, the description stays unchanged.
"""

EXAMPLES = r"""
- name: Mark the messages of jobs
  graylog_pipeline_rule:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    source: |
      rule "mark jobs"
      when
        has_field("job")
      then
        set_field("kind", "job");
      end
"""

RETURN = r"""
pipeline_rule:
  description: The pipeline rule. In check mode, it is shown as before the change.
  returned: when the pipeline rule exists
  type: dict
  contains:
    id:
      description: Graylog's id.
      type: str
    title:
      description: Title.
      type: str
    description:
      description: Purpose.
      type: str
    source:
      description: Source.
      type: str
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
from ..module_utils.graylog.pipelines import PipelineRule

ARGUMENTS = {
    "title": {"type": "str"},
    "source": {"type": "str"},
    "description": {"type": "str"},
}


def make(client: GraylogClient, params: dict) -> PipelineRule:
    """Return the resource that the parameters describe."""
    return PipelineRule(client, params["title"], params["source"], params["description"])


def show(resource: PipelineRule, item: dict | None) -> dict:
    """Return the module's own return values."""
    return {"pipeline_rule": {"id": item["id"], **resource.current(item)}} if item else {}


def main() -> None:
    """Run as a module."""
    manage(
        ARGUMENTS,
        make,
        show,
        required_one_of=[("title", "source")],
        required_if=[("state", "present", ["source"])],
    )


if __name__ == "__main__":
    main()
