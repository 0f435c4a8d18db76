#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module; the logic is in module_utils/graylog/content_packs.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_content_pack
short_description: Manage content packs of Graylog
version_added: "0.1.0"
description:
  - Uploads a revision of a content pack to Graylog 3.3 to 7 and installs it once.
  - An uploaded revision is immutable. A pack with changed content needs a new C(rev).
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the pack must exist. V(absent) deletes all revisions and the objects of all installations.
  content:
    type: dict
    description: The pack, as Graylog exports it.
  path:
    type: path
    description: JSON file with the pack, on the module's host.
  id:
    type: str
    description: The pack's id, without O(content) and O(path).
  install:
    type: bool
    default: true
    description: Whether to install the revision. V(false) leaves installations unchanged.
  replace:
    type: bool
    default: false
    description:
      - Whether to remove an installation of another revision or with other O(parameters).
      - All of its objects are deleted, even if they were changed by hand.
  parameters:
    type: dict
    default: {}
    description:
      - Values of the pack's parameters by name, converted to the pack's types.
      - Other parameters get the pack's defaults.
      - A diff shows the values, so do not use secrets.
  comment:
    type: str
    default: ""
    description: Comment of a new installation.
"""

EXAMPLES = r"""
- name: Install the dashboards
  graylog_content_pack:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    content: "{{ lookup('ansible.builtin.file', 'dashboards-7.json') | from_json }}"
    parameters:
      STREAM: Rendering
    replace: true
"""

RETURN = r"""
content_pack:
  description: The pack on the server. In check mode, it is shown as before the change.
  returned: when the pack exists
  type: dict
  contains:
    id:
      description: Graylog's id.
      type: str
    revisions:
      description: The uploaded revisions.
      type: list
      elements: int
    installed:
      description: The installed revisions.
      type: list
      elements: int
    parameters:
      description: Current values of the given parameters.
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

import json
from pathlib import Path

from ..module_utils.graylog.client import GraylogClient
from ..module_utils.graylog.content_packs import ContentPack
from ..module_utils.graylog.module import manage
from ..module_utils.graylog.reconcile import DesiredStateError

ARGUMENTS = {
    "content": {"type": "dict"},
    "path": {"type": "path"},
    "id": {"type": "str"},
    "install": {"type": "bool", "default": True},
    "replace": {"type": "bool", "default": False},
    "parameters": {"type": "dict", "default": {}},
    "comment": {"type": "str", "default": ""},
}


def content_of(params: dict) -> dict | None:
    """Return the given pack, or None.

    Raises DesiredStateError for content that is not a content pack.
    """
    content = params["content"]
    if params["path"]:
        try:
            content = json.loads(Path(params["path"]).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DesiredStateError(f"The content pack {params['path']} cannot be read: {error}") from error
    if content is None:
        return None
    if not isinstance(content, dict) or not content.get("id") or not isinstance(content.get("rev"), int):
        raise DesiredStateError("Not a content pack of Graylog 3 or later: it needs an id and a whole number as rev")
    return content


def make(client: GraylogClient, params: dict) -> ContentPack:
    """Return the resource that the parameters describe."""
    content = content_of(params)
    if content is None and params["state"] == "present":
        raise DesiredStateError("With state present, a content pack needs content or path")
    return ContentPack(
        client,
        content["id"] if content else params["id"],
        content,
        params["parameters"],
        params["install"],
        params["replace"],
        params["comment"],
    )


def show(resource: ContentPack, item: dict | None) -> dict:
    """Return the module's own return values."""
    return {"content_pack": resource.current(item)} if item else {}


def main() -> None:
    """Run as a module."""
    manage(
        ARGUMENTS,
        make,
        show,
        required_one_of=[("content", "path", "id")],
        mutually_exclusive=[("content", "path", "id")],
    )


if __name__ == "__main__":
    main()
