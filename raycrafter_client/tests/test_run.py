"""Test the client as a process: claims, rendering, reports and reasons to end."""

import hashlib
import os
import signal
import socket
import time
from pathlib import Path

GATE = """
while not os.path.exists("gate"):
    time.sleep(0.02)
sys.stderr.write("Cannot say more\\n")
"""
HALF = """
sys.stderr.write("==== [Rendering...] ====\\nRendered 51200 of 102400 pixels (50%)\\r")
sys.stderr.flush()
time.sleep(60)
"""
IGNORE_SIGTERM = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
PICTURE = "open(WORK, 'w').write('picture')\n"
POVRAY = """
err = sys.stderr
def say(text):
    err.write(text)
    err.flush()
say("Persistence of Vision(tm) Ray Tracer Version 3.7.0.10\\n==== [Parsing...] =====\\n==== [Rendering...] =====\\n")
for part in range(1, 101):
    say("Rendered %d of 102400 pixels (%d%%)\\r" % (part * 1024, part))
say("  Trace Time:  0 hours  0 minutes  1 seconds (1.250 seconds)\\nPOV-Ray finished\\n")
"""
READY = "sys.stderr.write('Cannot wait: ready\\n'); sys.stderr.write('x\\n'); sys.stderr.flush()\n"
SLEEP = READY + "time.sleep(60)\n"


def sha256(text):
    return hashlib.sha256(text).hexdigest()


def ready(rest):
    """Return whether the running renderer has printed that it is ready."""
    return any(event["kind"] == "complaint" for event in rest.events.values())


def only(results):
    (result,) = results
    return result


def test_client_renders_two_frames_from_claim_to_finish(client, rest, log):
    rest.frames = [[client.frame(1, POVRAY + PICTURE)], [client.frame(2, POVRAY + PICTURE)]]
    code, errors = client.start().end()
    assert (code, rest.finished) == (0, ["nothing left"]), errors
    assert [result["number"] for result in rest.results] == [1, 2]
    for result in rest.results:
        final = client.directory / "frames" / f"f{result['number']}.png"
        assert final.read_bytes() == b"picture"
        assert result["files"] == [{"path": str(final), "size": 7, "sha256": sha256(b"picture")}]
        assert (result["outcome"], result["returncode"], result["attempt"]) == ("rendered", 0, 1)
        assert result["native_id"] == "42.server"
        assert result["seconds"] > 0
        assert result["peak_rss_kb"] > 1000
    assert sorted(rest.events) == list(range(1, len(rest.events) + 1))
    assert rest.kinds() == [
        "client_started",
        *["frame_started", "version", "phase", "phase", "trace_time", "finished", "frame_rendered"] * 2,
        "client_ended",
    ]
    # All events arrive before the finish request.
    assert [path for path, _ in rest.calls][-1] == "finish"
    assert all(header["Authorization"] == "Batch secret-token" for header in rest.headers)


def test_log_messages_carry_the_ids(client, rest, log):
    rest.frames = [[client.frame(3, GATE + POVRAY + PICTURE, attempt=2)]]
    rest.replies["heartbeat"] = [(404, {"title": "Not Found"})]
    client.start()
    # The frame runs until the refusal is logged.
    log.wait_for(lambda: any(message["_kind"] == "heartbeat_refused" for message in log.messages))
    (client.directory / "gate").touch()
    client.end()
    messages = {message["_kind"]: message for message in log.wait_for(lambda: log.messages)}
    assert set(messages) >= {"client_started", "frame_started", "phase", "progress", "trace_time", "client_ended"}
    ids = {"_job_id": 7, "_batch_id": 17, "_native_id": "42.server", "_facility": "raycrafter-client"}
    for message in log.messages:
        assert {key: message.get(key) for key in ids} == ids
        assert message["host"] == socket.gethostname()
    trace = messages["trace_time"]
    assert (trace["_frame"], trace["_attempt"], trace["_renderer"], trace["level"]) == (3, 2, "povray", 6)
    # Messages of other threads carry the running frame too; before and after it they carry no frame.
    assert (messages["heartbeat_refused"]["_frame"], messages["heartbeat_refused"]["_attempt"]) == (3, 2)
    assert not {"_frame", "_attempt"} & {*messages["client_started"], *messages["client_ended"]}
    # 100 progress lines become a few messages and no events.
    assert 5 <= sum(message["_kind"] == "progress" for message in log.messages) <= 15
    assert "progress" not in rest.kinds()


