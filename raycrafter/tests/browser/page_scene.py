"""Jobs as they look in the middle of the day, for browsers to look at."""

from __future__ import annotations

import io
import math
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.utils import timezone
from PIL import Image, ImageDraw
from raycrafter.jobs.models import Batch, Event, Frame, Job, Transfer, Workspace
from raycrafter.jobs.states import FrameState as F

DESKTOP = {"viewport": {"width": 1280, "height": 720}, "color_scheme": "dark"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "has_touch": True, "is_mobile": True}

SITE = settings.RAYCRAFTER.cluster.name
SIZE = (320, 240)
STATES = [F.SYNCED] * 11 + [F.RENDERED] * 2 + [F.RUNNING] * 2 + [F.FAILED] + [F.WAITING] * 8
ERROR = "Parse Error: Expected 'numeric expression', undeclared identifier 'glass_ior' found instead"


def make_scene(owner: Any) -> Job:
    """Return a job of 24 frames, half of them here; older jobs of the same owner are in the list."""
    earlier = (("Turbine, cut open", "DONE", 1), ("Dust in a box", "CANCELLED", 0.3), ("River delta", "FAILED", 0))
    for name, state, share in earlier:
        old = _job(owner, name, state, 60)
        Frame.objects.filter(job=old, number__lte=60 * share).update(percent=100, state=F.SYNCED)
    job = _job(owner, "Molecule, second orbit", "ACTIVE", len(STATES))
    directory = f"/lustre/ws/render-rc-job-{job.pk}"
    Workspace.objects.create(
        job=job,
        site=SITE,
        name=job.workspace_name,
        path=directory,
        state="ALLOCATED",
        expires=timezone.now() + timedelta(days=6),
        extensions_left=3,
    )
    batches = [
        Batch.objects.create(
            job=job,
            site=SITE,
            state=state,
            native_id=f"{81724 + n}.sdb",
            walltime_seconds=3600,
            client_host=f"nid0{1200 + n}",
            started=job.created + timedelta(minutes=n),
        )
        for n, state in enumerate(("FINISHED", "RUNNING"))
    ]
    for frame, state in zip(job.frames.all(), STATES, strict=True):
        _fill(frame, state, batches[frame.number > 10])
    Transfer.objects.create(job=job, kind="in", state="DONE", bytes_total=4_400_000, bytes_done=4_400_000)
    Transfer.objects.create(job=job, kind="out", state="RUNNING", bytes_total=9_000_000, bytes_done=3_100_000)
    Event.note(job, "submitted", "24 frames by alice")
    Event.note(job, "submitted", "batch 1 is 81724.sdb", batch=batches[0])
    Event.note(job, "state", "frame 12: CLAIMED to RUNNING")
    Event.note(job, "state", f"frame 16: SOFT_FAILED to FAILED: {ERROR}", Event.Level.WARNING)
    return job


def _job(owner: Any, name: str, state: str, frames: int) -> Job:
    job = Job.objects.create(
        owner=owner,
        name=name,
        renderer="povray",
        state=state,
        main="scene.pov",
        frames_spec=f"1-{frames}",
        frame_count=frames,
        width=SIZE[0],
        height=SIZE[1],
    )
    Frame.objects.bulk_create(Frame(job=job, number=number) for number in range(1, frames + 1))
    return job


def _fill(frame: Frame, state: F, batch: Batch) -> None:
    frame.state, frame.batch = state, batch if state != F.WAITING else None
    if state in (F.SYNCED, F.RENDERED):
        frame.percent, frame.seconds = 100, 41 + 17 * math.sin(frame.number / 3)
    if state == F.RUNNING:
        frame.percent = 30 + 4 * frame.number - 40
    if state == F.FAILED:
        frame.error, frame.tries = ERROR, 3
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
