"""Encode a log record as a GELF message."""

import itertools
import json
import logging
from typing import Any, Dict

SYSLOG_LEVELS = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
MAX_SHORT = 4000  # characters
MAX_FULL = 16000  # characters


def encode(record: logging.LogRecord, host: str, fields: Dict[str, Any]) -> bytes:
    """Return the JSON of one message.

    ``fields`` and ``record.fields`` (a dict) become additional fields; values of None are omitted.
    """
    text = record.getMessage()
    message: Dict[str, Any] = {
        "version": "1.1",
        "host": host,
        "short_message": text[:MAX_SHORT].strip() or "-",  # Graylog drops a message with a blank text
        "timestamp": round(record.created, 6),
        "level": next((level for least, level in SYSLOG_LEVELS if record.levelno >= least), 7),
    }
    if record.exc_info:
        message["full_message"] = logging.Formatter().formatException(record.exc_info)[-MAX_FULL:]
    elif len(text) > MAX_SHORT:
        message["full_message"] = text[:MAX_FULL]
    for name, value in itertools.chain(fields.items(), getattr(record, "fields", {}).items()):
        if value is not None:
            message["_" + name] = value if isinstance(value, (int, float, str)) else str(value)
    return json.dumps(message).encode()


def is_debug(message: bytes) -> bool:
    """Return whether an encoded message has the level DEBUG."""
    # Texts cannot match: their quotes are escaped.
    return b'"level": 7' in message
