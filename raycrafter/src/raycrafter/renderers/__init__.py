"""Adapters: what the service must know of a renderer to have a compute node start it.

An adapter is one module here and one entry in ``ADAPTERS``; a site offers those whose program its configuration names.
"""

from __future__ import annotations

from django.conf import settings

from .base import Files, OptionError, Renderer
from .blender import Blender
from .povray import PovRay

__all__ = ["ADAPTERS", "Files", "OptionError", "Renderer", "get", "names"]

ADAPTERS: dict[str, Renderer] = {adapter.name: adapter for adapter in (PovRay(), Blender())}


def names() -> list[str]:
    """The renderers that this site offers, sorted."""
    return sorted(set(ADAPTERS) & set(settings.RAYCRAFTER.cluster.renderers))


def get(name: str) -> Renderer:
    """The adapter of that name. Raises OptionError (field ``renderer``) when the site does not offer it."""
    if name not in names():
        raise OptionError("renderer", f"{name!r} is not offered here; choose one of: {', '.join(names()) or 'none'}")
    return ADAPTERS[name]
