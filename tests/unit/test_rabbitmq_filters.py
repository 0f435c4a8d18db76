"""What rabbitmqctl is told: only what differs, and a password never as a word of the command."""

from __future__ import annotations

import base64
import hashlib

import pytest
import rabbitmq
from ansible.errors import AnsibleFilterError

# Made by RabbitMQ 4.0.5 for the password "guest".
GUEST = {
    "name": "guest",
    "password_hash": "aFr1phm6cpLkxJQk97YClTiqjJbWbO8fTusvIiHMhxi8+BXb",
    "hashing_algorithm": "rabbit_password_hashing_sha256",
    "tags": ["administrator"],
}
RIGHT = {"configure": ".*", "write": ".*", "read": ".*"}
WANTED = {"name": "app", "password": "long enough", "vhost": "work"}


def stored(name: str = "app", text: str = "long enough", tags: tuple[str, ...] = ()) -> dict:
    digest = hashlib.sha256(b"salt" + text.encode()).digest()
    hashed = base64.b64encode(b"salt" + digest).decode()
    return GUEST | {"name": name, "password_hash": hashed, "tags": list(tags)}


def definitions(users: list[dict], vhosts: tuple[str, ...] = ("/", "work"), rights: tuple = ()) -> dict:
    permissions = [{"user": user, "vhost": vhost, **kinds} for user, vhost, kinds in rights]
    return {"users": users, "vhosts": [{"name": name} for name in vhosts], "permissions": permissions}


def calls(steps: list[dict]) -> list[str]:
    return [" ".join(step["argv"]) for step in steps]


def test_a_new_broker_gets_everything() -> None:
    steps = rabbitmq.rabbitmq_steps(
        definitions([GUEST], ("/",), (("guest", "/", RIGHT),)),
        ["work"],
        [WANTED | {"tags": ["monitoring", "policymaker"]}],
    )
    assert calls(steps) == [
        "add_vhost work",
        "delete_user guest",
        "add_user app",
        "set_user_tags app monitoring policymaker",
        "set_permissions -p work app .* .* .*",
    ]


def test_a_broker_that_has_everything_is_left_alone() -> None:
    before = definitions(
        [stored(tags=("b", "a")), stored("other")], rights=(("app", "work", RIGHT), ("other", "/", RIGHT))
    )
    assert rabbitmq.rabbitmq_steps(before, ["work"], [WANTED | {"tags": ["a", "b"]}]) == []


def test_a_password_is_input_and_never_a_word() -> None:
    for users in ([], [stored(text="former")]):
        steps = rabbitmq.rabbitmq_steps(definitions(users), ["work"], [WANTED])
        assert not [step for step in steps if WANTED["password"] in step["argv"]]
        # With a third word RabbitMQ 4 does not read its input.
        assert [len(step["argv"]) for step in steps if step["stdin"] == WANTED["password"]] == [2]


def test_another_password_is_all_that_changes() -> None:
    before = definitions([stored(text="former")], rights=(("app", "work", RIGHT),))
    assert calls(rabbitmq.rabbitmq_steps(before, ["work"], [WANTED])) == ["change_password app"]


def test_rights_are_those_on_the_own_virtual_host() -> None:
    rights = (("app", "work", RIGHT | {"read": ""}), ("app", "/", RIGHT))
    steps = rabbitmq.rabbitmq_steps(definitions([stored()], rights=rights), ["work"], [WANTED])
    assert calls(steps) == ["set_permissions -p work app .* .* .*", "clear_permissions -p / app"]


def test_tags_that_are_not_asked_for_go() -> None:
    before = definitions([stored(tags=("administrator",))], rights=(("app", "work", RIGHT),))
    assert calls(rabbitmq.rabbitmq_steps(before, ["work"], [WANTED])) == ["set_user_tags app"]


@pytest.mark.parametrize(
    ("user", "password", "fits"),
    [
        (GUEST, "guest", True),
        (GUEST, "Guest", False),
        (GUEST | {"hashing_algorithm": "rabbit_password_hashing_sha512"}, "guest", False),
        (GUEST | {"hashing_algorithm": "rabbit_password_hashing_md5"}, "guest", False),
        (GUEST | {"password_hash": ""}, "", False),
        ({"name": "nobody"}, "", False),
    ],
)
def test_a_password_fits_its_own_hash(user: dict, password: str, fits: bool) -> None:
    assert rabbitmq.rabbitmq_password_fits(user, password) is fits


def test_a_hash_that_is_none_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="guest is not base64"):
        rabbitmq.rabbitmq_password_fits(GUEST | {"password_hash": "***"}, "guest")
