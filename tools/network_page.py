"""Write docs/network.md from the table of flows: `network_page.py [--check]`.

The table is in group_vars/all/network.yml, the ports are in endpoints.yml beside it. With --check the tool writes
nothing and ends with 1 if the page differs.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/network.md"
OPENING = """# Network connections

The firewall of every host is generated from this table. All other incoming connections are closed, except ssh from the
controller. Outgoing UDP is limited to DNS, DHCP and NTP. Groups that share a host use no network between them.

| purpose | from | to | TCP ports (defaults) |
|---|---|---|---|
"""
CLOSING = """
Firewalls outside of the hosts must allow these outgoing connections:

| from | to |
|---|---|
| workers | the cluster's login node: ssh 22, GridFTP 2811 with its data ports; with `cluster.transfer: ssh` only 22 |
| workers, graylog | the mail relay (`mail.host`, `mail.port`) |
| workers | users' webhooks by https: public addresses, and the networks of `django_webhook_networks` |

Only the workers have a key for the login node.

The table is `firewall_flows` in `group_vars/all/network.yml`; `make docs` generates this page from it. The ports are
defaults: `group_vars/all/endpoints.yml` names the variable of each, and all readers follow it.
"""


def source_names(source: str | list[str]) -> str:
    """Return the sources of a flow as text, variables by their name."""
    sources = [source] if isinstance(source, str) else source
    return ", ".join(str(name).replace("{{", "").replace("}}", "").strip().replace("_", " ") for name in sources)


def default_port(port: int | str) -> str:
    """Return the number of a port; a name of endpoint_ports stands for its default."""
    name = re.fullmatch(r"\{\{ endpoint_ports\.(\w+) \}\}", str(port))
    if not name:
        return str(port)
    table = yaml.safe_load((ROOT / "group_vars/all/endpoints.yml").read_text())["endpoint_ports"]
    return re.search(r"default\((\d+)\)", table[name[1]])[1]


def page(flows: list[dict]) -> str:
    """Return the text of the page."""
    rows = []
    for flow in flows:
        ports = ", ".join(map(default_port, flow["ports"]))
        rows.append(f"| {flow['name']} | {source_names(flow['from'])} | {flow['to']} | {ports} |")
    return OPENING + "\n".join(rows) + "\n" + CLOSING


def main() -> int:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, end with 1 if the page differs")
    text = page(yaml.safe_load((ROOT / "group_vars/all/network.yml").read_text())["firewall_flows"])
    if not parser.parse_args().check:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        print("docs/network.md differs from group_vars/all/network.yml: run make docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
