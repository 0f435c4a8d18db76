"""Test mutual authentication, renewal and the notification of services."""

import os
import subprocess
from pathlib import Path

import pytest

OTHER = {"older": "newer", "newer": "older"}
TLS = "/etc/raycrafter/tls"
OWN = f"-cert {TLS}/host.crt -key {TLS}/host.key"
PKI = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "pki")


def ask(host, options: str) -> str:
    """Return the response of the other host's listener to openssl s_client."""
    other = OTHER[host.check_output("hostname")]
    options = f"-quiet -connect {other}:4433 -CAfile {TLS}/ca.crt -verify_return_error {options}".format(other=other)
    with host.sudo():
        return host.run(f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 20 openssl s_client {options}").stdout


def x509(host, path: str, field: str) -> str:
    """Return a field of a certificate on the host, as openssl x509 prints it."""
    return host.check_output(f"openssl x509 -noout -in {path} -{field}")


@pytest.mark.parametrize("name", ["{other}", "localhost", "alias.example"])
def test_hosts_authenticate_each_other_by_name(host, name):
    assert "200 ok" in ask(host, f"{OWN} -verify_hostname {name}")


def test_hosts_authenticate_each_other_by_address(host):
    address = host.check_output(f"getent ahostsv4 {OTHER[host.check_output('hostname')]}").split()[0]
    assert "200 ok" in ask(host, f"{OWN} -verify_ip {address}")


@pytest.mark.parametrize("options", [f"{OWN} -verify_hostname stranger", "-verify_hostname {other}"])
def test_handshake_fails_for_a_wrong_name_or_without_a_client_certificate(host, options):
    assert ask(host, options) == ""


def test_expiring_certificate_is_renewed_with_the_same_key(host):
    assert x509(host, f"{TLS}/host.crt", "serial") != x509(host, "/var/tmp/before/host.crt", "serial")
    assert x509(host, f"{TLS}/host.crt", "pubkey") == x509(host, "/var/tmp/before/host.crt", "pubkey")
    assert x509(host, f"{TLS}/ca.crt", "serial") == x509(host, "/var/tmp/before/ca.crt", "serial")
    assert host.run(f"openssl x509 -noout -in {TLS}/host.crt -checkend {360 * 86400}").rc == 0


def test_services_use_the_renewed_certificate(host):
    served = host.check_output(
        "openssl s_client -connect localhost:4433 </dev/null 2>/dev/null | openssl x509 -noout -serial"
    )
    assert served == x509(host, "/run/reader.crt", "serial") == x509(host, f"{TLS}/host.crt", "serial")


def test_host_key_is_readable_by_root_and_ssl_cert_only(host):
    key = host.file(f"{TLS}/host.key")
    assert (key.user, key.group, key.mode) == ("root", "ssl-cert", 0o640)


@pytest.mark.parametrize(("authority", "valid"), [("cluster-ca", True), ("ca", False)])
def test_client_certificate_is_signed_by_the_cluster_ca_only(authority, valid):
    command = [
        "openssl",
        "verify",
        "-purpose",
        "sslclient",
        "-CAfile",
        PKI / f"{authority}.crt",
        PKI / "cluster-client.crt",
    ]
    assert (subprocess.run(command, capture_output=True).returncode == 0) is valid


def test_keys_on_the_controller_are_readable_by_their_owner_only():
    assert {path.name: oct(path.stat().st_mode) for path in PKI.glob("*.key")} == dict.fromkeys(
        ["ca.key", "cluster-ca.key", "cluster-client.key"], "0o100600"
    )
