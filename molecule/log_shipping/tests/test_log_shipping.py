"""Test that logs arrive complete with their fields, even after restarts."""

import json
import shlex
import time
import uuid

import pytest
from scenario import connected, wait_for

SINK = "/var/lib/sink"
STRANGER = "/var/lib/stranger"


@pytest.fixture
def receiver():
    """Return the host of the receiver; start the right receiver afterwards."""
    there = connected("newer")
    yield there
    with there.sudo():
        there.check_output("systemctl stop stranger && systemctl start sink")


@pytest.fixture
def mark() -> str:
    """Return a text that no other message has."""
    return uuid.uuid4().hex


def arrived(receiver, mark: str, count: int = 1, limit: float = 60) -> list[dict]:
    """Wait for `count` different messages with a mark and return them.

    The test fails after `limit` seconds. Messages of sudo about this test's own commands do not count.
    """
    end = time.monotonic() + limit
    while True:
        with receiver.sudo():
            found = set(receiver.run(f"grep -a {mark} {SINK} | grep -av '_program.:.sudo'").stdout.splitlines())
        if len(found) >= count:
            return [json.loads(line) for line in sorted(found)]
        assert time.monotonic() < end, f"after {limit} s {len(found)} of {count} messages have arrived"
        time.sleep(0.5)


def write(host, path: str, text: str) -> None:
    """Append text to a log file as root."""
    with host.sudo():
        host.check_output(f"mkdir -p $(dirname {path}) && printf %s {shlex.quote(text)} >>{path}")


def without_receiver(host, receiver) -> None:
    """Stop the receiver and wait until rsyslog reports an error.

    Over TCP the first message after the stop is lost.
    """
    with receiver.sudo(), host.sudo():
        count = "journalctl -u rsyslog -o cat | grep -cE 'gelf.*suspended|accepts no messages'"
        known = host.check_output(f"{count} || true")
        receiver.check_output("systemctl stop sink")
        noticed = f"[ $({count}) -gt {known} ]"
        host.check_output(f"timeout 30 bash -c {shlex.quote(f'until {noticed}; do logger away; sleep 0.3; done')}")


def test_journal_message_has_its_fields(host, receiver, mark):
    before = time.time()
    host.check_output(f"logger --tag shipping --priority daemon.warning {mark}")
    (message,) = arrived(receiver, mark)
    assert message["host"] == host.check_output("hostname")
    assert (message["short_message"], message["level"]) == (mark, 4)
    assert (message["_program"], message["_facility"]) == ("shipping", "daemon")
    assert message["_pid"].isdigit() and abs(message["timestamp"] - before) < 60


def test_json_line_keeps_its_fields_but_not_its_host(host, receiver, mark):
    entry = {"message": f"{mark}\n\tin two lines", "level": "ERROR", "timestamp": 1700000000.25}
    own = {"job_id": 17, "nested": {"key": "value"}}
    write(host, "/var/log/app/one.log", json.dumps(entry | own | {"host": "liar", "_program": "liar"}) + "\n")
    (message,) = arrived(receiver, mark)
    assert message["host"] == host.check_output("hostname")
    assert (message["short_message"], message["level"]) == (entry["message"], 3)
    assert (message["timestamp"], message["_program"]) == (entry["timestamp"], "app")
    assert {key: message[key] for key in own} == own


@pytest.mark.parametrize(("severity", "level"), [("F", 2), ("E", 3), ("W", 4), ("I", 6), ("D1", 7)])
def test_mongod_line_keeps_its_text_time_and_severity(host, receiver, mark, severity, level):
    line = (
        '{"t":{"$date":"2020-05-20T19:18:40.604+02:00"},"s":"%s",  "c":"CONTROL",  "id":22120,   "ctx":"initandlisten",'
        '"msg":"Access control is not enabled %s","tags":["startupWarnings"]}\n'
    )
    write(host, "/var/log/app/one.log", line % (severity, mark))
    (message,) = arrived(receiver, mark)
    assert (message["short_message"], message["level"]) == (f"Access control is not enabled {mark}", level)
    assert message["timestamp"] == 1589995120.604
    assert (message["c"], message["ctx"], message["log_id"]) == ("CONTROL", "initandlisten", 22120)
    assert not {"t", "s", "id", "msg"} & set(message)


def test_invalid_json_line_arrives_unchanged(host, receiver, mark):
    write(host, "/var/log/app/one.log", f"{{{mark}\n")
    assert [message["short_message"] for message in arrived(receiver, mark)] == [f"{{{mark}"]


