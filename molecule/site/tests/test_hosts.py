"""What is true of every managed host."""

from __future__ import annotations

import uuid

import pytest
from service import MANAGED, wait_for

testinfra_hosts = [f"ansible://{name}?sudo=true" for name in MANAGED]


def test_no_unit_failed(host):
    assert host.run("systemctl is-system-running").stdout.strip() == "running", host.check_output("systemctl --failed")


def test_no_udp_is_served(host):
    sockets = [line.split()[3] for line in host.check_output("ss -H -lun").splitlines()]
    assert [socket for socket in sockets if not socket.startswith(("127.", "[::1]"))] == []


def test_udp_does_not_leave(host):
    # bash opens the socket; the firewall's answer comes back as an error of the second write at the latest.
    sent = host.run("bash -c 'exec 3>/dev/udp/203.0.113.1/12201 && echo x >&3 && echo y >&3'")
    assert sent.rc != 0


def test_a_line_in_the_journal_is_found_in_graylog(host, found):
    mark = uuid.uuid4().hex
    host.check_output(f"logger -t site-test {mark}")
    name = host.check_output("hostname")
    wait_for("the line arrived", lambda: found(f'message:"{mark}" AND source:{name}') == 1)


def test_secrets_are_not_readable_by_others(host, secrets):
    names = " ".join(f"-e {value}" for value in secrets.values())
    leaks = host.run(f"find /etc /opt /var/lib /var/log -xdev -type f -perm -o=r -exec grep -lF {names} {{}} +")
    assert leaks.stdout == ""


@pytest.mark.parametrize("directory", ["/etc/raycrafter/tls"])
def test_the_key_of_the_host_is_guarded(host, directory):
    key = host.file(f"{directory}/host.key")
    assert (key.user, key.group, key.mode) == ("root", "ssl-cert", 0o640)
