"""Jobs from POST to frame on a replayed Torque 6.1.3 (lab/torque)."""

from __future__ import annotations

import io
import os
import ssl
import time
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from scenario import address_of, connected, wait_for

RUN = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
ENDED = {"DONE", "FAILED", "CANCELLED"}
POLL = 3  # seconds, as in molecule.yml
PNG = b"\x89PNG"
# Seconds. A job takes about fifteen; a busy machine needs more.
BUSY = 240
# The scene blocks the parser of POV-Ray as long as its file wait.inc exists.
SCENE = """#version 3.7;
global_settings { assumed_gamma 1.0 }
#while (file_exists("wait.inc")) #end
camera { location <0, 1, -4> look_at 0 }
light_source { <5, 5, -5> rgb 1 }
sphere { 0, 1 pigment { rgb <1, 0, 0> } }
"""


@pytest.fixture(scope="module")
def master():
    """Return a root connection to the host of the REST API."""
    return connected("master", sudo=True)


@pytest.fixture(scope="module")
def login():
    """Return a connection to the login node as the service's user."""
    return connected("login1")


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    """Return a session with the REST API as a user."""
    base = f"https://{address_of('master')}/api/v1/"
    tls = ssl.create_default_context(cafile=RUN / "pki/ca.crt")
    account = {"username": "tester", "password": (RUN / "secrets/user").read_text().split()[0]}
    token = httpx.post(f"{base}auth/login", json=account, verify=tls, timeout=30).raise_for_status().json()["token"]
    with httpx.Client(base_url=base, verify=tls, timeout=30, headers={"Authorization": f"Token {token}"}) as session:
        yield session


@pytest.fixture(autouse=True)
def _tidy(login) -> Iterator[None]:
    """Release waiting jobs and remove the switches that simulate faults."""
    yield
    release_scenes(login)
    login.check_output("rm -f ~/.lab-torque/switches/*")


def post(api) -> int:
    """Post a job of one frame that renders after `release_scenes`; return its id."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("ball.pov", SCENE)
        archive.writestr("wait.inc", "// wait")
    fields = {"name": "torque", "renderer": "povray", "frames": "1", "width": "80", "height": "60"}
    answer = api.post("jobs", data=fields, files={"scene": ("ball.zip", packed.getvalue())})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def release_scenes(login) -> None:
    """Let the waiting scenes render."""
    login.check_output("find /lustre/ws -name wait.inc -delete 2>/dev/null; true")


def job_of(api, job: int) -> dict:
    return api.get(f"jobs/{job}").raise_for_status().json()


def batches(api, job: int) -> list[dict]:
    """Return a job's batches, oldest first."""
    return sorted(api.get(f"jobs/{job}/batches").json()["results"], key=lambda batch: batch["id"])


def ended(api, job: int) -> dict:
    """Wait until the job has ended and return it."""
    return wait_for(f"job {job} ended", lambda: (found := job_of(api, job))["state"] in ENDED and found, BUSY)


def running_batch(api, job: int) -> dict:
    """Wait until the job's renderer runs and return its batch."""
    frames = f"jobs/{job}/frames"
    wait_for("the renderer runs", lambda: api.get(frames).json()["results"][0]["state"] == "RUNNING", BUSY)
    return batches(api, job)[-1]


def picture(api, job: int) -> bytes:
    """Wait until the job is done and return its frame."""
    done = ended(api, job)
    assert done["state"] == "DONE", done["state_reason"]
    (frame,) = api.get(f"jobs/{job}/frames").json()["results"]
    return api.get(frame["file"]["url"]).raise_for_status().content


def final(api, batch: dict, job: int) -> dict:
    """Wait until a batch has a final state and return it."""
    return wait_for(
        f"batch {batch['id']} has ended",
        lambda: next((b for b in batches(api, job) if b["id"] == batch["id"] and b["finished"]), None),
        BUSY,
    )


def last_seen(master, batch: int) -> str:
    """Return when qstat last listed the batch; the REST API does not show it."""
    query = f"SELECT last_seen FROM jobs_batch WHERE id = {batch}"  # noqa: S608
    return master.check_output(f"sudo -u postgres psql --no-align --tuples-only raycrafter --command '{query}'")


def test_torque_job_renders_from_post_to_frame(api, master, login):
    job = post(api)
    running = running_batch(api, job)
    wait_for("qstat has listed it", lambda: last_seen(master, running["id"]), BUSY)
    release_scenes(login)
    assert picture(api, job).startswith(PNG)
    (batch,) = batches(api, job)
    batch = final(api, batch, job)
    assert (batch["state"], batch["exit_status"]) == ("FINISHED", 0), batch
    assert batch["native_id"].endswith(".login1")
    events = api.get(f"jobs/{job}/events").json()["results"]
    assert [event for event in events if event["kind"] == "infrastructure"] == []


def test_cancelled_torque_job_leaves_no_process(api, login):
    processes = "pgrep --list-full --euid render 'python|povray' | grep -E 'raycrafter_client|povray'"
    job = post(api)
    running_batch(api, job)
    assert "povray" in login.check_output(processes)
    # A stopped process ignores TERM, as a renderer does that waits for a slow file system.
    login.check_output("pkill -STOP --euid render --exact povray")
    assert api.post(f"jobs/{job}/cancel").status_code in (200, 202)
    assert ended(api, job)["state"] == "CANCELLED"
    wait_for("client and renderer have ended", lambda: login.run(processes).stdout == "", 20)


def test_deleted_torque_job_ends_its_batch_at_once(api, login):
    job = post(api)
    first = running_batch(api, job)
    deleted = time.time()
    login.check_output(f"~/torque/qdel {first['native_id']}")
    batch = final(api, first, job)
    assert "271" in batch["state_reason"], batch
    # Well before the timeout of its client, which takes 60 s.
    assert datetime.fromisoformat(batch["finished"]).timestamp() - deleted < 2 * POLL + 10
    release_scenes(login)
    assert picture(api, job).startswith(PNG)
    assert batches(api, job)[-1]["id"] != first["id"]


def test_torque_job_waits_while_the_queue_is_disabled(api, login):
    login.check_output("touch ~/.lab-torque/switches/queue-disabled")
    job = post(api)
    reason = wait_for("the job waits", lambda: job_of(api, job)["state_reason"], BUSY)
    assert "queue is disabled" in reason
    (batch,) = batches(api, job)
    assert batch["native_id"] is None and not batch["finished"]
    login.check_output("rm ~/.lab-torque/switches/queue-disabled")
    wait_for("the batch is submitted", lambda: batches(api, job)[-1]["native_id"], BUSY)
    wait_for("the job has no reason to wait", lambda: not job_of(api, job)["state_reason"], BUSY)
