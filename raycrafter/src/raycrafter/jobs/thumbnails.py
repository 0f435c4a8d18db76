"""Thumbnails: small copies of frames, stored beside the frames' files."""

from __future__ import annotations

import io
import logging
import mimetypes
from pathlib import Path, PurePosixPath

from django.core.files.storage import default_storage

logger = logging.getLogger(__name__)

SIZE = (384, 384)  # pixels at most: a tile of a page on a screen with fine dots
FORMATS = ("PNG", "JPEG")
MOST_PIXELS = 20_000_000  # of a frame: unpacked, each takes four bytes of the worker's memory

mimetypes.add_type("image/webp", ".webp")  # Python itself knows it from 3.13 on


def thumbnail_path(file: str) -> str:
    """Return where a frame's small copy is stored, relative to the media root."""
    path = PurePosixPath(file)
    return str(path.parent / "thumbnails" / f"{path.name}.webp")


def delete_with_copy(file: str) -> None:
    """Delete a frame's file and its small copy from the media storage. Raises OSError."""
    default_storage.delete(thumbnail_path(file))
    default_storage.delete(file)


def small_copy(source: Path) -> bytes | None:
    """Return a WebP picture; None when the file cannot be made smaller."""
    from PIL import Image  # 8 MB of every process otherwise, and only the workers that fetch frames make pictures

    try:
        with Image.open(source, formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                return None
            picture.thumbnail(SIZE)
            copy = io.BytesIO()
            picture.save(copy, "WEBP")
    except Exception as error:  # whatever is wrong with it: it is what was rendered, and pages show that then
        logger.info("no thumbnail of %s: %s", source.name, error)
        return None
    return copy.getvalue()
