"""What every host has: trust, time zone, a journal that lasts, and what the other roles ask for."""

import json
import os
import subprocess
from pathlib import Path

import pytest

PKI = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "pki")


def signed_by(authority: str) -> str:
    """Return a certificate, in PEM, that one of the scenario's authorities signed just now."""
    issuer = ["-CA", PKI / f"{authority}.pem", "-CAkey", PKI / f"{authority}.key"]
    leaf = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-subj", "/CN=leaf", "-keyout", "/dev/null"]
    constraint = ["-addext", "basicConstraints=critical,CA:FALSE"]
    return subprocess.run([*leaf, *issuer, *constraint], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(("authority", "trusted"), [("site", True), ("former", False)])
def test_the_sites_authorities_are_trusted_and_former_ones_no_more(host, authority, trusted):
    answer = host.run(f"echo '{signed_by(authority)}' | openssl verify")
    assert (answer.rc == 0) is trusted, answer.stdout + answer.stderr


def test_the_time_zone(host):
    assert host.check_output("date -d '2026-01-15 12:00' +%Z") == "CET"


def test_the_journal_drops_nothing_for_being_much(host):
    """journald's own limit would be 35,000 lines of a unit in 30 seconds, with a journal of 1 GB."""
    with host.sudo():
        host.check_output("seq 40000 | systemd-cat -t common-much && journalctl --sync")
        assert host.check_output("journalctl -t common-much -o cat | sort -u | wc -l") == "40000"


def test_the_journal_lasts_and_has_a_limit(host):
    with host.sudo():
        host.check_output(
            "logger -t common-test before && journalctl --sync && rm -rf /run/log/journal/* && "
            "systemctl restart systemd-journald"
        )
        assert host.check_output("journalctl -t common-test -o cat -n 1") == "before"
        # The message in which journald tells where it writes and how much it may.
        usage = host.check_output(
            "journalctl MESSAGE_ID=ec387f577b844b8fa948f33cad9a75e6 JOURNAL_NAME='System Journal' -o json -n 1"
        )
        assert json.loads(usage)["MAX_USE"] == str(200 * 1024**2)


def test_old_log_files_are_put_away(host):
    assert host.check_output("systemctl is-active logrotate.timer") == "active"
    with host.sudo():
        host.check_output("systemctl start logrotate.service")


def test_no_update_restarts_the_host(host):
    assert "false" in host.check_output("apt-config dump Unattended-Upgrade::Automatic-Reboot")


def test_a_service_with_the_restart_rule_comes_back_however_often_it_ends(host):
    # systemd itself would give up after five times within ten seconds.
    again = """for signal in KILL TERM KILL TERM KILL TERM; do
        old=$(systemctl show -P MainPID sleeper) && kill -$signal $old
        until new=$(systemctl show -P MainPID sleeper) && [ $new -gt 0 ] && [ $new != $old ]; do sleep 0.1; done
    done"""
    with host.sudo():
        host.check_output(f"timeout 60 bash -ec '{again}'")
        limits = host.check_output("prlimit --pid $(systemctl show -P MainPID sleeper) --nofile --noheadings -o HARD")
        assert limits.strip() == "4321"


def test_kernel_settings_hold_and_come_back_at_the_next_start(host):
    ask = "sysctl -n net.ipv4.tcp_keepalive_time"
    with host.sudo():
        assert host.check_output(ask) == "321"
        host.check_output("sysctl -w net.ipv4.tcp_keepalive_time=7200 && systemctl restart systemd-sysctl")
        assert host.check_output(ask) == "321"


def test_kernel_settings_of_a_container_are_left_alone(host):
    assert not host.file("/etc/sysctl.d/60-container.conf").exists
