"""Scenes: what is taken, what is refused, and that nothing is ever written outside."""

from __future__ import annotations

import contextlib
import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raycrafter.jobs import scene
from raycrafter.jobs.scene import SceneError, clean_name, inspect, unpack

Files = dict[str, bytes]


def make_zip(files: Files, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def make_tar(files: Files, mode: str = "w:gz", extra: list[tarfile.TarInfo] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in extra or []:
            archive.addfile(info)
    return buffer.getvalue()


MAKERS: dict[str, Callable[[Files], bytes]] = {
    "s.zip": make_zip,
    "s.tar.gz": make_tar,
    "s.tgz": make_tar,
    "s.tar": lambda files: make_tar(files, "w:"),
}


def look(data: bytes, name: str, main: str = "") -> str:
    return inspect(io.BytesIO(data), name, main)


def refused(data: bytes, name: str, tmp_path: Path) -> str:
    """Assert that a scene is refused at upload and on the worker alike, with nothing written; return the message."""
    with pytest.raises(SceneError) as caught:
        look(data, name)
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SceneError):
        unpack(tmp_path / name, tmp_path / "out" / "in")
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "out", tmp_path / "out" / "in", tmp_path / name]
    return str(caught.value)


@pytest.mark.parametrize("name", MAKERS)
def test_archive_is_taken_and_unpacked(name: str, tmp_path: Path) -> None:
    files = {"scene.pov": b"sphere{}", "maps/wood grain.png": b"\x89PNG" * 9, "./inc/ä.inc": b"// x"}
    data = MAKERS[name](files)
    assert look(data, name) == "scene.pov"
    (tmp_path / name).write_bytes(data)
    out = tmp_path / "out"
    assert sorted(unpack(tmp_path / name, out)) == ["inc/ä.inc", "maps/wood grain.png", "scene.pov"]
    assert (out / "maps/wood grain.png").read_bytes() == files["maps/wood grain.png"]
    assert stat.S_IMODE((out / "scene.pov").stat().st_mode) & 0o137 == 0


def test_single_file(tmp_path: Path) -> None:
    assert look(b"sphere{}", "a.pov") == "a.pov"
    (tmp_path / "a.pov").write_bytes(b"sphere{}")
    assert unpack(tmp_path / "a.pov", tmp_path / "out") == ["a.pov"]
    with pytest.raises(SceneError) as caught:
        look(b"sphere{}", "a.pov", "b.pov")
    assert caught.value.field == "main"


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize(
    "path", ["/etc/cron.d/x", "../x.pov", "a/../../x.pov", "C:/x.pov", "a\nb.pov", "a*b.pov", "x" * 300 + ".pov"]
)
def test_unsafe_paths(name: str, path: str, tmp_path: Path) -> None:
    assert repr(path[:80]) in refused(MAKERS[name]({"ok.pov": b"", path: b"x"}), name, tmp_path)


