"""POV-Ray 3.7: one process per frame, resumable; the job's range beats an .ini's."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from .base import Files, FrameSpec, OptionError, Renderer
from .options import flag, number, validated, whole

MAX_CLOCK = 1_000_000.0
MAX_FRAME = 1_000_000
ANTIALIAS_THRESHOLD = 0.3  # POV-Ray's own default
FATAL = re.compile(r"(?<!Possible )Parse Error:|Fatal error in parser:")


def _antialias(value: object) -> bool | float:
    return value if isinstance(value, bool) else number(value, 0.001, 3)


OPTIONS: dict[str, Callable[[object], Any]] = {
    "clock_initial": lambda value: number(value, -MAX_CLOCK, MAX_CLOCK),
    "clock_final": lambda value: number(value, -MAX_CLOCK, MAX_CLOCK),
    "cyclic": flag,
    "quality": lambda value: whole(value, 0, 11),
    "antialias": _antialias,
    # The range that the clock runs over, when the job renders only some frames of an animation.
    "initial_frame": lambda value: whole(value, 0, MAX_FRAME),
    "final_frame": lambda value: whole(value, 0, MAX_FRAME),
}


def _decimal(value: float) -> str:
    """Without an exponent, which POV-Ray's options do not all take."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


class PovRay(Renderer):
    """POV-Ray's command line. Options after an .ini file override what is in it."""

    name = "povray"
    suffixes = (".pov", ".ini")
    resumes = True

    def validate(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """See Renderer.validate; ``OPTIONS`` is the list."""
        valid = validated(options, OPTIONS, "POV-Ray")
        if valid.get("initial_frame", 0) > valid.get("final_frame", MAX_FRAME):
            raise OptionError("options.final_frame", "must not be less than initial_frame")
        return valid

    def command(self, frame: FrameSpec) -> list[str]:
        """See Renderer.command. ``+C`` continues an interrupted frame, or starts anew."""
        options, scene = frame.options, frame.scene
        words = [str(scene) if scene.suffix.lower() == ".ini" else f"+I{scene}", f"+L{scene.parent}"]
        if str(scene.parent) != frame.directory:
            words.append(f"+L{frame.directory}")
        words += [f"+O{self._output(frame)}", "+F", "+FN8", f"+W{frame.width}", f"+H{frame.height}"]
        words += self._animation(frame)
        if "quality" in options:
            words.append(f"+Q{options['quality']}")
        if options.get("antialias") is False:
            words.append("-A")
        elif "antialias" in options:
            threshold = ANTIALIAS_THRESHOLD if options["antialias"] is True else options["antialias"]
            words.append(f"+A{_decimal(threshold)}")
        # No window, no pause, no field rendering; progress and all messages to the console; the node's own threads.
        words += ["-D", "-P", "-UF", "-UO", "+V", "+GA", "+C", f"+WT{frame.threads}"]
        return [frame.program, *words]

    def files(self, frame: FrameSpec) -> list[Files]:
        """See Renderer.files."""
        output = PurePosixPath(self._output(frame))
        # POV-Ray pads the number to the width of the final frame's.
        digits = str(frame.number).zfill(len(str(self._range(frame)[1])))
        return [
            {
                "work": str(output.with_name(f"{output.stem}{digits}.png")),
                "final": frame.final,
            }
        ]

    def is_fatal(self, error: str) -> bool:
        """Whether the scene does not parse: it would not the next time either."""
        return bool(FATAL.search(error))

    def _range(self, frame: FrameSpec) -> tuple[int, int]:
        """Return first and last frame of the animation, over which the clock runs.

        Never one frame alone: POV-Ray would divide by their distance of 0, and the scene's clock were no number.
        """
        first = min(frame.first, frame.options.get("initial_frame", frame.first))
        return first, max(frame.last, frame.options.get("final_frame", frame.last), first + 1)

    def _animation(self, frame: FrameSpec) -> list[str]:
        (first, last), options = self._range(frame), frame.options
        initial, final = _decimal(options.get("clock_initial", 0.0)), _decimal(options.get("clock_final", 1.0))
        frames = [f"+KFI{first}", f"+KFF{last}", f"+SF{frame.number}", f"+EF{frame.number}"]
        return [*frames, f"+KI{initial}", f"+KF{final}", "+KC" if options.get("cyclic") else "-KC"]

    def _output(self, frame: FrameSpec) -> str:
        """Return the name without the frame's number; ``+C`` finds its state file by it."""
        return f"{frame.stem}_.png"
