"""POV-Ray's command line and file names; with a POV-Ray on this host also what it makes of them."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from raycrafter.jobs import rendering
from raycrafter.jobs.models import Attempt, Batch
from raycrafter.renderers import OptionError
from raycrafter_client.povray import PovrayParser

from raycrafter import renderers

POVRAY = renderers.ADAPTERS["povray"]
WORKSPACE = "/lustre/ws/render-rc-job-1"
RECORDED = Path(__file__).parents[3] / "raycrafter_client" / "tests" / "data"
needs_povray = pytest.mark.skipif(not shutil.which("povray"), reason="there is no povray on this host")


def command(job, number: int) -> list[str]:
    return POVRAY.command(rendering.frame_spec(job, number, WORKSPACE))


def files(job, number: int) -> dict[str, str]:
    (pair,) = POVRAY.files(rendering.frame_spec(job, number, WORKSPACE))
    return pair


def test_command_of_a_frame(new_job) -> None:
    job = new_job("1-120", options={"clock_initial": -1.5, "clock_final": 2.0, "quality": 9, "antialias": 0.25})
    assert command(job, 9) == [
        "/usr/bin/povray",
        f"+I{WORKSPACE}/input/ball.pov",
        f"+L{WORKSPACE}/input",
        f"+O{WORKSPACE}/work/my-ball-0_.png",
        *("+F", "+FN8", "+W64", "+H48"),
        *("+KFI1", "+KFF120", "+SF9", "+EF9", "+KI-1.5", "+KF2", "-KC"),
        *("+Q9", "+A0.25"),
        *("-D", "-P", "-UF", "-UO", "+V", "+GA", "+C", "+WT2"),
    ]
    assert files(job, 9) == {
        "work": f"{WORKSPACE}/work/my-ball-0_009.png",
        "final": f"{WORKSPACE}/frames/my-ball_0009.png",
    }


def test_an_ini_in_a_directory(new_job) -> None:
    job = new_job("5-7")
    job.main = "scenes/-x.ini"
    words = command(job, 5)
    assert words[1:4] == [
        f"{WORKSPACE}/input/scenes/-x.ini",
        f"+L{WORKSPACE}/input/scenes",
        f"+L{WORKSPACE}/input",
    ]
    # Whatever frames and output the .ini names, ours come after it.
    assert words.index("+KFI5") > 1 and "+KFF7" in words and "+SF5" in words and "+EF5" in words


def test_some_frames_of_an_animation_keep_its_clock(new_job) -> None:
    job = new_job("5-7", options={"initial_frame": 1, "final_frame": 100})
    assert {"+KFI1", "+KFF100", "+SF6", "+EF6"} <= set(command(job, 6))
    assert files(job, 6)["work"].endswith("my-ball-0_006.png")


def test_a_name_that_leaves_nothing_gets_a_number(new_job) -> None:
    job = new_job("1", name="äöü/../ß")
    assert files(job, 1)["final"] == f"{WORKSPACE}/frames/aou_0001.png"
    job.name = "/////"
    assert files(job, 1)["final"] == f"{WORKSPACE}/frames/job-{job.pk}_0001.png"


def test_the_work_file_stays_after_an_interruption_and_changes_after_a_failure(new_job) -> None:
    job = new_job("1-3")
    frame, batch = job.frames.get(number=2), Batch.objects.create(job=job, site="x", walltime_seconds=60)
    first = files(job, 2)["work"]
    end = {"ended": "2026-11-23T00:00:00Z"}
    Attempt.objects.create(frame=frame, batch=batch, number=1, outcome=Attempt.Outcome.INTERRUPTED, **end)
    assert files(job, 2)["work"] == first
    Attempt.objects.create(frame=frame, batch=batch, number=2, outcome=Attempt.Outcome.LOST, **end)
    assert files(job, 2)["work"] != first
    assert files(job, 3)["work"] == first.replace("_2.png", "_3.png")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"clock_initial": 0, "clock_final": 1.5},
        {"cyclic": True},
        {"quality": 11, "antialias": True},
        {"antialias": 0.3},
        {"initial_frame": 0, "final_frame": 10},
    ],
)
def test_good_options(options) -> None:
    assert POVRAY.validate(options) == options


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"clock": 1}, "options.clock"),
        ({"clock_initial": "0"}, "options.clock_initial"),
        ({"clock_final": float("nan")}, "options.clock_final"),
        ({"clock_final": float("inf")}, "options.clock_final"),
        ({"clock_final": 1e9}, "options.clock_final"),
        ({"clock_final": True}, "options.clock_final"),
        ({"cyclic": 1}, "options.cyclic"),
        ({"quality": 12}, "options.quality"),
        ({"quality": 9.0}, "options.quality"),
        ({"antialias": 0}, "options.antialias"),
        ({"antialias": "0.3 +Oevil"}, "options.antialias"),
        ({"initial_frame": 7, "final_frame": 5}, "options.final_frame"),
        ({"initial_frame": -1}, "options.initial_frame"),
    ],
)
def test_bad_options_are_named(options, field) -> None:
    with pytest.raises(OptionError) as caught:
        POVRAY.validate(options)
    assert caught.value.field == field and caught.value.reason


def test_only_what_the_site_has_is_offered(settings, cluster) -> None:
    assert rendering.names() == ["povray"]
    without = dataclasses.replace(cluster, renderers={"mantra": "/opt/mantra"})
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, cluster=without)
    assert rendering.names() == []
    with pytest.raises(OptionError, match="renderer: 'povray' is not offered here"):
        rendering.get("povray")


@pytest.mark.parametrize(
    ("name", "fatal"),
    [("error-bad", True), ("error-bad2", True), ("error-w", True), ("long-path", True), ("no-directory", False)],
)
def test_only_recorded_parse_errors_would_come_again(name: str, fatal: bool) -> None:
    parser = PovrayParser()
    parser.feed((RECORDED / f"povray-3.7.0.10-{name}.stderr").read_bytes())
    parser.close()
    assert parser.error
    assert POVRAY.is_fatal(f"{parser.error} (exit code 1)") is fatal


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "error-bad2",
            "File 'bad2.pov' line 1: Possible Parse Error: Cannot find file 'nonexist.inc',\n"
            " even after trying to append file type extension.",
        ),
        ("error-w", "File 'w.pov' line 1: Parse Warning: hello warn"),
        ("sigterm", "Fatal error in renderer: Frontend halted render."),
    ],
)
def test_other_recorded_lines_may_be_tried_again(name: str, text: str) -> None:
    assert text in (RECORDED / f"povray-3.7.0.10-{name}.stderr").read_text()
    assert not POVRAY.is_fatal(text)


@pytest.mark.parametrize("text", ["", "the renderer gave no reason (signal 9)"])
def test_failures_without_words_of_povray_may_be_tried_again(text: str) -> None:
    assert not POVRAY.is_fatal(text)


SCENE = b"""#version 3.7; global_settings { assumed_gamma 1 } camera { location -5*z look_at 0 }
light_source { <5, 5, -5>, 1 } sphere { <clock, 0, 0>, 1 pigment { rgb 1 } }
#debug concat("clock is ", str(clock, 0, 3), "\\n")
"""
INI = """Input_File_Name=ball.pov
Output_File_Name=/nonexistent/evil.tga
Output_File_Type=T
Output_to_File=off
Initial_Frame=1
Final_Frame=3
Subset_Start_Frame=1
Subset_End_Frame=3
Initial_Clock=7
Final_Clock=8
Cyclic_Animation=on
Field_Render=on
Width=10
Height=10
Display=on
Pause_When_Done=on
All_Console=off
"""


@needs_povray
@pytest.mark.parametrize("main", ["sub/ball.pov", "sub/ball.ini"])
@pytest.mark.parametrize(
    ("frames", "number", "clock"), [("1-120", 9, "0.067"), ("5", 5, "0.000"), ("1", 1, "0.000"), ("0-10", 5, "0.500")]
)
def test_povray_writes_the_file_that_is_expected(new_job, settings, tmp_path, main, frames, number, clock) -> None:
    site = dataclasses.replace(settings.RAYCRAFTER.cluster, renderers={"povray": shutil.which("povray")})
    settings.RAYCRAFTER = dataclasses.replace(settings.RAYCRAFTER, cluster=site)
    job, workspace = new_job(frames), str(tmp_path)
    job.main = main
    for name in ("input/sub", "work"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "input/sub/ball.pov").write_bytes(SCENE)
    (tmp_path / "input/sub/ball.ini").write_text(INI)
    frame = rendering.frame_spec(job, number, workspace)
    done = subprocess.run(
        POVRAY.command(frame),
        cwd=frame.directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    said = done.stderr.decode()
    assert done.returncode == 0, said
    (pair,) = POVRAY.files(frame)
    assert [str(path) for path in (tmp_path / "work").iterdir()] == [pair["work"]]
    image = Path(pair["work"]).read_bytes()
    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(image[16:20]), int.from_bytes(image[20:24])) == (64, 48)
    assert re.search(r"clock is (\S+)", said)[1] == clock
