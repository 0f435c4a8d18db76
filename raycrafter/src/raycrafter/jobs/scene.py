"""Scenes: one file or an archive, checked at upload, unpacked on a worker.

An archive is refused when it holds anything but plain files and directories, a path that leaves its directory, or far
more data than it appears to. ``inspect`` decides by listing and writes nothing, ``unpack`` lists again and writes.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

SCENE_SUFFIXES = (".pov", ".ini", ".blend")  # of all renderers; each takes some of them
ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")

MIB = 1024 * 1024
MAX_UPLOAD = 8 * 1024 * MIB  # bytes
MAX_MEMBERS = 10_000
MAX_UNPACKED = 10 * 1024 * MIB  # bytes
MAX_RATIO = 200  # unpacked to packed; text compresses to 1:20, zeros to 1:1000
FREE_OF_RATIO = 16 * MIB  # bytes that any archive may hold, whatever the ratio
MAX_PATH = 400  # characters
MAX_DEPTH = 32  # directories
MAX_HEADER = 4 * MIB  # bytes of a directory of members, or of one extended header
CHUNK = MIB

# Refused in names: control characters, and what transfer tools take for wildcards, quotes or separators.
_BAD_CHARACTERS = re.compile(r'[\x00-\x1f\x7f-\x9f\\"*?\[\]\ud800-\udfff]')


class SceneError(ValueError):
    """The scene cannot be accepted; ``field`` is the part of the request at fault."""

    def __init__(self, message: str, field: str = "scene") -> None:
        self.field = field
        super().__init__(message)


def clean_name(filename: str) -> str:
    """Return the name under which an upload is kept. Raises SceneError.

    It is the last part of the path, with harmless characters only.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", filename.replace("\\", "/").rsplit("/", 1)[-1]).lstrip("._-")
    suffix = _suffix(name)
    if not suffix:
        known = ", ".join(SCENE_SUFFIXES + ARCHIVE_SUFFIXES)
        raise SceneError(f"{filename[:80]!r} is of an unknown kind: upload one of {known}")
    stem = name[: -len(suffix)][:100] or "scene"
    return stem + suffix


def inspect(content: IO[bytes], name: str, main: str = "", suffixes: tuple[str, ...] = SCENE_SUFFIXES) -> str:
    """Check a scene without unpacking it. Return the path in it of the file to render.

    ``content`` is seekable and is read from its start; ``name`` decides the kind (see ``clean_name``); ``main`` is the
    file to render, by default the only one that can be; ``suffixes`` are those that the renderer takes. Raises
    SceneError.
    """
    size = content.seek(0, os.SEEK_END)
    content.seek(0)
    if not size:
        raise SceneError("is empty")
    if size > MAX_UPLOAD:
        raise SceneError(f"is larger than {MAX_UPLOAD // MIB} MiB")
    if _suffix(name) in SCENE_SUFFIXES:
        if main and main != name:
            raise SceneError(f"{main!r} is not in the upload, which is the single file {name!r}", "main")
        if _suffix(name) not in suffixes:
            raise SceneError(f"{name!r} is no file of this renderer: it takes {' or '.join(suffixes)}")
        return name
    with _archive(content, name, size) as members:
        return _choose({path for path, _, _ in members}, main, suffixes)


def unpack(path: str | Path, directory: str | Path) -> list[str]:
    """Unpack the scene at ``path`` into ``directory``. Return the files' paths in it.

    Nothing is written when the archive is unsafe. Modes of the archive are ignored: files 0640, directories 0750.
    Raises SceneError, and OSError when the disk does not take it.
    """
    path, directory = Path(path), Path(directory)
    directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    with path.open("rb") as content:
        if _suffix(path.name) in SCENE_SUFFIXES:
            _write(content, directory / path.name, path.stat().st_size)
            return [path.name]
        with _archive(content, path.name, path.stat().st_size) as members:
            names = []
            for name, size, reader in members:
                target = directory / name
                target.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
                with reader() as source:
                    _write(source, target, size)
                names.append(name)
            return names