def test_heartbeat_carries_the_percentage(client, rest):
    half = (
        "sys.stderr.write('==== [Rendering...] ====\\nRendered 51200 of 102400 pixels (50%)\\r'); sys.stderr.flush()\n"
    )
    rest.frames = [[client.frame(1, half + "time.sleep(60)")]]
    client.start()
    rest.wait_for(
        lambda: (
            {"number": 1, "attempt": 1, "percent": 50.0, "log": "rendering"}
            in [f for b in rest.called("heartbeat") for f in b["frames"]]
        )
    )
    assert all(body["native_id"] == "42.server" for body in rest.called("heartbeat"))


def test_parse_error_fails_the_frame_with_file_and_line(client, rest):
    script = (
        "sys.stderr.write(\"==== [Parsing...] ====\\nFile 'scene.pov' line 12: Parse Error: No matching }\\n"
        'Fatal error in parser: Cannot parse input.\\nRender failed\\n"); sys.exit(1)'
    )
    rest.frames = [[client.frame(1, script)]]
    code, _ = client.start().end()
    result = only(rest.results)
    assert code == 0
    assert (result["outcome"], result["returncode"], result["files"]) == ("failed", 1, [])
    assert result["error"] == "File 'scene.pov' line 12: Parse Error: No matching } (exit code 1)"
    event = only([event for event in rest.events.values() if event["kind"] == "parse_error"])
    assert (event["data"], event["level"], event["frame"]) == ({"file": "scene.pov", "line": 12}, 40, 1)


def test_result_carries_the_last_lines_of_its_own_frame(client, rest):
    rest.renderer = "newcomer"
    talk = "for n in range(1000): print('line %d of the talk' % n)\n"
    rest.frames = [[client.frame(1, talk + "sys.exit(1)")], [client.frame(2, "print('all well')\n" + PICTURE)]]
    client.start().end()
    failed, rendered = rest.results
    assert failed["log"].splitlines() == [f"line {n} of the talk" for n in range(950, 1000)]
    assert rendered["log"] == "all well"


def test_long_lines_are_cut_to_the_log_limit(client, rest):
    rest.renderer = "newcomer"
    rest.frames = [[client.frame(1, "for n in range(9): print('x' * 3000)\nprint('the end')\nsys.exit(1)")]]
    client.start().end()
    log = only(rest.results)["log"]
    assert (len(log), log.endswith("x\nthe end")) == (4000, True)


def test_claims_renderer_selects_the_parser(client, rest):
    rest.renderer = "blender"
    progress = "print('Fra:1 Mem:8.00M (Peak 9.00M) | Time:00:00.10 | Scene | Sample 16/64', flush=True)\n"
    better = "sys.stderr.write('Unable to open a display\\n')\nprint('Error: Cannot render, no camera', flush=True)\n"
    rest.frames = [
        [client.frame(1, better + "sys.exit(1)")],
        [client.frame(2, better)],
        [client.frame(3, progress + SLEEP)],
    ]
    client.start()
    rest.wait_for(lambda: 25.0 in [f["percent"] for b in rest.called("heartbeat") for f in b["frames"]])
    client.process.terminate()
    client.end()
    failed, missing, interrupted = rest.results
    assert failed["error"] == "Error: Cannot render, no camera (exit code 1)"
    assert missing["error"].startswith("Error: Cannot render, no camera (the renderer did not write ")
    assert interrupted["outcome"] == "interrupted"
    event = only([event for event in rest.events.values() if event["kind"] == "frame_interrupted"])
    assert event["data"] == {"percent": 25.0}


