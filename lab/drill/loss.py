"""Count the log messages that are lost under a disturbance.

Two hosts, one per transport, write numbered lines, and a disturbance happens meanwhile. When all queues are empty,
Graylog's search shows the missing and the duplicate numbers. The drill uses the hosts of the scenario `graylog`
(molecule/graylog/molecule.yml), whose tests call it.
"""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
import shlex
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from scenario import address_of, connected, play, wait_for

HERE = Path(__file__).parent
SENDERS = {"plain": "gelf_tcp", "acknowledged": "gelf_http"}
# The plain transport is slower: it gets a part of the lines, so that both transports work until the end.
PART = {"plain": 0.2, "acknowledged": 1}
TARGET, OTHER = "newer", "older"
PORTS = (12201, 12203)
LOG = "/var/log/drill.log"
BEGIN = 0.3  # the part of the lines that is written before the disturbance
SLOWEST = 200  # messages per second that the slower transport reaches on every machine
CERTIFICATE = "/etc/raycrafter/tls"


@dataclass
class Outcome:
    """Counts of one transport's lines under one disturbance."""

    disturbance: str
    transport: str
    sent: int
    missing: int
    duplicates: int
    # Duplicates with another message_id than the first message.
    unknown_duplicates: int


def restart() -> None:
    """Restart Graylog regularly."""
    connected(TARGET, sudo=True).check_output("systemctl restart graylog-server")


def kill() -> None:
    """Kill Graylog; systemd restarts it."""
    connected(TARGET, sudo=True).check_output("kill -9 $(systemctl show -P MainPID graylog-server)")


def kill_rsyslog() -> None:
    """Kill rsyslog on both senders; systemd restarts it."""
    for sender in SENDERS:
        connected(sender, sudo=True).check_output("kill -9 $(systemctl show -P MainPID rsyslog)")


def without_search(seconds: int) -> Callable[[], None]:
    """Return a function that stops Elasticsearch for ``seconds``."""

    def stop_and_start() -> None:
        nodes = [connected(name, sudo=True) for name in ("search1", "search2")]
        for node in nodes:
            node.check_output("systemctl stop elasticsearch")
        time.sleep(seconds)
        for node in nodes:
            node.check_output("systemctl start elasticsearch")

    return stop_and_start


def changed(name: str) -> None:
    """Run a playbook of this directory."""
    play(HERE / name, Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "inventory"))


def served(port: int) -> str:
    """Return the fingerprint of an input's certificate."""
    own = f"-CAfile {CERTIFICATE}/ca.crt -cert {CERTIFICATE}/host.crt -key {CERTIFICATE}/host.key"
    shown = f"openssl s_client -connect {address_of(TARGET)}:{port} {own} </dev/null"
    command = f"{shown} 2>/dev/null | openssl x509 -noout -fingerprint -sha256"
    return connected("acknowledged", sudo=True).check_output(command)


def renew() -> None:
    """Renew the inputs' certificate and close all connections.

    Raises RuntimeError if an input still has the old certificate.
    """
    before = {port: served(port) for port in PORTS}
    changed("renew_certificate.yml")
    unchanged = [port for port in PORTS if served(port) == before[port]]
    if unchanged:
        raise RuntimeError(f"{TARGET} still has its old certificate on the ports {unchanged}")


def disturbances(search_away: int) -> dict[str, Callable[[], None]]:
    """Return the disturbances by name; Elasticsearch stops for ``search_away`` seconds."""
    return {
        "none": lambda: None,
        "graylog restarted": restart,
        "graylog killed": kill,
        "rsyslog killed": kill_rsyslog,
        f"elasticsearch away for {search_away} s": without_search(search_away),
        "certificate renewed": renew,
        "inputs changed": lambda: changed("change_inputs.yml"),
    }


def get(name: str, path: str, accept: str = "application/json", **query) -> httpx.Response:
    """Return a node's response to the root user. Raises httpx.HTTPError."""
    secret = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "secrets/root").read_text().strip()
    url = f"http://{address_of(name)}:9000/api/{path}"
    return httpx.get(
        url, params=query, auth=("admin", secret), headers={"Accept": accept}, timeout=60
    ).raise_for_status()


