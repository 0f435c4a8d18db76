"""Test trusted CAs, time zone, journal and the entry points for other roles."""

import json
import os
import subprocess
from pathlib import Path

import pytest

PKI = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "pki")


def signed_by(authority: str) -> str:
    """Sign a new certificate with a CA of the scenario; return it in PEM."""
    issuer = ["-CA", PKI / f"{authority}.pem", "-CAkey", PKI / f"{authority}.key"]
    leaf = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-subj", "/CN=leaf", "-keyout", "/dev/null"]
    constraint = ["-addext", "basicConstraints=critical,CA:FALSE"]
    return subprocess.run([*leaf, *issuer, *constraint], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(("authority", "trusted"), [("site", True), ("former", False)])
def test_current_cas_are_trusted_and_removed_ones_are_not(host, authority, trusted):
    answer = host.run(f"echo '{signed_by(authority)}' | openssl verify")
    assert (answer.rc == 0) is trusted, answer.stdout + answer.stderr


def test_time_zone_is_set(host):
    assert host.check_output("date -d '2026-01-15 12:00' +%Z") == "CET"


def test_journal_drops_no_message_at_a_high_rate(host):
    # By default journald drops lines beyond 35,000 of a unit in 30 seconds, with a journal of 1 GB.
    with host.sudo():
        host.check_output("seq 40000 | systemd-cat -t common-much && journalctl --sync")
        assert host.check_output("journalctl -t common-much -o cat | sort -u | wc -l") == "40000"


def test_journal_is_persistent_and_limited(host):
    with host.sudo():
        host.check_output(
            "logger -t common-test before && journalctl --sync && rm -rf /run/log/journal/* && "
            "systemctl restart systemd-journald"
        )
        assert host.check_output("journalctl -t common-test -o cat -n 1") == "before"
        # The message in which journald reports its directory and its maximum size.
        usage = host.check_output(
            "journalctl MESSAGE_ID=ec387f577b844b8fa948f33cad9a75e6 JOURNAL_NAME='System Journal' -o json -n 1"
        )
        assert json.loads(usage)["MAX_USE"] == str(200 * 1024**2)


def test_log_files_are_rotated(host):
    assert host.check_output("systemctl is-active logrotate.timer") == "active"
    with host.sudo():
        host.check_output("systemctl start logrotate.service")


def test_updates_never_reboot_the_host(host):
    assert "false" in host.check_output("apt-config dump Unattended-Upgrade::Automatic-Reboot")


def test_service_with_the_restart_rule_restarts_after_every_exit(host):
    # By default systemd stops restarting after five starts within ten seconds.
    again = """for signal in KILL TERM KILL TERM KILL TERM; do
        old=$(systemctl show -P MainPID sleeper) && kill -$signal $old
        until new=$(systemctl show -P MainPID sleeper) && [ $new -gt 0 ] && [ $new != $old ]; do sleep 0.1; done
    done"""
    with host.sudo():
        host.check_output(f"timeout 60 bash -ec '{again}'")
        limits = host.check_output("prlimit --pid $(systemctl show -P MainPID sleeper) --nofile --noheadings -o HARD")
        assert limits.strip() == "4321"


def test_kernel_parameters_are_set_now_and_at_boot(host):
    ask = "sysctl -n net.ipv4.tcp_keepalive_time"
    with host.sudo():
        assert host.check_output(ask) == "321"
        host.check_output("sysctl -w net.ipv4.tcp_keepalive_time=7200 && systemctl restart systemd-sysctl")
        assert host.check_output(ask) == "321"


def test_kernel_parameters_of_a_container_are_unchanged(host):
    assert not host.file("/etc/sysctl.d/60-container.conf").exists
