"""Workspaces, and the transfers of files to and from them."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from ..states import TransferState, WorkspaceState
from .jobs import Job


class Workspace(models.Model):
    """A directory on the cluster's file system, lent until a date."""

    job = models.OneToOneField(Job, models.CASCADE, related_name="workspace")
    site = models.CharField(max_length=50)
    name = models.CharField(max_length=100)
    path = models.CharField(max_length=500, blank=True)
    expires = models.DateTimeField(null=True, blank=True)
    extensions_left = models.PositiveSmallIntegerField(null=True, blank=True)
    state = models.CharField(max_length=20, choices=WorkspaceState, default=WorkspaceState.PENDING)
    state_reason = models.TextField(blank=True)
    extension_asked_by = models.CharField(
        max_length=150, blank=True, db_default="", help_text="who waits for an extension"
    )
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        """Database rules."""

        constraints = (models.UniqueConstraint(fields=["site", "name"], name="workspace_name"),)

    def __str__(self) -> str:
        return f"workspace {self.name}"

    @property
    def label(self) -> str:
        """Its name on the cluster."""
        return self.name


class Transfer(models.Model):
    """Files on their way in (the scene) or out (frames)."""

    class Kind(models.TextChoices):
        """Direction, seen from the cluster."""

        IN = "in"
        OUT = "out"

    job = models.ForeignKey(Job, models.CASCADE, related_name="transfers")
    kind = models.CharField(max_length=3, choices=Kind)
    state = models.CharField(max_length=20, choices=TransferState, default=TransferState.PENDING, db_index=True)
    state_reason = models.TextField(blank=True)
    error_class = models.CharField(max_length=50, blank=True, help_text="credential, quota, workspace, network …")
    manifest = models.JSONField(default=list, blank=True, help_text="[{frame, source, target, size in bytes, sha256}]")
    bytes_total = models.BigIntegerField(default=0)
    bytes_done = models.BigIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(default=timezone.now)
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Database rules."""

        ordering = ("pk",)

    def __str__(self) -> str:
        return f"transfer {self.pk} ({self.kind})"

    @property
    def label(self) -> str:
        """The number and the direction."""
        return f"{self.pk} ({self.kind})"
