"""Blender's command line and file names. What is said here of Blender itself was tried with 3.4.1."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from raycrafter.jobs import rendering
from raycrafter.jobs.models import Attempt, Batch
from raycrafter.renderers import OptionError
from raycrafter_client.renderers import parsers_of

from raycrafter import renderers

BLENDER = renderers.ADAPTERS["blender"]
WORKSPACE = "/lustre/ws/render-rc-job-1"
RECORDED = Path(__file__).parents[3] / "raycrafter_client" / "tests" / "data" / "blender"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    """A site that has Blender."""
    programs = {"povray": "/usr/bin/povray", "blender": "/opt/blender/blender"}
    cluster = dataclasses.replace(settings.RAYCRAFTER.cluster, renderers=programs, cores_per_node=8, hyperthreads=1)
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, cluster=cluster)


@pytest.fixture
def blend(job: Any) -> Any:
    """A job for Blender."""
    job.renderer, job.name, job.main, job.options = "blender", "My castle", "shots/castle.blend", {}
    job.save()
    return job


def command(job: Any, number: int = 7) -> list[str]:
    return BLENDER.command(rendering.frame_spec(job, number, WORKSPACE))


def changed(job: Any, scene_name: str = "Scene", engine: str = "CYCLES") -> SimpleNamespace:
    """The scene after Blender's Python has run what the command line hands it; a stand-in for Blender's module."""
    render = SimpleNamespace(engine=engine, resolution_x=1, resolution_y=1, use_placeholder=True)
    scene = SimpleNamespace(name=scene_name, render=render, cycles=SimpleNamespace(), eevee=SimpleNamespace())
    words = command(job)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "bpy", SimpleNamespace(context=SimpleNamespace(scene=scene)))
        exec(compile(words[words.index("--python-expr") + 1], "expr", "exec"), {})  # noqa: S102 - Blender does the same
    return scene


def test_command_and_files_of_a_frame(blend: Any) -> None:
    words = command(blend)
    expression = words.pop(words.index("--python-expr") + 1)
    assert words == [
        *("/opt/blender/blender", "--background", "--factory-startup", "--disable-autoexec"),
        *("--python-exit-code", "1", "-noaudio", "--log", "render", "--threads", "8"),
        f"{WORKSPACE}/input/shots/castle.blend",
        "--python-expr",
        *("--render-output", f"{WORKSPACE}/work/my-castle-0_####"),
        *("--render-format", "PNG", "--use-extension", "1", "--render-frame", "7"),
    ]
    assert "castle" not in expression
    assert BLENDER.files(rendering.frame_spec(blend, 7, WORKSPACE)) == [
        {"work": f"{WORKSPACE}/work/my-castle-0_0007.png", "final": f"{WORKSPACE}/frames/my-castle_0007.png"}
    ]


def test_order_of_the_arguments(blend: Any) -> None:
    """Blender carries them out one after the other: what comes after the frame is too late for it."""
    blend.options = {"scene": "Shot 3", "engine": "CYCLES", "samples": 32}
    words = command(blend)
    file = words.index(f"{WORKSPACE}/input/shots/castle.blend")
    assert words.index("--disable-autoexec") < file and words.index("--python-exit-code") < file
    order = ["--scene", "--engine", "--python-expr", "--render-output", "--render-format", "--render-frame"]
    places = [words.index(word) for word in order]
    assert [file, *places] == sorted([file, *places])
    assert words[-2:] == ["--render-frame", "7"]
    assert words[places[0] + 1] == "Shot 3" and words[places[1] + 1] == "CYCLES"


@pytest.mark.parametrize(("number", "digits"), [(0, "0000"), (12, "0012"), (12345, "12345")])
def test_the_number_in_the_name(blend: Any, number: int, digits: str) -> None:
    (pair,) = BLENDER.files(rendering.frame_spec(blend, number, WORKSPACE))
    assert pair["work"] == f"{WORKSPACE}/work/my-castle-0_{digits}.png"


def test_size_and_samples(blend: Any) -> None:
    blend.options = {"samples": 32}
    scene = changed(blend)
    render = scene.render
    assert (render.resolution_x, render.resolution_y, render.resolution_percentage) == (64, 48, 100)
    assert (render.use_overwrite, render.use_placeholder) == (True, False)
    assert vars(scene.cycles) == {"samples": 32} and not vars(scene.eevee)
    assert vars(changed(blend, engine="BLENDER_EEVEE_NEXT").eevee) == {"taa_render_samples": 32}
    blend.options = {}
    assert not vars(changed(blend).cycles)


def test_denoising_is_the_files_own_affair_unless_the_job_says_so(blend: Any) -> None:
    for wanted in (True, False):
        blend.options = {"denoise": wanted}
        assert vars(changed(blend).cycles) == {"use_denoising": wanted}
    blend.options = {"denoise": "False; import os"}
    assert "import os" not in str(vars(changed(blend).cycles)) and "import os" not in " ".join(command(blend))


def test_a_scene_that_is_not_there_ends_the_frame_for_good(blend: Any) -> None:
    blend.options = {"scene": "Shot 3"}
    with pytest.raises(RuntimeError) as caught:
        changed(blend, scene_name="Scene")
    assert BLENDER.is_fatal(f"RuntimeError: {caught.value} (exit code 1)")
    changed(blend, scene_name="Shot 3")


@pytest.mark.parametrize("name", ["'); import os; os._exit(9) #", "\\', 'Ä", '"""', "{blend_name}", "%s"])
def test_no_name_becomes_a_statement(blend: Any, name: str) -> None:
    blend.options = BLENDER.validate({"scene": name})
    assert changed(blend, scene_name=name).name == name
    words = command(blend)
    assert name not in words[words.index("--python-expr") + 1]


