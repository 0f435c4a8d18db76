"""A real browser, headless, on a live server of the pages."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from page_scene import DESKTOP, make_scene
from playwright.sync_api import Browser, Page, expect, sync_playwright
from raycrafter.config import Retention
from raycrafter.jobs.models import Job

BROWSERS = ("chromium", "google-chrome", "chromium-browser")

expect.set_options(timeout=20_000)  # a page looks for news every four seconds; machines may be slow


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of this machine, for all tests."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.fail(f"no browser is installed: install one of {', '.join(BROWSERS)} (lab/bootstrap does on Debian)")
    # Playwright keeps an event loop in this thread, and Django would refuse to speak to the database beside one.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_page(chromium: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """Open pages: ``open_page(path, client=…, viewport=…, color_scheme=…)``; ``client`` is signed in.

    A page that breaks its security policy, or whose scripts fail, fails the test; not so what it complains of in the
    words of ``expected``.
    """
    contexts, complaints = [], []

    def opened(path: str, client: Any = None, expected: str = "\n", **options: Any) -> Page:
        context = chromium.new_context(base_url=live_server.url, **DESKTOP | options)
        contexts.append(context)
        context.set_default_timeout(20_000)
        if client:
            cookie = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type == "error" and expected not in said.text else None,
        )
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def scene(live_server: Any, owner: Any, settings: Any) -> Job:
    """A job in the middle of its work, among others, at a site with two renderers."""
    programs = {"povray": "/usr/bin/povray", "blender": "/usr/bin/blender"}
    cluster = dataclasses.replace(settings.RAYCRAFTER.cluster, renderers=programs)
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, cluster=cluster, retention=Retention(keep_days=8))
    mail = dataclasses.replace(settings.RAYCRAFTER.mail, host="mail.example.org", sender="render@example.org")
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, mail=mail)
    owner.email = "alice@example.org"
    owner.save()
    return make_scene(owner)