def count(query: str) -> int:
    """Return the number of messages that a query finds in the last ten hours."""
    return get(OTHER, "search/universal/relative", query=query, range=36000, limit=1).json()["total_results"]


def serves() -> bool:
    """Return whether the disturbed node accepts messages."""
    return get(TARGET, "system/lbstatus", "text/plain").text == "ALIVE"


def drain(written: int) -> None:
    """Wait until all lines have passed rsyslog's queues, Graylog's journals and the index.

    A marker line after the others shows that rsyslog has sent them. It is repeated, because it may be lost too.
    """
    run = secrets.token_hex(6)
    line = shlex.quote(json.dumps({"message": "The drill ends", "drill": run}))

    def gone_through() -> bool:
        for sender in SENDERS:
            connected(sender, sudo=True).check_output(f"echo {line} >>{LOG}")
        found = [count(f"drill:{run} AND source:{sender}") for sender in SENDERS]
        journals = [get(name, "system/journal").json()["uncommitted_journal_entries"] for name in (TARGET, OTHER)]
        return all(found) and sum(journals) < 10

    wait_for("the queues are empty", gone_through, 300 + written / SLOWEST, (httpx.HTTPError,))
    before = -1
    while (now := count("_exists_:drill")) != before:  # the index is refreshed every five seconds
        before = now
        time.sleep(6)


def tally(run: str, sender: str, sent: int) -> tuple[int, int, int]:
    """Return counts: missing numbers, duplicates, duplicates with another message_id."""
    query = f"drill:{run} AND source:{sender} AND _exists_:number"
    text = get(
        OTHER, "search/universal/relative/export", "text/csv", query=query, range=36000, fields="number,message_id"
    ).text
    rows = [(int(row["number"]), row["message_id"]) for row in csv.DictReader(io.StringIO(text))]
    numbers = {number for number, _ in rows}
    return sent - len(numbers), len(rows) - len(numbers), len(set(rows)) - len(numbers)


def write_through(disturb: Callable[[], None], least: int, rate: int) -> tuple[str, dict[str, int]]:
    """Write lines from before a disturbance until after it.

    least: lines to write at least, of which a sender writes its PART. rate: lines per second.
    Return the mark of the lines and the number of lines by sender.
    """
    run = secrets.token_hex(6)
    enough = f"/run/drill-{run}"
    program = shlex.quote((HERE / "write.py").read_text())
    hosts = {sender: connected(sender, sudo=True) for sender in SENDERS}
    with ThreadPoolExecutor() as pool:
        writers = {
            sender: pool.submit(
                host.check_output,
                f"python3 -c {program} {LOG} {run} {int(least * PART[sender])} {rate * PART[sender]} {enough}",
            )
            for sender, host in hosts.items()
        }
        try:
            time.sleep(BEGIN * least / rate)
            disturb()
            wait_for("Graylog is back", serves, 300, (httpx.HTTPError,))
        finally:
            for host in hosts.values():
                host.check_output(f"touch {enough}")
        return run, {sender: int(writer.result()) for sender, writer in writers.items()}


def drill(disturbances: dict[str, Callable[[], None]], least: int, rate: int) -> Iterator[Outcome]:
    """Run all disturbances one after another and yield the outcome of each transport.

    least: lines to write at least, of which a transport gets its PART. rate: lines per second.
    A disturbance starts when all queues are empty, so that every lost line belongs to one disturbance.
    """
    drain(0)
    for name, disturb in disturbances.items():
        run, sent = write_through(disturb, least, rate)
        drain(max(sent.values()))
        for sender, transport in SENDERS.items():
            yield Outcome(name, transport, sent[sender], *tally(run, sender, sent[sender]))


def table(outcomes: list[Outcome]) -> str:
    """Return the outcomes as text."""
    head = ("disturbance", "transport", "sent", "missing", "duplicates", "unknown_duplicates")
    rows = [head, *([str(asdict(outcome)[key]) for key in head] for outcome in outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
