"""Blender 3.4 to 5.0: one process per frame; an interrupted frame starts anew."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .base import Files, FrameSpec, Renderer
from .options import flag, validated, whole

# Eevee is called BLENDER_EEVEE_NEXT from 4.2 to 4.5; it and the Workbench need OpenGL on the compute nodes.
ENGINES = ("CYCLES", "BLENDER_EEVEE", "BLENDER_EEVEE_NEXT", "BLENDER_WORKBENCH")
MAX_SAMPLES = 65_536
MAX_SCENE = 63  # bytes that Blender keeps of a name
FATAL = re.compile(
    r"Cannot render, no camera|not a blend file|Missing DNA block|File format is not supported"
    r"|engine not found|Build without OpenImageDenoiser|RuntimeError: the file has no scene "
)


def _engine(value: object) -> str:
    if value not in ENGINES:
        raise ValueError(f"one of {', '.join(ENGINES)}, got {value!r}")
    return str(value)


def _scene(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value.encode("utf-8", "replace")) <= MAX_SCENE:
        raise ValueError(f"the name of a scene, up to {MAX_SCENE} bytes, got {value!r}")
    if not value.isprintable() or value.startswith("-"):
        raise ValueError(f"the name of a scene, without control characters and not beginning with -, got {value!r}")
    return value


OPTIONS: dict[str, Callable[[object], Any]] = {
    "engine": _engine,
    "samples": lambda value: whole(value, 1, MAX_SAMPLES),
    "scene": _scene,
    # A new scene wants it, and a build without the library for it (Debian's) then renders nothing.
    "denoise": flag,
}


class Blender(Renderer):
    """Blender's command line, carried out in its order: the frame comes last."""

    name = "blender"
    suffixes = (".blend",)
    resumes = False

    def validate(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """See Renderer.validate; ``OPTIONS`` is the list."""
        return validated(options, OPTIONS, "Blender")

    def command(self, frame: FrameSpec) -> list[str]:
        """See Renderer.command."""
        options = frame.options
        # No scripts of the file, and nothing of the account's home directory; a Python error is an error.
        words = ["--background", "--factory-startup", "--disable-autoexec", "--python-exit-code", "1", "-noaudio"]
        # Blender 5 tells how far it is only when it is asked to; earlier ones do so anyway.
        words += ["--log", "render"]
        words += ["--threads", str(frame.threads)]
        words.append(str(frame.scene))
        if "scene" in options:
            words += ["--scene", options["scene"]]
        if "engine" in options:
            words += ["--engine", options["engine"]]
        words += ["--python-expr", self._changes(frame)]
        words += ["--render-output", f"{frame.stem}_####"]
        words += ["--render-format", "PNG", "--use-extension", "1", "--render-frame", f"{frame.number:d}"]
        return [frame.program, *words]

    def files(self, frame: FrameSpec) -> list[Files]:
        """See Renderer.files. ``####`` is the number with four digits or more."""
        return [
            {
                "work": f"{frame.stem}_{frame.number:04d}.png",
                "final": frame.final,
            }
        ]

    def is_fatal(self, error: str) -> bool:
        """Whether the file is no scene, or lacks what a picture needs."""
        return bool(FATAL.search(error))

    def _changes(self, frame: FrameSpec) -> str:
        """Return as Python what the command line has no option for.

        Whole numbers, hexadecimal digits, True and False are all that gets into it: no text of a user's can become a
        statement.
        """
        options = frame.options
        lines = ["import bpy", "scene = bpy.context.scene", "render = scene.render"]
        # Blender only tells of a scene that the file does not have, and renders another one.
        if "scene" in options:
            name = options["scene"].encode().hex()
            lines += [
                f"if scene.name != bytes.fromhex('{name}').decode():",
                "    raise RuntimeError('the file has no scene of the name that the job asks for')",
            ]
        lines += [f"render.resolution_x = {frame.width:d}", f"render.resolution_y = {frame.height:d}"]
        lines.append("render.resolution_percentage = 100")
        # A file left by an interrupted attempt is in the way otherwise, and a placeholder looks like a picture.
        lines += ["render.use_overwrite = True", "render.use_placeholder = False"]
        if "samples" in options:
            samples = f"{options['samples']:d}"
            lines += [
                "if render.engine == 'CYCLES':",
                f"    scene.cycles.samples = {samples}",
                "elif render.engine.startswith('BLENDER_EEVEE'):",
                f"    scene.eevee.taa_render_samples = {samples}",
            ]
        if "denoise" in options:
            lines.append(f"scene.cycles.use_denoising = {bool(options['denoise'])}")
        return "\n".join(lines)
