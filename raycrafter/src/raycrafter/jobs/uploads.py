"""Uploads in pieces: what has arrived survives a broken connection.

A piece is a file of the media storage, so that the next one may reach another web host.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from datetime import timedelta
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import UnreadablePostError
from django.utils import timezone

from .models import Job, Upload

logger = logging.getLogger(__name__)

LIFETIME = timedelta(days=2)  # since the last piece
MAX_OPEN = 20  # uploads of one user at a time
MAX_PIECES = 10_000
CHUNK = 1024 * 1024  # bytes
PIECES = "uploads"  # their directory in the media storage
SWEEP_SECONDS = 3500  # less than an hour, which lies between two looks of the task


class UploadError(ValueError):
    """The upload cannot be used as it is."""


def append(upload: Upload, stream: IO[bytes], length: int) -> bool:
    """Store the next ``length`` bytes, or as many of them as arrive.

    Returns False when another request was faster.
    """
    with TemporaryUploadedFile(upload.filename, "application/octet-stream", 0, None) as piece:
        try:
            while (left := length - piece.tell()) and (chunk := stream.read(min(CHUNK, left))):
                piece.write(chunk)
        except UnreadablePostError as error:
            logger.info("upload %s broke off: %s", upload.pk, error)
        piece.size = piece.tell()
        if not piece.size:
            return True
        piece.seek(0)
        name = default_storage.save(f"{PIECES}/{upload.pk}-{upload.offset:015d}-{secrets.token_hex(4)}", piece)
        offset = upload.offset + piece.size
    pieces = [*upload.pieces, name]
    standing = Upload.objects.filter(pk=upload.pk, offset=upload.offset, job=None)
    if not standing.update(offset=offset, pieces=pieces, expires=timezone.now() + LIFETIME):
        default_storage.delete(name)
        return False
    upload.offset, upload.pieces = offset, pieces
    return True


def assemble(upload: Upload) -> TemporaryUploadedFile:
    """Return the whole as one file, which is removed when it is closed.

    Raises UploadError, FileNotFoundError.
    """
    if upload.offset != upload.size:
        raise UploadError(f"has {upload.offset} of {upload.size} bytes")
    whole, digest = (
        TemporaryUploadedFile(upload.filename, "application/octet-stream", upload.size, None),
        hashlib.sha256(),
    )
    try:
        for name in upload.pieces:
            with default_storage.open(name) as piece:
                while chunk := piece.read(CHUNK):
                    digest.update(chunk)
                    whole.write(chunk)
        if upload.sha256 not in ("", digest.hexdigest()):
            raise UploadError("did not arrive as it was announced: its sha256 is another. Upload it again")
    except BaseException:
        whole.close()
        raise
    whole.flush()
    whole.seek(0)
    return whole


def claim(upload: Upload, job: Job) -> bool:
    """Record which job is made of the upload. Return False when another was faster.

    In the transaction that makes the job; ``delete_pieces`` when that is through.
    """
    unused = Upload.objects.filter(pk=upload.pk, job=None)
    return bool(unused.update(job=job, sha256=job.scene_sha256, pieces=[]))


def remove(upload: Upload) -> None:
    """Forget an upload and what has arrived of it."""
    upload.delete()
    delete_pieces(upload)


def remove_expired() -> None:
    """Forget what nobody went on with."""
    for upload in Upload.objects.filter(expires__lt=timezone.now()):
        # unless somebody goes on with it at this moment
        if Upload.objects.filter(pk=upload.pk, expires=upload.expires).delete()[0]:
            delete_pieces(upload)


def sweep() -> None:
    """Delete what interrupted processes left on this host; hourly at most.

    Temporary files of requests, and pieces that no upload names, once they are older than any upload lasts untouched.
    """
    if not settings.MEDIA_ROOT or settings.RAYCRAFTER.media.url or not cache.add("uploads-swept", True, SWEEP_SECONDS):
        return
    media, named = Path(settings.MEDIA_ROOT), set()
    for pieces in Upload.objects.values_list("pieces", flat=True):
        named.update(pieces)
    before = time.time() - LIFETIME.total_seconds()
    for path in (*media.glob("tmp*.upload*"), *media.glob(f"{PIECES}/*")):
        try:
            if str(path.relative_to(media)) not in named and path.is_file() and path.stat().st_mtime < before:
                path.unlink()
                logger.info("deleted %s, which no upload names", path.name)
        except OSError as error:
            logger.warning("%s, which no upload names, could not be deleted: %s", path.name, error)


def delete_pieces(upload: Upload) -> None:
    """Delete what has arrived of an upload whose row does not name it any more."""
    for name in upload.pieces:
        default_storage.delete(name)
