"""Who operates the site: what staff may do on the admin pages, and that each page that changes something works."""

from __future__ import annotations

import io

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from raycrafter.jobs.models import Batch, BlockedNode, Licence, Share, Site

PASSWORD = "correct horse battery staple"


def ensure(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    call_command("ensure_user", "olga", *arguments, stdout=out)
    return out.getvalue().strip()


def test_staff_are_operators(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    """They see every page of the admin site, and change how the site is shared there."""
    assert ensure(monkeypatch, "--staff") == "created"
    browser = Client()
    browser.force_login(get_user_model().objects.get(username="olga"))
    for model in apps.get_app_config("jobs").get_models():
        if admin.site.is_registered(model):
            assert browser.get(f"/admin/jobs/{model._meta.model_name}/").status_code == 200, model
    assert browser.get("/admin/auth/user/").status_code == 403
    assert browser.get(f"/admin/jobs/job/{batch.job_id}/change/").status_code == 200
    assert browser.post(f"/admin/jobs/job/{batch.job_id}/delete/", {"post": "yes"}).status_code == 403
    # each of the pages that change something
    until = {"until_0": "2999-01-01", "until_1": "00:00"}
    for model, body in (
        (Site, {"name": "test", "paused": "on", "max_batches": "3"}),
        (Share, {"user": batch.job.owner_id, "weight": "2"}),
        (Licence, {"renderer": "blender", "count": "4"}),
        (BlockedNode, {"site": "test", "host": "nid1"} | until),
    ):
        address = f"/admin/jobs/{model._meta.model_name}/"
        assert browser.post(f"{address}add/", body)["Location"] == address, model
        row = model.objects.get()
        assert browser.post(f"{address}{row.pk}/change/", body)["Location"] == address, model
        if model is Site:
            assert (row.paused, row.max_batches) == (True, 3)
        assert browser.post(f"{address}{row.pk}/delete/", {"post": "yes"})["Location"] == address
        assert not model.objects.exists()


def test_former_staff_are_no_operators(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    user = get_user_model().objects.create_user("olga", password=PASSWORD, is_staff=True)
    assert ensure(monkeypatch, "--staff") == "changed"  # staff from before there were operators
    assert ensure(monkeypatch, "--staff") == "unchanged"
    assert ensure(monkeypatch) == "changed"
    assert not user.groups.exists()
