"""Jobs from the REST API to checked frames, and jobs that fail."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex

import pytest
import testinfra
from scenario import wait_for
from service import archive, as_user, ended

SCENE = """#version 3.7;
global_settings { assumed_gamma 1.0 }
camera { location <0, 1, -4> look_at 0 }
light_source { <5, 5, -5> rgb 1 }
sphere { <sin(clock * 2 * pi), 0, 0>, 1 pigment { rgb <1, clock, 0> } }
"""
BROKEN = "sphere { <0, 0, 0>, 1 pigment { rgb nonsense }\n"
# Blender's startup scene, with the cube moved in the second frame.
CUBE = """import bpy
cube = bpy.data.objects["Cube"]
cube.keyframe_insert("location", frame=1)
cube.location.x = 2
cube.keyframe_insert("location", frame=2)
bpy.context.scene.render.engine = "CYCLES"
bpy.ops.wm.save_as_mainfile(filepath="/tmp/cube.blend", compress=True)
"""


def submit(api, scene: bytes | str, name: str = "ball.pov", **fields):
    """Post a job and return the response."""
    data = {"name": "site test", "renderer": "povray", "frames": "1-4", "width": "80", "height": "60", **fields}
    return api.post("jobs", data=data, files={"scene": (name, scene)})


@pytest.fixture(scope="module")
def rendered(api) -> dict:
    """Return a job of four frames after its end."""
    answer = submit(api, archive({"ball.pov": SCENE, "unused.inc": "// nothing"}), "ball.zip")
    assert answer.status_code == 201, answer.text
    return ended(api, answer.json()["id"])


def pictures(api, job: dict) -> dict[int, bytes]:
    """Return the frames of a finished job, and check that each is a different picture."""
    assert job["state"] == "DONE", job["state_reason"]
    frames = api.get(f"jobs/{job['id']}/frames").json()["results"]
    found = {frame["number"]: api.get(frame["file"]["url"]).content for frame in frames}
    for frame in frames:
        assert found[frame["number"]].startswith(b"\x89PNG")
        assert hashlib.sha256(found[frame["number"]]).hexdigest() == frame["file"]["sha256"]
    assert len(set(found.values())) == len(frames), "nothing moved between the frames"
    return found


def test_every_frame_is_returned(api, rendered):
    assert [*pictures(api, rendered)] == [1, 2, 3, 4]


def test_blender_renders_frames(request, api):
    login = testinfra.get_host(as_user("login1"), ssh_config=request.config.option.ssh_config)
    login.check_output(f"blender --background --factory-startup --python-expr {shlex.quote(CUBE)}")
    scene = base64.b64decode(login.check_output("base64 /tmp/cube.blend"))
    options = json.dumps({"samples": 4, "denoise": False})  # Debian's Blender has no denoiser
    answer = submit(api, scene, "cube.blend", renderer="blender", frames="1-2", options=options)
    assert answer.status_code == 201, answer.text
    assert [*pictures(api, ended(api, answer.json()["id"]))] == [1, 2]


def test_batches_finish_on_the_cluster(api, rendered):
    def finished() -> bool:
        batches = api.get(f"jobs/{rendered['id']}/batches").json()["results"]
        return batches and all(batch["state"] == "FINISHED" and batch["native_id"] for batch in batches)

    wait_for("all batches are finished", finished)


def test_job_log_is_found_in_graylog(found, rendered):
    """Find the log lines of one frame from every program, and the tasks of its job."""
    frame = f"job_id:{rendered['id']} AND frame:2"
    for source in (
        "facility:raycrafter-client",
        "program:raycrafter-web",
        "program:raycrafter-worker*",
        "program:nginx",
    ):
        wait_for(f"{source} logged frame 2", lambda source=source: found(f"{frame} AND {source}") >= 1)
    for task in ("ensure_workspace", "push_input", "submit_batch", "pull_output"):
        end = f'job_id:{rendered["id"]} AND task:"raycrafter.tasks.{task}" AND state:SUCCESS'
        wait_for(f"the end of {task} is logged with the job", lambda end=end: found(end) >= 1)


def test_invalid_scene_fails_with_the_parse_error(api):
    answer = submit(api, BROKEN, "broken.pov", frames="1-2")
    assert answer.status_code == 201, answer.text
    job = ended(api, answer.json()["id"])
    assert job["state"] == "FAILED"
    assert "Parse Error" in job["state_reason"]
    assert "nonsense" in job["state_reason"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"renderer": "paintbrush"}, "renderer"),
        ({"frames": "9-1"}, "frames"),
        ({"frames": "1-999999999"}, "frames"),
        ({"frames": "one"}, "frames"),
        ({"width": "0"}, "width"),
    ],
)
def test_invalid_values_are_refused(api, fields, field):
    answer = submit(api, SCENE, **fields)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert field in [error["field"] for error in answer.json()["errors"]]


def test_missing_scene_is_refused(api):
    answer = api.post("jobs", files={"name": (None, "none"), "renderer": (None, "povray"), "frames": (None, "1")})
    assert answer.status_code == 400
    assert "scene" in [error["field"] for error in answer.json()["errors"]]


def test_archive_with_parent_paths_is_refused(api):
    answer = submit(api, archive({"ball.pov": SCENE, "../../evil.pov": SCENE}), "evil.zip")
    assert answer.status_code == 400
    assert "evil.pov" in answer.text


def test_wrong_token_is_refused(anonymous):
    answer = anonymous.get("jobs", headers={"Authorization": "Token 0123456789"})
    assert answer.status_code == 401
    assert anonymous.post("client/claim", json={}, headers={"Authorization": "Batch x"}).status_code == 401
