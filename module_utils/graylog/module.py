"""What all modules for Graylog share of Ansible: the connection's arguments, check mode, diff and errors."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule, env_fallback

from .client import GraylogClient, GraylogError
from .reconcile import Resource, WishError, reconcile
from .transport import open_url

CONNECTION = {
    "url": {"type": "str", "default": "http://127.0.0.1:9000", "fallback": (env_fallback, ["GRAYLOG_URL"])},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "token": {"type": "str", "no_log": True, "fallback": (env_fallback, ["GRAYLOG_TOKEN"])},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "timeout": {"type": "int", "default": 30},
}
CONNECTION_RULES = {
    "required_one_of": [("token", "username")],
    "required_together": [("username", "password"), ("client_cert", "client_key")],
    "mutually_exclusive": [("token", "username")],
}
STATE = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}


def ask(arguments: dict, answer) -> None:
    """Run a module that only reads.

    arguments: its own, beside the connection's. answer: makes the module's answer of the client and the parameters.
    """
    module = AnsibleModule(argument_spec={**CONNECTION, **arguments}, supports_check_mode=True, **CONNECTION_RULES)
    try:
        client = GraylogClient.of(open_url, module.params)
        module.exit_json(changed=False, version=client.hello()["version"], **answer(client, module.params))
    except (GraylogError, WishError) as error:
        module.fail_json(msg=str(error))


def manage(arguments: dict, make, show, **rules) -> None:
    """Run a module that brings one thing to its wished state.

    arguments: its own, beside the connection's and `state`. rules: as AnsibleModule takes them (required_if and so on).
    make: makes the Resource of the client and the parameters. show: makes what the module returns of the resource and
    the server's item, which is None where there is none.
    """
    module = AnsibleModule(
        argument_spec={**CONNECTION, **STATE, **arguments},
        supports_check_mode=True,
        **{key: [*CONNECTION_RULES.get(key, []), *rules.get(key, [])] for key in {**CONNECTION_RULES, **rules}},
    )
    try:
        client = GraylogClient.of(open_url, module.params)
        resource: Resource = make(client, module.params)
        outcome = reconcile(resource, module.params["state"] == "present", module.check_mode)
        shown = show(resource, outcome.item)
        version = client.hello()["version"]
    except (GraylogError, WishError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=bool(outcome.actions),
        actions=outcome.actions,
        diff={"before": outcome.before, "after": outcome.after},
        version=version,
        **shown,
    )
