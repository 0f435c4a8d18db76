"""Test the checks of names and values of an inventory's variables."""

import pytest
from variables import name_fault, value_faults

ROLES = {"cluster": {"cluster_name": {}}, "cluster_client": {"cluster_client_dir": {}}}
MAIL = {
    "type": "dict",
    "options": {
        "host": {"type": "str"},
        "port": {"type": "int"},
        "password": {"type": "str", "no_log": True},
        "operators": {"type": "list", "elements": "dict", "options": {"address": {"type": "str"}}},
    },
}


@pytest.mark.parametrize("name", ["cluster_name", "cluster_client_dir", "clustername", "site_colour", "mail"])
def test_known_and_foreign_names_are_accepted(name):
    assert name_fault(name, ROLES, {"mail", "operator_networks"}) is None


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("cluster_client_zone", "no variable of the role cluster_client"),
        ("cluster_nmae", "no variable of the role cluster; did you mean cluster_name?"),
        ("operator_network", "unknown; did you mean operator_networks?"),
    ],
)
def test_misspelt_name_is_reported_with_the_nearest(name, fix):
    assert name_fault(name, ROLES, {"mail", "operator_networks"}) == fix


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        ({"host": "relay", "port": "25"}, []),
        ({"hots": "relay"}, [("mail.hots", "no such key; did you mean host?")]),
        ({"operators": [{"adress": "a"}]}, [("mail.operators[0].adress", "no such key; did you mean address?")]),
        ({"host": 1.5}, [("mail.host", "YAML reads it as a number or a truth value; put it in quotes")]),
    ],
)
def test_value_is_compared_with_the_options_at_every_depth(value, faults):
    assert list(value_faults("mail", value, MAIL)) == faults


def test_message_has_no_secret():
    ((place, message),) = value_faults("mail", {"password": {"a": "hunter2"}, "port": "x"}, MAIL)
    assert place == "mail" and "port" in message and "hunter2" not in message
