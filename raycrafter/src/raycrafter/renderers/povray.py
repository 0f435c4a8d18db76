"""POV-Ray 3.7: one process per frame, resumable, with the job's own frame and clock range whatever an .ini says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.db.models import Max, Min

from raycrafter.jobs.models import Job

from .base import Files, OptionError, Renderer
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

    def command(self, job: Job, number: int, workspace_path: str, batch_path: str) -> list[str]:
        """See Renderer.command. ``+C`` renders from the start when there is nothing to go on with."""
        options, scene = job.options, PurePosixPath(self.directory(workspace_path), job.main)
        # An absolute path cannot be taken for an option, whatever the file is called.
        words = [str(scene) if scene.suffix.lower() == ".ini" else f"+I{scene}", f"+L{scene.parent}"]
        if scene.parent != PurePosixPath(self.directory(workspace_path)):
            words.append(f"+L{self.directory(workspace_path)}")
        words += [f"+O{self._output(job, number, workspace_path)}", "+F", "+FN8", f"+W{job.width}", f"+H{job.height}"]
        words += self._animation(job, number)
        if "quality" in options:
            words.append(f"+Q{options['quality']}")
        if options.get("antialias") is False:
            words.append("-A")
        elif "antialias" in options:
            threshold = ANTIALIAS_THRESHOLD if options["antialias"] is True else options["antialias"]
            words.append(f"+A{_decimal(threshold)}")
        # No window, no pause, no field rendering; progress and all messages to the console; the node's own threads.
        words += ["-D", "-P", "-UF", "-UO", "+V", "+GA", "+C", f"+WT{settings.RAYCRAFTER.cluster.threads}"]
        return [settings.RAYCRAFTER.cluster.renderers[self.name], *words]

    def files(self, job: Job, number: int, workspace_path: str, batch_path: str) -> list[Files]:
        """See Renderer.files."""
        output = PurePosixPath(self._output(job, number, workspace_path))
        digits = self._digits(job, number)
        return [
            {
                "work": str(output.with_name(f"{output.stem}{digits}.png")),
                "final": self.final(job, number, workspace_path),
            }
        ]

    def is_fatal(self, error: str) -> bool:
        """A scene that does not parse does not parse the next time either."""
        return bool(FATAL.search(error))

    def _range(self, job: Job) -> tuple[int, int]:
        """First and last frame of the animation whose clock runs from initial to final. Never one frame alone: POV-Ray
        would divide by their distance of 0 and give the scene a clock that is no number."""
        found = job.frames.aggregate(first=Min("number"), last=Max("number"))
        first = min(found["first"], job.options.get("initial_frame", found["first"]))
        return first, max(found["last"], job.options.get("final_frame", found["last"]), first + 1)

    def _digits(self, job: Job, number: int) -> str:
        """The number as POV-Ray puts it into the name: padded to the width of the final frame's."""
        return str(number).zfill(len(str(self._range(job)[1])))

    def _animation(self, job: Job, number: int) -> list[str]:
        (first, last), options = self._range(job), job.options
        initial, final = _decimal(options.get("clock_initial", 0.0)), _decimal(options.get("clock_final", 1.0))
        frames = [f"+KFI{first}", f"+KFF{last}", f"+SF{number}", f"+EF{number}"]
        return [*frames, f"+KI{initial}", f"+KF{final}", "+KC" if options.get("cyclic") else "-KC"]

    def _output(self, job: Job, number: int, workspace_path: str) -> str:
        """The name before POV-Ray adds the frame's number. ``+C`` finds its state file by it."""
        return f"{workspace_path}/work/{self.stem(job, number)}_.png"
