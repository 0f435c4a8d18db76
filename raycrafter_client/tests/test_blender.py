"""Test the parser with recorded output of Blender and formats from its source."""

import logging
from pathlib import Path

import pytest
from raycrafter_client.blender import BlenderParser
from raycrafter_client.renderers import parsers_of

DATA = Path(__file__).parent / "data" / "blender"


def parse(data, size=4096):
    parser = BlenderParser()
    events = []
    for start in range(0, len(data), size):
        events += parser.feed(data[start : start + size])
    return parser, events + parser.close()


def parse_log(name, size=4096):
    return parse((DATA / name).read_bytes(), size)


def main_events(events):
    """Return the events of a log without plain lines and progress."""
    return [(event.kind, event.message) for event in events if event.kind not in ("line", "progress")]


def failure(name):
    """Return the explanation of a recorded failure from both outputs."""
    parsers = parsers_of("blender")
    for parser, output in zip(parsers, ("stdout", "stderr"), strict=True):
        path = DATA / f"blender-3.4.1-{name}.{output}"
        if path.exists():
            parser.feed(path.read_bytes())
            parser.close()
    return parsers.error


def frame(file, time):
    return [
        ("phase", "preparing"),
        ("phase", "rendering"),
        ("saved", f"Saved: '{file}'"),
        ("frame_time", f"Time: {time}"),
    ]


@pytest.mark.parametrize(
    ("name", "first", "second", "start", "end"),
    [
        (
            "blender-3.4.1.stdout",
            ("out_0001.png", "00:01.92 (Saving: 00:00.12)"),
            ("out_0002.png", "00:01.75 (Saving: 00:00.02)"),
            [("version", "Blender 3.4.1")],
            [("finished", "Blender quit")],
        ),
        (
            "bpy-4.2.23.stdout",
            ("/scratch/b42_0001.png", "00:02.86 (Saving: 00:00.12)"),
            ("/scratch/b42_0002.png", "00:03.30 (Saving: 00:00.02)"),
            [],
            [],
        ),
        (
            "bpy-4.5.15.stdout",
            ("/scratch/b45_0001.png", "00:03.69 (Saving: 00:00.11)"),
            ("/scratch/b45_0002.png", "00:03.43 (Saving: 00:00.02)"),
            [],
            [],
        ),
    ],
)
def test_parser_separates_two_frames(name, first, second, start, end):
    parser, events = parse_log(name)
    assert main_events(events) == [*start, *frame(*first), *frame(*second), *end]
    assert (parser.percent, parser.error) == (100.0, "")
    assert max(event.level for event in events) == logging.INFO


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("blender-3.4.1.stdout", [(1.6, 18.13, 18.13, 2.35), (100, 21.64, 28.68, None)]),
        ("bpy-4.2.23.stdout", [(1.6, 18.77, 18.77, 3.85), (100, 22.28, 29.31, None)]),
        ("bpy-4.5.15.stdout", [(1.6, 16.23, 16.23, 3.72), (100, 19.75, 26.78, None)]),
    ],
)
def test_progress_has_memory_and_remaining_time(name, expected):
    _, events = parse_log(name)
    progress = [event.data for event in events if event.kind == "progress"]
    keys = ("memory_mib", "peak_mib", "remaining_seconds")
    assert [(round(data["percent"], 1), *map(data.get, keys)) for data in progress[:2]] == expected
    # The second frame restarts at 0.
    assert [round(data["percent"], 1) for data in progress[2:]] == [1.6, 100]


def test_events_have_frame_times_and_files():
    _, events = parse_log("blender-3.4.1.stdout")
    assert [event.data["seconds"] for event in events if event.kind == "frame_time"] == [1.92, 1.75]
    assert [event.data["file"] for event in events if event.kind == "saved"] == ["out_0001.png", "out_0002.png"]
    assert [event.data["version"] for event in events if event.kind == "version"] == ["3.4.1"]


def test_remaining_time_has_hours():
    # not recorded: Remaining with hours; form: Blender's source, blenlib's timecode.c
    line = "Fra:1 Mem:8.00M (Peak 9.00M) | Time:00:00.10 | Remaining:02:03:04.50 | Mem:1.00M, Peak:1.00M | {}\n"
    _, events = parse(b"".join(line.format(f"Sample {done}/4").encode() for done in (0, 1)))
    assert [event.data["remaining_seconds"] for event in events if event.kind == "progress"] == [7384.5]


