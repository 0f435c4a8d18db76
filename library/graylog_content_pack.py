#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible's face of module_utils/graylog/content_packs.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_content_pack
short_description: A content pack of Graylog
version_added: "0.1.0"
description:
  - Uploads a revision of a content pack to Graylog 3.3 to 7 and installs it, once.
  - Graylog keeps a revision as it was uploaded. A pack whose content changes needs a new C(rev).
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the pack is there; V(absent) takes away what its installations made, and all revisions.
  content:
    type: dict
    description: The pack, as Graylog exports it.
  path:
    type: path
    description: File with the pack, JSON, on the host that the module runs on.
  id:
    type: str
    description: The pack's id, where neither O(content) nor O(path) tells it.
  install:
    type: bool
    default: true
    description: Whether the revision is installed; V(false) leaves installations as they are.
  replace:
    type: bool
    default: false
    description:
      - Whether an installation of another revision or with other O(parameters) makes way.
      - Everything that it made is deleted then, also where it was changed by hand.
  parameters:
    type: dict
    default: {}
    description:
      - Values of the pack's parameters, by name. They are read in the pack's types.
      - The pack's defaults count for the others.
      - They are shown in differences, so none should be a secret.
  comment:
    type: str
    default: ""
    description: A note that a new installation gets.
"""

EXAMPLES = r"""
- name: The dashboards are there
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
  description: The pack on the server; in check mode as it is before the change.
  returned: when there is one
  type: dict
  contains:
    id:
      description: Its id.
      type: str
    revisions:
      description: The revisions that were uploaded.
      type: list
      elements: int
    installed:
      description: The revisions that are installed.
      type: list
      elements: int
    parameters:
      description: What the installation got for the parameters that were asked for.
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
    """Return the given pack, or None. Raises DesiredStateError for content that is not a content pack."""
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
    """Return the wish of the parameters."""
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
    """Return the module's own answer."""
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
