"""What renderers print, as events. One parser per renderer; this module has what they share."""

import codecs
import logging
import re
from typing import Any, Dict, List, NamedTuple

# Characters of one line; a renderer that prints no line ends must not fill the memory.
MAX_LINE = 4000


class Event(NamedTuple):
    """One thing a renderer said. ``level`` is a logging level."""

    kind: str
    level: int
    message: str
    data: Dict[str, Any]


class LineSplitter:
    """Bytes to lines, however the chunks fall. A carriage return ends a line too: progress is printed with it."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, chunk: bytes) -> List[str]:
        """Return the lines that ``chunk`` completes, without their ends."""
        return self._split(self._decoder.decode(chunk))

    def close(self) -> List[str]:
        """Return what is left."""
        lines = self._split(self._decoder.decode(b"", True))
        rest, self._rest = self._rest, ""
        return [*lines, rest] if rest else lines

    def _split(self, text: str) -> List[str]:
        lines = re.split("[\r\n]", self._rest + text)
        rest = lines.pop()
        while len(rest) > MAX_LINE:
            lines.append(rest[:MAX_LINE])
            rest = rest[MAX_LINE:]
        self._rest = rest
        return [line[:MAX_LINE] for line in lines]


class PlainParser:
    """Every line that is not blank, as it is: for streams whose language nobody has learned yet."""

    def __init__(self) -> None:
        self._splitter = LineSplitter()
        self.percent = 0.0
        self.error = ""

    def feed(self, chunk: bytes) -> List[Event]:
        """Return the events of the next bytes."""
        return [Event("line", logging.INFO, line.rstrip(), {}) for line in self._splitter.feed(chunk) if line.strip()]

    def close(self) -> List[Event]:
        """Return the events of what is left."""
        return [Event("line", logging.INFO, line.rstrip(), {}) for line in self._splitter.close() if line.strip()]
