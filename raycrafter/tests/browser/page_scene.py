"""Jobs as they look in the middle of the day, for browsers to look at."""

from __future__ import annotations

import io
import math
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image, ImageDraw
from raycrafter.jobs.models import (
    Attempt,
    Batch,
    BlockedNode,
    Event,
    Frame,
    Job,
    NotificationChoice,
    Site,
    Transfer,
    Workspace,
)
from raycrafter.jobs.states import FrameState as F

DESKTOP = {"viewport": {"width": 1280, "height": 720}, "color_scheme": "dark"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "has_touch": True, "is_mobile": True}

SITE = settings.RAYCRAFTER.cluster.name
SIZE = (320, 240)
STATES = [F.SYNCED] * 11 + [F.RENDERED] * 2 + [F.RUNNING] * 2 + [F.FAILED, F.CLAIMED] + [F.WAITING] * 7
ERROR = "Parse Error: Expected 'numeric expression', undeclared identifier 'glass_ior' found instead"
KILLED = "the renderer gave no reason (signal 9)"
LOST = "Waiting: submission: ssh to login1: connection timed out"
LOG = """Persistence of Vision(tm) Ray Tracer Version 3.7.0.10.unofficial
Parser Options
  Input file: molecule.pov
  Clock value:    0.583333  (Animation on)
Possible Parse Warning: Camera vectors are not perpendicular. Making look_at the last statement may help.
parsing
photon
radiosity
rendering"""
# name, renderer, state, frames, share of them here, hours ago
EARLIER = (
    ("River delta, flood of 1954", "povray", "FAILED", 60, 0, 53),
    ("Dust in a box", "povray", "CANCELLED", 240, 0.3, 30),
    ("Turbine, cut open", "blender", "DONE", 120, 1, 26),
    ("Glass harp", "blender", "READY", 96, 0, 2),
)


def make_scene(owner: Any) -> Job:
    """Return a job of 24 frames, half of them here; older jobs of the same owner are in the list, one is held up."""
    now = timezone.now().replace(second=17)
    for name, renderer, state, frames, share, hours in EARLIER:
        began = now - timedelta(hours=hours, minutes=7 * hours % 60)
        old = _job(owner, name, renderer, state, frames, began)
        Frame.objects.filter(job=old, number__lte=frames * share).update(percent=100, state=F.SYNCED)
        if state != "READY":
            Job.objects.filter(pk=old.pk).update(finished=began + timedelta(hours=2), scene_size=4_400_000)
        if state == "READY":
            Job.objects.filter(pk=old.pk).update(state_reason=LOST)
            _workspace(old, 11, 2)
        elif state == "DONE":
            _workspace(old, 2, 0)
    began = now - timedelta(minutes=23)
    job = _job(owner, "Molecule, second orbit", "povray", "ACTIVE", len(STATES), began)
    Job.objects.filter(pk=job.pk).update(options={"quality": 9, "antialias": 0.3}, priority=60)
    job.after.add(Job.objects.get(name="Turbine, cut open"))
    Site.objects.create(name=SITE, proxy_seen=now, proxy_ends=now + timedelta(hours=9))
    NotificationChoice.objects.create(user=owner, webhook="https://chat.example.org/hooks/render")
    BlockedNode.objects.create(
        site=SITE,
        host="nid01187",
        until=now + timedelta(hours=5),
        reason=f"3 frames in a row failed there; the last: {KILLED}",
    )
    directory = _workspace(job, 6, 3)
    batches = [
        Batch.objects.create(
            job=job,
            site=SITE,
            state=state,
            native_id=f"{81724 + n}.sdb",
            walltime_seconds=3600,
            directory=f"{directory}/batch-{n + 1}",
            client_host=f"nid0{1200 + n}",
            started=began + timedelta(minutes=2, seconds=7 * n),
            finished=began + timedelta(minutes=12) if state == "FINISHED" else None,
            exit_status=0 if state == "FINISHED" else None,
        )
        for n, state in enumerate(("FINISHED", "RUNNING", "RUNNING"))
    ]
    for frame, state in zip(job.frames.all(), STATES, strict=True):
        _fill(frame, state, batches[0 if frame.number < 9 else 1 + frame.number % 2])
    Transfer.objects.create(job=job, kind="in", state="DONE", bytes_total=4_400_000, bytes_done=4_400_000, tries=1)
    Transfer.objects.create(job=job, kind="out", state="DONE", bytes_total=8_100_000, bytes_done=8_100_000, tries=2)
    Transfer.objects.create(job=job, kind="out", state="RUNNING", bytes_total=9_000_000, bytes_done=3_100_000, tries=1)
    for seconds, kind, message, level in (
        (0, "submitted", f"24 frames by {owner.get_username()}", Event.Level.INFO),
        (64, "state", "STAGING to READY", Event.Level.INFO),
        (71, "submitted", "batch 1 is 81724.sdb", Event.Level.INFO),
        (727, "state", "batch 1: ENDING to FINISHED", Event.Level.INFO),
        (1164, "state", "frame 14: CLAIMED to RUNNING", Event.Level.INFO),
        (1203, "state", f"frame 16: SOFT_FAILED to FAILED: {ERROR}", Event.Level.WARNING),
    ):
        Event.objects.create(job=job, kind=kind, message=message, level=level, time=began + timedelta(seconds=seconds))
    job.refresh_from_db()
    return job


