"""The renderers that the site offers, and the frames of jobs as these take them."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Max, Min
from django.utils.text import slugify

from raycrafter.renderers import ADAPTERS, FrameSpec, OptionError, Renderer

from .models import Attempt, Job

# After these the work file gets another name: their client may still write to it.
VOID = (Attempt.Outcome.FAILED, Attempt.Outcome.LOST)


def names() -> list[str]:
    """Return the renderers that this site offers, sorted."""
    return sorted(set(ADAPTERS) & set(settings.RAYCRAFTER.cluster.renderers))


def get(name: str) -> Renderer:
    """Return the adapter of that name.

    Raises OptionError (field ``renderer``) when the site does not offer it.
    """
    if name not in names():
        raise OptionError("renderer", f"{name!r} is not offered here; choose one of: {', '.join(names()) or 'none'}")
    return ADAPTERS[name]


def frame_spec(job: Job, number: int, workspace: str) -> FrameSpec:
    """Describe one frame of a job; ``workspace`` is an absolute path on the cluster."""
    cluster = settings.RAYCRAFTER.cluster
    span = job.frames.aggregate(first=Min("number"), last=Max("number"))
    return FrameSpec(
        number=number,
        first=span["first"],
        last=span["last"],
        main=job.main,
        width=job.width,
        height=job.height,
        options=job.options,
        slug=slugify(job.name)[:60].strip("-_") or f"job-{job.pk}",
        generation=Attempt.objects.filter(frame__job=job, frame__number=number, outcome__in=VOID).count(),
        workspace=workspace,
        program=cluster.renderers[job.renderer],
        threads=cluster.threads,
    )