def _suffix(name: str) -> str:
    """Return the known suffix of a file name in lower case, or ""."""
    lower = name.lower()
    return next((s for s in sorted(SCENE_SUFFIXES + ARCHIVE_SUFFIXES, key=len, reverse=True) if lower.endswith(s)), "")


def _choose(names: set[str], main: str, suffixes: tuple[str, ...]) -> str:
    """Return the file to render."""
    if main:
        wanted = str(PurePosixPath(main))
        if wanted not in names:
            raise SceneError(f"{main!r} is not in the archive", "main")
        if not wanted.lower().endswith(suffixes):
            raise SceneError(f"{main!r} cannot be rendered: name a file that ends in {' or '.join(suffixes)}", "main")
        return wanted
    candidates = sorted(name for name in names if name.lower().endswith(suffixes))
    if not candidates:
        raise SceneError(f"the archive has no file that ends in {' or '.join(suffixes)}", "scene")
    if len(candidates) > 1:
        some = ", ".join(candidates[:5]) + (" …" if len(candidates) > 5 else "")
        raise SceneError(f"the archive has {len(candidates)} files that could be rendered ({some}): say which", "main")
    return candidates[0]


# name, size in bytes, a function that opens it
Entry = tuple[str, int, Callable[[], IO[bytes]]]


@contextmanager
def _archive(content: IO[bytes], name: str, size: int) -> Iterator[list[Entry]]:
    """Give the plain files of an archive, all of them checked."""
    kind = _suffix(name)
    try:
        if kind == ".zip":
            _check_zip_directory(content, size)
            with zipfile.ZipFile(content) as archive:
                yield _checked(_zip_entries(archive), size)
        else:
            limit = min(MAX_UNPACKED, max(FREE_OF_RATIO, size * MAX_RATIO)) + MAX_MEMBERS * 2048
            plain = content if kind == ".tar" else gzip.GzipFile(fileobj=content, mode="rb")
            with tarfile.open(fileobj=_Bounded(plain, limit), mode="r:") as archive:  # type: ignore[call-overload]
                yield _checked(_tar_entries(archive), size)
    except SceneError:
        raise
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise SceneError(f"is not a whole {kind[1:]} archive: {error}") from error
    except (NotImplementedError, UnicodeError, struct.error, OverflowError, RecursionError, ValueError) as error:
        raise SceneError(f"the {kind[1:]} archive cannot be read: {error}") from error


class _Bounded:
    """A seekable file that raises SceneError when too much is unpacked or read at once."""

    def __init__(self, content: IO[bytes], limit: int) -> None:
        self._content, self._limit = content, limit

    def read(self, size: int = -1) -> bytes:
        """Read; tar asks for whole headers at once, and a header may claim any length."""
        if size < 0 or size > MAX_HEADER:
            raise SceneError("the archive has a header of an absurd length")
        data = self._content.read(size)
        self._check()
        return data

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        """Seek; a compressed file is unpacked on the way."""
        if whence != os.SEEK_SET or position > self._limit:
            raise SceneError(_TOO_MUCH)
        result = self._content.seek(position)
        self._check()
        return result

    def tell(self) -> int:
        """Return the position."""
        return self._content.tell()

    def _check(self) -> None:
        if self._content.tell() > self._limit:
            raise SceneError(_TOO_MUCH)


_TOO_MUCH = f"unpacks to more than {MAX_UNPACKED // MIB} MiB, or to more than {MAX_RATIO} times its size"


def _check_zip_directory(content: IO[bytes], size: int) -> None:
    """Refuse a directory of members that is too large, before zipfile reads it."""
    content.seek(max(0, size - 65_557))
    tail = content.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < 22:
        raise SceneError("is not a whole zip archive: its directory is missing")
    count, length = struct.unpack_from("<HI", tail, end + 10)
    if tail[max(0, end - 20) : end].startswith(b"PK\x06\x07"):
        raise SceneError("is a ZIP64 archive: upload a .tar.gz, or one with fewer files")
    if count > MAX_MEMBERS or length > MAX_HEADER:
        raise SceneError(f"has more than {MAX_MEMBERS} files")
    content.seek(0)


