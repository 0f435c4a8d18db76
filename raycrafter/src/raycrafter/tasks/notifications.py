"""Sending of notifications by mail and webhook, with retries for about three days."""

from __future__ import annotations

import json
import logging
import smtplib
from datetime import timedelta
from email.utils import parseaddr

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.utils import timezone

from raycrafter import webhook
from raycrafter.celery import app
from raycrafter.dispatch import enqueue
from raycrafter.jobs.models import Channel, Event, Notification
from raycrafter.jobs.notifications import choice_of, job_url

logger = logging.getLogger(__name__)

MAX_TRIES = 20
FIRST_PAUSE = timedelta(minutes=2)
LONGEST_PAUSE = timedelta(hours=6)
LIFETIME = timedelta(days=4)  # after which a notification is of no use
TIME_LIMIT = 30  # seconds for one; less than the first pause, so that nobody tries the same meanwhile
AT_ONCE = 200  # messages to the workers at a tick
REMEMBERED = timedelta(days=90)


def pause_after(tries: int) -> timedelta:
    """Return how long to wait after so many tries."""
    return min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE)


@app.task(name="raycrafter.tasks.send_notifications")
def send_notifications() -> None:
    """Enqueue every notification that is due; delete those sent long ago."""
    now = timezone.now()
    for row in Notification.objects.filter(created__lt=now - LIFETIME).exclude(next_try=None)[:AT_ONCE]:
        _abandon(row, row.error)
    due = Notification.objects.filter(next_try__lte=now).order_by("next_try")
    for pk in due.values_list("pk", flat=True)[:AT_ONCE]:
        enqueue("send_notification", pk)
    Notification.objects.filter(next_try=None, created__lt=now - REMEMBERED).delete()


@app.task(name="raycrafter.tasks.send_notification", soft_time_limit=TIME_LIMIT)
def send_notification(notification_id: int) -> None:
    """Send one notification.

    Claim it first, by setting the time of its next try: of two workers with the same message one sends.
    """
    row = Notification.objects.select_related("user", "job").filter(pk=notification_id).first()
    now = timezone.now()
    if row is None or row.next_try is None or row.next_try > now:
        return
    claim = Notification.objects.filter(pk=row.pk, next_try=row.next_try, tries=row.tries)
    if not claim.update(next_try=now + pause_after(row.tries + 1), tries=F("tries") + 1):
        return
    row.tries += 1
    try:
        _send(row)
    except (OSError, ValueError, smtplib.SMTPException, webhook.WebhookError, SoftTimeLimitExceeded) as error:
        _failed(row, str(error) or type(error).__name__)
        _hold_back(row, error)
        return
    Notification.objects.filter(pk=row.pk).update(sent=timezone.now(), next_try=None, error="")


def _failed(row: Notification, error: str) -> None:
    """Record why it was not sent; abandon it after the last try."""
    Notification.objects.filter(pk=row.pk).update(error=error[:2000])
    logger.warning("%s was not sent, try %d: %s", _name(row), row.tries, error, extra=_extra(row))
    if row.tries >= MAX_TRIES:
        _abandon(row, error)


def _abandon(row: Notification, error: str) -> None:
    """Stop trying, and record that on the job."""
    if not Notification.objects.filter(pk=row.pk).exclude(next_try=None).update(next_try=None):
        return
    text = f"{_name(row)} was abandoned after {row.tries} tries: {error}"
    logger.warning("%s", text, extra=_extra(row))
    if row.job:
        Event.note(row.job, "notification", text, Event.Level.WARNING)


def _name(row: Notification) -> str:
    return f"{row.channel} to {row.user.get_username() if row.user else 'the operators'} ({row.kind})"


def _extra(row: Notification) -> dict[str, int]:
    return {"job_id": row.job_id} if row.job_id else {}


def _hold_back(row: Notification, error: Exception) -> None:
    """Delay other notifications of the same channel.

    A server that does not answer must not keep every worker busy.
    """
    until = timezone.now() + FIRST_PAUSE
    others = Notification.objects.filter(channel=row.channel, next_try__lt=until).exclude(pk=row.pk)
    if row.channel == Channel.WEBHOOK:
        others = others.filter(user=row.user)
    elif isinstance(error, smtplib.SMTPException):
        return  # the relay answers: what it refuses is this message
    others.update(next_try=until)


def _send(row: Notification) -> None:
    """Send by the notification's channel.

    A channel that its user has switched off since is skipped, and counts as done.
    """
    if row.user is None:
        _mail(row, settings.RAYCRAFTER.mail.operators)
        return
    choice = choice_of(row.user)
    if row.channel == Channel.MAIL and choice.mail and row.user.email:
        _mail(row, [row.user.email])
    elif row.channel == Channel.WEBHOOK and choice.webhook:
        webhook.post(choice.webhook, body_of(row), choice.secret)


def _mail(row: Notification, to: list[str]) -> None:
    """Send a mail with the row's id, by which a repeated message is recognised."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    headers = {"Message-ID": f"<raycrafter-{row.pk}@{domain}>", "Auto-Submitted": "auto-generated"}
    EmailMessage(row.subject, row.text, to=to, headers=headers).send()


def body_of(row: Notification) -> bytes:
    """Return the JSON of a webhook; ``id`` is the same in every try."""
    body = {
        "id": row.pk,
        "kind": row.kind,
        "time": row.created.isoformat(),
        "subject": row.subject,
        "text": row.text,
        "job": {"id": row.job.pk, "name": row.job.name, "url": job_url(row.job)} if row.job else None,
    }
    return json.dumps(body).encode()
