"""Batches: submissions to the batch system."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from ..states import BATCH_FINAL, BatchState
from .cluster import Site
from .jobs import Job


def batch_name() -> str:
    """Return a new name: 15 characters that every batch system accepts."""
    return "rc" + base64.b32encode(secrets.token_bytes(10)).decode().lower()[:13]


class Batch(models.Model):
    """One submission to the batch system, recorded before any command on the cluster."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="batches")
    site = models.CharField(max_length=50)
    name = models.CharField(max_length=15, unique=True, default=batch_name)
    state = models.CharField(max_length=20, choices=BatchState, default=BatchState.CREATED, db_index=True)
    state_reason = models.TextField(blank=True)
    native_id = models.CharField(max_length=100, null=True, blank=True, help_text="what the submission answered")
    native_client_id = models.CharField(
        max_length=100, null=True, blank=True, help_text="what the first client that claimed calls its batch job"
    )
    client_host = models.CharField(max_length=200, blank=True)
    directory = models.CharField(max_length=500, blank=True, help_text="on the cluster")
    script_sha256 = models.CharField(max_length=64, blank=True)
    token_hash = models.CharField(max_length=64, null=True, blank=True, unique=True)
    token_expires = models.DateTimeField(null=True, blank=True, help_text="set when a client first claims")
    walltime_seconds = models.PositiveIntegerField()
    created = models.DateTimeField(default=timezone.now)
    submitted = models.DateTimeField(null=True, blank=True)
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)
    last_heartbeat = models.DateTimeField(null=True, blank=True)
    last_seen = models.DateTimeField(null=True, blank=True, help_text="in an answer of the batch system")
    absent_polls = models.PositiveSmallIntegerField(
        default=0, help_text="good answers of the batch system in a row without it"
    )
    exit_status = models.IntegerField(null=True, blank=True)
    finish_reason = models.CharField(max_length=200, blank=True, help_text="the client's last word")

    class Meta:
        """Database rules."""

        ordering = ("pk",)
        verbose_name_plural = "batches"
        constraints = (
            # NULLs are distinct: any number of batches may have no id yet
            models.UniqueConstraint(fields=["site", "native_id"], name="batch_native_id"),
        )

    def __str__(self) -> str:
        return f"batch {self.pk} ({self.name})"

    @property
    def label(self) -> str:
        """The number by which people speak of it."""
        return str(self.pk)

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in BATCH_FINAL

    @property
    def is_held(self) -> bool:
        """Whether its job or its cluster is paused.

        It is not submitted then, and its clients end after the frames that they have.
        """
        return self.job.paused or Site.objects.filter(name=self.site, paused=True).exists()

    @staticmethod
    def hash_token(token: str) -> str:
        """Return what is stored of a token. A 256-bit random text needs no slow hash."""
        return hashlib.sha256(token.encode()).hexdigest()

    def issue_token(self) -> str:
        """Make a new token for this batch's client and return it; an earlier one is void."""
        token = secrets.token_urlsafe(32)
        self.token_hash = self.hash_token(token)
        self.save(update_fields=["token_hash"])
        return token

    @property
    def stop_at(self) -> float | None:
        """When it must stop, in seconds since 1970; None before the first claim.

        That is the end of its walltime or workspace, less the margin.
        """
        if self.started is None:
            return None
        end, expires = self.started + timedelta(seconds=self.walltime_seconds), self.job.workspace.expires
        margin = timedelta(seconds=settings.RAYCRAFTER.cluster.walltime_margin)
        return ((min(end, expires) if expires else end) - margin).timestamp()

    @property
    def log_fields(self) -> dict[str, Any]:
        """The ids by which log lines about this batch are found."""
        return {"job_id": self.job_id, "batch_id": self.pk, "native_id": self.native_client_id}
