"""Write docs/network.md from the table of flows: `network_page.py [--check]`.

The table is in group_vars/all/network.yml. With --check the tool writes nothing and ends with 1 if the page differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/network.md"
OPENING = """# Who may talk to whom

This is the one table that the firewall of every host is made from. Everything else that comes in is closed but ssh from
the controller, and UDP leaves a host only for name service, DHCP and time. Between groups that share a host nothing
crosses the network.

| what | from | to | TCP ports |
|---|---|---|---|
"""
CLOSING = """
The workers go out to the cluster's login node (ssh 22, GridFTP 2811 with its data ports); they are the only hosts with
a key for it. With `cluster.transfer: ssh` files go by ssh too, and 22 is all there is to open. They also go out to the
mail relay (`mail.host`, `mail.port`) and to users' webhooks: public addresses, by https, and what
`django_webhook_networks` allows. Graylog goes out to the mail relay, too.

The table is `firewall_flows` in `group_vars/all/network.yml`; this page is made from it by `make docs`.
"""


def source_names(source: str | list[str]) -> str:
    """Return the sources of a flow as text, variables by their name."""
    sources = [source] if isinstance(source, str) else source
    return ", ".join(str(name).replace("{{", "").replace("}}", "").strip().replace("_", " ") for name in sources)


def page(flows: list[dict]) -> str:
    """Return the text of the page."""
    rows = [
        f"| {flow['name']} | {source_names(flow['from'])} | {flow['to']} | {', '.join(map(str, flow['ports']))} |"
        for flow in flows
    ]
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
