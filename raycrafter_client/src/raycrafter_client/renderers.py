"""Map a renderer's name, as in the server's claims, to the parsers of its output."""

from typing import Callable, Dict, NamedTuple

from .blender import BlenderParser
from .parsing import LineParser, PlainParser
from .povray import PovrayParser


class Parsers(NamedTuple):
    """The parsers of the two outputs of one process."""

    stdout: LineParser
    stderr: LineParser

    @property
    def percent(self) -> float:
        """Return the frame's percentage."""
        return max(parser.percent for parser in self)

    @property
    def error(self) -> str:
        """Return the best explanation of a failure, or an empty string."""
        return max(self, key=lambda parser: parser.error_rank).error


PARSERS: Dict[str, Callable[[], Parsers]] = {
    "blender": lambda: Parsers(BlenderParser(), BlenderParser()),
    "povray": lambda: Parsers(PlainParser(), PovrayParser()),
}


def parsers_of(renderer: str) -> Parsers:
    """Return new parsers for a renderer; an unknown renderer's lines stay unparsed."""
    return PARSERS.get(renderer, lambda: Parsers(PlainParser(), PlainParser()))()
