"""Notifications of what needs a person: long holds, and a grid proxy near its end."""

from __future__ import annotations

import socket
from datetime import datetime

from django.utils import timezone

from raycrafter.celery import app
from raycrafter.cluster.errors import CredentialError
from raycrafter.cluster.gridftp import proxy_lifetime
from raycrafter.jobs import hold_notices
from raycrafter.jobs.notifications import notify_operators

from .common import cluster

PROXY_HOURS = 6  # left of a proxy: its timer makes a new one at a quarter of its life


@app.task(name="raycrafter.tasks.notify_holds")
def notify_holds() -> None:
    """Notify of each hold once a day, as long as it lasts."""
    now = timezone.now()
    hold_notices.notify_held_jobs(now)
    hold_notices.notify_missing_licences(now)
    _notify_proxy(now)


def _notify_proxy(now: datetime) -> None:
    """Notify of this host's grid proxy near its end; a site without GridFTP has none."""
    site = cluster()
    if site.transfer != "gridftp":
        return
    try:
        left = proxy_lifetime(site.proxy_file)
        problem = "" if left > PROXY_HOURS * 3600 else f"the grid proxy is valid for {max(left, 0) // 60} more minutes"
        state = "expired" if left <= 0 else "near its end"
    except CredentialError as error:
        problem, state = str(error), "unusable"
    if problem:
        host = socket.gethostname()
        text = f"{host}: {problem}. raycrafter-grid-proxy.timer should renew it. Fix: read the log of "
        text += "raycrafter-grid-proxy.service there. Transfers are held until then.\n"
        notify_operators("proxy", f"{host}:{state}:{now:%Y-%m-%d}", f"Grid proxy on {host} is {state}", text)