def test_version_5_prints_only_saved_files_by_default():
    parser, events = parse_log("bpy-5.0.1.stdout")
    assert main_events(events) == [
        ("saved", "Saved: '/scratch/b50_0001.png'"),
        ("saved", "Saved: '/scratch/b50_0002.png'"),
    ]
    assert parser.error == ""


def test_version_5_log_is_parsed():
    """The format has a category, a level above INFO, and indented continuation lines."""
    # not recorded: Blender 5 with --log render; form: Blender's source, intern/clog
    lines = [
        "00:00.311  render           | Mem:8.00M, Peak:8.00M | Scene, ViewLayer | Sample 16/64",
        "00:00.312  render           | WARNING Something is odd",
        "01:00:00.313  a.long.category.name | ERROR Cannot render, no camera",
        "00:00.314  reports          | Python: Traceback (most recent call last):",
        '                                File "<string>", line 5, in <module>',
        "                              RuntimeError: no",
        "Saved: 'x.png'",
    ]
    parser, events = parse("\n".join(lines).encode())
    assert main_events(events) == [
        ("phase", "rendering"),
        ("warning", "Warning: Something is odd"),
        ("error", "Error: Cannot render, no camera"),
        ("python_error", "RuntimeError: no"),
        ("saved", "Saved: 'x.png'"),
    ]
    assert (parser.percent, parser.error) == (25.0, "RuntimeError: no")


def test_progress_counts_tiles_and_view_layers():
    parser, events = parse_log("blender-3.4.1-tiles.stdout")
    percents = [event.data["percent"] for event in events if event.kind == "progress"]
    # 4 tiles of 4 samples; Blender prints the first and last sample, and the second layer restarts.
    assert percents == [6.25, 25.0, 31.25, 50.0, 56.25, 75.0, 81.25]
    assert parser.percent == 81.25
    assert [message for kind, message in main_events(events) if kind == "phase"] == ["preparing", "rendering"]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("no-camera", "Error: Cannot render, no camera"),
        ("no-scene", "RuntimeError: the file has no scene of the name that the job asks for"),
        ("no-engine", "Error: engine not found 'BLENDER_EEVEE_NEXT'"),
        ("no-denoiser", "Error: Build without OpenImageDenoiser"),
        ("cut-file", "Error: Failed to read blend file '/ws/input/cut.blend': Missing DNA block"),
        (
            "no-opengl",
            "Couldn't open libEGL.so.1: libEGL.so.1: cannot open shared object file: No such file or directory",
        ),
    ],
)
def test_failure_is_explained(name, error):
    assert failure(name) == error


def test_python_error_is_an_event_without_its_traceback():
    _, events = parse_log("blender-3.4.1-no-scene.stdout")
    (error,) = [event for event in events if event.kind == "python_error"]
    assert error.level == logging.ERROR
    assert [event.kind for event in events if "File " in event.message] == ["line"]
    assert ("complaint", "Can't find scene: 'Nope' in file: '/ws/input/tiny.blend'") in main_events(events)


def test_earlier_minor_error_does_not_hide_the_cause():
    # not recorded: errors of images and files beside a fatal one; form: Blender's source, BKE_report's "Error: "
    parser, _ = parse(b"Error: Image 'wood.png' not found\nError: Cannot render, no camera\nUnable to write\n")
    assert parser.error == "Error: Cannot render, no camera"


def test_cut_traceback_hides_no_later_line():
    # not recorded: a traceback without its end; form: blender-3.4.1-no-scene.stdout, cut
    _, events = parse(b"Traceback (most recent call last):\n  File \"a.py\", line 1\n(killed)\nSaved: 'x.png'\n")
    assert main_events(events) == [("saved", "Saved: 'x.png'")]


# not recorded: EEVEE's counts; form: Blender's source, draw/engines/eevee
@pytest.mark.parametrize("line", ["Rendering 16 / 64 samples", "Scene, ViewLayer | Sample 16/64"])
def test_samples_of_every_engine_are_parsed(line):
    parser, _ = parse(f"Fra:7 Mem:8.00M (Peak 9.00M) | Time:00:00.10 | {line}\n".encode())
    assert parser.percent == 25.0


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("path", sorted(DATA.iterdir()), ids=lambda path: path.name)
def test_chunk_borders_do_not_matter(path, size):
    assert parse_log(path.name, size)[1] == parse_log(path.name, 1 << 20)[1]


def test_parser_survives_endless_lines_and_invalid_bytes():
    parser, events = parse(b"\xff\xfe" * 50000 + b"\nFra:" + b"9" * 9000 + b"\nBlender quit\n")
    assert main_events(events)[-1] == ("finished", "Blender quit")
    assert parser.percent == 0.0
