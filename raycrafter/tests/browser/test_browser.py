"""The pages in a browser: by keyboard, on a phone, in the dark, and while things change."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from page_scene import DESKTOP, PHONE
from playwright.sync_api import Page, expect
from raycrafter.jobs.models import Event, Job
from raycrafter.jobs.states import JobState

PASSWORD = "correct horse battery staple"  # the users' of conftest.py
SCENE = "camera{location <0,0,-3>} sphere{0,1 pigment{rgb 1}}"
PATHS = ("/", "/jobs/{pk}", "/jobs/{pk}/frames/16", "/jobs/new", "/site", "/notifications", "/api/v1/docs/")

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
    expect(page.locator("#times rect")).to_have_count(14)
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
        page = open_page(path.format(pk=scene.pk), client=pages, **options)
        found = page.evaluate(CHECKS)
        assert found["texts"] > 10
        assert (found["unsound"], found["faint"]) == ([], [])
        # not compared with innerWidth: phones zoom out until everything fits
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= options["viewport"]["width"], "the page scrolls sideways"
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (dark == "rgb(255, 255, 255)") == (options is PHONE)
        page.context.close()
