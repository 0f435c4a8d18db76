"""Test the renewal of the proxy and transfers to and from the cluster."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

testinfra_hosts = ["ansible://role_hosts"]

PKI = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "pki")
CERT, KEY = "/etc/raycrafter/grid/usercert.pem", "/etc/raycrafter/grid/userkey.pem"
PROXY = "/var/lib/raycrafter/grid/proxy.pem"
UNIT = "raycrafter-grid-proxy"
HOURS = 6


def as_service(command: str) -> str:
    """Return a command line that runs a shell command as the user with the proxy."""
    return f"sudo -u raycrafter env X509_USER_PROXY={PROXY} sh -c '{command}'"


def seconds_left(host) -> int:
    return int(host.check_output(as_service(f"grid-proxy-info -file {PROXY} -timeleft")))


def journal(host, options: str) -> str:
    """Return the messages of the unit after flushing the journal."""
    return host.check_output(f"journalctl --sync; journalctl -u {UNIT} -o cat --no-pager {options}")


@pytest.fixture
def put_certificate(host):
    """Return a function that installs a certificate of side_effect.yml.

    The fixture restores the service's own certificate afterwards.
    """

    def put(name: str) -> None:
        pem = (PKI / f"{name}.pem").read_text()
        host.check_output(f"printf %s '{pem}' >{CERT}")

    with host.sudo():
        host.check_output(f"cp -p {CERT} /root/usercert.pem")
        yield put
        host.check_output(f"mv /root/usercert.pem {CERT}")
        host.check_output(f"systemctl restart {UNIT}.service")


def test_proxy_has_the_configured_lifetime(host):
    assert HOURS * 1800 < seconds_left(host) <= HOURS * 3600


def test_timer_creates_a_missing_proxy(host):
    hurry = f"/run/systemd/system/{UNIT}.timer.d"
    with host.sudo():
        host.check_output(f"rm {PROXY} && mkdir {hurry} && printf '[Timer]\nOnUnitActiveSec=2s\n' >{hurry}/hurry.conf")
        host.check_output(f"systemctl daemon-reload && systemctl restart {UNIT}.timer")
        host.check_output(f"timeout 30 bash -c 'until [ -s {PROXY} ]; do sleep 0.2; done'")
        host.check_output(f"rm -r {hurry} && systemctl daemon-reload && systemctl restart {UNIT}.timer")
    assert seconds_left(host) > HOURS * 3600 - 120


def test_file_returns_unchanged_from_the_cluster(host):
    url = f"gsiftp://login1:2811/home/render/{host.check_output('hostname')}.bin"
    host.check_output(as_service("cd /var/lib/raycrafter && head -c 20000003 /dev/urandom >there && rm -f back"))
    host.check_output(as_service(f"globus-url-copy -p 4 file:///var/lib/raycrafter/there {url}"))
    host.check_output(as_service(f"globus-url-copy {url} file:///var/lib/raycrafter/back"))
    host.check_output(as_service("cd /var/lib/raycrafter && cmp there back && rm there back"))


@pytest.mark.parametrize("path", [KEY, PROXY])
def test_key_and_proxy_are_readable_by_the_service_only(host, path):
    host.check_output(f"sudo -u raycrafter cat {path}")
    for other in ("nobody", "ansible", "www-data"):
        assert host.run(f"sudo -u {other} cat {path}").rc != 0


def test_expired_certificate_is_reported_and_keeps_the_old_proxy(host, put_certificate):
    before = host.check_output(f"sha256sum {PROXY}")
    put_certificate("expired")
    assert host.run(f"systemctl restart {UNIT}.service").rc != 0
    assert "The certificate has expired" in journal(host, "-n 20")
    assert host.check_output(f"sha256sum {PROXY}") == before


def test_certificate_that_expires_soon_is_reported(host, put_certificate):
    put_certificate("ending")
    host.check_output(f"systemctl restart {UNIT}.service")
    assert "expires within 30 days" in journal(host, "-p warning -n 3")
