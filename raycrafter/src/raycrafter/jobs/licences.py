"""Licences as leases: taken by claims, renewed by heartbeats, returned at the end."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from .models import Batch, Lease, Licence

# A client that is cut off renders on for a while: no other may have its licence before its timeout.
LEASE = timedelta(minutes=20)


def take(batch: Batch, host: str) -> bool:
    """Take a licence for a compute client. Return False when all are in use.

    Returns True for a renderer that needs none.
    """
    with transaction.atomic():
        # the row's lock makes counting and taking one
        licence = Licence.objects.select_for_update().filter(renderer=batch.job.renderer).first()
        if licence is None:
            return True
        now = timezone.now()
        Lease.objects.filter(licence=licence, expires__lte=now).delete()
        mine = {"licence": licence, "batch": batch, "host": host}
        others = Lease.objects.filter(licence=licence).exclude(batch=batch, host=host).count()
        if others >= licence.count:
            return False
        Lease.objects.update_or_create(**mine, defaults={"expires": now + LEASE})
    return True


def renew(batch: Batch) -> None:
    """Renew the leases of a batch whose client is alive."""
    Lease.objects.filter(batch=batch).update(expires=timezone.now() + LEASE)


def give_back(batch: Batch) -> None:
    """Return the licences of a batch."""
    Lease.objects.filter(batch=batch).delete()
