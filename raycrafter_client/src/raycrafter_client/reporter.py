"""Report to the log (standard error and GELF) and to the server (events)."""

import logging
from typing import Any, Dict, Optional

from .event_spool import EventSpool

logger = logging.getLogger("raycrafter_client")


class Reporter:
    """Write log records with the frame's ids in their fields, and events."""

    def __init__(self, spool: EventSpool) -> None:
        self._spool = spool

    def log(
        self, level: int, kind: str, message: str, frame: Optional[int] = None, attempt: Optional[int] = None
    ) -> None:
        """Write to the log only."""
        logger.log(level, "%s", message, extra={"fields": {"kind": kind, "frame": frame, "attempt": attempt}})

    def event(
        self,
        level: int,
        kind: str,
        message: str,
        frame: Optional[int] = None,
        attempt: Optional[int] = None,
        data: Optional[Dict[str, Any]] = None,
    ) -> None:
        """Write to the log and spool an event for the server."""
        self.log(level, kind, message, frame, attempt)
        self._spool.add(
            {"level": level, "kind": kind, "frame": frame, "attempt": attempt, "message": message, "data": data or {}}
        )
