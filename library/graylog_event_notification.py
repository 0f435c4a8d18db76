#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module; the logic is in module_utils/graylog/event_notifications.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_event_notification
short_description: Manage event notifications of Graylog
version_added: "0.1.0"
description:
  - Creates, updates or deletes a notification, by mail, by HTTP or by a plugin, of Graylog 3.3 to 7.
  - Graylog calls only addresses in its list of allowed URLs. This module warns if the list lacks the address.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the notification must exist.
  title:
    type: str
    required: true
    description: Title of the notification.
  description:
    type: str
    description: Purpose of the notification. Without it, the description stays unchanged.
  config:
    type: dict
    default: {}
    description:
      - The settings with Graylog's own keys, including C(type), for example V(http-notification-v1) or
        V(email-notification-v1). Required with O(state=present).
      - Settings that are not given stay unchanged.
  secrets:
    type: dict
    description:
      - Secret settings besides O(config), such as C(basic_auth) (V(user:password)) and C(api_secret).
  update_secrets:
    type: str
    choices: [on_create, always]
    default: on_create
    description:
      - When to write existing O(secrets). Graylog does not show them, so V(always) reports a change in every run.
      - A secret that does not exist, or visibly has another value, is always written.
"""

EXAMPLES = r"""
- name: Notify the operators by mail
  graylog_event_notification:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    title: Operators
    config:
      type: email-notification-v1
      sender: graylog@example.org
      subject: "Graylog: ${event_definition_title}"
      body_template: "${event.message}"
      email_recipients: [operators@example.org]

- name: Notify the ticket system by HTTP
  graylog_event_notification:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    title: Tickets
    config:
      type: http-notification-v1
      url: https://tickets.example.org/hook
    secrets:
      basic_auth: "graylog:{{ vault_tickets_password }}"
"""

RETURN = r"""
notification:
  description: The notification. In check mode, it is shown as before the change.
  returned: when the notification exists
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
    type:
      description: Graylog's name of the type.
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
from ..module_utils.graylog.event_notifications import Notification
from ..module_utils.graylog.module import manage
from ..module_utils.graylog.reconcile import DesiredStateError

ARGUMENTS = {
    "title": {"type": "str", "required": True},
    "description": {"type": "str"},
    "config": {"type": "dict", "default": {}},
    "secrets": {"type": "dict", "no_log": True},
    "update_secrets": {"type": "str", "choices": ["on_create", "always"], "default": "on_create", "no_log": False},
}


def make(client: GraylogClient, params: dict) -> Notification:
    """Return the resource that the parameters describe."""
    title, config = params["title"], params["config"]
    if params["state"] == "present" and not config.get("type"):
        raise DesiredStateError(f"The notification {title!r} needs config.type, for example http-notification-v1")
    always = params["update_secrets"] == "always"
    return Notification(client, title, params["description"], config, params["secrets"] or {}, always)


def show(resource: Notification, item: dict | None) -> dict:
    """Return the module's own return values."""
    shown: dict = {}
    if item:
        shown["notification"] = {key: item[key] for key in ("id", "title", "description")}
        shown["notification"]["type"] = item["config"]["type"]
    blocked = resource.blocked_url
    if blocked:
        shown["warnings"] = [
            f"Graylog will not call {blocked} for the notification {resource.name!r}: its list of allowed URLs lacks "
            "the address. Add it with graylog_cluster_config"
        ]
    return shown


def main() -> None:
    """Run as a module."""
    manage(ARGUMENTS, make, show)


if __name__ == "__main__":
    main()