def test_renderer_without_a_parser_runs(client, rest, log):
    rest.renderer = "newcomer"
    rest.frames = [[client.frame(1, "print('hello')\n" + PICTURE)]]
    client.start().end()
    assert only(rest.results)["outcome"] == "rendered"
    assert "hello" in [message["short_message"] for message in log.wait_for(lambda: log.messages)]


def test_exit_0_without_a_file_fails_the_frame(client, rest):
    rest.frames = [[client.frame(1, "pass")], [client.frame(2, "open(WORK, 'w')")]]
    client.start().end()
    missing, empty = rest.results
    assert missing["outcome"] == empty["outcome"] == "failed"
    assert "did not write" in missing["error"]
    assert "empty" in empty["error"]
    assert not (client.directory / "frames" / "f2.png").exists()


def test_file_of_an_earlier_attempt_is_refused(client, rest):
    frame = client.frame(1, "pass")
    work = Path(frame["files"][0]["work"])
    work.parent.mkdir()
    work.write_bytes(b"half a picture")
    rest.frames = [[frame]]
    client.start().end()
    assert only(rest.results)["outcome"] == "failed"


def test_missing_renderer_fails_only_the_frame(client, rest):
    broken = dict(client.frame(1, ""), command=["/no/such/renderer"])
    rest.frames = [[broken], [client.frame(2, PICTURE)]]
    code, _ = client.start().end()
    assert code == 0
    assert [result["outcome"] for result in rest.results] == ["failed", "rendered"]
    assert "/no/such/renderer" in rest.results[0]["error"]
    assert rest.results[0]["returncode"] is None


def test_client_survives_a_server_outage(client, rest):
    script = READY + GATE
    rest.frames = [[client.frame(1, script + PICTURE)], [client.frame(2, PICTURE)]]
    client.start()
    rest.wait_for(lambda: ready(rest))
    rest.stop()
    (client.directory / "gate").touch()
    rest.poll(lambda: (client.directory / "frames" / "f1.png").exists())
    rest.start()
    code, errors = client.end()
    assert code == 0, errors
    assert [result["outcome"] for result in rest.results] == ["rendered", "rendered"]
    # Every number exists once: no event was lost, and duplicates were dropped.
    assert sorted(rest.events) == list(range(1, len(rest.events) + 1))
    assert [event["message"] for event in rest.events.values()].count("Cannot say more") == 1


def test_lost_responses_duplicate_nothing(client, rest):
    rest.replies = {"events": ["hang up", (503, {})], "frames/1/result": ["hang up"]}
    rest.frames = [[client.frame(1, POVRAY + PICTURE)]]
    code, errors = client.start().end()
    assert code == 0, errors
    assert rest.repeated > 0  # sent again, with the same numbers
    assert sorted(rest.events) == list(range(1, len(rest.events) + 1))
    assert rest.kinds().count("frame_rendered") == 1


def test_refused_event_does_not_block_others(client, rest):
    rest.replies = {"events": [(400, {"detail": "bad"}), (400, {"detail": "bad"})]}
    rest.frames = [[client.frame(1, PICTURE)]]
    client.start().end()
    assert rest.kinds()[-2:] == ["frame_rendered", "client_ended"]
    assert 1 not in rest.events


def test_second_client_of_a_batch_ends_at_once(client, rest):
    rest.owner = "41.server"
    rest.frames = [[client.frame(1, PICTURE)]]
    code, errors = client.start("42.server").end()
    assert code == 0
    assert "fenced" in errors
    assert [path for path, _ in rest.calls] == ["claim"]
    assert [path.name for path in (client.directory / "spool").iterdir()] == ["42.server"]


def test_fenced_client_ends_its_renderer(client, rest):
    rest.frames = [[client.frame(1, SLEEP)]]
    client.start()
    rest.wait_for(lambda: ready(rest))
    rest.owner = "43.server"
    code, _ = client.end()
    assert code == 0
    assert rest.results == rest.finished == []


def test_cancelled_batch_ends_at_the_first_claim(client, rest):
    rest.replies = {"claim": [(410, {"detail": "the batch is over"})]}
    code, errors = client.start().end()
    assert code == 0
    assert "cancelled" in errors


