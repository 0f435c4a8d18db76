#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module; the logic is in module_utils/graylog/pipelines.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_pipeline
short_description: Manage pipelines of Graylog
version_added: "0.1.0"
description:
  - Creates, updates or deletes a pipeline of Graylog 3.3 to 7. C(graylog_stream) connects streams to it.
  - The server parses a new source before the first write, also in check mode.
  - The rules in the source must exist, except in check mode.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the pipeline must exist. Its connections to streams are deleted with it.
  title:
    type: str
    description: Title of the pipeline, as in O(source). Required only without a source.
  source:
    type: str
    description:
      - The pipeline in Graylog's own language; it begins with its title, as V(pipeline "TITLE").
      - Trailing blanks and trailing empty lines are ignored. Required with O(state=present).
  description:
    type: str
    description: Purpose of the pipeline. Without it, the description stays unchanged.
"""

EXAMPLES = r"""
- name: Mark the messages of jobs
  graylog_pipeline:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    source: |
      pipeline "jobs"
      stage 0 match either
      rule "mark jobs"
      end
"""

RETURN = r"""
pipeline:
  description: The pipeline. In check mode, it is shown as before the change.
  returned: when the pipeline exists
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
from ..module_utils.graylog.pipelines import Pipeline

ARGUMENTS = {
    "title": {"type": "str"},
    "source": {"type": "str"},
    "description": {"type": "str"},
}


def make(client: GraylogClient, params: dict) -> Pipeline:
    """Return the resource that the parameters describe."""
    return Pipeline(client, params["title"], params["source"], params["description"])


def show(resource: Pipeline, item: dict | None) -> dict:
    """Return the module's own return values."""
    return {"pipeline": {"id": item["id"], **resource.current(item)}} if item else {}


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
