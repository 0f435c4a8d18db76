"""Look for what will need a person soon, and say it in the journal: `watch.py SETTINGS.json`.

One line for each finding, with the kind before the first colon: service, disk, certificate, proxy, journal, silent.
A finding that lasts is said again at every run, so that whoever looks at the logs of an hour sees it.
The exit code is 1 when something could not be looked at, which is a line of kind watch.
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

WARNING = "<4>"  # systemd's mark for the level of a line
TIMEOUT = 20  # seconds for each question
# File systems of the kernel's own, and images that are always full.
NO_DISKS = {"tmpfs", "devtmpfs", "squashfs", "overlay", "proc", "sysfs", "cgroup", "cgroup2", "devpts", "mqueue"}


def run(*words: str) -> str:
    """Return what a command printed, whatever its exit code."""
    return subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT, check=False).stdout


def services(settings: dict) -> Iterator[str]:
    """Tell of units of systemd that failed and programs of Supervisor that do not run."""
    for line in run("systemctl", "list-units", "--failed", "--plain", "--no-legend").splitlines():
        unit = line.split()[0]
        yield f"{unit} has failed: look at `journalctl -u {unit}`"
    if settings["supervisor"]:
        for line in run("supervisorctl", "status").splitlines():
            name, state = line.split()[:2]
            if state not in ("RUNNING", "STARTING"):
                yield f"{name} is {state}: look at `supervisorctl tail {name} stderr`"


def disks(settings: dict) -> Iterator[str]:
    """Tell of file systems that are filled beyond the limit; each device once."""
    seen = set()
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        device, where, kind = line.split()[:3]
        if (kind in NO_DISKS and where != "/") or device in seen or not Path(where).is_dir():
            continue
        seen.add(device)
        size = shutil.disk_usage(where)
        if size.total and size.used * 100 >= size.total * settings["disk_percent"]:
            yield f"{where} is {size.used * 100 // size.total} % full, {size.free >> 20} MB are free"


def end_of(path: Path) -> int:
    """Return when the first certificate of a PEM file ends, in seconds since 1970. Raises OSError without one."""
    text = run("openssl", "x509", "-in", str(path), "-noout", "-enddate")
    if "=" not in text:
        raise OSError(f"{path} has no certificate that openssl can read")
    return ssl.cert_time_to_seconds(text.split("=", 1)[1].strip())


def endings(patterns: list[str], hours: float, mend: str) -> Iterator[str]:
    """Tell of certificates that end within some hours. Raises OSError for a pattern without a file."""
    for pattern in patterns:
        paths = sorted(Path("/").glob(pattern.lstrip("/")))
        if not paths:
            raise OSError(f"there is no {pattern}")
        for path in paths:
            end = end_of(path)
            left = (end - time.time()) / 3600
            if left < hours:
                when = f"ended {-left:.0f} hours ago" if left < 0 else f"ends in {left:.0f} hours"
                yield f"{path} {when} ({time.strftime('%Y-%m-%d %H:%M', time.gmtime(end))} UTC): {mend}"


def certificates(settings: dict) -> Iterator[str]:
    """Tell of certificates that end soon."""
    yield from endings(settings["certificates"], settings["certificate_days"] * 24, "renew it")


def proxies(settings: dict) -> Iterator[str]:
    """Tell of grid proxies that end soon."""
    mend = "look at `systemctl status raycrafter-grid-proxy.timer`"
    yield from endings(settings["proxies"], settings["proxy_hours"], mend)


def ask(graylog: dict, url: str, path: str) -> dict:
    """Return the answer of a Graylog node's API to a token's question."""
    token = Path(graylog["token_file"]).read_text(encoding="ascii").strip()
    passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
    passwords.add_password(None, url, token, "token", is_authenticated=True)
    direct, login = urllib.request.ProxyHandler({}), urllib.request.HTTPBasicAuthHandler(passwords)
    opener = urllib.request.build_opener(direct, login)
    opener.addheaders = [("Accept", "application/json")]
    with opener.open(url + path, timeout=TIMEOUT) as answer:
        return json.load(answer)


def journal(settings: dict) -> Iterator[str]:
    """Tell of nodes of Graylog whose journal fills: what they take is not indexed as fast as it comes.

    Each node has a journal of its own. Raises OSError where one does not answer, when the others have been asked.
    """
    graylog = settings["graylog"]
    unasked = []
    for url in graylog["urls"] if graylog else []:
        try:
            answer = ask(graylog, url, "/system/journal")
        except OSError as error:
            unasked.append(f"{url}: {error}")
            continue
        used, limit = answer["journal_size"], answer["journal_size_limit"]
        waiting = answer["uncommitted_journal_entries"]
        if waiting and used * 100 >= limit * graylog["journal_percent"]:
            full = used * 100 // limit
            yield f"Graylog's journal at {url} is {full} % full, {waiting} messages wait: look at the search engine"
    if unasked:
        raise OSError("; ".join(unasked))


def silence(settings: dict) -> Iterator[str]:
    """Tell of hosts whose logs do not arrive; every node finds the same, so the first is asked."""
    graylog = settings["graylog"]
    for host in graylog["hosts"] if graylog else []:
        query = {"query": f'source:"{host}"', "range": graylog["silent_minutes"] * 60, "limit": 1}
        path = f"/search/universal/relative?{urllib.parse.urlencode(query)}"
        if not ask(graylog, graylog["urls"][0], path)["total_results"]:
            minutes = graylog["silent_minutes"]
            yield f"no log of {host} has come for {minutes} minutes: look at `systemctl status rsyslog` there"


CHECKS = {
    "service": services,
    "disk": disks,
    "certificate": certificates,
    "proxy": proxies,
    "journal": journal,
    "silent": silence,
}


def main(path: str) -> int:
    """Run every check; one that cannot look does not keep the others from it."""
    settings = json.loads(Path(path).read_text(encoding="utf-8"))
    blind = 0
    for kind, check in CHECKS.items():
        try:
            for finding in check(settings):
                print(f"{WARNING}{kind}: {finding}")
        except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
            blind = 1
            print(f"{WARNING}watch: cannot look for {kind}: {error}")
    return blind


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
