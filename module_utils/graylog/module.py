"""Run Graylog modules: connection arguments, check mode, diff and errors."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule, env_fallback

from .client import GraylogClient, GraylogError
from .reconcile import DesiredStateError, Resource, reconcile
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


def gather(arguments: dict, answer) -> None:
    """Run a module that only reads.

    arguments: the module's own, in addition to the connection's.
    answer: function of the client and the parameters that returns the module's own return values.
    """
    module = AnsibleModule(argument_spec={**CONNECTION, **arguments}, supports_check_mode=True, **CONNECTION_RULES)
    try:
        client = GraylogClient.of(open_url, module.params)
        module.exit_json(changed=False, version=client.hello()["version"], **answer(client, module.params))
    except (GraylogError, DesiredStateError) as error:
        module.fail_json(msg=str(error))


def manage(arguments: dict, make, show, secrets=None, **rules) -> None:
    """Run a module that brings one resource to its desired state.

    arguments: the module's own, in addition to the connection's and `state`.
    make: function of the client and the parameters that returns the Resource.
    show: function of the resource and the server's item (None if absent) that returns the module's own return values.
    secrets: function of the resource and the parameters that returns the values to mask. It replaces the values of all
    `no_log` arguments as soon as the server has named the secrets among them.
    rules: as AnsibleModule takes them (required_if and so on).
    """
    module = AnsibleModule(
        argument_spec={**CONNECTION, **STATE, **arguments},
        supports_check_mode=True,
        **{key: [*CONNECTION_RULES.get(key, []), *rules.get(key, [])] for key in {**CONNECTION_RULES, **rules}},
    )
    present = module.params["state"] == "present"
    try:
        client = GraylogClient.of(open_url, module.params)
        version = client.hello()["version"]
        resource: Resource = make(client, module.params)
        if secrets and present:
            module.no_log_values = secrets(resource, module.params)
        outcome = reconcile(resource, present, module.check_mode)
        shown = show(resource, outcome.item)
    except (GraylogError, DesiredStateError) as error:
        module.fail_json(msg=str(error))
    for warning in outcome.warnings:
        module.warn(warning)
    module.exit_json(
        changed=bool(outcome.actions),
        actions=outcome.actions,
        diff={"before": outcome.before, "after": outcome.after},
        version=version,
        **shown,
    )
