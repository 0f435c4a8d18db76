"""The way to the cluster, as all tasks share it."""

from __future__ import annotations

import functools
import time

from django.conf import settings

from raycrafter.cluster.batch_reply import number
from raycrafter.cluster.gridftp import GridFtp
from raycrafter.cluster.scheduler import Scheduler
from raycrafter.cluster.ssh import Remote
from raycrafter.cluster.ssh_transfer import SshTransfer
from raycrafter.cluster.transfer import Adapter
from raycrafter.config import Cluster
from raycrafter.jobs.models import Batch


def cluster() -> Cluster:
    """The site's configuration."""
    return settings.RAYCRAFTER.cluster


@functools.cache
def remote() -> Remote:
    """The login node; one per process, because it remembers when it could not be reached."""
    site = cluster()
    return Remote(site.ssh_config, site.ssh_host, site.scratch)


@functools.cache
def scheduler() -> Scheduler:
    """The batch system's answers."""
    return Scheduler(cluster().answers)


def adapter() -> Adapter:
    """What moves the files."""
    if cluster().transfer == "ssh":
        return SshTransfer(remote())
    return GridFtp(cluster().gridftp_url, cluster().proxy_file)


def owner(batch: Batch) -> str:
    """The number of the batch job that renders, "" while it is not known: that of the client that claimed. It need not
    be what the submission answered, because batch systems may take one submission twice."""
    return number(batch.native_client_id or "") or number(batch.native_id or "")


class Pauses:
    """Things not to be tried again yet, in this process: a restart tries them once more, which does no harm."""

    def __init__(self) -> None:
        self._until: dict[object, float] = {}

    def set(self, key: object, seconds: float) -> None:
        """Not before ``seconds`` from now."""
        self._until[key] = time.monotonic() + seconds

    def __contains__(self, key: object) -> bool:
        if time.monotonic() < self._until.get(key, 0.0):
            return True
        self._until.pop(key, None)
        return False

    def clear(self) -> None:
        """Everything may be tried."""
        self._until.clear()


pauses = Pauses()
