"""Test the parser with recorded output of POV-Ray 3.7.0.10."""

import logging
from pathlib import Path

import pytest
from raycrafter_client.povray import PovrayParser

DATA = Path(__file__).parent / "data"


def parse(data, size=4096):
    parser = PovrayParser()
    events = []
    for start in range(0, len(data), size):
        events += parser.feed(data[start : start + size])
    return parser, events + parser.close()


def parse_log(name, size=4096):
    return parse((DATA / f"povray-3.7.0.10-{name}.stderr").read_bytes(), size)


def main_events(events):
    """Return the events of a log without plain lines and progress."""
    return [(event.kind, event.message) for event in events if event.kind not in ("line", "progress", "frame")]


VERSION = ("version", "Persistence of Vision(tm) Ray Tracer Version 3.7.0.10.unofficial (g++ @ x86_64-pc-linux-gnu)")
PHASES = [("phase", phase) for phase in ("parsing", "rendering", "pretrace", "tracing")]


def test_animation_with_radiosity_is_parsed():
    parser, events = parse_log("anim-radiosity")
    assert main_events(events) == [
        VERSION,
        *PHASES,
        ("trace_time", "Trace Time:       0 hours  0 minutes 23 seconds (23.070 seconds)"),
        *PHASES,
        ("trace_time", "Trace Time:       0 hours  0 minutes 20 seconds (20.257 seconds)"),
        ("finished", "POV-Ray finished"),
    ]
    assert [event.data["seconds"] for event in events if event.kind == "trace_time"] == [23.07, 20.257]
    assert parser.percent == 100.0
    assert parser.error == ""


def test_percent_never_falls_within_a_frame():
    _, events = parse_log("anim-radiosity")
    starts = [index for index, event in enumerate(events) if event.kind == "phase" and event.message == "parsing"]
    for index, first in enumerate(starts):
        last = [*starts, len(events)][index + 1]
        percents = [event.data["percent"] for event in events[first:last] if event.kind == "progress"]
        assert percents == sorted(percents)
        # Pretrace and trace share the scale: the pretrace must not reach 100 %.
        assert 5 < len([percent for percent in percents if percent <= 10]) < len(percents) / 2
        assert percents[-1] == 100.0


@pytest.mark.parametrize(
    ("name", "line", "text"),
    [
        ("error-bad", 1, "No matching } in 'sphere', undeclared identifier 'pigmnt' found instead"),
        ("error-bad2", 1, "Cannot open include file nonexist.inc."),
        ("error-w", 1, "Parse halted by #error directive: boom"),
    ],
)
def test_parse_error_has_file_and_line(name, line, text):
    parser, events = parse_log(name)
    (found,) = [event for event in events if event.kind == "parse_error"]
    assert found.level == logging.ERROR
    file = name.replace("error-", "") + ".pov"
    assert found.data == {"file": file, "line": line}
    assert found.message == parser.error == f"File '{file}' line {line}: Parse Error: {text}"
    assert main_events(events)[-2:] == [
        ("fatal", "Fatal error in parser: Cannot parse input."),
        ("render_failed", "Render failed"),
    ]


def test_possible_error_is_a_warning():
    _, events = parse_log("error-bad2")
    (warning,) = [event for event in events if event.kind == "warning"]
    text = "Cannot find file 'nonexist.inc', even after trying to append file type extension."
    assert warning.message == "File 'bad2.pov' line 1: Possible Parse Error: " + text
    assert warning.level == logging.WARNING


def test_cancelled_render_is_not_an_error():
    parser, events = parse_log("sigterm")
    assert main_events(events) == [
        VERSION,
        *PHASES,
        ("signal", "povray: received signal SIGTERM: Termination; requested render cancel"),
        ("fatal", "Fatal error in renderer: Frontend halted render."),
        ("render_cancelled", "Render cancelled by user"),
    ]
    assert max(event.level for event in events) == logging.WARNING
    assert parser.error == ""
    assert 10 < parser.percent < 20  # the whole pretrace and 7 % of the trace


@pytest.mark.parametrize("name", ["anim-radiosity", "error-bad", "sigterm"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_chunk_borders_do_not_matter(name, size):
    assert parse_log(name, size)[1] == parse_log(name, 1 << 20)[1]


def test_credits_and_rules_are_skipped():
    _, events = parse_log("anim-radiosity")
    text = "\n".join(event.message for event in events)
    assert "Architects" not in text
    assert "-----" not in text
    assert "configuration file" not in text
    assert "Antialiasing.........On  (Method 1, Threshold 0.100, Depth 3, Jitter 1.00, Gamma 2.50)" in text


def test_path_cut_at_the_last_column_is_joined():
    """long-path: povray +Iws/aaa…/bbb…/bad.pov, a path longer than a line of 80 columns."""
    parser, events = parse_log("long-path")
    (error,) = [event for event in events if event.kind == "parse_error"]
    path = "ws/" + "a" * 45 + "/" + "b" * 43 + "/bad.pov"
    assert error.data == {"file": path, "line": 1}
    text = "No matching } in 'sphere', undeclared identifier 'pigmnt' found instead"
    assert parser.error == f"File '{path}' line 1: Parse Error: {text}"


def test_scene_without_radiosity_uses_the_whole_scale():
    """plain: povray +Iplain.pov +W320 +H240 +V, a scene without radiosity."""
    parser, events = parse_log("plain")
    assert [event.message for event in events if event.kind == "phase"] == ["parsing", "rendering"]
    percents = [event.data["percent"] for event in events if event.kind == "progress"]
    assert len(percents) > 50 and percents == sorted(percents)
    assert parser.percent == 100.0


def test_resumed_render_is_separated_from_its_pretrace():
    """resumed: povray +Iradiosity.pov +W320 +H240 +C after SIGTERM: the counts of both passes end at 81 %."""
    parser, events = parse_log("resumed")
    phases = [event.message for event in events if event.kind == "phase"]
    assert phases == ["parsing", "rendering", "pretrace", "tracing"]
    assert 80 < parser.percent < 90


def test_message_without_a_label_explains_a_failure():
    """no-directory: povray +Iplain.pov +Onodir/plain.png, a directory that does not exist."""
    parser, events = parse_log("no-directory")
    assert parser.error == "Cannot create render state output file."
    assert ("render_failed", "Render failed") in main_events(events)


def test_pretrace_line_of_version_3_8_is_parsed():
    # not recorded: POV-Ray 3.8; form: vfe/vfe.cpp of POV-Ray's source, "Performing radiosity pretrace"
    parser, _ = parse(b"==== [Rendering...] ====\nPerforming radiosity pretrace: 50 of 100 pixels (50%)\r")
    assert parser.percent == 5.0


def test_parser_survives_endless_lines_and_invalid_bytes():
    parser, events = parse(b"==== [Parsing...] ====\n" + b"\xff\xfe" * 50000 + b"\nPOV-Ray finished\n")
    assert main_events(events)[-1] == ("finished", "POV-Ray finished")
    assert max(len(event.message) for event in events) < 100000
    assert parser.percent == 0.0
