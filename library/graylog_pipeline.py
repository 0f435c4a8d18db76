#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible's face of module_utils/graylog/pipelines.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_pipeline
short_description: A pipeline of Graylog
version_added: "0.1.0"
description:
  - Makes, changes or deletes a pipeline of Graylog 3.3 to 7. Streams are connected to it by C(graylog_stream).
  - The server reads a new source before anything is written, in check mode too.
  - The rules that it names must be there, other than in check mode.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the pipeline is there. Its connections to streams go with it.
  title:
    type: str
    description: Title of the pipeline. It is what O(source) says, and needed only where there is no source.
  source:
    type: str
    description:
      - The pipeline in Graylog's own language; it begins with its title, as V(pipeline "TITLE").
      - Blanks at the ends of lines and empty lines at the end count for nothing. Required with O(state=present).
  description:
    type: str
    description: What it is for. Without it the description stays as it is.
"""

EXAMPLES = r"""
- name: Jobs' messages are marked
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
  description: The pipeline; in check mode as it is before the change.
  returned: when there is one
  type: dict
  contains:
    id:
      description: Graylog's own name of it.
      type: str
    title:
      description: Its title.
      type: str
    description:
      description: What it is for.
      type: str
    source:
      description: Its text.
      type: str
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
from ..module_utils.graylog.pipelines import Pipeline

ARGUMENTS = {
    "title": {"type": "str"},
    "source": {"type": "str"},
    "description": {"type": "str"},
}


def make(client: GraylogClient, params: dict) -> Pipeline:
    """Return the wish of the parameters."""
    return Pipeline(client, params["title"], params["source"], params["description"])


def show(resource: Pipeline, item: dict | None) -> dict:
    """Return the module's own answer."""
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