def test_traceback_in_a_file_is_one_message(host, receiver, mark):
    write(host, "/var/log/plain.log", f"{mark} one\n  indented\n\tby a tab\n{mark} two\n")
    messages = arrived(receiver, mark, 2)
    assert sorted(message["short_message"] for message in messages) == [
        f"{mark} one\n  indented\n\tby a tab",
        f"{mark} two",
    ]
    assert {(message["_program"], message["level"]) for message in messages} == {("plain", 6)}


def test_traceback_in_a_dated_file_is_one_message(host, receiver, mark):
    first = f"2026-01-01 12:00:00 {mark} one\nTraceback:\n  indented\nCaused by: nothing"
    write(host, "/var/log/dated.log", f"{first}\n2026-01-01 12:00:01 {mark} two\n")
    messages = arrived(receiver, mark, 2)
    assert sorted(message["short_message"] for message in messages) == [first, f"2026-01-01 12:00:01 {mark} two"]


def test_traceback_in_the_journal_is_one_message(host, receiver, mark):
    text = f"{mark} one\nTraceback:\n  indented\nCaused by: nothing"
    lines = "".join(f"MESSAGE={line}\n" for line in text.splitlines())
    host.check_output(f"printf %s {shlex.quote(lines)} | logger --journald")
    (message,) = arrived(receiver, mark)
    assert message["short_message"] == text


def test_message_ids_are_unique(host, receiver, mark):
    write(host, "/var/log/plain.log", f"{mark} the same\n" * 50)
    messages = arrived(receiver, mark, 50)
    assert len({message["_message_id"] for message in messages}) == 50


@pytest.mark.parametrize("end", ["systemctl restart rsyslog", "systemctl kill -s KILL rsyslog"])
def test_messages_arrive_after_an_outage_of_the_receiver(host, receiver, mark, end):
    without_receiver(host, receiver)
    half = "for i in $(seq {} {}); do logger {}-$i; done"
    with host.sudo():
        host.check_output(half.format(1, 20, mark))
        write(host, "/var/log/plain.log", "".join(f"{mark}-{i}\n" for i in range(21, 41)))
        # Wait until the last lines are in the disk queue before rsyslog stops.
        queued = f"grep -aqs {mark}-[{{}}]0 /var/spool/rsyslog/gelf.0*"
        waiting = f"{queued.format(2)} && {queued.format(4)}"
        host.check_output(f"timeout 30 bash -c {shlex.quote(f'until {waiting}; do sleep 0.2; done')}")
        host.check_output(end)
        host.check_output(half.format(41, 60, mark))
    with receiver.sudo():
        receiver.check_output("systemctl start sink")
    texts = {message["short_message"] for message in arrived(receiver, mark, 60)}
    assert texts == {f"{mark}-{number}" for number in range(1, 61)}


def test_receiver_with_a_wrong_certificate_name_gets_no_message(host, receiver, mark):
    without_receiver(host, receiver)
    with receiver.sudo():
        receiver.check_output(f"rm -f {STRANGER} && systemctl start stranger")
        host.check_output(f"logger {mark}")
        # Wait until rsyslog has connected and rejected the name.
        receiver.check_output(f"timeout 30 bash -c 'until [ -s {STRANGER} ]; do sleep 0.2; done'")
        assert all("refused" in line for line in receiver.check_output(f"cat {STRANGER}").splitlines())
        receiver.check_output("systemctl stop stranger && systemctl start sink")
    arrived(receiver, mark)


def test_rsyslog_restarts_after_kill(host, receiver, mark):
    with host.sudo():
        before = host.check_output("systemctl show -P MainPID rsyslog")
        host.check_output(f"kill -9 {before}")
        back = f"p=$(systemctl show -P MainPID rsyslog) && [ $p -gt 0 ] && [ $p != {before} ]"
        host.check_output(f"timeout 20 bash -c {shlex.quote(f'until {back}; do sleep 0.2; done')}")
    host.check_output(f"logger {mark}")
    arrived(receiver, mark)


def test_rsyslog_opens_no_port(host):
    with host.sudo():
        assert "rsyslogd" not in host.check_output("ss -Hlntup")


def test_refused_message_is_stored_and_later_ones_arrive(receiver, mark):
    host = connected("older")  # the host with gelf_http; a TCP input refuses no message
    write(host, "/var/log/plain.log", f"{mark} REFUSED\n{mark} taken\n")
    assert [message["short_message"] for message in arrived(receiver, mark)] == [f"{mark} taken"]
    with host.sudo():
        kept = f"grep -s {mark} /var/spool/rsyslog/refused | grep -v _program.:.sudo"
        (stored,) = wait_for("the message is stored", lambda: host.run(kept).stdout.splitlines())
        assert host.file("/var/spool/rsyslog/refused").mode == 0o600
    assert json.loads(stored)["short_message"] == f"{mark} REFUSED"
