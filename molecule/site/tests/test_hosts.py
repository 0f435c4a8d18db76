"""Checks of every managed host."""

from __future__ import annotations

import uuid

import pytest
from scenario import wait_for
from service import MANAGED, as_root, over_ssh

testinfra_hosts = [as_root(name) for name in MANAGED]


def test_no_unit_failed(host):
    assert host.run("systemctl is-system-running").stdout.strip() == "running", host.check_output("systemctl --failed")


def test_no_udp_is_served(host):
    sockets = [line.split()[3] for line in host.check_output("ss -H -lun").splitlines()]
    assert [socket for socket in sockets if not socket.startswith(("127.", "[::1]"))] == []


def test_udp_is_blocked(host):
    # bash opens the socket; the firewall's rejection shows at the second write at the latest.
    sent = host.run("bash -c 'exec 3>/dev/udp/203.0.113.1/12201 && echo x >&3 && echo y >&3'")
    assert sent.rc != 0


def test_journal_line_is_found_in_graylog(host, found):
    mark = uuid.uuid4().hex
    host.check_output(f"logger -t site-test {mark}")
    name = host.check_output("hostname")
    wait_for("the line arrived", lambda: found(f'message:"{mark}" AND source:{name} AND program:site-test') == 1)


def test_secrets_are_not_readable_by_others(host, secrets):
    # Pass the values by standard input: on a command line, sudo would log them and Graylog would store them.
    find = "find /etc /opt /var/lib /var/log -xdev -type f -readable -exec grep -lFf $needles {} + 2>/dev/null"
    script = f"umask 077; needles=$(mktemp); cat >$needles; {find}; rm $needles"
    leaks = over_ssh(host.backend.hostname, f"sudo -u nobody sh -c '{script}'", "\n".join(secrets.values()) + "\n")
    assert leaks == ""


@pytest.mark.parametrize("directory", ["/etc/raycrafter/tls"])
def test_host_key_is_readable_by_its_group_only(host, directory):
    key = host.file(f"{directory}/host.key")
    assert (key.user, key.group, key.mode) == ("root", "ssl-cert", 0o640)
