"""What users and operators are told, written down before it is sent: a row for each recipient and way.

A row's ``key`` names what happened, to whom it is told and how: what is there already is not told again.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone

from .models import Channel, Job, Notification, NotificationChoice

SUBJECT = "[RayCrafter] "


def choice_of(user: Any) -> NotificationChoice:
    """Return what a user chose; a row that is not saved for who chose nothing."""
    return NotificationChoice.objects.filter(user=user.pk).first() or NotificationChoice(user=user)


def choose(
    user: Any, mail: bool | None, webhook: str | None, new_secret: bool
) -> tuple[NotificationChoice, str | None]:
    """Change what is given. Returns the choice, and the webhook's secret if it is new: it is shown this once."""
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
    """Have a user told in the ways they chose. The same occasion of a job and kind again changes nothing."""
    choice = choice_of(user)
    channels = [Channel.MAIL] if choice.mail and user.email and settings.RAYCRAFTER.mail.host else []
    channels += [Channel.WEBHOOK] if choice.webhook else []
    if user.is_active:
        _write(channels, user, kind, occasion, subject, text, job)


def notify_operators(kind: str, occasion: str, subject: str, text: str, job: Job | None = None) -> None:
    """Have the operators told by mail, as ``tell``; the configuration says who they are."""
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
    """Tell the owner of a job that is over. One that is tried again ends once more, and is told of once more."""
    ended = job.finished or timezone.now()
    text = f"Job {job.pk} ({job.name}) is {job.state}.\n"
    if job.state_reason:
        text += f"{job.state_reason}\n"
    subject = f"Job {job.pk} ({job.name}): {job.state}"
    notify(job.owner, job.state.lower(), ended.isoformat(), subject, f"{text}\n{job_url(job)}\n", job)