def test_numbers_that_are_none_get_into_no_statement(blend: Any) -> None:
    for field, value in (("width", "64; import os"), ("height", "48\nimport os")):
        kept = getattr(blend, field)
        setattr(blend, field, value)
        with pytest.raises(ValueError, match="format code"):
            command(blend)
        setattr(blend, field, kept)
    blend.options = {"samples": "1; import os"}
    with pytest.raises(ValueError, match="format code"):
        command(blend)


def test_a_file_name_is_no_option(blend: Any) -> None:
    blend.main = "--python=x.blend"
    words = command(blend)
    assert f"{WORKSPACE}/input/--python=x.blend" in words and "--python=x.blend" not in words


def test_the_work_file_changes_after_a_lost_attempt(blend: Any) -> None:
    frame, batch = blend.frames.get(number=2), Batch.objects.create(job=blend, site="x", walltime_seconds=60)
    first = BLENDER.files(rendering.frame_spec(blend, 2, WORKSPACE))[0]["work"]
    end = {"ended": "2026-11-23T00:00:00Z"}
    Attempt.objects.create(frame=frame, batch=batch, number=1, outcome=Attempt.Outcome.INTERRUPTED, **end)
    assert BLENDER.files(rendering.frame_spec(blend, 2, WORKSPACE))[0]["work"] == first
    Attempt.objects.create(frame=frame, batch=batch, number=2, outcome=Attempt.Outcome.LOST, **end)
    assert BLENDER.files(rendering.frame_spec(blend, 2, WORKSPACE))[0]["work"].endswith("my-castle-1_0002.png")
    assert f"{WORKSPACE}/work/my-castle-1_####" in command(blend, 2)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"engine": "CYCLES", "samples": 128},
        {"engine": "BLENDER_EEVEE_NEXT"},
        {"scene": "Szene 2 (außen)"},
        {"denoise": False},
    ],
)
def test_good_options(options: dict[str, Any]) -> None:
    assert BLENDER.validate(options) == options


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"threads": 4}, "options.threads"),
        ({"engine": "cycles"}, "options.engine"),
        ({"engine": "help"}, "options.engine"),
        ({"engine": ["CYCLES"]}, "options.engine"),
        ({"samples": 0}, "options.samples"),
        ({"samples": True}, "options.samples"),
        ({"samples": "32"}, "options.samples"),
        ({"denoise": 0}, "options.denoise"),
        ({"scene": ""}, "options.scene"),
        ({"scene": "-P"}, "options.scene"),
        ({"scene": "a\nb"}, "options.scene"),
        ({"scene": "a\x00b"}, "options.scene"),
        ({"scene": "\ud800"}, "options.scene"),
        ({"scene": "ä" * 32}, "options.scene"),
        ({"scene": 1}, "options.scene"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], field: str) -> None:
    with pytest.raises(OptionError) as caught:
        BLENDER.validate(options)
    assert caught.value.field == field and caught.value.reason


@pytest.mark.parametrize(
    ("text", "fatal"),
    [
        # not recorded: the next two; form: Blender's source, readfile.cc and wm_files.cc
        ("Error: Failed to read blend file '/ws/a.blend', not a blend file", True),
        ('Error: File format is not supported in file "/ws/a.blend"', True),
        # the file system may be back the next time
        # not recorded: the next two; form: wm_files.cc as above, and cgru's afanasy/python/parsers/blender.py
        ("Error: Cannot read file '/ws/a.blend': No such file or directory", False),
        ("Error: CUDA error: Out of memory in cuMemAlloc (signal 9)", False),
        ("the renderer gave no reason (signal 11)", False),
        ("", False),
    ],
)
def test_fatal_errors_are_recognised(text: str, fatal: bool) -> None:
    assert BLENDER.is_fatal(text) is fatal


@pytest.mark.parametrize(
    ("name", "fatal"),
    [
        ("no-camera", True),
        ("no-scene", True),
        ("no-engine", True),
        ("no-denoiser", True),
        ("cut-file", True),
        ("no-opengl", False),  # another node may have it
    ],
)
def test_recorded_failures_are_explained(name: str, fatal: bool) -> None:
    parsers = parsers_of("blender")
    for parser, output in zip(parsers, ("stdout", "stderr"), strict=True):
        if (path := RECORDED / f"blender-3.4.1-{name}.{output}").exists():
            parser.feed(path.read_bytes())
            parser.close()
    assert parsers.error
    assert BLENDER.is_fatal(f"{parsers.error} (exit code 1)") is fatal
