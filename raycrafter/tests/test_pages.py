"""The pages: what is on them, for whom, and that nothing comes from elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.files.base import ContentFile
from django.test import Client
from page_structure import check_page
from raycrafter.jobs.models import Batch, Event, Job, Transfer
from raycrafter.jobs.states import FrameState
from raycrafter.jobs.transitions import transition
from raycrafter.web import views

PASSWORD = "correct horse battery staple"  # the users' of conftest.py


def test_sign_in_and_out(owner: Any) -> None:
    browser = Client(enforce_csrf_checks=True)
    answer = browser.get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/")
    check_page(browser.get("/login/?next=/"))
    token = browser.cookies["csrftoken"].value
    wrong = browser.post("/login/", {"username": "alice", "password": "no", "csrfmiddlewaretoken": token})
    assert "is wrong" in check_page(wrong)[0]
    assert browser.post("/login/", {"username": "alice", "password": PASSWORD}).status_code == 403
    form = {"username": "alice", "password": PASSWORD, "next": "/", "csrfmiddlewaretoken": token}
    assert browser.post("/login/", form)["Location"] == "/"
    html, _ = check_page(browser.get("/"))
    assert "Sign out alice" in html
    token = browser.cookies["csrftoken"].value
    browser.post("/logout/", {"csrfmiddlewaretoken": token})
    assert browser.get("/").status_code == 302


def test_sign_in_leads_nowhere_else(owner: Any) -> None:
    form = {"username": "alice", "password": PASSWORD, "next": "https://evil.example/"}
    assert Client().post("/login/", form)["Location"] == "/"


def test_guessing_is_slowed_down(owner: Any) -> None:
    browser = Client()
    for _ in range(10):
        assert browser.post("/login/", {"username": "alice", "password": "no"}).status_code == 200
    html, _ = check_page(browser.post("/login/", {"username": "alice", "password": PASSWORD}), 429)
    assert "Too many" in html


def test_no_jobs(pages: Client) -> None:
    assert "no jobs yet" in check_page(pages.get("/"))[0]


def test_job_list(pages: Client, job: Job) -> None:
    Job.objects.update(name="<script>alert(1)</script>")
    html, _ = check_page(pages.get("/"))
    assert f'href="/jobs/{job.pk}"' in html
    assert "&lt;script&gt;alert(1)" in html
    assert "READY" in html


def test_list_is_paged(pages: Client, job: Job) -> None:
    for _ in range(25):
        job.pk = None
        job.save()
    html, _ = check_page(pages.get("/"))
    assert "Page 1 of 2" in html
    assert "Page 2 of 2" in check_page(pages.get("/?page=2"))[0]


def test_list_is_filtered(pages: Client, job: Job, staff: Any) -> None:
    def listed(browser: Client, query: str) -> tuple[str, bool]:
        html, _ = check_page(browser.get(f"/?{query}"))
        return html, f'href="/jobs/{job.pk}"' in html

    for query, found in (
        ("name=ES&state=", True),
        ("name=castle", False),
        ("state=READY", True),
        ("state=FAILED", False),
        ("state=<x>&owner=alice", True),
    ):
        assert listed(pages, query)[1] == found, query
    html, _ = listed(pages, "state=FAILED")
    assert "No job is like that" in html and "<option selected>FAILED</option>" in html and "f-owner" not in html
    operator = Client()
    operator.force_login(staff)
    assert listed(operator, "owner=alice")[1]
    html, found = listed(operator, "owner=mallory")
    assert "f-owner" in html and not found
    Job.objects.bulk_create(
        Job(owner=job.owner, name="t", state="READY", frame_count=1, width=1, height=1) for _ in "x" * 25
    )
    assert "?state=READY&amp;page=2" in listed(pages, "state=READY")[0]


def test_job(pages: Client, batch: Batch) -> None:
    frame = batch.frames.get(number=2)
    transition(frame, FrameState.CLAIMED)
    transition(frame, FrameState.RENDERED, percent=100.0, seconds=2.5)
    transition(frame, FrameState.SYNCED)
    frame.file.save("x.png", ContentFile(b"png"), save=False)
    frame.file_size = 3
    frame.save()
    Transfer.objects.create(job=batch.job, kind="in", bytes_total=2048, bytes_done=1024)
    Event.note(batch.job, "note", "<b>bold</b>", Event.Level.WARNING, frame=frame)
    html, page = check_page(pages.get(f"/jobs/{batch.job_id}"))
    for words in ("33.3 %", "SYNCED", "7.login1", batch.name, "1.0\xa0KB", "2.0\xa0KB", "WARNING", "&lt;b&gt;bold"):
        assert words in html, words
    assert f'href="/api/v1/jobs/{batch.job_id}/frames/2/file"' in html
    assert "job_id%3A" not in html  # the log server is for operators
    assert {section["aria-labelledby"] for section in page.of("section")} >= {"h-frames", "h-batches", "h-events"}
    assert b"".join(pages.get(f"/api/v1/jobs/{batch.job_id}/frames/2/file").streaming_content) == b"png"


def test_operators_find_the_log_server(staff: Any, job: Job) -> None:
    browser = Client()
    browser.force_login(staff)
    assert "job_id%3A" in check_page(browser.get(f"/jobs/{job.pk}"))[0]


def test_the_renderers_last_lines(pages: Client, batch: Batch, node: Any) -> None:
    address = f"/jobs/{batch.job_id}"
    assert "No renderer has said anything" in check_page(pages.get(address))[0]
    assert "No compute node has claimed it" in check_page(pages.get(f"{address}/frames/1"))[0]
    node.claim()
    node.heartbeat(1, 40, log="Warning: <glass> is thick")
    for page in (address, f"{address}/frames/1"):
        html, _ = check_page(pages.get(page))
        assert "Warning: &lt;glass&gt; is thick" in html
        assert "in work" in html
    node.result(1, outcome="failed", returncode=1, error="broken", log="the end")
    html, _ = check_page(pages.get(f"{address}/frames/1"))
    assert "the end" in html and "broken" in html
    assert f'href="{address}/frames/2"' in html
    assert pages.get(f"{address}/frames/9").status_code == 404


def test_all_frames_to_take_away(pages: Client, job: Job) -> None:
    assert "Download all" not in check_page(pages.get(f"/jobs/{job.pk}"))[0]
    job.frames.exclude(number=3).update(file="x.png", file_size=1024 * 1024)
    html, page = check_page(pages.get(f"/jobs/{job.pk}"))
    assert "Download all frames (2, 2.0\xa0MB)" in html
    assert f"/api/v1/jobs/{job.pk}/archive" in [link["href"] for link in page.of("a")]


def test_page_shows_what_was_submitted(pages: Client, job: Job, stranger: Any) -> None:
    other = Job.objects.get(pk=job.pk)
    other.pk, other.owner, other.state = None, stranger, "FAILED"
    other.save()
    Job.objects.filter(pk=job.pk).update(priority=70, options={"quality": 9})
    job.after.add(other)
    html, page = check_page(pages.get(f"/jobs/{job.pk}"))
    assert "quality 9" in html and "70 of 100" in html
    assert f"job {other.pk} " in html
    assert f"/jobs/{other.pk}" not in [link["href"] for link in page.of("a")]  # not theirs to see
    other.shares.create(user=job.owner)
    assert f'<a href="/jobs/{other.pk}">job {other.pk}</a>' in pages.get(f"/jobs/{job.pk}").content.decode()


def test_page_says_how_long_it_changes(pages: Client, job: Job) -> None:
    answer = pages.get(f"/jobs/{job.pk}")
    assert "data-live" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert "data-live" in pages.get("/").content.decode()
    Job.objects.update(state="DONE")
    assert "data-live" not in pages.get(f"/jobs/{job.pk}").content.decode()
    assert "data-live" not in pages.get("/").content.decode()


def test_assets_are_here(pages: Client, job: Job) -> None:
    _, page = check_page(pages.get(f"/jobs/{job.pk}"))
    for address in [link["href"] for link in page.of("link")] + [script["src"] for script in page.of("script")]:
        if not address.startswith("data:"):
            assert finders.find(address.removeprefix("/static/")), address


def test_cancel(pages: Client, job: Job) -> None:
    html, _ = check_page(pages.get(f"/jobs/{job.pk}"))
    assert "Cancel this job" in html
    assert pages.get(f"/jobs/{job.pk}/cancel").status_code == 405
    answer = pages.post(f"/jobs/{job.pk}/cancel", follow=True)
    html, _ = check_page(answer)
    assert "CANCELLING" in html
    assert "Cancel this job" not in html
    assert "Nothing to cancel" in check_page(pages.post(f"/jobs/{job.pk}/cancel", follow=True))[0]


@pytest.mark.parametrize("path", ["", "/cancel", "/pause", "/resume", "/retry"])
def test_strangers_see_nothing(job: Job, stranger: Any, staff: Any, path: str) -> None:
    method = "post" if path else "get"
    for user, status in ((stranger, 404), (staff, 302 if path else 200)):
        browser = Client()
        browser.force_login(user)
        assert getattr(browser, method)(f"/jobs/{job.pk}{path}").status_code == status
    anonymous = getattr(Client(), method)(f"/jobs/{job.pk}{path}")
    assert anonymous["Location"].startswith("/login/")


def test_staff_find_flower(staff: Any, pages: Client) -> None:
    browser = Client()
    browser.force_login(staff)
    assert 'href="/flower/"' in check_page(browser.get("/"))[0]
    assert "flower" not in check_page(pages.get("/"))[0]


def test_gate_lets_staff_through(owner: Any, staff: Any, settings: Any) -> None:
    """Asked by nginx, which understands 2xx, 401 and 403 only: never a redirect."""
    settings.SECURE_SSL_REDIRECT = True
    browser = Client()
    for user, status in ((None, 401), (owner, 403), (staff, 204)):
        if user:
            browser.force_login(user)
        answer = browser.get("/_staff")
        assert (answer.status_code, answer.content) == (status, b"")
        assert "no-store" in answer["Cache-Control"]
    staff.is_active = False
    staff.save()
    assert browser.get("/_staff").status_code == 401
    schema = Client().get("/api/v1/schema/?format=json", secure=True).json()
    assert not [path for path in schema["paths"] if "staff" in path]


def test_documentation_names_every_call(db: None) -> None:
    html, _ = check_page(Client().get("/api/v1/docs/"))
    for words in ("POST /api/v1/jobs", "GET /api/v1/jobs/{id}/frames/{number}/file", "POST /api/v1/client/claim"):
        assert words in html
    assert html.count("<h2") >= 16


def test_missing_page(pages: Client) -> None:
    html, _ = check_page(pages.get("/nothing"), 404)
    assert "no such page" in html and "Sign out alice" in html
    assert "Sign out" not in check_page(Client().get("/nothing"), 404)[0]


def test_every_error_has_its_page(pages: Client, job: Job, owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    assert "reload the page" in check_page(browser.post(f"/jobs/{job.pk}/cancel"), 403)[0]
    assert "cannot be understood" in check_page(pages.get("/", headers={"Host": "evil.example"}), 400)[0]
    monkeypatch.setattr(views, "frame_times", lambda _: 1 / 0)
    pages.raise_request_exception = False
    assert "service failed" in check_page(pages.get(f"/jobs/{job.pk}"), 500)[0]


def test_signed_out_is_said(pages: Client, job: Job) -> None:
    _, page = check_page(pages.get(f"/jobs/{job.pk}?state=FAILED"))
    assert f"/login/?next=/jobs/{job.pk}%3Fstate%3DFAILED" in [link["href"] for link in page.of("a")]
    assert "signed-out" not in check_page(Client().get("/login/"))[0]


def test_admin_shows_and_changes_nothing(batch: Batch, django_user_model: Any) -> None:
    browser = Client()
    browser.force_login(django_user_model.objects.create_superuser("boss", password=PASSWORD))
    batch.issue_token()
    for model, row in (("job", batch.job), ("batch", batch), ("frame", batch.frames.first())):
        assert browser.get(f"/admin/jobs/{model}/").status_code == 200
        html = browser.get(f"/admin/jobs/{model}/{row.pk}/change/").content.decode()
        assert 'name="_save"' not in html
        assert batch.token_hash not in html
        assert browser.post(f"/admin/jobs/{model}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert browser.get(f"/admin/jobs/{model}/add/").status_code == 403
