"""The pages in a browser: by keyboard, on a phone, in the dark, and while things change."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from page_scene import DESKTOP, PHONE
from playwright.sync_api import Page, expect
from raycrafter.jobs.models import Attempt, Event, Job, Workspace
from raycrafter.jobs.states import JobState

PASSWORD = "correct horse battery staple"  # the users' of conftest.py
SCENE = "camera{location <0,0,-3>} sphere{0,1 pigment{rgb 1}}"
PATHS = (
    "/",
    "/jobs/{pk}",
    "/jobs/{pk}/frames/16",
    "/jobs/new",
    "/site",
    "/notifications",
    "/api/v1/docs/",
    "/login/",
    "/nothing",
)

CHECKS = (Path(__file__).parent / "page_checks.js").read_text()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the element with this name has the focus, which must be visible."""
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => {
              const e = document.activeElement;
              const style = getComputedStyle(e);
              return [e.labels?.[0]?.textContent || e.textContent, style.outlineStyle, parseFloat(style.outlineWidth)];
            }"""
        )
        assert focused[1] != "none" and focused[2] >= 2, f"the focus on {focused[0]!r} cannot be seen"
        if focused[0].strip().startswith(name):
            return
    pytest.fail(f"the Tab key never comes to {name!r}")


def test_sign_in_and_submit_by_keyboard(open_page: Callable[..., Page], owner: Any, tmp_path: Path) -> None:
    file = tmp_path / "ball.pov"
    file.write_text(SCENE)
    page = open_page("/")
    expect(page).to_have_title("Sign in · RayCrafter")
    page.keyboard.type("alice")  # the first field has the focus
    tab_to(page, "Password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Jobs")
    tab_to(page, "Skip to content")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.get_by_role("link", name="New job").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("New job")
    tab_to(page, "Scene")
    page.locator("input[type=file]:focus").set_input_files(file)  # the dialog is the system's, not ours
    tab_to(page, "Name")
    page.keyboard.type("Ball")
    tab_to(page, "Frames")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("1-25")
    tab_to(page, "Show the script")
    page.keyboard.press("Enter")
    expect(page.locator("#summary")).to_contain_text("25 frames in 3 batches")
    expect(page.locator("#script")).to_contain_text("#PBS")
    assert not Job.objects.exists()
    page.keyboard.press("Shift+Tab")  # the scene is still chosen
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Job [0-9]+: Ball"))
    assert Job.objects.get().frame_count == 25


def test_page_follows_the_job(open_page: Callable[..., Page], pages: Any, scene: Job) -> None:
    page = open_page(f"/jobs/{scene.pk}", client=pages)
    image = page.locator("#frame-1 img").element_handle()
    expect(page.locator("#frame-20 .state")).to_have_text("WAITING")
    page.locator("#counts").get_by_role("link", name="All").focus()  # a part in which a reader is stays as it is
    scene.frames.filter(number=20).update(state="RUNNING", percent=40)
    scene.frames.filter(number=21).update(state="RENDERED", percent=100, seconds=90)
    Event.note(scene, "note", "the fan is loud")
    expect(page.locator("#frame-20 .state")).to_have_text("RUNNING")
    expect(page.get_by_role("progressbar", name="Frame 20")).to_have_attribute("value", "40")
    expect(page.locator("#events")).to_contain_text("the fan is loud")
    expect(page.locator("#times rect.time")).to_have_count(14)
    expect(page.locator("#counts").get_by_role("link", name="All")).to_be_focused()
    assert image.evaluate("(e) => e.isConnected"), "a picture that has not changed was drawn anew"
    announcement = page.get_by_role("status").element_handle()
    assert "ACTIVE" in announcement.text_content()
    Job.objects.update(state=JobState.DONE)
    expect(page.get_by_role("status")).to_contain_text("DONE")
    assert announcement.evaluate("(e) => e.isConnected"), "only an element that stays is read aloud"
    expect(page.get_by_text("Cancel this job")).to_have_count(0)
    page.locator("#main").focus()  # now it may change too, although the job is over
    expect(page.locator("#counts")).to_contain_text("RUNNING 3")


def test_a_signed_out_user_sees_a_message(open_page: Callable[..., Page], pages: Any, scene: Job) -> None:
    page = open_page(f"/jobs/{scene.pk}", client=pages, expected="401 (Unauthorized)")  # pictures
    expect(page.get_by_role("alert")).to_have_count(0)
    pages.logout()
    expect(page.get_by_role("alert")).to_contain_text("You are signed out")
    page.get_by_role("link", name="Sign in again").click()
    expect(page).to_have_title("Sign in · RayCrafter")


def test_page_of_a_job_is_refreshed(open_page: Callable[..., Page], pages: Any, scene: Job) -> None:
    page = open_page(f"/jobs/{scene.pk}", client=pages)
    expect(page.locator("#facts")).to_contain_text("3 extensions left")
    expect(page.locator("#log pre")).to_have_count(3)
    expect(page.locator("#archive")).to_contain_text("Download all frames (11,")
    Workspace.objects.filter(job=scene).update(extensions_left=1)
    Attempt.objects.filter(frame__job=scene, frame__number=14).update(log="the very last line")
    scene.frames.filter(number=12).update(state="SYNCED", file=scene.frames.get(number=1).file.name, file_size=9)
    expect(page.locator("#facts")).to_contain_text("1 extension left")
    expect(page.locator("#log")).to_contain_text("the very last line")
    expect(page.locator("#archive")).to_contain_text("Download all frames (12,")


def test_a_preview_that_fails_keeps_the_form(open_page: Callable[..., Page], pages: Any, scene: Job) -> None:
    page = open_page("/jobs/new", client=pages, expected="Failed to load resource")
    page.get_by_label("Name").fill("Long to type")
    page.route("**/jobs/new", lambda route: route.abort())
    page.get_by_role("button", name="Show the script").click()
    expect(page.locator("#summary")).to_contain_text("cannot be shown")
    page.unroute("**/jobs/new")
    page.route("**/jobs/new", lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"))
    page.get_by_role("button", name="Show the script").click()
    expect(page.locator("#summary")).to_contain_text("the server answered 502")
    expect(page.get_by_label("Name")).to_have_value("Long to type")
    page.unroute("**/jobs/new")
    page.get_by_role("button", name="Show the script").click()
    expect(page.locator("#script")).to_contain_text("#PBS")
    pages.logout()
    page.get_by_role("button", name="Show the script").click()
    expect(page).to_have_title("Sign in · RayCrafter")


def test_cancel_and_retry(open_page: Callable[..., Page], pages: Any, scene: Job) -> None:
    page = open_page(f"/jobs/{scene.pk}", client=pages)
    page.get_by_role("button", name="Retry failed frames").click()
    expect(page.locator("#frame-16 .state")).to_have_text("WAITING")
    page.get_by_text("Cancel this job").click()
    scene.refresh_from_db()
    assert scene.state == JobState.ACTIVE  # asked once, it asks back
    page.get_by_role("button", name=f"Yes, cancel job {scene.pk}").click()
    expect(page.locator("#state .state").first).to_have_text("CANCELLING")
    expect(page.get_by_text("Cancel this job")).to_have_count(0)
    scene.refresh_from_db()
    assert scene.state == JobState.CANCELLING


@pytest.mark.parametrize("path", PATHS)
def test_phone_and_dark(open_page: Callable[..., Page], pages: Any, scene: Job, path: str) -> None:
    for options in (PHONE, DESKTOP):
        client = None if path == "/login/" else pages
        page = open_page(path.format(pk=scene.pk), client=client, expected="404 (Not Found)", **options)
        found = page.evaluate(CHECKS)
        assert found["texts"] > 5
        assert (found["unsound"], found["faint"]) == ([], [])
        # not compared with innerWidth: phones zoom out until everything fits
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= options["viewport"]["width"], "the page scrolls sideways"
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (dark == "rgb(255, 255, 255)") == (options is PHONE)
        page.context.close()
