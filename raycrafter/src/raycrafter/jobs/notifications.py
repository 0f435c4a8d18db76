"""Notifications, written before they are sent: a row for recipient and channel.

A row's ``key`` names the occasion, the recipient and the channel: what is there already is not written again.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone

from .models import Channel, Job, Notification, NotificationChoice

SUBJECT = "[RayCrafter] "


def choice_of(user: Any) -> NotificationChoice:
    """Return how a user wants to be notified; an unsaved row without a choice."""
    return NotificationChoice.objects.filter(user=user.pk).first() or NotificationChoice(user=user)


def choose(
    user: Any, mail: bool | None, webhook: str | None, new_secret: bool
) -> tuple[NotificationChoice, str | None]:
    """Change the given settings. Return them, and the webhook's secret if it is new."""
    choice, _ = NotificationChoice.objects.get_or_create(user=user)
    choice.mail = choice.mail if mail is None else mail
    choice.webhook = choice.webhook if webhook is None else webhook
    secret = None
    if not choice.webhook:
        choice.salt = ""
    elif new_secret or not choice.salt:
        secret = choice.new_secret()
    choice.save()
    return choice, secret


def notify(user: Any, kind: str, occasion: str, subject: str, text: str, job: Job | None = None) -> None:
    """Notify a user by the channels they chose; once for each occasion of a job."""
    choice = choice_of(user)
    channels = [Channel.MAIL] if choice.mail and user.email and settings.RAYCRAFTER.mail.host else []
    channels += [Channel.WEBHOOK] if choice.webhook else []
    if user.is_active:
        _write(channels, user, kind, occasion, subject, text, job)


def notify_operators(kind: str, occasion: str, subject: str, text: str, job: Job | None = None) -> None:
    """Notify the operators of the configuration by mail, as ``notify``."""
    mail = settings.RAYCRAFTER.mail
    _write([Channel.MAIL] if mail.host and mail.operators else [], None, kind, occasion, subject, text, job)


def _write(
    channels: list[Channel], user: Any, kind: str, occasion: str, subject: str, text: str, job: Job | None
) -> None:
    whom = str(user.pk) if user else "operators"
    rows = [
        Notification(
            key=f"{channel}:{whom}:{kind}:{job.pk if job else ''}:{occasion}"[:250],
            kind=kind,
            channel=channel,
            user=user,
            job=job,
            subject=" ".join(f"{SUBJECT}{subject}".split())[:300],
            text=text,
        )
        for channel in channels
    ]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)


def job_url(job: Job) -> str:
    """Return the address of a job's page."""
    return f"{settings.RAYCRAFTER.django.public_url.rstrip('/')}/jobs/{job.pk}"


def notify_job_ended(job: Job) -> None:
    """Notify the owner of a job that has ended; after a retry once more."""
    ended = job.finished or timezone.now()
    text = f"Job {job.pk} ({job.name}) is {job.state}.\n"
    if job.state_reason:
        text += f"{job.state_reason}\n"
    subject = f"Job {job.pk} ({job.name}): {job.state}"
    notify(job.owner, job.state.lower(), ended.isoformat(), subject, f"{text}\n{job_url(job)}\n", job)