def _job(owner: Any, name: str, renderer: str, state: str, frames: int, created: datetime) -> Job:
    job = Job.objects.create(
        owner=owner,
        name=name,
        renderer=renderer,
        state=state,
        main="scene.blend" if renderer == "blender" else "molecule.pov",
        frames_spec=f"1-{frames}",
        frame_count=frames,
        width=SIZE[0],
        height=SIZE[1],
        created=created,
    )
    Frame.objects.bulk_create(Frame(job=job, number=number) for number in range(1, frames + 1))
    return job


def _workspace(job: Job, days: int, extensions: int) -> str:
    """Lend a workspace for so many days; return where it is."""
    row = Workspace.objects.create(
        job=job,
        site=SITE,
        name=job.workspace_name,
        path=f"/lustre/ws/render-rc-job-{job.pk}",
        state="ALLOCATED",
        expires=timezone.now() + timedelta(days=days),
        extensions_left=extensions,
    )
    return row.path


def _fill(frame: Frame, state: F, batch: Batch) -> None:
    frame.state, frame.batch = state, batch if state != F.WAITING else None
    if state in (F.SYNCED, F.RENDERED):
        frame.percent, frame.seconds = 100, 41 + 17 * math.sin(frame.number / 3) + 5 * (frame.number * 7 % 4)
    if state == F.RUNNING:
        frame.percent = 30 + 4 * frame.number - 40
        Attempt.objects.create(frame=frame, batch=batch, number=1, host=batch.client_host, log=LOG)
    if state == F.FAILED:
        frame.error, frame.tries = ERROR, 1
        ended = {"ended": timezone.now(), "outcome": "failed", "returncode": 1, "error": f"{ERROR} (exit code 1)"}
        log = "\n".join(
            [*LOG.splitlines()[:-4], "parsing", ERROR, "Fatal error in parser: Cannot parse input.", "Render failed"]
        )
        Attempt.objects.create(frame=frame, batch=batch, number=1, host=batch.client_host, log=log, **ended)
    if state == F.SYNCED:
        picture = io.BytesIO()
        _picture(frame.number).save(picture, "PNG")
        frame.file.save(f"scene_{frame.number:04d}.png", ContentFile(picture.getvalue()), save=False)
        frame.file_size = picture.tell()
    frame.save()


def _picture(number: int) -> Image.Image:
    """Three balls that circle around each other."""
    image = Image.new("RGB", SIZE, (12, 18, 32))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 160, *SIZE), fill=(38, 44, 58))
    for ball, colour in enumerate(((226, 92, 64), (240, 190, 80), (84, 156, 222))):
        angle = number / 4 + ball * math.tau / 3
        x, y = 160 + 80 * math.cos(angle), 125 + 30 * math.sin(angle)
        for step in range(24):
            radius, light = 38 - step * 1.5, 0.45 + step / 42
            shift = step * 0.5
            box = (x - radius - shift, y - radius - shift, x + radius - shift, y + radius - shift)
            draw.ellipse(box, fill=tuple(min(255, int(part * light)) for part in colour))
    return image
