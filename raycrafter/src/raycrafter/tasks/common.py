"""The way to the cluster, as all tasks share it."""

from __future__ import annotations

import functools
import time

from django.conf import settings

from raycrafter.cluster.batch.reply import number
from raycrafter.cluster.gridftp import GridFtp
from raycrafter.cluster.scheduler import Scheduler
from raycrafter.cluster.ssh import Remote
from raycrafter.cluster.ssh_transfer import SshTransfer
from raycrafter.cluster.transfer import Adapter
from raycrafter.config import Cluster
from raycrafter.jobs.models import Batch


def cluster() -> Cluster:
    """Return the section [cluster] of the configuration."""
    return settings.RAYCRAFTER.cluster


@functools.cache
def remote() -> Remote:
    """Return the login node; one per process, because it remembers when ssh failed."""
    site = cluster()
    return Remote(site.ssh_config, site.ssh_host, site.scratch)


@functools.cache
def scheduler() -> Scheduler:
    """Return the commands of the batch system, and the reader of its output."""
    return Scheduler(cluster().scheduler)


def adapter() -> Adapter:
    """Return the adapter that copies files."""
    if cluster().transfer == "ssh":
        return SshTransfer(remote())
    return GridFtp(cluster().gridftp_url, cluster().proxy_file)


def owner(batch: Batch) -> str:
    """Return the number of the batch job that renders, "" while it is not known.

    It is the number of the compute client that claimed. A batch system may take one submission twice, so it can differ
    from the submission's answer.
    """
    return number(batch.native_client_id or "") or number(batch.native_id or "")


class Pauses:
    """Keys that must not be tried again yet, in this process.

    A restart forgets them: one try too many does no harm.
    """

    def __init__(self) -> None:
        self._until: dict[object, float] = {}

    def set(self, key: object, seconds: float) -> None:
        """Pause a key for so many seconds."""
        self._until[key] = time.monotonic() + seconds

    def __contains__(self, key: object) -> bool:
        if time.monotonic() < self._until.get(key, 0.0):
            return True
        self._until.pop(key, None)
        return False

    def clear(self) -> None:
        """End all pauses."""
        self._until.clear()


pauses = Pauses()
