"""Small copies of frames: what becomes of colours, transparency and size, and what gets none."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from raycrafter.jobs import thumbnails
from raycrafter.jobs.thumbnails import small_copy, thumbnail_path


def opened(data: bytes | None) -> Image.Image:
    assert data
    return Image.open(io.BytesIO(data)).convert("RGBA")


def test_a_frame_becomes_smaller_and_keeps_its_looks(tmp_path: Path) -> None:
    file = tmp_path / "wide_0001.png"
    picture = Image.new("RGBA", (1920, 960), (255, 128, 0, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 960, 960))
    picture.save(file)
    copy = opened(small_copy(file))
    assert copy.size == (384, 192)
    assert copy.getpixel((20, 96))[3] == 0
    assert copy.getpixel((300, 96)) == pytest.approx((255, 128, 0, 255), abs=8)


def test_a_small_frame_stays_as_large_as_it_is(tmp_path: Path) -> None:
    Image.new("L", (64, 48), 200).save(tmp_path / "grey.jpg")
    assert opened(small_copy(tmp_path / "grey.jpg")).size == (64, 48)


@pytest.mark.parametrize("mode", ["1", "P", "I;16", "LA", "CMYK"])
def test_other_kinds_of_pixels_do_not_stop_a_frame(tmp_path: Path, mode: str) -> None:
    file = tmp_path / ("frame.jpg" if mode == "CMYK" else "frame.png")
    Image.new(mode, (800, 600)).save(file)
    copy = small_copy(file)
    assert copy is None or opened(copy).size == (384, 288)


def test_broken_picture_gets_no_thumbnail(tmp_path: Path) -> None:
    whole = io.BytesIO()
    Image.effect_noise((200, 200), 50).save(whole, "PNG")
    for name, data in (
        ("text.png", b"frame 1"),
        ("empty.png", b""),
        ("cut.png", whole.getvalue()[:5000]),
        ("bad.png", whole.getvalue()[:3000] + b"?" * 3000),
        ("eps.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"),
    ):
        (tmp_path / name).write_bytes(data)
        assert small_copy(tmp_path / name) is None, name


def test_a_huge_one_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("1", (5000, 4001)).save(tmp_path / "huge.png")
    monkeypatch.setattr(Image.Image, "load", None)
    assert small_copy(tmp_path / "huge.png") is None
    assert thumbnails.MOST_PIXELS < 5000 * 4001


def test_thumbnail_lies_beside_the_file() -> None:
    assert thumbnail_path("jobs/7/frames/a_0001.png") == "jobs/7/frames/thumbnails/a_0001.png.webp"