def test_backslash_paths_are_refused(tmp_path: Path) -> None:
    # zipfile writes "/" for os.sep only, so the name arrives as it is
    assert "forbidden" in refused(make_zip({"ok.pov": b"", "..\\x.pov": b"x"}), "s.zip", tmp_path)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE]
)
def test_tar_with_anything_but_files(kind: bytes, tmp_path: Path) -> None:
    info = tarfile.TarInfo("evil")
    info.type, info.linkname = kind, "/etc/passwd"
    assert "'evil' is a link" in refused(make_tar({"ok.pov": b""}, extra=[info]), "s.tar.gz", tmp_path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_zip_with_anything_but_files(kind: int, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("ok.pov", "")
        info = zipfile.ZipInfo("evil")
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert "'evil' is a link" in refused(buffer.getvalue(), "s.zip", tmp_path)


def test_encrypted_zip(tmp_path: Path) -> None:
    data = bytearray(make_zip({"a.pov": b"x"}, zipfile.ZIP_STORED))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refused(bytes(data), "s.zip", tmp_path)


@pytest.mark.parametrize("name", ["s.zip", "s.tar.gz"])
def test_bomb_by_ratio(name: str, tmp_path: Path) -> None:
    assert "times its size" in refused(MAKERS[name]({"a.pov": b"", "zeros": bytes(40 * scene.MIB)}), name, tmp_path)


@pytest.mark.parametrize("name", ["s.zip", "s.tar.gz", "s.tar"])
def test_bomb_by_number(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene, "MAX_MEMBERS", 20)
    assert "more than 20" in refused(MAKERS[name]({f"{n}.inc": b"" for n in range(21)}), name, tmp_path)


@pytest.mark.parametrize("name", ["s.zip", "s.tar.gz", "s.tar"])
def test_too_much_in_all(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene, "MAX_UNPACKED", 1000)
    assert "unpacks to more" in refused(MAKERS[name]({"a.pov": b"x" * 600, "b.inc": b"y" * 600}), name, tmp_path)


def test_gzip_bomb_without_a_tar_in_it(tmp_path: Path) -> None:
    refused(gzip.compress(bytes(64 * scene.MIB)), "s.tar.gz", tmp_path)


def test_extended_header_of_absurd_length(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 500 * scene.MIB
    data = gzip.compress(info.tobuf() + bytes(20 * scene.MIB))
    assert "absurd" in refused(data, "s.tar.gz", tmp_path)


def test_sparse_file_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("sparse")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1000000000000"}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:", format=tarfile.PAX_FORMAT) as archive:
        body = b"1\n0\n512\n".ljust(1024, b"\0")
        info.size = len(body)
        archive.addfile(info, io.BytesIO(body))
    refused(buffer.getvalue(), "s.tar", tmp_path)


def test_zip_whose_size_lies(tmp_path: Path) -> None:
    data = bytearray(make_zip({"a.pov": b"x" * 5000}, zipfile.ZIP_STORED))
    position = data.rindex(b"PK\x01\x02") + 24
    data[position : position + 4] = (10).to_bytes(4, "little")
    (tmp_path / "s.zip").write_bytes(data)
    with pytest.raises(SceneError):
        unpack(tmp_path / "s.zip", tmp_path / "out")


@pytest.mark.parametrize("name", ["s.zip", "s.tar.gz", "s.tar"])
def test_torn_or_false_archives(name: str, tmp_path: Path) -> None:
    whole = MAKERS[name]({"a.pov": bytes(range(256)) * 400})
    for data in (b"no archive at all", whole[: len(whole) // 2], whole[:5]):
        with pytest.raises(SceneError):
            look(data, name)


@pytest.mark.parametrize("name", MAKERS)
def test_same_name_twice_and_file_as_directory(name: str, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="both a file and a directory"):
        look(MAKERS[name]({"a.pov": b"", "a.pov/b.inc": b""}), name)
    with pytest.raises(SceneError, match="both a file and a directory"):
        look(MAKERS[name]({"d/b.pov": b"", "d": b""}), name)
    with pytest.raises(SceneError, match="twice"):
        look(MAKERS[name]({"a.pov": b"", "./a.pov": b""}), name)


@pytest.mark.parametrize("name", MAKERS)
def test_which_file_is_rendered(name: str) -> None:
    two = MAKERS[name]({"a.pov": b"", "dir/b.INI": b"", "c.png": b""})
    with pytest.raises(SceneError, match=r"2 files .*a\.pov, dir/b\.INI.*say which") as caught:
        look(two, name)
    assert caught.value.field == "main"
    assert look(two, name, "dir/b.INI") == "dir/b.INI"
    assert look(two, name, "./a.pov") == "a.pov"
    for wrong in ("nix.pov", "../a.pov", "c.png"):
        with pytest.raises(SceneError) as caught:
            look(two, name, wrong)
        assert caught.value.field == "main"
    with pytest.raises(SceneError, match="no file that ends in"):
        look(MAKERS[name]({"c.png": b""}), name)


@pytest.mark.parametrize("name", MAKERS)
def test_each_renderer_takes_its_own_files(name: str) -> None:
    both = MAKERS[name]({"a.pov": b"", "b.blend": b"BLENDER", "tex.ini": b""})
    assert inspect(io.BytesIO(both), name, "", (".blend",)) == "b.blend"
    with pytest.raises(SceneError, match=r"'a\.pov' cannot be rendered: .* ends in \.blend") as caught:
        inspect(io.BytesIO(both), name, "a.pov", (".blend",))
    assert caught.value.field == "main"
    with pytest.raises(SceneError, match=r"no file that ends in \.pov or \.ini"):
        inspect(io.BytesIO(MAKERS[name]({"b.blend": b""})), name, "", (".pov", ".ini"))


def test_a_single_file_of_another_renderer(tmp_path: Path) -> None:
    assert clean_name("my scene.BLEND") == "my_scene.blend"
    assert inspect(io.BytesIO(b"BLENDER"), "a.blend", "", (".blend",)) == "a.blend"
    with pytest.raises(SceneError, match=r"'a\.blend' is no file of this renderer: it takes \.pov or \.ini"):
        inspect(io.BytesIO(b"BLENDER"), "a.blend", "", (".pov", ".ini"))
    (tmp_path / "a.blend").write_bytes(b"BLENDER")
    assert unpack(tmp_path / "a.blend", tmp_path / "out") == ["a.blend"]


def test_empty_uploads() -> None:
    with pytest.raises(SceneError, match="empty"):
        look(b"", "a.pov")
    with pytest.raises(SceneError, match="no files"):
        look(make_zip({}), "s.zip")


def test_unpack_replaces_and_follows_nothing(tmp_path: Path) -> None:
    (tmp_path / "s.zip").write_bytes(make_zip({"a.pov": b"new"}))
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.pov").symlink_to(tmp_path / "victim")
    with pytest.raises(FileExistsError):
        unpack(tmp_path / "s.zip", out)
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("scene.pov", "scene.pov"),
        ("C:\\Users\\me\\my scene.POV", "my_scene.pov"),
        ("../../etc/x.zip", "x.zip"),
        (".hidden.tar.gz", "hidden.tar.gz"),
        ("a" * 300 + ".tar.gz", "a" * 100 + ".tar.gz"),
        ("böse;rm -rf.pov", "b_se_rm_-rf.pov"),
    ],
)
def test_names_of_uploads(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


@pytest.mark.parametrize("name", ["scene.exe", "scene", "", "pov", "a.rar", "a.pov.sh"])
def test_unknown_kinds(name: str) -> None:
    with pytest.raises(SceneError, match="unknown kind"):
        clean_name(name)


@given(st.lists(st.text(alphabet="ab./\\-:*\n", min_size=1, max_size=12), min_size=1, max_size=5, unique=True))
def test_no_name_leaves_the_directory(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    base = tmp_path_factory.mktemp("unpack")
    (base / "s.tar").write_bytes(make_tar(dict.fromkeys(names, b"x"), "w:"))
    (base / "out").mkdir()
    with contextlib.suppress(SceneError, OSError):
        unpack(base / "s.tar", base / "out")
    assert {path.name for path in base.iterdir()} == {"s.tar", "out"}
