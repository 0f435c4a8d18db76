"""Test the filter that finds misspelt role variables."""

import pytest
from variables import misspelt_variables

SPECS = {
    "cluster": "argument_specs: {main: {options: {cluster_name: {type: str}}}}",
    "cluster_client": "argument_specs: {main: {options: {cluster_client_dir: {type: str}}}, other: {}}",
}


@pytest.fixture
def roles(tmp_path):
    for role, text in SPECS.items():
        path = tmp_path / role / "meta" / "argument_specs.yml"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return tmp_path


def test_valid_and_foreign_names_are_accepted(roles):
    names = [
        "cluster_name",
        "cluster_client_dir",
        "ansible_host",
        "clustername",
        "__cluster_secret",
        "vault_cluster_key",
    ]
    assert misspelt_variables(names, roles) == []


def test_misspelt_name_is_reported_with_the_nearest(roles):
    assert misspelt_variables(["cluster_nmae", "cluster_client_zone"], roles) == [
        "cluster_client_zone is no variable of the role cluster_client",
        "cluster_nmae is no variable of the role cluster: did you mean cluster_name?",
    ]
