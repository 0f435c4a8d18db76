"""Workspaces (ws_allocate, ws_list, ws_extend, ws_release): directories that a site lends for a number of days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from .batch.checks import PATH
from .errors import RemoteError
from .ssh import Remote

_REMAINING = re.compile(r"(?P<days>[0-9]+) days?,? (?P<hours>[0-9]+) hours?")
_FIELD = re.compile(r"\s+(?P<name>[a-z ]+?)\s*: ?(?P<value>.*)")
_MAKE = 'umask 077; cd "$1" && mkdir -p input work frames'


@dataclass(frozen=True)
class Lease:
    """A workspace as ws_list shows it. ``expires`` is up to an hour early, because ws_list shows whole hours."""

    name: str
    path: str
    expires: datetime
    extensions: int | None


def parse_list(text: str, now: datetime) -> dict[str, Lease]:
    """The workspaces in ws_list's output, by name. Remaining time counts, not the date: that one has no time zone."""
    leases: dict[str, Lease] = {}
    for block in re.split(r"^id: *", text, flags=re.MULTILINE | re.IGNORECASE)[1:]:
        lines = block.splitlines()
        fields = {match["name"]: match["value"].strip() for line in lines[1:] if (match := _FIELD.fullmatch(line))}
        remaining = _REMAINING.fullmatch(" ".join(fields.get("remaining time", "").split()))
        path = fields.get("workspace directory", "")
        if not remaining or not PATH.fullmatch(path):
            continue  # expired, or not a workspace
        left = timedelta(days=int(remaining["days"]), hours=int(remaining["hours"]))
        extensions = fields.get("available extensions", "")
        name = lines[0].strip()
        leases[name] = Lease(name, path, now + left, int(extensions) if extensions.isdecimal() else None)
    return leases


def ensure(remote: Remote, name: str, days: int, now: datetime) -> Lease:
    """The workspace of that name with its directories in it; allocates it unless it is there.

    The site may grant fewer days than asked for, so what it granted is asked of ws_list.
    Raises RemoteError when the site refuses, SshError without connection.
    """
    answer = remote.check(f"ws_allocate {name}", 'ws_allocate "$1" "$2"', name, str(days))
    path = next((line.strip() for line in reversed(answer.stdout.splitlines()) if line.strip()), "")
    if not PATH.fullmatch(path):
        raise RemoteError(f"ws_allocate {name}", answer.code, f"it answered no path: {answer.stdout or answer.stderr}")
    lease = find(remote, name, now)
    if lease is None:
        raise RemoteError(f"ws_list {name}", 0, f"{path} was allocated but is not listed")
    remote.check(f"making directories in {lease.path}", _MAKE, lease.path)
    return lease


def listed(remote: Remote, now: datetime) -> dict[str, Lease]:
    """All workspaces as they are now, by name. Raises as ``ensure`` does."""
    return parse_list(remote.check("ws_list", "ws_list").stdout, now)


def find(remote: Remote, name: str, now: datetime) -> Lease | None:
    """The workspace as it is now, None when there is none. Raises as ``ensure`` does."""
    return listed(remote, now).get(name)


def extend(remote: Remote, name: str, days: int) -> None:
    """Asks for ``days`` from now. Raises RemoteError when no extensions are left."""
    remote.check(f"ws_extend {name}", 'ws_extend "$1" "$2"', name, str(days))


def release(remote: Remote, name: str) -> None:
    """Gives the workspace back; one that is gone already is no error. Raises RemoteError when the site refuses."""
    if name in listed(remote, datetime.min):
        remote.check(f"ws_release {name}", 'ws_release "$1"', name)
