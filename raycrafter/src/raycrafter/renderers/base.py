"""What every renderer's adapter offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypedDict

from django.utils.text import slugify

from raycrafter.jobs.models import Attempt, Job


class OptionError(ValueError):
    """An option is wrong: ``field`` names it, ``reason`` says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Files(TypedDict):
    """One file that a frame leaves: where the renderer writes it, and its name once it is whole."""

    work: str
    final: str


class Renderer(ABC):
    """An adapter holds no state: all it needs is in the job and the site's configuration.

    ``suffixes`` are the endings, in lower case, of the files it can render. ``resumes`` says whether the command goes
    on with a frame where an interrupted attempt left it; without, the frame starts anew.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    resumes: ClassVar[bool]

    @abstractmethod
    def validate(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with their types made right. Raises OptionError naming the first that is wrong."""

    @abstractmethod
    def command(self, job: Job, number: int, workspace_path: str, batch_path: str) -> list[str]:
        """Program and arguments that render one frame; run without a shell in ``directory()``."""

    @abstractmethod
    def files(self, job: Job, number: int, workspace_path: str, batch_path: str) -> list[Files]:
        """The files that one frame must leave, as absolute paths on the cluster."""

    def directory(self, workspace_path: str) -> str:
        """Where the program runs: the unpacked scene."""
        return f"{workspace_path}/input"

    @abstractmethod
    def is_fatal(self, error: str) -> bool:
        """Whether a failure with this text from the renderer would come again, so that no retry makes sense."""

    def slug(self, job: Job) -> str:
        """The job's name as the names of its files have it: small letters, digits, ``-`` and ``_``."""
        return slugify(job.name)[:60].strip("-_") or f"job-{job.pk}"

    def stem(self, job: Job, number: int) -> str:
        """What the name of a frame's work file begins with. It stays the same over interruptions and changes after a
        failed or lost attempt: a client that was given up may still write there."""
        void = (Attempt.Outcome.FAILED, Attempt.Outcome.LOST)
        spoilt = Attempt.objects.filter(frame__job=job, frame__number=number, outcome__in=void).count()
        return f"{self.slug(job)}-{spoilt}"

    def final(self, job: Job, number: int, workspace_path: str) -> str:
        """Where a frame's picture is once it is whole."""
        return f"{workspace_path}/frames/{self.slug(job)}_{number:04d}.png"
