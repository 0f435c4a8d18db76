"""Pack a directory with a scene into an archive."""

from __future__ import annotations

import gzip
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import CliError
from .text import clean

SKIPPED = {".git", ".hg", ".svn", "__pycache__", ".DS_Store"}


@contextmanager
def packed(scene: Path) -> Iterator[Path]:
    """Return the file to upload: ``scene``, or a temporary archive of a directory."""
    _check_name(scene.resolve())
    if not scene.is_dir():
        if not scene.is_file():
            raise CliError(f"{scene} is neither a file nor a directory: name a scene, an archive or a directory")
        yield scene
        return
    name = scene.resolve().name or "scene"
    with tempfile.TemporaryDirectory(prefix="raycrafter-") as directory:
        archive = Path(directory) / f"{name}.tar.gz"
        try:
            _pack(scene, archive)
        except OSError as error:
            raise CliError(f"cannot pack {scene}: {error}\nTMPDIR sets another directory for the archive.") from error
        yield archive


def _pack(directory: Path, archive: Path) -> None:
    root = directory.resolve()
    # Without a timestamp, an archive of the same files is identical, so that an interrupted upload continues.
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packer,
        tarfile.open(fileobj=packer, mode="w", dereference=True) as tar,
    ):
        count = 0
        for file in _files(root):
            tar.add(file, arcname=file.relative_to(root).as_posix(), recursive=False, filter=_anonymous)
            count += 1
    if not count:
        raise CliError(f"{directory} has no files: name the directory of a scene")


def _files(root: Path) -> Iterator[Path]:
    """Yield the plain files below ``root`` in a fixed order.

    Links to files below ``root`` are followed. Raises CliError for other links.
    """
    for parent, directories, names in os.walk(root):
        directories[:] = sorted(name for name in directories if name not in SKIPPED)
        for name in directories:
            if (Path(parent) / name).is_symlink():
                raise CliError(f"{Path(parent) / name} is a link to a directory: replace it with a copy")
        for name in sorted(set(names) - SKIPPED):
            file = Path(parent) / name
            _check_name(file)
            if not file.resolve().is_relative_to(root):
                raise CliError(f"{file} is a link out of the scene's directory: replace it with a copy")
            if not file.is_file():
                raise CliError(f"{file} is not a plain file: remove it from the scene's directory")
            yield file


def _check_name(file: Path) -> None:
    """Raise CliError for a name that is not UTF-8, as the cluster needs it."""
    try:
        str(file).encode()
    except UnicodeEncodeError:
        raise CliError(f"the name of {clean(file)} is not UTF-8 text: rename it") from None


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Remove owner and mode from an archive's member, which the server does not need."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member
