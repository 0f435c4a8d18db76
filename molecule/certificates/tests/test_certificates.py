"""Hosts know one another by their certificates, which are renewed in time and told of."""

import os
import subprocess
from pathlib import Path

import pytest

OTHER = {"older": "newer", "newer": "older"}
TLS = "/etc/raycrafter/tls"
OWN = f"-cert {TLS}/host.crt -key {TLS}/host.key"
PKI = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "pki")


def ask(host, options: str) -> str:
    """Return what the other host's listener answers to this one, with options of openssl s_client."""
    other = OTHER[host.check_output("hostname")]
    options = f"-quiet -connect {other}:4433 -CAfile {TLS}/ca.crt -verify_return_error {options}".format(other=other)
    with host.sudo():
        return host.run(f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 20 openssl s_client {options}").stdout


def told(host, path: str, what: str) -> str:
    """Return what openssl x509 tells of a certificate on the host."""
    return host.check_output(f"openssl x509 -noout -in {path} -{what}")


@pytest.mark.parametrize("name", ["{other}", "localhost", "alias.example"])
def test_hosts_know_one_another_by_name(host, name):
    assert "200 ok" in ask(host, f"{OWN} -verify_hostname {name}")


def test_hosts_know_one_another_by_address(host):
    address = host.check_output(f"getent ahostsv4 {OTHER[host.check_output('hostname')]}").split()[0]
    assert "200 ok" in ask(host, f"{OWN} -verify_ip {address}")


@pytest.mark.parametrize("options", [f"{OWN} -verify_hostname stranger", "-verify_hostname {other}"])
def test_a_wrong_name_and_a_client_without_certificate_get_nothing(host, options):
    assert ask(host, options) == ""


def test_a_certificate_near_its_end_was_renewed_for_the_same_key(host):
    assert told(host, f"{TLS}/host.crt", "serial") != told(host, "/var/tmp/before/host.crt", "serial")
    assert told(host, f"{TLS}/host.crt", "pubkey") == told(host, "/var/tmp/before/host.crt", "pubkey")
    assert told(host, f"{TLS}/ca.crt", "serial") == told(host, "/var/tmp/before/ca.crt", "serial")
    assert host.run(f"openssl x509 -noout -in {TLS}/host.crt -checkend {360 * 86400}").rc == 0


def test_services_were_told(host):
    served = host.check_output(
        "openssl s_client -connect localhost:4433 </dev/null 2>/dev/null | openssl x509 -noout -serial"
    )
    assert served == told(host, "/run/reader.crt", "serial") == told(host, f"{TLS}/host.crt", "serial")


def test_the_key_is_for_root_and_the_group_of_services(host):
    key = host.file(f"{TLS}/host.key")
    assert (key.user, key.group, key.mode) == ("root", "ssl-cert", 0o640)


@pytest.mark.parametrize(("authority", "vouches"), [("cluster-ca", True), ("ca", False)])
def test_the_clusters_authority_alone_vouches_for_its_clients(authority, vouches):
    command = [
        "openssl",
        "verify",
        "-purpose",
        "sslclient",
        "-CAfile",
        PKI / f"{authority}.crt",
        PKI / "cluster-client.crt",
    ]
    assert (subprocess.run(command, capture_output=True).returncode == 0) is vouches


def test_nobody_else_reads_the_keys_on_the_controller():
    assert {path.name: oct(path.stat().st_mode) for path in PKI.glob("*.key")} == dict.fromkeys(
        ["ca.key", "cluster-ca.key", "cluster-client.key"], "0o100600"
    )
