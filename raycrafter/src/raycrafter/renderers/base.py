"""The interface of a renderer's adapter, and the description of a frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, ClassVar, TypedDict


class OptionError(ValueError):
    """An option is wrong: ``field`` names it, ``reason`` says why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Files(TypedDict):
    """One file that a frame leaves: its path while it is written, and once it is whole."""

    work: str
    final: str


@dataclass(frozen=True, kw_only=True)
class FrameSpec:
    """One frame of a job as plain data: all that an adapter knows.

    ``first`` and ``last`` are the job's lowest and highest frame. ``main`` is the file to render, relative to the
    unpacked scene. ``slug`` is the job's name in names of files: small letters, digits, ``-`` and ``_``. ``generation``
    counts the attempts that failed or were lost: a client of one may still write to its work file. ``workspace`` is an
    absolute path on the cluster. ``width`` and ``height`` are in pixels.
    """

    number: int
    first: int
    last: int
    main: str
    width: int
    height: int
    options: Mapping[str, Any]
    slug: str
    generation: int
    workspace: str
    program: str
    threads: int

    @property
    def directory(self) -> str:
        """Where the program runs: the unpacked scene."""
        return f"{self.workspace}/input"

    @property
    def scene(self) -> PurePosixPath:
        """The file to render; an absolute path cannot be taken for an option."""
        return PurePosixPath(self.directory, self.main)

    @property
    def stem(self) -> str:
        """Prefix of the work file: it changes after a failed or lost attempt only."""
        return f"{self.workspace}/work/{self.slug}-{self.generation}"

    @property
    def final(self) -> str:
        """Where the frame's picture is once it is whole."""
        return f"{self.workspace}/frames/{self.slug}_{self.number:04d}.png"


class Renderer(ABC):
    """An adapter. It holds no state: all it needs is in the frame's description.

    ``suffixes`` are the endings, in lower case, of the files it can render. ``resumes`` says whether the command goes
    on with a frame where an interrupted attempt left it; without, the frame starts anew.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    resumes: ClassVar[bool]

    @abstractmethod
    def validate(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options with their types made right.

        Raises OptionError naming the first that is wrong.
        """

    @abstractmethod
    def command(self, frame: FrameSpec) -> list[str]:
        """Return program and arguments that render one frame; run without a shell."""

    @abstractmethod
    def files(self, frame: FrameSpec) -> list[Files]:
        """Return the files that one frame must leave, as absolute paths on the cluster."""

    @abstractmethod
    def is_fatal(self, error: str) -> bool:
        """Whether a failure with this text would come again, so that no retry makes sense."""
