#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible's face of module_utils/graylog/inputs.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_input
short_description: An input of Graylog, over TCP
version_added: "0.1.0"
description:
  - Makes, changes, starts, stops or deletes an input of Graylog 3.3 to 7, and waits until it runs.
  - Only what is asked is compared and written. The values get the types that the server wants, because it takes a
    value of the wrong type without a word and then does not use it.
  - An input that should run but has failed is started again.
  - When it waits for an input with TLS, it also shakes hands and compares the certificate with O(tls.cert_file),
    because Graylog makes a certificate of its own when it cannot read that file. Where the host that runs the module
    cannot read it either, the certificate must be none of Graylog's making, and a warning says that no more was seen.
  - Inputs over UDP can be deleted with this module, not made.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the input is there.
  title:
    type: str
    required: true
    description: Title of the input; the input is known by it.
  type:
    type: str
    description:
      - V(gelf_tcp), V(gelf_http), V(syslog_tcp), V(raw_tcp), V(beats), or the Java class of another type.
      - Required with O(state=present). The type of an input cannot be changed.
  port:
    type: int
    description: TCP port. Required with O(state=present).
  bind_address:
    type: str
    default: 127.0.0.1
    description: Address that the input listens on, V(0.0.0.0) for all.
  global:
    type: bool
    default: true
    description: Whether every node of the cluster has the input; otherwise the node at O(url) alone.
  tls:
    type: dict
    description: How connections are encrypted. Without it nothing is asked of the input's TLS settings.
    suboptions:
      enable:
        type: bool
        default: true
        description: Whether the input speaks TLS.
      cert_file:
        type: str
        description: Certificate on the Graylog host, PEM.
      key_file:
        type: str
        description: Key on the Graylog host, PEM; PKCS#8 for Graylog 3.3.
      key_password:
        type: str
        description: Password of the key. A file that only Graylog can read is better.
      client_auth:
        type: str
        choices: [disabled, optional, required]
        description: Whether clients show a certificate.
      client_ca:
        type: str
        description: Authorities of the clients on the Graylog host, a PEM file.
  configuration:
    type: dict
    default: {}
    description:
      - More options of the input's type, with Graylog's own names. Null takes an option back to its default.
      - Those that the server calls secrets are never shown.
  static_fields:
    type: dict
    description: Fields that the input adds to every message, the exact set. Without it they stay as they are.
  running:
    type: bool
    default: true
    description: Whether the input runs. Graylog 3.3 forgets a stop when it restarts.
  update_secrets:
    type: str
    choices: [on_create, always]
    default: on_create
    description:
      - When a secret is sent that the server has but does not show. With V(always) the task is always changed.
      - One that the input lacks is sent at once.
  wait:
    type: bool
    default: true
    description: Whether the module waits for the end of its last step. Between two steps it always waits.
  wait_timeout:
    type: int
    default: 60
    description: Seconds to wait at most.
"""

EXAMPLES = r"""
- name: Logs of the services come in over TLS, from clients with a certificate
  graylog_input:
    username: admin
    password: "{{ vault_graylog_root_password }}"
    title: Services
    type: gelf_tcp
    port: 12201
    bind_address: 0.0.0.0
    tls:
      cert_file: /etc/raycrafter/tls/host.crt
      key_file: /etc/raycrafter/tls/host.key
      client_auth: required
      client_ca: /etc/raycrafter/tls/ca.crt
    static_fields:
      origin: services

- name: Nothing comes in over UDP
  graylog_input:
    token: "{{ vault_graylog_token }}"
    title: Old syslog
    state: absent
"""

RETURN = r"""
input:
  description: The input, its secrets hidden; in check mode as it would be.
  returned: when it is present
  type: dict
  contains:
    id:
      description: Its id, absent in check mode for one that would be made.
      type: str
    title:
      description: Its title.
      type: str
    type:
      description: Its Java class.
      type: str
    global:
      description: Whether every node has it.
      type: bool
    node:
      description: The node that has it, where it is not global.
      type: str
    configuration:
      description: Its settings as the server holds them.
      type: dict
    static_fields:
      description: Fields that it adds to every message.
      type: dict
input_state:
  description: Graylog's word for what the input does on this node, for example V(RUNNING); null where it is stopped.
  returned: always
  type: str
actions:
  description: What was done, of created, updated, static_fields, started, stopped, deleted.
  returned: always
  type: list
  elements: str
version:
  description: Version of Graylog.
  returned: always
  type: str
"""

from ..module_utils.graylog.client import GraylogClient
from ..module_utils.graylog.input_options import (
    DesiredInput,
    check_static_fields,
    gather_options,
    hide_secrets,
    resolve_type,
    secret_values,
)
from ..module_utils.graylog.inputs import Input
from ..module_utils.graylog.module import manage

ARGUMENTS = {
    "title": {"type": "str", "required": True},
    "type": {"type": "str"},
    "port": {"type": "int"},
    "bind_address": {"type": "str", "default": "127.0.0.1"},
    "global": {"type": "bool", "default": True},
    "tls": {
        "type": "dict",
        "options": {
            "enable": {"type": "bool", "default": True},
            "cert_file": {"type": "str"},
            "key_file": {"type": "str", "no_log": False},
            "key_password": {"type": "str", "no_log": True},
            "client_auth": {"type": "str", "choices": ["disabled", "optional", "required"]},
            "client_ca": {"type": "str"},
        },
    },
    # Hidden as a whole, also in the host's journal, until the server tells which options are secrets.
    "configuration": {"type": "dict", "default": {}, "no_log": True},
    "static_fields": {"type": "dict"},
    "running": {"type": "bool", "default": True},
    "update_secrets": {"type": "str", "choices": ["on_create", "always"], "default": "on_create", "no_log": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 60},
}


def desired_input(client: GraylogClient, params: dict) -> DesiredInput:
    """Return the desired settings, still in the user's types."""
    input_type = resolve_type(params["type"])
    options = gather_options(params["port"], params["bind_address"], params["tls"], params["configuration"])
    static_fields = check_static_fields(params["static_fields"])
    return DesiredInput(
        title=params["title"],
        type=input_type,
        is_global=params["global"],
        options=options,
        schema=client.input_schema(input_type),
        static_fields=static_fields,
        always_send_secrets=params["update_secrets"] == "always",
    )


def make(client: GraylogClient, params: dict) -> Input:
    """Return the input that the parameters describe."""
    present = params["state"] == "present"
    return Input(
        client,
        params["title"],
        desired_input(client, params) if present else None,
        running=params["running"],
        wait=params["wait"],
        timeout=params["wait_timeout"],
        check_certificate=bool((params["tls"] or {}).get("enable")),
    )


def secrets(resource: Input, params: dict) -> set[str]:
    """Return the values to mask: the login and those options that the server calls secrets."""
    known = {params["password"], params["token"], (params["tls"] or {}).get("key_password")} - {None, ""}
    return known | secret_values(params["configuration"], resource.schema)


def show(resource: Input, item: dict | None) -> dict:
    """Return the module's own return values."""
    if resource.schema is None:
        return {"input_state": None}
    shown = resource.answer(item)
    return {"input": hide_secrets(shown, resource.schema), "input_state": shown["state"]}


def main() -> None:
    """Run as a module."""
    manage(ARGUMENTS, make, show, secrets, required_if=[("state", "present", ["type", "port"])])


if __name__ == "__main__":
    main()