def _zip_entries(archive: zipfile.ZipFile) -> Iterator[tuple[str, int, bool, Callable[[], IO[bytes]]]]:
    """Yield name, size, kind and opener of each member; refuse links and devices."""
    for item in archive.infolist():
        kind = stat.S_IFMT(item.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise SceneError(f"{item.filename!r} is a link or a device: archives hold files and directories only")
        if item.flag_bits & 0x1:
            raise SceneError(f"{item.filename!r} is encrypted")
        if "\x00" in item.orig_filename:
            raise SceneError(f"{item.filename!r} has a forbidden character in its name")
        yield item.filename, item.file_size, item.is_dir(), lambda item=item: archive.open(item)


def _tar_entries(archive: tarfile.TarFile) -> Iterator[tuple[str, int, bool, Callable[[], IO[bytes]]]]:
    """As _zip_entries."""
    for item in archive:
        if item.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE) or item.issparse():
            raise SceneError(f"{item.name!r} is a link, a device or a sparse file: archives hold plain files only")
        yield item.name, item.size, item.isdir(), lambda item=item: archive.extractfile(item)  # type: ignore[misc]


def _checked(entries: Iterator[tuple[str, int, bool, Callable[[], IO[bytes]]]], packed: int) -> list[Entry]:
    """Return the files of an archive, or refuse all of it."""
    allowed = min(MAX_UNPACKED, max(FREE_OF_RATIO, packed * MAX_RATIO))
    found: list[Entry] = []
    files: set[str] = set()
    directories: set[str] = set()
    total = 0
    for count, (raw, size, is_directory, reader) in enumerate(entries, 1):
        if count > MAX_MEMBERS:
            raise SceneError(f"has more than {MAX_MEMBERS} files")
        total += size
        if size < 0 or total > allowed:
            raise SceneError(_TOO_MUCH)
        path = _safe_path(raw)
        parents = {str(parent) for parent in path.parents} - {"."}
        name = str(path)
        if is_directory:
            directories |= parents | ({name} - {"."})
        else:
            if name == "." or name in files:
                raise SceneError(f"{raw!r} is in the archive twice, or has no name")
            files.add(name)
            directories |= parents
            found.append((name, size, reader))
        if files & (parents | ({name} if is_directory else set())) or (not is_directory and name in directories):
            raise SceneError(f"{raw!r} is both a file and a directory")
    if not found:
        raise SceneError("the archive has no files")
    return found


def _safe_path(raw: str) -> PurePosixPath:
    """Return a member's relative path; refuse one that leaves the directory."""
    if raw.startswith("/") or re.match(r"[A-Za-z]:", raw):
        raise SceneError(f"{raw[:80]!r} is an absolute path")
    if _BAD_CHARACTERS.search(raw):
        raise SceneError(f'{raw[:80]!r} has a forbidden character in its name (control characters and \\ " * ? [ ])')
    path = PurePosixPath(raw)
    if ".." in path.parts:
        raise SceneError(f"{raw[:80]!r} leaves the archive's directory")
    if len(raw) > MAX_PATH or len(path.parts) > MAX_DEPTH or any(len(part.encode()) > 255 for part in path.parts):
        raise SceneError(f"{raw[:80]!r} is too long or too deep a path")
    return path


def _write(source: IO[bytes], target: Path, size: int) -> None:
    """Write exactly ``size`` bytes to a new file; follow and replace nothing."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(target, flags, 0o640), "wb") as output:
        shutil.copyfileobj(source, output, CHUNK)
        written = output.tell()
    if written != size:
        raise SceneError(f"{target.name!r} has {written} bytes where the archive says {size}")
