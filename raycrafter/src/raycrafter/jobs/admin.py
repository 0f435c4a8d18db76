"""The admin site: jobs to look at, quotas, shares and blocked nodes to set.

Rows with states are read-only: a state changes by transitions alone.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from .models import (
    Attempt,
    Batch,
    BlockedNode,
    Event,
    Frame,
    Job,
    Lease,
    Licence,
    Notification,
    Share,
    Site,
    Transfer,
    Workspace,
)


class ReadOnly(admin.ModelAdmin):
    """Rows can be seen, not made, changed or removed."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Leave out the hashes of tokens."""
        return ["token_hash"]


@admin.register(Job)
class JobAdmin(ReadOnly):
    """Jobs."""

    list_display = (
        "id",
        "name",
        "owner",
        "renderer",
        "state",
        "priority",
        "paused",
        "frame_count",
        "created",
    )
    list_filter = (
        "state",
        "renderer",
    )
    search_fields = (
        "name",
        "owner__username",
    )


@admin.register(Frame)
class FrameAdmin(ReadOnly):
    """Frames."""

    list_display = (
        "job",
        "number",
        "state",
        "percent",
        "tries",
        "batch",
    )
    list_filter = ("state",)
    list_select_related = (
        "job",
        "batch",
    )
    search_fields = ("=job__id",)


@admin.register(Batch)
class BatchAdmin(ReadOnly):
    """Batches."""

    list_display = (
        "id",
        "name",
        "job",
        "site",
        "native_id",
        "state",
        "submitted",
        "last_heartbeat",
    )
    list_filter = (
        "state",
        "site",
    )
    list_select_related = ("job",)
    search_fields = (
        "name",
        "native_id",
        "=job__id",
    )


@admin.register(Attempt)
class AttemptAdmin(ReadOnly):
    """Attempts."""

    list_display = (
        "id",
        "frame",
        "number",
        "host",
        "started",
        "ended",
        "outcome",
        "returncode",
    )
    list_filter = ("outcome",)
    list_select_related = ("frame",)


@admin.register(Workspace)
class WorkspaceAdmin(ReadOnly):
    """Workspaces."""

    list_display = (
        "name",
        "site",
        "job",
        "path",
        "expires",
        "state",
    )
    list_filter = ("state",)
    list_select_related = ("job",)


@admin.register(Transfer)
class TransferAdmin(ReadOnly):
    """Transfers."""

    list_display = (
        "id",
        "job",
        "kind",
        "state",
        "bytes_done",
        "bytes_total",
        "tries",
        "next_try",
    )
    list_filter = (
        "state",
        "kind",
    )
    list_select_related = ("job",)


@admin.register(Event)
class EventAdmin(ReadOnly):
    """Events."""

    list_display = (
        "time",
        "job",
        "batch",
        "level",
        "actor",
        "kind",
        "message",
    )
    list_filter = (
        "level",
        "actor",
        "kind",
    )
    list_select_related = (
        "job",
        "batch",
    )
    search_fields = ("=job__id",)


@admin.register(Site)
class SiteAdmin(admin.ModelAdmin):
    """Pausing the cluster, and its quotas."""

    list_display = ("name", "paused", "max_batches", "max_batches_per_user", "max_frames_per_user")


@admin.register(Share)
class ShareAdmin(admin.ModelAdmin):
    """Users whose share differs."""

    list_display = ("user", "weight", "max_batches", "max_frames")
    list_select_related = ("user",)


@admin.register(BlockedNode)
class BlockedNodeAdmin(admin.ModelAdmin):
    """Blocked nodes: operators add one, or delete one to trust it again."""

    list_display = ("host", "site", "until", "reason")
    list_filter = ("site",)


@admin.register(Licence)
class LicenceAdmin(admin.ModelAdmin):
    """How many licences a renderer has; without a row it needs none."""

    list_display = ("renderer", "count")


@admin.register(Lease)
class LeaseAdmin(ReadOnly):
    """Licences in use."""

    list_display = ("licence", "batch", "host", "taken", "expires")
    list_select_related = ("licence", "batch")


@admin.register(Notification)
class NotificationAdmin(ReadOnly):
    """Notifications, sent and waiting; without a user they are for the operators."""

    list_display = ("created", "kind", "channel", "user", "job", "sent", "tries", "next_try", "error")
    list_filter = ("channel", "kind")
    list_select_related = ("user", "job")
    search_fields = ("=job__id", "user__username")
