"""The grid proxy's lifetime: workers have it, pages read it from the database."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone

from raycrafter.celery import app
from raycrafter.cluster.errors import CredentialError
from raycrafter.cluster.gridftp import proxy_lifetime
from raycrafter.jobs.models import Site

from .common import cluster

logger = logging.getLogger(__name__)


@app.task(name="raycrafter.tasks.check_proxy")
def check_proxy() -> None:
    """Record when this worker's grid proxy ends, or that none can be read.

    A site without GridFTP has none.
    """
    site = cluster()
    if site.transfer != "gridftp":
        return
    try:
        ends = timezone.now() + timedelta(seconds=proxy_lifetime(site.proxy_file))
    except CredentialError as error:
        logger.warning("%s", error)
        ends = None
    Site.objects.update_or_create(name=site.name, defaults={"proxy_ends": ends, "proxy_seen": timezone.now()})
