"""What needs a person stands in the journal, and nothing else does."""

from __future__ import annotations

import json

from scenario import wait_for

SETTINGS = "/etc/raycrafter/watch.json"


def findings(host, settings: str = SETTINGS) -> list[str]:
    """Return what a look finds, without the level that stands before each line."""
    done = host.run("python3 /usr/local/lib/raycrafter/watch.py %s", settings)
    assert not done.stderr, done.stderr
    return [line.removeprefix("<4>") for line in done.stdout.splitlines()]


def with_settings(host, **changes) -> str:
    """Write the settings of the host with changes to another file, and return its path."""
    settings = json.loads(host.file(SETTINGS).content_string) | changes
    host.check_output("printf '%%s' %s > /run/watch.json", json.dumps(settings))
    return "/run/watch.json"


def test_a_timer_brings_the_findings_into_the_journal(host):
    with host.sudo():
        host.check_output("systemctl start raycrafter-watch.service && journalctl --sync")
        lines = host.check_output("journalctl -t raycrafter-watch -p warning -o cat")
    assert "certificate: /etc/raycrafter/tls/host.crt ends in" in lines
    assert "disk: / is" in lines
    assert "Trigger: n/a" not in host.check_output("systemctl status raycrafter-watch.timer")


def test_within_the_limits_nothing_is_said(host):
    with host.sudo():
        quiet = with_settings(host, disk_percent=101, certificate_days=0)
        assert findings(host, quiet) == []


def test_a_unit_that_failed_is_named_until_it_is_mended(host):
    with host.sudo():
        quiet = with_settings(host, disk_percent=101, certificate_days=0)
        host.check_output("systemd-run --unit=watch-test --remain-after-exit false")
        wait_for("the unit has failed", lambda: host.run("systemctl is-failed watch-test").rc == 0)
        assert any(line.startswith("service: watch-test.service has failed") for line in findings(host, quiet))
        host.check_output("systemctl reset-failed watch-test")
        assert findings(host, quiet) == []


def test_what_cannot_be_seen_is_said_and_the_rest_is_seen(host):
    with host.sudo():
        blind = with_settings(host, certificates=["/nosuch/*.crt"])
        lines = findings(host, blind)
    assert "watch: cannot look for certificate: there is no /nosuch/*.crt" in lines
    assert any(line.startswith("disk: / is") for line in lines)
