"""Report problems that will need an operator soon: `watch.py SETTINGS.json`.

Each finding is one line on standard output, with its kind before the first colon: service, disk, certificate, proxy,
journal, silent. Every run repeats the findings that persist, so that the logs of any hour show them.
A check that cannot run is a finding of the kind watch, and the exit code is then 1.
"""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

WARNING = "<4>"  # systemd's prefix for the level of a line
TIMEOUT = 20  # seconds for each command and request
# Virtual file systems, and images that are always full.
NO_DISKS = {"tmpfs", "devtmpfs", "squashfs", "overlay", "proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue"}


def run(*words: str) -> str:
    """Return the output of a command, with any exit code."""
    return subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT, check=False).stdout


def services(settings: dict) -> Iterator[str]:
    """Report systemd units that failed and Supervisor programs that do not run."""
    for line in run("systemctl", "list-units", "--failed", "--plain", "--no-legend").splitlines():
        unit = line.split()[0]
        yield f"{unit} has failed: look at `journalctl -u {unit}`"
    if settings["supervisor"]:
        for line in run("supervisorctl", "status").splitlines():
            name, state = line.split()[:2]
            if state not in ("RUNNING", "STARTING"):
                yield f"{name} is {state}: look at `supervisorctl tail {name} stderr`"


def disks(settings: dict) -> Iterator[str]:
    """Report file systems that are filled beyond the limit; each device once."""
    seen = set()
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        device, where, kind = line.split()[:3]
        if (kind in NO_DISKS and where != "/") or device in seen or not Path(where).is_dir():
            continue
        seen.add(device)
        size = shutil.disk_usage(where)
        if size.total and size.used * 100 >= size.total * settings["disk_percent"]:
            yield f"{where} is {size.used * 100 // size.total} % full, {size.free >> 20} MB are free"


def expiry(path: Path) -> int:
    """Return the expiry of the first certificate in a PEM file, in seconds since 1970.

    Raises OSError if the file has no certificate.
    """
    text = run("openssl", "x509", "-in", str(path), "-noout", "-enddate")
    if "=" not in text:
        raise OSError(f"{path} has no certificate that openssl can read")
    return ssl.cert_time_to_seconds(text.split("=", 1)[1].strip())


def expiring(patterns: list[str], hours: float, hint: str) -> Iterator[str]:
    """Report certificates that expire within some hours.

    Raises OSError for a pattern without a file.
    """
    for pattern in patterns:
        paths = sorted(Path("/").glob(pattern.lstrip("/")))
        if not paths:
            raise OSError(f"no file matches {pattern}")
        for path in paths:
            end = expiry(path)
            left = (end - time.time()) / 3600
            if left < hours:
                when = f"expired {-left:.0f} hours ago" if left < 0 else f"expires in {left:.0f} hours"
                yield f"{path} {when} ({time.strftime('%Y-%m-%d %H:%M', time.gmtime(end))} UTC): {hint}"


def certificates(settings: dict) -> Iterator[str]:
    """Report certificates that expire soon."""
    yield from expiring(settings["certificates"], settings["certificate_days"] * 24, "renew it")


def proxies(settings: dict) -> Iterator[str]:
    """Report grid proxies that expire soon."""
    hint = "look at `systemctl status raycrafter-grid-proxy.timer`"
    yield from expiring(settings["proxies"], settings["proxy_hours"], hint)


def get(graylog: dict, url: str, path: str) -> dict:
    """Return the JSON response of a Graylog node's API, authenticated by the token."""
    token = Path(graylog["token_file"]).read_text(encoding="ascii").strip()
    passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
    passwords.add_password(None, url, token, "token", is_authenticated=True)
    direct, login = urllib.request.ProxyHandler({}), urllib.request.HTTPBasicAuthHandler(passwords)
    opener = urllib.request.build_opener(direct, login)
    opener.addheaders = [("Accept", "application/json")]
    with opener.open(url + path, timeout=TIMEOUT) as response:
        return json.load(response)


def journal(settings: dict) -> Iterator[str]:
    """Report Graylog nodes whose journal fills.

    A journal fills when a node receives messages faster than it indexes them. Raises OSError after the last node if a
    node did not answer.
    """
    graylog = settings["graylog"]
    errors = []
    for url in graylog["urls"] if graylog else []:
        try:
            state = get(graylog, url, "/system/journal")
        except OSError as error:
            errors.append(f"{url}: {error}")
            continue
        used, limit = state["journal_size"], state["journal_size_limit"]
        waiting = state["uncommitted_journal_entries"]
        if waiting and used * 100 >= limit * graylog["journal_percent"]:
            full = used * 100 // limit
            yield f"Graylog's journal at {url} is {full} % full, {waiting} messages wait: look at the search engine"
    if errors:
        raise OSError("; ".join(errors))


def silence(settings: dict) -> Iterator[str]:
    """Report hosts whose logs do not arrive.

    All nodes search the same indices, so search the first node only.
    """
    graylog = settings["graylog"]
    for host in graylog["hosts"] if graylog else []:
        query = {"query": f'source:"{host}"', "range": graylog["silent_minutes"] * 60, "limit": 1}
        path = f"/search/universal/relative?{urllib.parse.urlencode(query)}"
        if not get(graylog, graylog["urls"][0], path)["total_results"]:
            minutes = graylog["silent_minutes"]
            yield f"no message from {host} for {minutes} minutes: look at `systemctl status rsyslog` there"


CHECKS = {
    "service": services,
    "disk": disks,
    "certificate": certificates,
    "proxy": proxies,
    "journal": journal,
    "silent": silence,
}


def main(path: str) -> int:
    """Run every check; return 1 if a check could not run."""
    settings = json.loads(Path(path).read_text(encoding="utf-8"))
    exit_code = 0
    for kind, check in CHECKS.items():
        try:
            for finding in check(settings):
                print(f"{WARNING}{kind}: {finding}")
        except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
            exit_code = 1
            print(f"{WARNING}watch: cannot check {kind}: {error}")
    return exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
