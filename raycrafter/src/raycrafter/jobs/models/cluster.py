"""Quotas, shares, blocklist and licences of the cluster; operators set them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class Site(models.Model):
    """The state of a cluster, and its quotas. An empty one is the configuration's."""

    name = models.CharField(max_length=50, unique=True, help_text="as in the configuration: cluster.name")
    paused = models.BooleanField(default=False, help_text="nothing is submitted, and clients end after their frame")
    max_batches = models.PositiveIntegerField(null=True, blank=True, help_text="in the batch system at once")
    max_batches_per_user = models.PositiveIntegerField(null=True, blank=True, help_text="at once, for each user")
    max_frames_per_user = models.PositiveIntegerField(
        null=True, blank=True, help_text="that one user may have waiting or in work"
    )
    proxy_ends = models.DateTimeField(
        null=True, editable=False, help_text="the grid proxy of the worker that looked last; empty: it cannot be read"
    )
    proxy_seen = models.DateTimeField(null=True, editable=False, help_text="when that worker looked")
    timeouts_checked = models.DateTimeField(
        null=True, editable=False, help_text="when timeouts of clients were last checked"
    )
    heard_since = models.DateTimeField(
        null=True, editable=False, help_text="since when, without a break, clients could be heard"
    )

    def __str__(self) -> str:
        return self.name


class Share(models.Model):
    """One user's part, where it is not everybody's."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="share")
    weight = models.PositiveSmallIntegerField(default=1, help_text="2 has twice the batches of 1; 0 has none")
    max_batches = models.PositiveIntegerField(null=True, blank=True, help_text="instead of the site's")
    max_frames = models.PositiveIntegerField(null=True, blank=True, help_text="instead of the site's")

    def __str__(self) -> str:
        return f"share of {self.user}"


class BlockedNode(models.Model):
    """A node that failed what others could render. Deleting the row trusts it again."""

    site = models.CharField(max_length=50)
    host = models.CharField(max_length=200)
    until = models.DateTimeField()
    reason = models.TextField(blank=True)

    class Meta:
        """Database rules."""

        constraints = (models.UniqueConstraint(fields=["site", "host"], name="blocked_node_host"),)

    def __str__(self) -> str:
        return f"{self.host} until {self.until:%Y-%m-%d %H:%M}"


class Licence(models.Model):
    """Licences of a renderer: each client that renders with it holds one."""

    renderer = models.CharField(max_length=50, unique=True)
    count = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.count} of {self.renderer}"


class Lease(models.Model):
    """A licence that a client holds, until its batch ends or its lease expires."""

    licence = models.ForeignKey(Licence, models.CASCADE, related_name="leases")
    batch = models.ForeignKey("jobs.Batch", models.CASCADE, related_name="leases")
    host = models.CharField(max_length=200)
    taken = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()

    class Meta:
        """Database rules."""

        constraints = (models.UniqueConstraint(fields=["licence", "batch", "host"], name="lease_client"),)

    def __str__(self) -> str:
        return f"{self.licence.renderer} for {self.host}"
