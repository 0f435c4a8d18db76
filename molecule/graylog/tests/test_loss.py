"""What arrives of the lines that two hosts write, one by each transport, while something breaks.

DRILL_MESSAGES and DRILL_RATE make more of it (`make drill-logs`). The table is in .cache/drill-logs.txt and .json.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest
from scenario import address_of, connected

from lab.drill import loss

SENT = int(os.environ.get("DRILL_MESSAGES", "10000"))
RATE = int(os.environ.get("DRILL_RATE", "1000"))
SEARCH_AWAY = 60 if SENT > 10000 else 20
# What a killed Graylog takes with it, and a dying connection: no more than a second's messages.
A_SECOND = RATE
TLS = "/etc/raycrafter/tls"


@pytest.fixture(scope="module", name="outcomes")
def fixture_outcomes() -> dict[tuple[str, str], loss.Outcome]:
    """Return what became of the lines, by disturbance and transport."""
    outcomes = loss.drill(loss.disturbances(SEARCH_AWAY), SENT, RATE)
    cache = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"], ".cache")
    (cache / "drill-logs.json").write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1) + "\n")
    (cache / "drill-logs.txt").write_text(loss.table(outcomes) + "\n")
    return {(outcome.disturbance, outcome.transport): outcome for outcome in outcomes}


@pytest.mark.parametrize("disturbance", loss.disturbances(SEARCH_AWAY))
def test_with_receipts_nothing_is_missing_unless_graylog_is_killed(outcomes, disturbance):
    outcome = outcomes[disturbance, "gelf_http"]
    assert outcome.missing <= (A_SECOND if "killed" in disturbance else 0), loss.table([*outcomes.values()])


@pytest.mark.parametrize("disturbance", loss.disturbances(SEARCH_AWAY))
def test_without_receipts_little_is_missing(outcomes, disturbance):
    outcome = outcomes[disturbance, "gelf_tcp"]
    quiet = disturbance == "none" or "elasticsearch" in disturbance
    assert outcome.missing <= (0 if quiet else A_SECOND), loss.table([*outcomes.values()])


def test_what_comes_twice_can_be_told_by_its_id(outcomes):
    # A rsyslog that died reads the last lines of a file again, at another time.
    told = [outcome for outcome in outcomes.values() if outcome.disturbance != "rsyslog killed"]
    assert {outcome.unknown_duplicates for outcome in told} == {0}


STRANGER = f"openssl s_client -quiet -CAfile {TLS}/ca.crt -connect"
POST = r"printf 'POST /gelf HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}'; sleep 2"


@pytest.mark.parametrize(
    "client",
    [
        f"{STRANGER} {{}} -cert /tmp/stranger.crt -key /tmp/stranger.key",
        f"{STRANGER} {{}}",
        "openssl s_client -quiet -connect {} -no_tls1_3 -no_tls1_2",
        "bash -c 'exec 3<>/dev/tcp/${{0%:*}}/${{0#*:}}; cat >&3 & timeout 3 cat <&3' {}",
    ],
    ids=["a stranger's certificate", "no certificate", "old TLS", "plain text"],
)
def test_the_input_answers_nobody_else(client):
    host = connected("acknowledged", sudo=True)
    host.check_output(
        "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=stranger -keyout /tmp/stranger.key -out /tmp/stranger.crt"
    )
    address = f"{address_of('newer')}:12203"
    assert "202" not in host.run(f"({POST}) | timeout 10 {client.format(address)}").stdout
    own = f"{STRANGER} {address} -cert {TLS}/host.crt -key {TLS}/host.key"
    assert "202" in host.run(f"({POST}) | timeout 10 {own}").stdout


def test_nothing_listens_on_udp():
    listeners = connected("newer", sudo=True).check_output("ss -Hlun").splitlines()
    assert [line for line in listeners if "127.0.0.11:" not in line] == []  # that is Docker's resolver
