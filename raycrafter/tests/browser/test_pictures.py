"""Pictures of the pages, as docs/pages.md shows them.

``PICTURES=docs/pictures pytest raycrafter/tests/browser/test_pictures.py`` takes them anew.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from page_scene import DESKTOP, PHONE
from PIL import Image
from playwright.sync_api import Page
from raycrafter.jobs.models import Job

MOST = 150_000  # bytes of a picture
HIGHEST = {"dark": 1500, "phone": 2000}  # pixels


@pytest.mark.parametrize("name", ["jobs", "job", "frame", "new-job", "site", "notifications", "login", "error"])
@pytest.mark.parametrize(("kind", "options"), [("dark", DESKTOP), ("phone", PHONE)])
def test_picture(
    open_page: Callable[..., Page], pages: Any, scene: Job, tmp_path: Path, name: str, kind: str, options: dict
) -> None:
    job = f"/jobs/{scene.pk}"
    paths = {"jobs": "/", "job": job, "frame": f"{job}/frames/16", "new-job": "/jobs/new"}
    paths |= {"login": "/login/", "error": "/nothing"}
    page = open_page(
        paths.get(name, f"/{name}"), client=None if name == "login" else pages, expected="404 (Not Found)", **options
    )
    if name == "new-job":
        page.get_by_label("Name").fill("Turbine, second cut")
        page.get_by_label("Renderer").select_option("blender")
        page.get_by_label("Options").fill('{"samples": 64}')
    page.evaluate(
        "Promise.all([...document.images].slice(0, 12).map((i) => { i.loading = 'eager'; return i.decode(); }))"
    )
    file = Path(os.environ.get("PICTURES") or tmp_path) / f"{name}-{kind}.png"
    page.screenshot(path=file, full_page=True)
    with Image.open(file) as picture:
        assert picture.width == options["viewport"]["width"]
        top = picture.crop((0, 0, picture.width, min(picture.height, HIGHEST[kind])))
    top.quantize(128).save(file, optimize=True)
    assert file.stat().st_size < MOST
