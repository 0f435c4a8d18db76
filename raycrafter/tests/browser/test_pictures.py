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
HIGHEST = 1500  # pixels


@pytest.mark.parametrize("name", ["jobs", "job", "new-job", "site"])
@pytest.mark.parametrize(("kind", "options"), [("dark", DESKTOP), ("phone", PHONE)])
def test_picture(
    open_page: Callable[..., Page], pages: Any, scene: Job, tmp_path: Path, name: str, kind: str, options: dict
) -> None:
    path = {"jobs": "/", "job": f"/jobs/{scene.pk}", "new-job": "/jobs/new", "site": "/site"}[name]
    page = open_page(path, client=pages, **options)
    page.evaluate(
        "Promise.all([...document.images].slice(0, 12).map((i) => { i.loading = 'eager'; return i.decode(); }))"
    )
    file = Path(os.environ.get("PICTURES") or tmp_path) / f"{name}-{kind}.png"
    page.screenshot(path=file, full_page=True)
    with Image.open(file) as picture:
        assert picture.width == options["viewport"]["width"]
        top = picture.crop((0, 0, picture.width, min(picture.height, HIGHEST)))
    top.quantize(128).save(file, optimize=True)
    assert file.stat().st_size < MOST