def test_refused_token_has_its_own_exit_code(client, rest):
    rest.replies = {"claim": [(401, {"detail": "The token is not valid."})]}
    code, _ = client.start().end()
    assert code == 77
    assert len(rest.calls) == 1


def test_invalid_claim_has_its_own_exit_code(client, rest):
    rest.frames = [[dict(client.frame(1, ""), command="povray scene.pov")]]
    code, errors = client.start().end()
    assert code == 1
    assert "command must be a list" in errors


def test_sigterm_reports_the_frame_as_interrupted(client, rest):
    pid = client.directory / "pid"
    script = f"open({str(pid)!r}, 'w').write(str(os.getpid()))\n" + SLEEP
    rest.frames = [[client.frame(1, script), client.frame(2, PICTURE)]]
    client.start()
    rest.wait_for(lambda: ready(rest))
    client.process.send_signal(signal.SIGTERM)
    code, errors = client.end(15)
    assert code == 143, errors
    first, second = rest.results
    assert (first["outcome"], first["error"], first["returncode"]) == ("interrupted", "terminated", -15)
    # A frame that was claimed but not started is returned too.
    assert (second["number"], second["outcome"], second["returncode"]) == (2, "interrupted", None)
    assert rest.finished == ["terminated"]
    assert not Path(f"/proc/{pid.read_text()}").exists()
    assert rest.kinds()[-1] == "client_ended"


def rendering(client, rest):
    """Start a client with a renderer that ignores SIGTERM; return (spawner, renderer)."""
    pid = client.directory / "pid"
    script = f"open({str(pid)!r}, 'w').write('%d %d' % (os.getppid(), os.getpid()))\n" + IGNORE_SIGTERM + SLEEP
    rest.frames = [[client.frame(1, script), client.frame(2, PICTURE)]]
    client.start()
    rest.wait_for(lambda: ready(rest))
    return [int(word) for word in pid.read_text().split()]


def test_renderer_dies_with_a_killed_client(client, rest, is_running):
    pids = rendering(client, rest)
    assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    client.process.kill()
    rest.poll(lambda: not any(is_running(pid) for pid in pids))


def test_client_ends_when_its_spawner_is_killed(client, rest, is_running):
    spawner, renderer = rendering(client, rest)
    os.kill(spawner, signal.SIGKILL)
    code, errors = client.end()
    assert code == 1, errors
    lost = "the process that starts renderers has ended"
    assert [(result["outcome"], result["error"]) for result in rest.results] == [("interrupted", lost)] * 2
    assert rest.finished == [lost]
    rest.poll(lambda: not is_running(renderer))


def test_sigterm_during_a_server_outage_ends_the_client_soon(client, rest):
    rest.frames = [[client.frame(1, SLEEP)]]
    client.start()
    rest.wait_for(lambda: ready(rest))
    rest.stop()
    client.process.send_signal(signal.SIGTERM)
    started = time.monotonic()
    code, errors = client.end(25)
    assert code == 143
    assert time.monotonic() - started < 20
    assert "the results of these frames are lost: 1" in errors
    # The next client of this batch job sends the events.
    assert b"frame_interrupted" in (client.directory / "spool" / "42.server" / "events.jsonl").read_bytes()


def test_stop_action_ends_the_client(client, rest):
    rest.frames = [[client.frame(1, SLEEP)], [client.frame(2, PICTURE)]]
    client.start()
    rest.wait_for(lambda: ready(rest))
    rest.action = "stop"
    code, _ = client.end()
    assert code == 0
    assert only(rest.results)["outcome"] == "interrupted"
    assert rest.finished == ["stopped"]


def test_drain_action_finishes_the_running_frame(client, rest):
    script = READY + GATE + PICTURE
    rest.frames = [[client.frame(1, script)], [client.frame(2, PICTURE)]]
    client.start()
    rest.wait_for(lambda: ready(rest))
    rest.action = "drain"
    rest.wait_for(lambda: "draining" in rest.kinds())
    (client.directory / "gate").touch()
    code, _ = client.end()
    assert code == 0
    assert only(rest.results)["outcome"] == "rendered"
    assert rest.finished == ["drained"]
    assert len(rest.frames) == 1


