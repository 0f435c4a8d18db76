"""Recovery of unsent client logs, before a workspace is released.

A compute client leaves them in its directory as one GELF object a line (gelf_spool.py of raycrafter_client).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS

from raycrafter.cluster.ssh import Remote

logger = logging.getLogger(__name__)

PIECE = 4 * 1024 * 1024  # bytes read at a time
LEVELS = {7: logging.DEBUG, 6: logging.INFO, 5: logging.INFO, 4: logging.WARNING, 3: logging.ERROR}
_FIRST = 'find "$1"/batch-*/spool -maxdepth 2 -name gelf.spool -size +0 -print -quit 2>/dev/null'
_READ = 'tail -c "+$2" -- "$1" | head -c "$3"'
_REMOVE = 'rm -f -- "$1"'


def log_one(remote: Remote, workspace: str) -> bool:
    """Log what one compute client left in a workspace. Return whether there was one.

    A worker that dies here begins with that client anew: lines come twice then, none is lost. Raises RemoteError,
    SshError.
    """
    path = remote.run(_FIRST, workspace).stdout.strip()
    if not path:
        return False
    count = 0
    for line in _lines(remote, path):
        if record := _record(line):
            logger.handle(record)
            count += 1
    remote.check(f"removing {path}", _REMOVE, path)
    logger.warning("%d log messages that a client could not send were logged here: %s", count, path)
    return True


def _lines(remote: Remote, path: str) -> Iterator[str]:
    """Yield the whole lines of a file; the last one is cut if the client was killed."""
    offset, rest = 1, ""
    while text := remote.check(f"reading {path}", _READ, path, str(offset), str(PIECE)).stdout:
        offset += PIECE
        *lines, rest = (rest + text).split("\n")
        yield from lines


def _record(line: str) -> logging.LogRecord | None:
    """Return the message as a record with its own time; the node becomes a field."""
    try:
        message = json.loads(line)
        fields = {name[1:]: value for name, value in message.items() if name.startswith("_")}
        known: dict[str, Any] = {
            "name": logger.name,
            "levelno": LEVELS.get(message["level"], logging.CRITICAL),
            "msg": str(message["short_message"]),
            "exc_text": message.get("full_message"),
            "created": float(message["timestamp"]),
            "node": message["host"],
            # the id of rsyslog's own is the line's
            "client_message_id": fields.pop("message_id", None),
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return logging.makeLogRecord({name: fields[name] for name in fields.keys() - set(RESERVED_ATTRS)} | known)
