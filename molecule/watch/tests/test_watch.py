"""Test that the watch reports every problem and nothing within the limits."""

from __future__ import annotations

import json

from scenario import wait_for

SETTINGS = "/etc/raycrafter/watch.json"


def findings(host, settings: str = SETTINGS) -> list[str]:
    """Run the watch; return its findings without the level before each line."""
    done = host.run("python3 /usr/local/lib/raycrafter/watch.py %s", settings)
    assert not done.stderr, done.stderr
    return [line.removeprefix("<4>") for line in done.stdout.splitlines()]


def with_settings(host, **changes) -> str:
    """Write changed settings of the host to another file; return its path."""
    settings = json.loads(host.file(SETTINGS).content_string) | changes
    host.check_output("printf '%%s' %s > /run/watch.json", json.dumps(settings))
    return "/run/watch.json"


def test_timer_reports_the_findings_in_the_journal(host):
    with host.sudo():
        host.check_output("systemctl start raycrafter-watch.service && journalctl --sync")
        lines = host.check_output("journalctl -t raycrafter-watch -p warning -o cat")
    assert "certificate: /etc/raycrafter/tls/host.crt expires in" in lines
    assert "disk: / is" in lines
    assert "Trigger: n/a" not in host.check_output("systemctl status raycrafter-watch.timer")


def test_watch_reports_nothing_within_the_limits(host):
    with host.sudo():
        quiet = with_settings(host, disk_percent=101, certificate_days=0)
        assert findings(host, quiet) == []


def test_failed_unit_is_reported_until_it_is_reset(host):
    with host.sudo():
        quiet = with_settings(host, disk_percent=101, certificate_days=0)
        host.check_output("systemd-run --unit=watch-test --remain-after-exit false")
        wait_for("the unit has failed", lambda: host.run("systemctl is-failed watch-test").rc == 0)
        assert any(line.startswith("service: watch-test.service has failed") for line in findings(host, quiet))
        host.check_output("systemctl reset-failed watch-test")
        assert findings(host, quiet) == []


def test_failing_check_is_reported_and_the_others_still_run(host):
    with host.sudo():
        blind = with_settings(host, certificates=["/nosuch/*.crt"])
        lines = findings(host, blind)
    assert "watch: cannot check certificate: no file matches /nosuch/*.crt" in lines
    assert any(line.startswith("disk: / is") for line in lines)
