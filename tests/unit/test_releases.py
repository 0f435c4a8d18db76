"""Test the filters for releases of the roles django and cluster_client."""

from __future__ import annotations

from pathlib import Path

import pytest
import releases
from ansible.errors import AnsibleFilterError

LOCK = """\
django==5.2.8 \\
    --hash=sha256:aaa \\
    --hash=sha256:bbb
    # via raycrafter (raycrafter/pyproject.toml)
async-timeout==5.0.1 ; python_full_version < '3.11.3' \\
    --hash=sha256:ccc
    # via redis
tzdata==2025.2 ; sys_platform == 'win32' \\
    --hash=sha256:ddd
psycopg[binary]==3.2.12 ; implementation_name != 'pypy' \\
    --hash=sha256:eee
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "src" / "pkg").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[project]\n")
    (root / "src" / "pkg" / "a.py").write_text("A = 1\n")
    return root


def wheel(directory: Path, name: str, content: str = "") -> str:
    path = directory / name
    path.write_text(content)
    return str(path)


def test_digest_follows_content_and_names(tree: Path) -> None:
    before = releases.tree_digest(str(tree))
    (tree / "src" / "pkg" / "a.py").write_text("A = 2\n")
    changed = releases.tree_digest(str(tree))
    (tree / "src" / "pkg" / "a.py").rename(tree / "src" / "pkg" / "b.py")
    assert len({before, changed, releases.tree_digest(str(tree))}) == 3


def test_digest_does_not_mix_a_name_with_content(tree: Path) -> None:
    (tree / "x").write_text("y")
    (tree / "xy").write_text("")
    one = releases.tree_digest(str(tree))
    (tree / "x").write_text("")
    (tree / "xy").write_text("y")
    assert releases.tree_digest(str(tree)) != one


@pytest.mark.parametrize(
    "leftover", ["build/lib/a.py", "src/pkg/__pycache__/a.pyc", "src/pkg.egg-info/SOURCES.txt", "src/a.pyc"]
)
def test_digest_ignores_files_of_tools(tree: Path, leftover: str) -> None:
    before = releases.tree_digest(str(tree))
    (tree / leftover).parent.mkdir(parents=True, exist_ok=True)
    (tree / leftover).write_text("left over")
    assert releases.tree_digest(str(tree)) == before


def test_digest_sees_a_directory_called_build_inside_a_package(tree: Path) -> None:
    before = releases.tree_digest(str(tree))
    (tree / "src" / "pkg" / "build").mkdir()
    (tree / "src" / "pkg" / "build" / "b.py").write_text("B = 1\n")
    assert releases.tree_digest(str(tree)) != before


def test_digest_follows_links_to_files_outside(tree: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared.py"
    shared.write_text("one")
    (tree / "src" / "pkg" / "shared.py").symlink_to(shared)
    before = releases.tree_digest(str(tree))
    shared.write_text("two")
    assert releases.tree_digest(str(tree)) != before
    shared.unlink()
    with pytest.raises(AnsibleFilterError, match=r"shared\.py is a symbolic link"):
        releases.tree_digest(str(tree))


def test_digest_of_a_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnsibleFilterError, match="no source tree"):
        releases.tree_digest(str(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("python", "names"),
    [
        ("3.11.2", ["django==5.2.8", "async-timeout==5.0.1", "psycopg==3.2.12"]),
        ("3.13.5", ["django==5.2.8", "psycopg==3.2.12"]),
    ],
)
def test_lock_is_evaluated_for_the_target(python: str, names: list[str]) -> None:
    lines = releases.lock_for_target(LOCK, python, "x86_64").splitlines()
    assert [line.split()[0] for line in lines] == names
    assert lines[0] == "django==5.2.8 --hash=sha256:aaa --hash=sha256:bbb"


@pytest.mark.parametrize(
    "line", ["django==5.2.8", "django>=5 --hash=sha256:aaa", "-r other.txt", "https://example.org/x.whl"]
)
def test_lock_without_pin_or_hash_is_refused(line: str) -> None:
    with pytest.raises(AnsibleFilterError, match="lock"):
        releases.lock_for_target(f"{line}\n", "3.11.2", "x86_64")


def test_platforms_start_at_the_hosts_glibc() -> None:
    tags = releases.wheel_platforms("x86_64", "2.36")
    assert tags[0] == "manylinux_2_36_x86_64"
    assert {"manylinux2014_x86_64", "manylinux_2_28_x86_64", "manylinux1_x86_64", "linux_x86_64"} <= set(tags)
    assert "manylinux_2_39_x86_64" not in tags


@pytest.mark.parametrize("glibc", ["", "1.2", "musl"])
def test_platforms_need_a_glibc(glibc: str) -> None:
    with pytest.raises(AnsibleFilterError, match="glibc"):
        releases.wheel_platforms("x86_64", glibc)


def test_release_id_is_the_same_for_the_same_wheels_anywhere(tmp_path: Path) -> None:
    ids = set()
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        paths = [
            wheel(tmp_path / place, "raycrafter-0.1.0-py3-none-any.whl", "app"),
            wheel(tmp_path / place, "django-5.2.8-py3-none-any.whl", "django"),
        ]
        ids |= {releases.wheel_set(order, "RayCrafter")["release"] for order in (paths, paths[::-1])}
    assert len(ids) == 1
    assert next(iter(ids)).startswith("0.1.0-")
    Path(paths[1]).write_text("another django")
    assert releases.wheel_set(paths, "raycrafter")["release"] not in ids


@pytest.mark.parametrize("names", [[], ["raycrafter-1.0-py3-none-any.whl", "raycrafter-2.0-py3-none-any.whl"]])
def test_release_needs_exactly_one_wheel_of_the_project(tmp_path: Path, names: list[str]) -> None:
    paths = [wheel(tmp_path, name) for name in [*names, "django-5.2.8-py3-none-any.whl"]]
    with pytest.raises(AnsibleFilterError, match=f"found {len(names)}"):
        releases.wheel_set(paths, "raycrafter")


@pytest.mark.parametrize(("keep", "removed"), [(1, ["/r/d", "/r/c", "/r/b"]), (3, ["/r/b"]), (9, [])])
def test_current_release_is_never_removed(keep: int, removed: list[str]) -> None:
    found = [{"path": f"/r/{name}", "mtime": mtime} for mtime, name in enumerate("abcd")]
    assert releases.releases_to_remove(found, "/r/a", keep) == removed
