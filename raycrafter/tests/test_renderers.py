"""What every adapter has to keep to, the one that docs/renderers.md shows among them."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from raycrafter.jobs import rendering, scene
from raycrafter.jobs.models import Attempt, Batch
from raycrafter.renderers import OptionError
from raycrafter_client.renderers import PARSERS

from raycrafter import renderers

PAGE = (Path(__file__).parents[2] / "docs" / "renderers.md").read_text()
WORKSPACE = "/lustre/ws/render-rc-job-1"
# Does what the page says of its renderer.
ORRERY = """
import argparse, json, sys
parser = argparse.ArgumentParser()
for option in ("--frame", "--threads", "--samples"):
    parser.add_argument(option, type=int)
parser.add_argument("--size"), parser.add_argument("--output"), parser.add_argument("--no-shadows", action="store_true")
parser.add_argument("scene")
given = parser.parse_args()
if open(given.scene).read() != "good":
    sys.exit("orrery: bad scene " + given.scene)
height = int(given.size.split("x")[1])
for row in range(height):
    print(row + 1, "of", height, "rows", file=sys.stderr)
json.dump(vars(given), open(given.output, "w"))
"""

pytestmark = pytest.mark.django_db


def shown(path: str) -> ModuleType:
    """The module that the page shows under this path, as if it were there."""
    (code,) = re.findall(rf"^`{re.escape(path)}`:\n\n```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    module = ModuleType(path.split("/src/")[1].removesuffix(".py").replace("/", "."))
    module.__package__ = module.__name__.rpartition(".")[0]
    exec(compile(code, path, "exec"), module.__dict__)  # noqa: S102 - the page is the project's own
    return module


@pytest.fixture(params=[*renderers.ADAPTERS, "orrery"])
def adapter(request: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> renderers.Renderer:
    """An adapter on a site that has its program."""
    if request.param == "orrery":
        made = shown("raycrafter/src/raycrafter/renderers/orrery.py").Orrery()
        monkeypatch.setitem(renderers.ADAPTERS, made.name, made)
        monkeypatch.setattr(scene, "SCENE_SUFFIXES", (*scene.SCENE_SUFFIXES, *made.suffixes))
    programs = {name: f"/opt/{name}" for name in renderers.ADAPTERS}
    cluster = dataclasses.replace(settings.RAYCRAFTER.cluster, renderers=programs)
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, cluster=cluster)
    return rendering.get(request.param)


@pytest.fixture
def its_job(adapter: renderers.Renderer, job: Any) -> Any:
    """A job for it, with a name that is no name of a file."""
    job.renderer, job.name, job.main = adapter.name, "Ä castle / -x", f"shots/-castle{adapter.suffixes[0]}"
    job.save()
    return job


def work(adapter: renderers.Renderer, job: Any, number: int = 2) -> list[str]:
    return [pair["work"] for pair in adapter.files(rendering.frame_spec(job, number, WORKSPACE))]


def test_the_site_offers_it(adapter: renderers.Renderer) -> None:
    assert adapter.name in rendering.names()
    assert rendering.get(adapter.name) is adapter
    assert isinstance(adapter.resumes, bool)


def test_adapter_accepts_its_scenes(adapter: renderers.Renderer) -> None:
    for suffix in adapter.suffixes:
        name = scene.clean_name(f"My scene{suffix.upper()}")
        assert name == f"My_scene{suffix}"
        assert scene.inspect(io.BytesIO(b"x"), name, "", adapter.suffixes) == name
    with pytest.raises(scene.SceneError, match="of this renderer"):
        scene.inspect(io.BytesIO(b"x"), f"a{adapter.suffixes[0]}", "", (".other",))


def test_adapter_checks_its_options(adapter: renderers.Renderer) -> None:
    assert adapter.validate({}) == {}
    with pytest.raises(OptionError) as caught:
        adapter.validate({"no_such_option": 1})
    assert caught.value.field == "options.no_such_option" and caught.value.reason


def test_adapter_builds_its_command(adapter: renderers.Renderer, its_job: Any) -> None:
    words = adapter.command(rendering.frame_spec(its_job, 2, WORKSPACE))
    assert words[0] == f"/opt/{adapter.name}"
    assert json.loads(json.dumps(words)) == words and all(isinstance(word, str) for word in words)
    assert not any("\x00" in word for word in words)
    # What a user called the file stands behind an absolute path, else it could be an option.
    named = [word for word in words if "-castle." in word]
    assert named and all(f"{WORKSPACE}/input/shots/-castle" in word for word in named)


def test_adapter_names_its_files(adapter: renderers.Renderer, its_job: Any) -> None:
    assert len({str(adapter.files(rendering.frame_spec(its_job, number, WORKSPACE))) for number in (1, 2, 3)}) == 3
    for pair in adapter.files(rendering.frame_spec(its_job, 2, WORKSPACE)):
        assert re.fullmatch(rf"{WORKSPACE}/work/[a-z0-9_-]+\.png", pair["work"])
        assert re.fullmatch(rf"{WORKSPACE}/frames/[a-z0-9_-]+\.png", pair["final"])


def test_lost_attempt_cannot_spoil_the_next(adapter: renderers.Renderer, its_job: Any) -> None:
    frame, batch = its_job.frames.get(number=2), Batch.objects.create(job=its_job, site="x", walltime_seconds=60)
    before = work(adapter, its_job), work(adapter, its_job, 3)
    ended = {"ended": "2026-11-23T00:00:00Z"}
    Attempt.objects.create(frame=frame, batch=batch, number=1, outcome=Attempt.Outcome.LOST, **ended)
    assert not set(work(adapter, its_job)) & set(before[0])
    assert work(adapter, its_job, 3) == before[1]


def test_a_failure_without_a_reason_is_tried_again(adapter: renderers.Renderer) -> None:
    for text in ("", "the renderer gave no reason (signal 9)", "cannot start the renderer: No such file"):
        assert adapter.is_fatal(text) is False


def test_no_scene_suffix_without_a_renderer() -> None:
    assert {suffix for adapter in renderers.ADAPTERS.values() for suffix in adapter.suffixes} == set(
        scene.SCENE_SUFFIXES
    )


def test_the_client_knows_every_renderer() -> None:
    assert set(PARSERS) == set(renderers.ADAPTERS)


def test_the_page_has_every_option() -> None:
    for name in renderers.ADAPTERS:
        options = sys.modules[type(renderers.ADAPTERS[name]).__module__].OPTIONS
        missing = [option for option in options if not re.search(rf"^\|[^|]*`{option}`", PAGE, re.MULTILINE)]
        assert missing == [], name


@pytest.mark.parametrize("adapter", ["orrery"], indirect=True)
def test_the_pages_renderer_renders(adapter: renderers.Renderer, its_job: Any, settings: Any, tmp_path: Path) -> None:
    """Both halves of the page's adapter with a program that does what the page says of it."""
    program = tmp_path / "orrery"
    program.write_text(f"#!{sys.executable}\n{ORRERY}")
    program.chmod(0o755)
    settings.RAYCRAFTER.cluster.renderers["orrery"] = str(program)
    its_job.options = adapter.validate({"samples": 16, "shadows": False})
    scene_file = tmp_path / "input" / its_job.main
    for directory in (scene_file.parent, tmp_path / "work"):
        directory.mkdir(parents=True)

    def render(content: str) -> tuple[int, Any]:
        scene_file.write_text(content)
        done = subprocess.run(
            adapter.command(rendering.frame_spec(its_job, 2, str(tmp_path))), capture_output=True, check=False
        )
        parser = shown("raycrafter_client/src/raycrafter_client/orrery.py").OrreryParser()
        assert parser.feed(done.stderr) + parser.close()
        return done.returncode, parser

    code, parser = render("good")
    assert (code, parser.percent, parser.error) == (0, 100.0, "")
    (pair,) = adapter.files(rendering.frame_spec(its_job, 2, str(tmp_path)))
    given = json.loads(Path(pair["work"]).read_text())
    assert given | {"frame": 2, "size": "64x48", "samples": 16, "no_shadows": True} == given
    code, parser = render("bad")
    assert code != 0 and parser.error.startswith("orrery: bad scene ")
    assert adapter.is_fatal(f"{parser.error} (exit code 1)")
