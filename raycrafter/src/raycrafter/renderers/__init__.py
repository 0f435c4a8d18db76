"""Adapters of renderers: from a frame's description to a command line.

They know neither Django nor jobs. An adapter is one module here and one entry in ``ADAPTERS``; a site offers those
whose program its configuration names.
"""

from __future__ import annotations

from .base import Files, FrameSpec, OptionError, Renderer
from .blender import Blender
from .povray import PovRay

__all__ = ["ADAPTERS", "Files", "FrameSpec", "OptionError", "Renderer"]

ADAPTERS: dict[str, Renderer] = {adapter.name: adapter for adapter in (PovRay(), Blender())}
