"""Test the rabbitmqctl commands: only differences, no passwords as arguments."""

from __future__ import annotations

import base64
import hashlib

import pytest
import rabbitmq
from ansible.errors import AnsibleFilterError

# Exported by RabbitMQ 4.0.5 for the password "guest".
GUEST = {
    "name": "guest",
    "password_hash": "aFr1phm6cpLkxJQk97YClTiqjJbWbO8fTusvIiHMhxi8+BXb",
    "hashing_algorithm": "rabbit_password_hashing_sha256",
    "tags": ["administrator"],
}
PERMISSION = {"configure": ".*", "write": ".*", "read": ".*"}
DESIRED = {"name": "app", "password": "long enough", "vhost": "work"}


def stored(name: str = "app", text: str = "long enough", tags: tuple[str, ...] = ()) -> dict:
    digest = hashlib.sha256(b"salt" + text.encode()).digest()
    hashed = base64.b64encode(b"salt" + digest).decode()
    return GUEST | {"name": name, "password_hash": hashed, "tags": list(tags)}


def definitions(users: list[dict], vhosts: tuple[str, ...] = ("/", "work"), rights: tuple = ()) -> dict:
    permissions = [{"user": user, "vhost": vhost, **kinds} for user, vhost, kinds in rights]
    return {"users": users, "vhosts": [{"name": name} for name in vhosts], "permissions": permissions}


def calls(steps: list[dict]) -> list[str]:
    return [" ".join(step["argv"]) for step in steps]


def test_new_broker_gets_all_commands() -> None:
    steps = rabbitmq.rabbitmq_steps(
        definitions([GUEST], ("/",), (("guest", "/", PERMISSION),)),
        ["work"],
        [DESIRED | {"tags": ["monitoring", "policymaker"]}],
    )
    assert calls(steps) == [
        "add_vhost work",
        "delete_user guest",
        "add_user app",
        "set_user_tags app monitoring policymaker",
        "set_permissions -p work app .* .* .*",
    ]


def test_configured_broker_gets_no_command() -> None:
    before = definitions(
        [stored(tags=("b", "a")), stored("other")], rights=(("app", "work", PERMISSION), ("other", "/", PERMISSION))
    )
    assert rabbitmq.rabbitmq_steps(before, ["work"], [DESIRED | {"tags": ["a", "b"]}]) == []


def test_password_is_input_and_never_an_argument() -> None:
    for users in ([], [stored(text="former")]):
        steps = rabbitmq.rabbitmq_steps(definitions(users), ["work"], [DESIRED])
        assert not [step for step in steps if DESIRED["password"] in step["argv"]]
        # RabbitMQ 4 reads the password from its input only without a third argument.
        assert [len(step["argv"]) for step in steps if step["stdin"] == DESIRED["password"]] == [2]


def test_changed_password_is_the_only_command() -> None:
    before = definitions([stored(text="former")], rights=(("app", "work", PERMISSION),))
    assert calls(rabbitmq.rabbitmq_steps(before, ["work"], [DESIRED])) == ["change_password app"]


def test_permissions_are_on_the_own_virtual_host_only() -> None:
    rights = (("app", "work", PERMISSION | {"read": ""}), ("app", "/", PERMISSION))
    steps = rabbitmq.rabbitmq_steps(definitions([stored()], rights=rights), ["work"], [DESIRED])
    assert calls(steps) == ["set_permissions -p work app .* .* .*", "clear_permissions -p / app"]


def test_undesired_tags_are_removed() -> None:
    before = definitions([stored(tags=("administrator",))], rights=(("app", "work", PERMISSION),))
    assert calls(rabbitmq.rabbitmq_steps(before, ["work"], [DESIRED])) == ["set_user_tags app"]


@pytest.mark.parametrize(
    ("user", "password", "matches"),
    [
        (GUEST, "guest", True),
        (GUEST, "Guest", False),
        (GUEST | {"hashing_algorithm": "rabbit_password_hashing_sha512"}, "guest", False),
        (GUEST | {"hashing_algorithm": "rabbit_password_hashing_md5"}, "guest", False),
        (GUEST | {"password_hash": ""}, "", False),
        ({"name": "nobody"}, "", False),
    ],
)
def test_password_matches_its_own_hash(user: dict, password: str, matches: bool) -> None:
    assert rabbitmq.rabbitmq_password_matches(user, password) is matches


def test_invalid_hash_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="guest is not base64"):
        rabbitmq.rabbitmq_password_matches(GUEST | {"password_hash": "***"}, "guest")
