"""Notifications: written down once with what happened, sent once, and not lost while a server is away."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from notification_servers import HookServer, MailServer, running
from page_structure import check_page
from raycrafter.config import Mail, Webhook
from raycrafter.jobs import requests
from raycrafter.jobs.models import Event, Job, Notification, NotificationChoice
from raycrafter.jobs.notifications import notify, notify_operators
from raycrafter.jobs.states import JobState
from raycrafter.jobs.transitions import transition
from raycrafter.tasks import notifications
from rest_framework.test import APIClient

from raycrafter import tasks


@pytest.fixture
def relay(settings: Any) -> Iterator[MailServer]:
    """A mail relay, and a site that uses it."""
    with running(MailServer()) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        settings.EMAIL_USE_TLS = False
        settings.DEFAULT_FROM_EMAIL = "render@example.org"
        mail = Mail(host="127.0.0.1", tls="none", sender="render@example.org", operators=["ops@example.org"])
        settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, mail=mail)
        yield server


@pytest.fixture
def hook(settings: Any, pki: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[HookServer]:
    """A webhook on this host, which the site allows, with a certificate of an authority that this host trusts."""
    webhook = Webhook(networks=["127.0.0.0/8"])
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, webhook=webhook)
    monkeypatch.setenv("SSL_CERT_FILE", str(pki / "ca.crt"))
    with running(HookServer(pki)) as server:
        yield server


def address(server: HookServer) -> str:
    """Return where the webhook is."""
    return f"https://127.0.0.1:{server.server_address[1]}/hook?for=alice"


@pytest.fixture
def alice(owner: Any) -> Any:
    """The owner, with a mail address."""
    owner.email = "alice@example.org"
    owner.save()
    return owner


def end(job: Job, state: str = JobState.FAILED, reason: str = "frame 2: no such texture") -> None:
    """Bring a job to its end."""
    if state == JobState.CANCELLED:
        requests.cancel(job, "alice")
    elif state == JobState.DONE:
        transition(job, JobState.ACTIVE)
        transition(job, JobState.STAGING_OUT)
    transition(job, state, finished=timezone.now(), state_reason=reason)


def send_all() -> None:
    """One tick, with each message delivered twice."""
    for pk in [*Notification.objects.values_list("pk", flat=True)] * 2:
        tasks.send_notification(pk)


def make_due() -> None:
    """Let the time of the next try come."""
    Notification.objects.exclude(next_try=None).update(next_try=timezone.now())


@pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED, JobState.CANCELLED])
def test_job_that_ends_notifies_by_mail(alice: Any, job: Job, relay: MailServer, state: str) -> None:
    end(job, state)
    send_all()
    (mail,) = relay.taken
    assert (mail["To"], mail["From"]) == ("alice@example.org", "render@example.org")
    assert mail["Subject"] == f"[RayCrafter] Job {job.pk} (test): {state}"
    assert f"http://localhost:8000/jobs/{job.pk}" in mail.get_content()
    assert "frame 2: no such texture" in mail.get_content()


def test_transition_that_is_rolled_back_does_not_notify(alice: Any, job: Job, relay: MailServer) -> None:
    with pytest.raises(KeyError), transaction.atomic():
        end(job)
        raise KeyError
    send_all()
    assert relay.taken == []


def test_job_that_fails_again_notifies_again(alice: Any, job: Job, relay: MailServer) -> None:
    job.frames.update(state="FAILED")
    end(job)
    send_all()
    assert requests.retry(job, "alice") == 3
    job.refresh_from_db()
    end(job)
    send_all()
    assert len(relay.taken) == 2


def test_user_without_address_or_by_choice_is_not_notified(owner: Any, job: Job, relay: MailServer) -> None:
    end(job)
    assert not Notification.objects.exists()
    owner.email = "alice@example.org"
    owner.save()
    notify(owner, "held", "ssh:0", "waits", "it waits", job)
    NotificationChoice.objects.create(user=owner, mail=False)  # chosen before it was sent
    send_all()
    assert relay.taken == []
    assert Notification.objects.get().next_try is None


def test_the_same_occasion_notifies_once(alice: Any, job: Job, relay: MailServer) -> None:
    for _ in range(3):
        notify(alice, "held", "ssh:0", "waits", "it waits", job)
        notify_operators("proxy", "worker1:expired", "proxy", "it is over")
    send_all()
    assert sorted(mail["To"] for mail in relay.taken) == ["alice@example.org", "ops@example.org"]
    notify(alice, "held", "ssh:1", "waits", "it waits", job)
    send_all()
    assert len(relay.taken) == 3


def test_while_one_worker_sends_another_does_not(
    alice: Any, job: Job, relay: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = notifications._send

    def slowly(row: Notification) -> None:
        monkeypatch.setattr(notifications, "_send", send)
        tasks.send_notification(row.pk)
        send(row)

    monkeypatch.setattr(notifications, "_send", slowly)
    end(job)
    tasks.send_notification(Notification.objects.get().pk)
    assert len(relay.taken) == 1


def test_a_server_that_is_away_loses_nothing(alice: Any, job: Job, relay: MailServer, settings: Any) -> None:
    with running(MailServer()) as gone:
        pass
    settings.EMAIL_PORT = gone.server_address[1]
    end(job)
    waits = []
    for _ in range(6):
        make_due()
        send_all()
        row = Notification.objects.get()
        waits.append(row.next_try - timezone.now())
    assert (row.tries, row.sent) == (6, None) and "refused" in row.error
    assert all(earlier < later for earlier, later in pairwise(waits))
    relay.refuses = "451 come back later"
    settings.EMAIL_PORT = relay.server_address[1]
    make_due()
    send_all()
    assert relay.taken == [] and "come back later" in Notification.objects.get().error
    relay.refuses = ""
    send_all()
    assert relay.taken == []  # not before its time
    make_due()
    send_all()
    (mail,) = relay.taken
    assert mail["Message-ID"] == f"<raycrafter-{row.pk}@example.org>"


def test_message_that_is_never_taken_is_abandoned_with_an_event(alice: Any, job: Job, relay: MailServer) -> None:
    relay.refuses = "550 no such user"
    end(job)
    for _ in range(notifications.MAX_TRIES + 3):
        make_due()
        send_all()
    row = Notification.objects.get()
    assert (row.tries, row.next_try) == (notifications.MAX_TRIES, None)
    (event,) = Event.objects.filter(job=job, kind="notification")
    assert "mail to alice" in event.message and "no such user" in event.message


def test_message_that_is_days_old_is_abandoned(alice: Any, job: Job, relay: MailServer) -> None:
    end(job)
    Notification.objects.update(created=timezone.now() - notifications.LIFETIME - timedelta(minutes=1), error="away")
    for _ in range(2):
        tasks.send_notifications()
    send_all()
    assert relay.taken == []
    assert "away" in Event.objects.get(job=job, kind="notification").message


def test_while_a_server_does_not_answer_one_message_at_a_time_is_tried(
    alice: Any, stranger: Any, job: Job, relay: MailServer, hook: HookServer, settings: Any
) -> None:
    for user in (alice, stranger):
        NotificationChoice.objects.create(user=user, webhook=address(hook))
    with running(MailServer()) as gone:
        pass
    settings.EMAIL_PORT, hook.status = gone.server_address[1], 503
    for number in range(5):
        notify(alice, "held", f"ssh:{number}", "waits", "it waits", job)
    notify(stranger, "held", "ssh:0", "waits", "it waits", job)
    send_all()
    assert len(hook.told) == 2  # one for each user
    assert sum(Notification.objects.filter(channel="mail").values_list("tries", flat=True)) == 1
    settings.EMAIL_PORT, hook.status = relay.server_address[1], 200
    make_due()
    send_all()
    assert len(relay.taken) == 5 and len(hook.told) == 2 + 6
    relay.refuses = "550 not this one"
    for number in range(5, 8):
        notify(alice, "held", f"ssh:{number}", "waits", "it waits", job)
    send_all()
    assert list(Notification.objects.filter(channel="mail", sent=None).values_list("tries", flat=True)) == [1, 1, 1]


def test_three_days_of_tries() -> None:
    pauses = [notifications.pause_after(tries) for tries in range(1, notifications.MAX_TRIES)]
    assert timedelta(days=2, hours=12) < sum(pauses, timedelta()) < notifications.LIFETIME
    assert min(pauses).total_seconds() > notifications.TIME_LIMIT


def test_due_notifications_are_enqueued(
    alice: Any, job: Job, relay: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[tuple[str, int]] = []
    monkeypatch.setattr(notifications, "enqueue", lambda *message: handed.append(message))
    end(job)
    row = Notification.objects.get()
    tasks.send_notifications()
    Notification.objects.update(next_try=timezone.now() + timedelta(minutes=1))
    tasks.send_notifications()
    assert handed == [("send_notification", row.pk)]
    Notification.objects.update(next_try=None, created=timezone.now() - timedelta(days=91))
    tasks.send_notifications()
    assert not Notification.objects.exists()


# --- webhooks -------------------------------------------------------------------------------------------------------


def test_webhook_is_notified_and_can_check_the_sender(api: APIClient, job: Job, hook: HookServer) -> None:
    answer = api.patch("/api/v1/notifications", {"webhook": address(hook)})
    secret = answer.json()["secret"]
    assert answer.status_code == 200 and len(secret) == 64
    end(job)
    send_all()
    ((path, headers, body),) = hook.told
    assert path == "/hook?for=alice"
    assert headers["Host"] == f"127.0.0.1:{hook.server_address[1]}"
    assert headers["X-RayCrafter-Signature"] == "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    told = json.loads(body)
    assert (told["kind"], told["job"]["id"], told["id"]) == ("failed", job.pk, Notification.objects.get().pk)


@pytest.mark.parametrize("status", [301, 302, 307, 404, 500])
def test_only_success_is_success_and_no_redirect_is_followed(
    api: APIClient, job: Job, hook: HookServer, status: int
) -> None:
    api.patch("/api/v1/notifications", {"webhook": address(hook)})
    hook.status = status
    end(job)
    send_all()
    assert len(hook.told) == 1
    assert f"answered {status}" in Notification.objects.get().error
    hook.status = 200
    make_due()
    send_all()
    assert len(hook.told) == 2 and Notification.objects.get().sent


def test_the_address_is_looked_at_again_when_it_is_called(
    api: APIClient, job: Job, hook: HookServer, settings: Any
) -> None:
    api.patch("/api/v1/notifications", {"webhook": address(hook)})
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, webhook=Webhook())
    end(job)
    send_all()
    assert hook.told == [] and "public" in Notification.objects.get().error


def test_a_certificate_of_another_name_is_refused(api: APIClient, job: Job, hook: HookServer, pki: Any) -> None:
    with running(HookServer(pki, "elsewhere")) as impostor:
        api.patch("/api/v1/notifications", {"webhook": address(impostor)})
        end(job)
        send_all()
        assert impostor.told == [] and "certificate" in Notification.objects.get().error


def test_the_certificate_is_the_names_not_the_addresss(
    api: APIClient, job: Job, hook: HookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo
    here = {"hooks.example.org": "127.0.0.1"}
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *a, **k: look_up(here.get(host, host), *a, **k))
    api.patch("/api/v1/notifications", {"webhook": address(hook).replace("127.0.0.1", "hooks.example.org")})
    end(job)
    send_all()
    # the server's certificate is good for 127.0.0.1
    assert hook.told == [] and "hooks.example.org" in Notification.objects.get().error


# --- choosing -------------------------------------------------------------------------------------------------------


def test_choices(api: APIClient, alice: Any, relay: MailServer, hook: HookServer) -> None:
    mine = "/api/v1/notifications"
    asked = {"mail": True, "address": "alice@example.org", "mail_works": True, "webhook": ""}
    assert api.get(mine).json() == asked
    first = api.patch(mine, {"mail": False, "webhook": address(hook)}).json()
    assert (first["mail"], first["webhook"]) == (False, address(hook))
    assert api.patch(mine, {"webhook": address(hook) + "&more"}).json()["secret"] is None
    second = api.patch(mine, {"new_secret": True}).json()["secret"]
    assert second and second != first["secret"]
    shown = api.get(mine).json()
    assert "secret" not in shown and shown["webhook"].endswith("&more")
    stored = str(list(NotificationChoice.objects.values()))
    assert second not in stored and first["secret"] not in stored
    assert api.patch(mine, {"webhook": "", "new_secret": True}).json()["secret"] is None


@pytest.mark.parametrize(
    "url", ["http://example.org/", "https://127.0.0.1/", "https://[::1]/", "https://u:p@example.org/", "ftp://x/", "x"]
)
def test_addresses_that_are_refused(api: APIClient, pages: Client, url: str) -> None:
    answer = api.patch("/api/v1/notifications", {"webhook": url})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, ["webhook"])
    if url != "x":  # a form takes that for https://x
        html, _ = check_page(pages.post("/notifications", {"webhook": url}), 422)
        assert "errorlist" in html
    assert not NotificationChoice.objects.exclude(webhook="").exists()


def test_the_page_shows_a_new_secret_once(pages: Client, alice: Any, relay: MailServer, hook: HookServer) -> None:
    html, _ = check_page(pages.get("/notifications"))
    assert "alice@example.org" in html
    html, _ = check_page(pages.post("/notifications", {"mail": "on", "webhook": address(hook)}))
    choice = NotificationChoice.objects.get()
    assert (choice.mail, choice.webhook) == (True, address(hook)) and choice.secret in html
    html, _ = check_page(pages.get("/notifications"))
    assert choice.secret not in html
    html, _ = check_page(pages.post("/notifications", {"webhook": address(hook)}, follow=True))
    assert "Saved." in html and choice.secret not in html
    assert NotificationChoice.objects.get().mail is False
