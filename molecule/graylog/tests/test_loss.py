"""Count lost and duplicate lines of two hosts, one per transport, during faults.

DRILL_MESSAGES and DRILL_RATE increase the load (`make test-all PART=drill`). The results are in .cache/drill-logs.txt
and .json.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
from dataclasses import asdict
from pathlib import Path

import httpx
import pytest
from scenario import address_of, connected, wait_for

from lab.drill import loss

LEAST = int(os.environ.get("DRILL_MESSAGES", "5000"))
RATE = int(os.environ.get("DRILL_RATE", "500"))
SEARCH_AWAY = 60 if LEAST > 10000 else 20
# Messages that a killed Graylog loses: inputbuffer_ring_size.
INPUT_BUFFER = 1024
# Messages that a broken connection without receipts loses: the sender's buffer (4 MiB at most, net.ipv4.tcp_wmem),
# the input's recv_buffer_size (1 MiB), in lines of at least 300 bytes; and the input buffer.
CONNECTION = (4 + 1) * 2**20 // 300 + INPUT_BUFFER


@pytest.fixture(scope="module", name="outcomes")
def fixture_outcomes() -> dict[tuple[str, str], loss.Outcome]:
    """Return the outcome of each fault, by disturbance and transport."""
    cache = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"], ".cache")
    outcomes = []
    for outcome in loss.drill(loss.disturbances(SEARCH_AWAY), LEAST, RATE):
        outcomes.append(outcome)
        (cache / "drill-logs.json").write_text(json.dumps([asdict(each) for each in outcomes], indent=1) + "\n")
        (cache / "drill-logs.txt").write_text(loss.table(outcomes) + "\n")
    return {(outcome.disturbance, outcome.transport): outcome for outcome in outcomes}


@pytest.mark.parametrize("disturbance", loss.disturbances(SEARCH_AWAY))
def test_receipts_lose_nothing_unless_graylog_is_killed(outcomes, disturbance):
    outcome = outcomes[disturbance, "gelf_http"]
    assert outcome.missing <= (INPUT_BUFFER if disturbance == "graylog killed" else 0), loss.table([*outcomes.values()])


@pytest.mark.parametrize("disturbance", loss.disturbances(SEARCH_AWAY))
def test_without_receipts_a_connection_loses_its_buffers(outcomes, disturbance):
    outcome = outcomes[disturbance, "gelf_tcp"]
    quiet = disturbance == "none" or "elasticsearch" in disturbance
    assert outcome.missing <= (0 if quiet else CONNECTION), loss.table([*outcomes.values()])


def test_duplicates_share_an_id(outcomes):
    # A killed rsyslog reads the last lines of a file again, with another timestamp.
    relevant = [outcome for outcome in outcomes.values() if outcome.disturbance != "rsyslog killed"]
    assert {outcome.unknown_duplicates for outcome in relevant} == {0}


def test_inputs_refuse_other_clients():
    sender, target = connected("acknowledged", sudo=True), address_of("newer")
    wait_for("the node accepts messages", loss.serves, failing=(httpx.HTTPError,))
    sender.check_output(
        "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=stranger -keyout /run/stranger.key -out /run/stranger.crt"
    )
    program, run = shlex.quote(Path(loss.HERE, "send.py").read_text()), secrets.token_hex(6)
    said = {
        (port, manner): sender.check_output(f"python3 -c {program} {target} {port} {manner} {run}{port}{manner}")
        for manner in ("stranger", "none", "old", "plain", "own")
        for port in loss.PORTS
    }
    assert "202" in said[12203, "own"], said
    assert all("PROTOCOL_VERSION" in said[port, "old"] for port in loss.PORTS), said
    for port in loss.PORTS:
        wait_for(
            f"port {port} accepted the valid message",
            lambda port=port: loss.count(f"drill:{run}{port}own"),
            failing=(httpx.HTTPError,),
        )

    def both() -> int:
        found = loss.count(f"drill:{run}*")
        return found if found >= len(loss.PORTS) else 0

    # Replicas of an index do not show a message at the same time: two searches may find different messages.
    assert wait_for("one search finds both messages", both, failing=(httpx.HTTPError,)) == len(loss.PORTS), said


def test_node_has_no_udp_listener():
    listeners = connected("newer", sudo=True).check_output("ss -Hlun").splitlines()
    assert [line for line in listeners if "127.0.0.11:" not in line] == []  # Docker's resolver
