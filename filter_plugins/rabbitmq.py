"""What rabbitmqctl has to be told so that a broker has the virtual hosts and users that it should."""

from __future__ import annotations

import base64
import hashlib
import hmac

from ansible.errors import AnsibleFilterError

SALT = 4  # bytes before the digest in a password's hash
HASHES = {"rabbit_password_hashing_sha256": "sha256", "rabbit_password_hashing_sha512": "sha512"}
EVERYTHING = [".*", ".*", ".*"]  # what a user may configure, write and read


def rabbitmq_password_fits(user: dict, password: str) -> bool:
    """Return whether a password is that of a user as `rabbitmqctl export_definitions` gives it.

    The user has password_hash, the base64 text of salt + digest(salt + password), and hashing_algorithm. A user without
    a password, or with a hash of another kind, has none that fits. Raises AnsibleFilterError when it is not base64.
    """
    algorithm = HASHES.get(user.get("hashing_algorithm", ""))
    try:
        stored = base64.b64decode(user.get("password_hash", ""), validate=True)
    except ValueError as error:
        raise AnsibleFilterError(f"the password hash of {user['name']} is not base64: {error}") from error
    if algorithm is None or len(stored) <= SALT:
        return False
    salt, digest = stored[:SALT], stored[SALT:]
    return hmac.compare_digest(digest, hashlib.new(algorithm, salt + password.encode()).digest())


def rabbitmq_steps(definitions: dict, vhosts: list[str], users: list[dict]) -> list[dict]:
    """Return the calls of rabbitmqctl that bring a broker from its definitions to these virtual hosts and users.

    definitions is what `rabbitmqctl export_definitions` writes; a user has name, password, vhost and perhaps tags. A
    call is {"argv": words after rabbitmqctl, "stdin": its input, a password, or None}. The user guest goes; other
    virtual hosts and users that are not listed stay. A listed user keeps no right on any virtual host but its own.
    """
    there = {user["name"]: user for user in definitions["users"]}
    rights = {
        (right["user"], right["vhost"]): [right[kind] for kind in ("configure", "write", "read")]
        for right in definitions["permissions"]
    }
    known = [vhost["name"] for vhost in definitions["vhosts"]]
    steps = [_step("add_vhost", vhost) for vhost in vhosts if vhost not in known]
    if "guest" in there:
        steps.append(_step("delete_user", "guest"))
    for user in users:
        name, vhost, tags = user["name"], user["vhost"], user.get("tags") or []
        if name not in there:
            steps.append(_step("add_user", name, stdin=user["password"]))
        elif not rabbitmq_password_fits(there[name], user["password"]):
            steps.append(_step("change_password", name, stdin=user["password"]))
        if sorted(there.get(name, {}).get("tags", [])) != sorted(tags):
            steps.append(_step("set_user_tags", name, *tags))
        if rights.get((name, vhost)) != EVERYTHING:
            steps.append(_step("set_permissions", "-p", vhost, name, *EVERYTHING))
        foreign = [other for owner, other in rights if owner == name and other != vhost]
        steps += [_step("clear_permissions", "-p", other, name) for other in foreign]
    return steps


def _step(*argv: str, stdin: str | None = None) -> dict:
    return {"argv": list(argv), "stdin": stdin}


class FilterModule:
    """Ansible's way to find the filters."""

    def filters(self) -> dict:
        return {"rabbitmq_steps": rabbitmq_steps}
