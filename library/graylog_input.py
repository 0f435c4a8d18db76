#!/usr/bin/python
# GNU General Public License v3.0 only (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ansible module; the logic is in module_utils/graylog/inputs.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: graylog_input
short_description: Manage TCP inputs of Graylog
version_added: "0.1.0"
description:
  - Creates, updates, starts, stops or deletes an input of Graylog 3.3 to 7, and waits until it runs.
  - Only the given options are compared and written. The module converts their values to the server's types, because the
    server silently ignores a value of the wrong type.
  - A failed input is started again if O(running) is true.
  - If O(wait) is true and TLS is enabled, the module compares the certificate that the input serves with
    O(tls.cert_file), because Graylog serves a self-signed certificate if it cannot read that file. If the module's host
    cannot read the file either, the module warns, and fails only for a self-signed certificate of Graylog.
  - UDP inputs can be deleted with this module, but not created.
author: RayCrafter (!UNKNOWN)
extends_documentation_fragment:
  - graylog
options:
  state:
    type: str
    choices: [present, absent]
    default: present
    description: Whether the input must exist.
  title:
    type: str
    required: true
    description: Title, which identifies the input.
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
    description: Address to listen on, V(0.0.0.0) for all addresses.
  global:
    type: bool
    default: true
    description: Whether every node of the cluster runs the input, or only the node at O(url).
  tls:
    type: dict
    description: TLS settings. Without it, the TLS settings stay unchanged.
    suboptions:
      enable:
        type: bool
        default: true
        description: Whether the input uses TLS.
      cert_file:
        type: str
        description: Certificate on the Graylog host, PEM.
      key_file:
        type: str
        description: Key on the Graylog host, PEM; PKCS#8 for Graylog 3.3.
      key_password:
        type: str
        description: Password of the key. A key file that only Graylog can read is more secure.
      client_auth:
        type: str
        choices: [disabled, optional, required]
        description: Whether clients must present a certificate.
      client_ca:
        type: str
        description: PEM file on the Graylog host with the authorities of client certificates.
  configuration:
    type: dict
    default: {}
    description:
      - Further options of the input's type, with Graylog's own keys. Null resets an option to its default.
      - Options that the server declares as secrets are never shown.
  static_fields:
    type: dict
    description: The exact set of fields that the input adds to every message. Without it, they stay unchanged.
  running:
    type: bool
    default: true
    description: Whether the input must run. Graylog 3.3 starts a stopped input when the server restarts.
  update_secrets:
    type: str
    choices: [on_create, always]
    default: on_create
    description:
      - When to write a secret that the server has but does not show. V(always) reports a change in every run.
      - A secret that the input does not have is always written.
  wait:
    type: bool
    default: true
    description: Whether to wait for the end of the last step. Between two steps the module always waits.
  wait_timeout:
    type: int
    default: 60
    description: Maximum seconds to wait.
"""

EXAMPLES = r"""
- name: Receive logs of services over TLS, from clients with a certificate
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

- name: Delete a UDP input
  graylog_input:
    token: "{{ vault_graylog_token }}"
    title: Old syslog
    state: absent
"""

RETURN = r"""
input:
  description: The input, with secrets hidden. In check mode, it is shown as after the change.
  returned: when O(state=present)
  type: dict
  contains:
    id:
      description: Graylog's id, null in check mode for a new input.
      type: str
    title:
      description: Title.
      type: str
    type:
      description: Java class of the type.
      type: str
    global:
      description: Whether every node runs the input.
      type: bool
    node:
      description: The node of an input that is not global.
      type: str
    configuration:
      description: Settings as stored.
      type: dict
    static_fields:
      description: Fields that the input adds to every message.
      type: dict
input_state:
  description: Graylog's name of the state on this node, for example V(RUNNING); null for a stopped input.
  returned: always
  type: str
actions:
  description: The actions taken, of created, updated, static_fields, started, stopped, deleted.
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
    # Hidden as a whole, also in the host's journal, until the server names the options that are secrets.
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
    """Return the values to mask: the login, and options that are secrets."""
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
