"""Filters for RabbitMQ: plan the rabbitmqctl commands for virtual hosts and users."""

from __future__ import annotations

import base64
import hashlib
import hmac

from ansible.errors import AnsibleFilterError

SALT_BYTES = 4  # before the digest in a password's hash
HASHES = {"rabbit_password_hashing_sha256": "sha256", "rabbit_password_hashing_sha512": "sha512"}
ALL_PERMISSIONS = [".*", ".*", ".*"]  # patterns for configure, write and read


def rabbitmq_password_matches(user: dict, password: str) -> bool:
    """Return whether ``password`` is the password of a user.

    ``user`` is from `rabbitmqctl export_definitions`: password_hash is the base64 text of salt + digest(salt +
    password). No password matches a user without a hash or with an unknown hashing_algorithm. Raises
    AnsibleFilterError if the hash is not base64.
    """
    algorithm = HASHES.get(user.get("hashing_algorithm", ""))
    try:
        stored = base64.b64decode(user.get("password_hash", ""), validate=True)
    except ValueError as error:
        raise AnsibleFilterError(
            f"the password hash of {user['name']} is not base64: {error}; set it with rabbitmqctl change_password"
        ) from error
    if algorithm is None or len(stored) <= SALT_BYTES:
        return False
    salt, digest = stored[:SALT_BYTES], stored[SALT_BYTES:]
    return hmac.compare_digest(digest, hashlib.new(algorithm, salt + password.encode()).digest())


def rabbitmq_steps(definitions: dict, vhosts: list[str], users: list[dict]) -> list[dict]:
    """Return the rabbitmqctl commands that create or update virtual hosts and users.

    definitions: the output of `rabbitmqctl export_definitions`.
    users: dicts with name, password, vhost and optionally tags.
    A command is {"argv": arguments of rabbitmqctl, "stdin": a password or None}. The user guest is deleted; other
    unlisted users and virtual hosts stay. A listed user has permissions on its own virtual host only.
    """
    current = {user["name"]: user for user in definitions["users"]}
    permissions = {
        (right["user"], right["vhost"]): [right[kind] for kind in ("configure", "write", "read")]
        for right in definitions["permissions"]
    }
    current_vhosts = [vhost["name"] for vhost in definitions["vhosts"]]
    steps = [_step("add_vhost", vhost) for vhost in vhosts if vhost not in current_vhosts]
    if "guest" in current:
        steps.append(_step("delete_user", "guest"))
    for user in users:
        name, vhost, tags = user["name"], user["vhost"], user.get("tags") or []
        if name not in current:
            steps.append(_step("add_user", name, stdin=user["password"]))
        elif not rabbitmq_password_matches(current[name], user["password"]):
            steps.append(_step("change_password", name, stdin=user["password"]))
        if sorted(current.get(name, {}).get("tags", [])) != sorted(tags):
            steps.append(_step("set_user_tags", name, *tags))
        if permissions.get((name, vhost)) != ALL_PERMISSIONS:
            steps.append(_step("set_permissions", "-p", vhost, name, *ALL_PERMISSIONS))
        foreign = [other for owner, other in permissions if owner == name and other != vhost]
        steps += [_step("clear_permissions", "-p", other, name) for other in foreign]
    return steps


def _step(*argv: str, stdin: str | None = None) -> dict:
    return {"argv": list(argv), "stdin": stdin}


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self) -> dict:
        return {"rabbitmq_steps": rabbitmq_steps}