def test_walltime_margin_kills_a_renderer_that_ignores_sigterm(client, rest):
    client.settings.update(walltime_seconds=8, walltime_end_margin=4.5)
    rest.frames = [
        [client.frame(1, IGNORE_SIGTERM + SLEEP)],
        [client.frame(2, PICTURE)],
    ]
    started = time.monotonic()
    code, _ = client.start().end()
    assert code == 0
    assert time.monotonic() - started < 12
    result = only(rest.results)
    assert (result["outcome"], result["error"], result["returncode"]) == ("interrupted", "walltime", -9)
    assert rest.finished == ["walltime"]


def test_stop_time_is_converted_from_the_servers_clock(client, rest):
    rest.clock_ahead = 100000.0
    rest.stop_in = 2.5
    rest.frames = [[client.frame(1, SLEEP)]]
    started = time.monotonic()
    code, _ = client.start().end()
    assert code == 0
    # The clock offset is applied; the Date header has whole seconds.
    assert 1.0 < time.monotonic() - started < 15
    assert only(rest.results)["error"] == "walltime"


def test_flood_of_output_without_servers_blocks_nothing(client, rest, log):
    flood = "for i in range(100):\n    os.write(2, b'line of many\\n' * 5000); os.write(1, b'o' * 60000)\n"
    script = READY + GATE + "sys.stderr.write('==== [Rendering...] ====\\n'); sys.stderr.flush()\n" + flood + PICTURE
    rest.frames = [[client.frame(1, script)]]
    client.start()
    rest.wait_for(lambda: ready(rest))
    rest.stop()
    log.stop()
    (client.directory / "gate").touch()
    rest.poll(lambda: (client.directory / "frames" / "f1.png").exists())
    rest.start()
    code, errors = client.end()
    assert code == 0, errors
    assert only(rest.results)["outcome"] == "rendered"
    # 500,000 lines do not become 500,000 messages.
    left_out = only([event for event in rest.events.values() if event["kind"] == "left_out"])
    assert left_out["data"]["log"] > 490000


def test_log_server_gets_every_message_after_its_outage(client, rest, log):
    script = READY + GATE
    rest.frames = [[client.frame(1, script + PICTURE)]]
    log.stop()
    client.start()
    rest.wait_for(lambda: ready(rest))
    log.start()
    log.wait_for(lambda: any(message["_kind"] == "client_started" for message in log.messages))
    (client.directory / "gate").touch()
    client.end()
    seen = log.by_seq()
    assert sorted(seen) == list(range(1, len(seen) + 1))
    assert seen[max(seen)]["_kind"] == "client_ended"


def test_client_renders_without_a_log_certificate(client, rest):
    client.settings["gelf"].update(cert_file="/no/such.crt", key_file="/no/such.key")
    rest.frames = [[client.frame(1, PICTURE)]]
    code, errors = client.start().end()
    assert code == 0
    assert only(rest.results)["outcome"] == "rendered"
    assert "no connection to the log server" in errors


def test_invalid_configuration_is_named(client):
    client.settings["token"] = ""
    code, errors = client.start().end()
    assert code == 1
    assert "client.json" in errors
    assert "token is missing" in errors


def test_client_refuses_to_run_outside_a_batch_job(client, rest):
    client.settings["native_id_env"] = ["NO_SUCH_VARIABLE"]
    code, errors = client.start().end()
    assert code == 1
    assert "NO_SUCH_VARIABLE" in errors
    assert rest.calls == []


def test_rerun_of_a_batch_job_continues_the_numbers(client, rest):
    rest.frames = [[client.frame(1, PICTURE)]]
    client.start().end()
    before = max(rest.events)
    rest.frames = [[client.frame(2, PICTURE)]]
    client.start().end()
    assert rest.repeated == 0
    assert sorted(rest.events) == list(range(1, max(rest.events) + 1))
    assert max(rest.events) > before
    assert (client.directory / "spool" / "42.server").stat().st_mode & 0o077 == 0
