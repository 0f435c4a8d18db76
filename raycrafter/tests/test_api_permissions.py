"""Who may do what: one table of every address, method and kind of user. An address that is not in it fails the test."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone
from raycrafter.api.tokens import make_token
from raycrafter.jobs.models import AccessToken, Attempt, Batch, Job, JobShare, Upload
from rest_framework.test import APIClient

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# reader: the job is shared with them to be seen; manager: with a group of theirs, to be managed;
# readonly: the owner, by a token that is for reading only; batch: a compute-node client by its token
WHO = ("nobody", "batch", "stranger", "reader", "manager", "owner", "readonly", "staff")

# "in" is the way to the page for signing in; what is not in the table is 405.
TABLE = """
                    nobody batch stranger reader manager owner readonly staff
api-login           POST     400 400 400 400 400 400 400 400
api-logout          POST     401 401 401 401 401 401 204 401
api-tokens          GET      401 401 200 200 200 200 200 200
api-tokens          POST     401 401 201 201 201 201 403 201
api-token           DELETE   401 401 404 404 404 204 403 404
api-notifications   GET      401 401 200 200 200 200 200 200
api-notifications   PATCH    401 401 200 200 200 200 403 200
api-uploads         GET      401 401 200 200 200 200 200 200
api-uploads         POST     401 401 201 201 201 201 403 201
api-upload          GET      401 401 404 404 404 200 200 404
api-upload          PATCH    401 401 404 404 404 204 403 404
api-upload          DELETE   401 401 404 404 404 204 403 404
api-jobs            GET      401 401 200 200 200 200 200 200
api-jobs            POST     401 401 400 400 400 400 403 400
api-job             GET      401 401 404 200 200 200 200 200
api-job-cancel      POST     401 401 404 403 200 200 403 200
api-job             PATCH    401 401 404 403 200 200 403 200
api-job-retry       POST     401 401 404 403 200 200 403 200
api-job-pause       POST     401 401 404 403 200 200 403 200
api-job-resume      POST     401 401 404 403 200 200 403 200
api-job-extend      POST     401 401 404 403 200 200 403 200
api-job-frames      GET      401 401 404 200 200 200 200 200
api-job-batches     GET      401 401 404 200 200 200 200 200
api-job-events      GET      401 401 404 200 200 200 200 200
api-job-transfers   GET      401 401 404 200 200 200 200 200
api-frame-file      GET      401 401 404 200 200 200 200 200
api-frame-thumbnail GET      401 401 404 200 200 200 200 200
api-frame-log       GET      401 401 404 200 200 200 200 200
api-job-archive     GET      401 401 404 200 200 200 200 200
api-job-shares      GET      401 401 404 403 403 200 200 200
api-job-shares      POST     401 401 404 403 403 201 403 201
api-job-share       DELETE   401 401 404 403 403 204 403 204
api-client-claim    POST     401 200 401 401 401 401 401 401
api-client-heartbeat POST    401 409 401 401 401 401 401 401
api-client-events   POST     401 409 401 401 401 401 401 401
api-client-result   POST     401 409 401 401 401 401 401 401
api-client-finish   POST     401 409 401 401 401 401 401 401
api-schema          GET      200 200 200 200 200 200 200 200
api-docs            GET      200 200 200 200 200 200 200 200
healthz             GET      200 200 200 200 200 200 200 200
job-list            GET      in  in  200 200 200 200 in  200
job                 GET      in  in  404 200 200 200 in  200
job-frame           GET      in  in  404 200 200 200 in  200
job-act             POST     in  in  404 403 302 302 in  302
job-new             GET      in  in  200 200 200 200 in  200
job-new             POST     in  in  422 422 422 422 in  422
site                GET      in  in  200 200 200 200 in  200
notifications       GET      in  in  200 200 200 200 in  200
notifications       POST     in  in  302 302 302 302 in  302
login               GET      200 200 302 302 302 302 200 302
login               POST     200 200 302 302 302 302 200 302
login               PUT      200 200 302 302 302 302 200 302
staff_gate          GET      401 401 403 403 403 403 401 204
logout              POST     in  in  in  in  in  in  in  in
admin:index         GET      302 302 302 302 302 302 302 200
"""
CASES = [
    (words[0], words[1], dict(zip(WHO, words[2:], strict=True))) for words in map(str.split, TABLE.split("\n")[2:-1])
]

NATIVE = {"native_id": "7.login1"}
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("api-tokens", "POST"): {"name": "script"},
    ("api-notifications", "PATCH"): {"mail": False},
    ("api-job", "PATCH"): {"priority": 70},
    ("api-job-shares", "POST"): {"user": "nina"},
    ("api-client-claim", "POST"): NATIVE | {"host": "nid1"},
    ("api-client-heartbeat", "POST"): NATIVE | {"frames": []},
    ("api-client-events", "POST"): NATIVE | {"events": []},
    ("api-client-result", "POST"): NATIVE | {"attempt": 1, "outcome": "failed"},
    ("api-client-finish", "POST"): NATIVE | {"reason": "end"},
}
HEADERS = {
    ("api-uploads", "POST"): {"Upload-Length": "3", "Upload-Metadata": "filename cy5wb3Y="},
    ("api-upload", "PATCH"): {"Upload-Offset": "0"},
}


@pytest.fixture
def world(batch: Batch, stranger: Any, staff: Any, django_user_model: Any) -> dict[str, Any]:
    """A job with all that can belong to one, and a caller of each kind."""
    job = batch.job
    reader, manager = (django_user_model.objects.create_user(name) for name in ("rita", "max"))
    django_user_model.objects.create_user("nina")
    group = Group.objects.create(name="film")
    manager.groups.add(group)
    share = JobShare.objects.create(job=job, user=reader)
    JobShare.objects.create(job=job, group=group, manage=True)
    frame = batch.frames.get(number=2)
    frame.file.save("test_0002.png", ContentFile(b"png"), save=False)
    frame.file_size = 3
    frame.save()
    upload = Upload.objects.create(
        owner=job.owner, filename="s.pov", size=3, expires=timezone.now() + timedelta(hours=1)
    )
    batch.job.frames.filter(number=3).update(state="FAILED")  # something to retry
    token, _ = make_token(job.owner, "laptop", False, timedelta(days=1))
    _, readonly = make_token(job.owner, "dashboard", True, timedelta(days=1))
    callers = {
        "nobody": APIClient(),
        "batch": APIClient(HTTP_AUTHORIZATION=f"Batch {batch.issue_token()}"),
        "readonly": APIClient(HTTP_AUTHORIZATION=f"Token {readonly}"),
    }
    users = {"stranger": stranger, "reader": reader, "manager": manager, "owner": job.owner, "staff": staff}
    for who, user in users.items():
        callers[who] = APIClient()
        callers[who].force_login(user)
    numbers = {"api-token": {"pk": token.pk}, "api-upload": {"pk": upload.pk}}
    numbers["api-job-share"] = {"pk": job.pk, "share": share.pk}
    numbers["api-frame-file"] = {"pk": job.pk, "number": 2}
    for name in ("api-frame-thumbnail", "api-frame-log", "job-frame"):
        numbers[name] = numbers["api-frame-file"]
    Attempt.objects.create(frame=frame, batch=batch, number=1)
    numbers["job-act"] = {"pk": job.pk, "action": "cancel"}
    numbers["api-client-result"] = {"number": 1}
    return {"job": job, "callers": callers, "numbers": numbers}


def routes() -> dict[str, URLPattern]:
    """Every named address; the admin site's are Django's own business, which one of them stands for."""
    found: dict[str, URLPattern] = {}

    def collect(patterns: list[Any], prefix: str) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                name = f"{prefix}{pattern.name}"
                assert pattern.name or prefix, f"{pattern} has no name"
                found[name] = pattern
            else:
                collect(pattern.url_patterns, f"{pattern.namespace}:" if pattern.namespace else prefix)

    collect(get_resolver().url_patterns, "")
    return {name: pattern for name, pattern in found.items() if not name.startswith("admin:") or name == "admin:index"}


def address(name: str, world: dict[str, Any]) -> str:
    """Return the address of a route, filled in."""
    needed = "pk" in routes()[name].pattern.converters
    return reverse(name, kwargs=world["numbers"].get(name, {"pk": world["job"].pk} if needed else {}))


def call(world: dict[str, Any], who: str, name: str, method: str) -> str:
    """Return what somebody is answered, as the table writes it. Nothing of it lasts."""
    headers, body = HEADERS.get((name, method), {}), BODIES.get((name, method))
    options: dict[str, Any] = {"format": "json"} if body else {}
    if (name, method) == ("api-upload", "PATCH"):
        body, options = b"abc", {"content_type": "application/offset+octet-stream"}  # type: ignore[assignment]
    with transaction.atomic():
        send = getattr(world["callers"][who], method.lower())
        answer = send(address(name, world), **({} if body is None else {"data": body}), headers=headers, **options)
        transaction.set_rollback(True)
    if answer.status_code == 302 and answer["Location"].startswith("/login/"):
        return "in"
    return str(answer.status_code)


def test_every_address_is_in_the_table() -> None:
    assert {name for name, _, _ in CASES} == set(routes())


@pytest.mark.parametrize(("name", "method", "expected"), CASES, ids=[f"{name}-{method}" for name, method, _ in CASES])
def test_table(world: dict[str, Any], name: str, method: str, expected: dict[str, str]) -> None:
    assert {who: call(world, who, name, method) for who in WHO} == expected


@pytest.mark.parametrize("name", sorted({name for name, _, _ in CASES} - {"admin:index"}))
def test_no_other_methods(world: dict[str, Any], name: str) -> None:
    others = set(METHODS) - {method for row, method, _ in CASES if row == name}
    if name == "api-logout" or name.startswith("api-client-"):
        return  # refused before the method is looked at: the owner's session is nobody there
    who = "nobody" if name == "login" else "owner"  # who has signed in is sent on
    assert {call(world, who, name, method) for method in others} <= {"405"}


def test_job_of_others_looks_like_a_missing_one(world: dict[str, Any]) -> None:
    job, caller = world["job"], world["callers"]["stranger"]
    for name in ("api-job", "api-job-frames", "api-job-shares", "api-job-archive"):
        there, nowhere = (caller.get(reverse(name, kwargs={"pk": pk})) for pk in (job.pk, job.pk + 1000))
        assert there.content == nowhere.content


def test_shared_jobs_are_listed_once_and_counted_right(world: dict[str, Any], django_user_model: Any) -> None:
    rita = django_user_model.objects.get(username="rita")
    for number in range(3):
        group = Group.objects.create(name=f"group{number}")
        rita.groups.add(group)
        JobShare.objects.create(job=world["job"], group=group)
    (row,) = world["callers"]["reader"].get("/api/v1/jobs").json()["results"]
    assert sum(row["frame_counts"].values()) == 3
    assert f'href="/jobs/{row["id"]}"' in world["callers"]["reader"].get("/").content.decode()
    assert world["callers"]["stranger"].get("/api/v1/jobs").json()["count"] == 0


def test_a_share_is_changed_by_repeating_and_ends(world: dict[str, Any]) -> None:
    owner, shares = world["callers"]["owner"], reverse("api-job-shares", kwargs={"pk": world["job"].pk})
    assert call(world, "reader", "api-job-cancel", "POST") == "403"
    assert owner.post(shares, {"user": "rita", "manage": True}).status_code == 200
    assert call(world, "reader", "api-job-cancel", "POST") == "200"
    listed = owner.get(shares).json()["results"]
    assert [(row["user"], row["group"], row["manage"]) for row in listed] == [
        ("rita", None, True),
        (None, "film", True),
    ]
    assert owner.delete(f"{shares}/{listed[0]['id']}").status_code == 204
    assert call(world, "reader", "api-job", "GET") == "404"
    messages = [row.message for row in world["job"].events.filter(kind="shared")]
    assert messages == ["with rita, to manage, by alice", "no longer with rita, by alice"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, ""),
        ({"user": "rita", "group": "film"}, ""),
        ({"user": "nobody-here"}, "user"),
        ({"user": "alice"}, "user"),
        # alice does not belong to it: groups are not for finding out who there is
        ({"group": "film"}, "group"),
        ({"user": "rita", "manage": "perhaps"}, "manage"),
    ],
)
def test_wrong_shares(world: dict[str, Any], body: dict[str, Any], field: str) -> None:
    answer = world["callers"]["owner"].post(reverse("api-job-shares", kwargs={"pk": world["job"].pk}), body)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [field])


def test_tokens_are_listed_with_their_last_use_and_voided(world: dict[str, Any]) -> None:
    owner = world["callers"]["owner"]
    made = owner.post("/api/v1/auth/tokens", {"name": "script", "days": 2}).json()
    assert AccessToken.objects.get(pk=made["id"]).last_used is None
    script = APIClient(HTTP_AUTHORIZATION=f"Token {made['secret']}")
    assert script.get("/api/v1/jobs").status_code == 200
    newest, readonly, laptop = script.get("/api/v1/auth/tokens").json()["results"]
    assert (newest["name"], newest["read_only"], newest["current"]) == ("script", False, True)
    assert newest["last_used"] is not None
    assert (readonly["name"], readonly["read_only"], readonly["current"]) == ("dashboard", True, False)
    assert laptop["last_used"] is None
    assert (
        made["secret"]
        not in str(list(AccessToken.objects.values())) + script.get("/api/v1/auth/tokens").content.decode()
    )
    assert owner.delete(f"/api/v1/auth/tokens/{made['id']}").status_code == 204
    assert script.get("/api/v1/jobs").status_code == 401


def test_a_login_can_be_for_reading_only(owner: Any) -> None:
    body = {"username": "alice", "password": "correct horse battery staple", "read_only": True, "name": "wall"}
    token = APIClient().post("/api/v1/auth/login", body).json()["token"]
    client = APIClient(HTTP_AUTHORIZATION=f"Token {token}")
    assert client.get("/api/v1/jobs").status_code == 200
    refused = client.post("/api/v1/auth/tokens", {"name": "more"})
    assert (refused.status_code, refused.json()["detail"]) == (403, "This token is for reading only.")


def test_beyond_the_limit_the_token_used_least_lately_ends(owner: Any, settings: Any) -> None:
    texts = [make_token(owner, f"{number}", False, timedelta(days=1))[1] for number in range(50)]
    used = APIClient(HTTP_AUTHORIZATION=f"Token {texts[0]}")
    assert used.get("/api/v1/jobs").status_code == 200
    make_token(owner, "one more", False, timedelta(days=1))
    assert AccessToken.objects.filter(token__user=owner).count() == 50
    assert used.get("/api/v1/jobs").status_code == 200
    assert APIClient(HTTP_AUTHORIZATION=f"Token {texts[1]}").get("/api/v1/jobs").status_code == 401


def test_a_job_of_nobody_else_is_touched(world: dict[str, Any]) -> None:
    """The refusals of the table leave the job as it was."""
    before = Job.objects.values().get()
    for who in ("nobody", "batch", "stranger", "reader", "readonly"):
        for name in ("api-job-cancel", "job-act"):
            world["callers"][who].post(address(name, world))
    assert Job.objects.values().get() == before


def test_a_share_is_for_a_user_or_a_group(job: Job) -> None:
    with pytest.raises(IntegrityError):
        JobShare.objects.create(job=job)
