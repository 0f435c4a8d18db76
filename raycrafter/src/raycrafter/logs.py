"""Logging: one JSON object per line on stderr, in GELF's own field names.

``timestamp`` (seconds since 1970), ``level`` (syslog's number), ``short_message``, ``full_message`` (with a traceback,
if there is one), ``_facility``, ``_logger``, and every ``extra`` of a call with an underscore before its name.

One search finds what the service and the compute nodes say of a frame: ``_job_id``, ``_batch_id``, ``_frame`` (its
number in the job), ``_attempt`` and ``_native_id`` are the client's names too. A Celery task's lines also have
``_task``, ``_task_id``, the ids it was called with and their job's (task_ids.py); a client's refused request has the
ids of its batch and frame.
"""

from __future__ import annotations

import logging
import logging.config
import os
from typing import Any

from celery import current_task
from pythonjsonlogger.json import JsonFormatter

from raycrafter import task_ids

SYSLOG = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.NOTSET, 7))


class GelfFormatter(JsonFormatter):
    """Records as GELF objects on one line."""

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Fill ``log_data``; the base class collects extras and tracebacks."""
        extras: dict[str, Any] = {}
        super().add_fields(extras, record, message_dict)
        extras.pop("message", None)
        trace = [str(text) for text in (extras.pop("exc_info", ""), extras.pop("stack_info", "")) if text]
        log_data["timestamp"] = round(record.created, 3)
        log_data["level"] = next(number for least, number in SYSLOG if record.levelno >= least)
        log_data["short_message"] = record.getMessage() or "-"
        if trace:
            log_data["full_message"] = "\n".join([record.getMessage(), *trace])
        log_data["_facility"] = "raycrafter"
        log_data["_logger"] = record.name
        log_data.update(_task_fields())
        log_data.update(_request_fields(extras.get("request")))
        # "request" is an object of the web server; _id is reserved by GELF
        log_data.update({f"_{key}": value for key, value in extras.items() if key not in ("request", "id", "data")})


def _task_fields() -> dict[str, Any]:
    """Return the running Celery task's name, its id, and its log fields."""
    if not current_task or not current_task.request.id:
        return {}
    ids = current_task.request.get(task_ids.FIELDS) or {}
    return {"_task": current_task.name, "_task_id": current_task.request.id} | {f"_{key}": ids[key] for key in ids}


def _request_fields(request: Any) -> dict[str, Any]:
    """Return what a compute client's request is about; nothing for other requests.

    Such a request is authenticated by a batch, which says by ``log_fields`` what lines about it carry.
    """
    ids = getattr(getattr(request, "auth", None), "log_fields", None)
    if ids is None:
        return {}
    match = request.resolver_match
    frame = {"frame": match.kwargs["number"]} if match and "number" in match.kwargs else {}
    return {f"_{name}": value for name, value in (ids | frame).items()}


def dictionary() -> dict[str, Any]:
    """Return the configuration as ``logging.config.dictConfig`` takes it."""
    level = os.environ.get("RAYCRAFTER_LOG_LEVEL", "INFO")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"gelf": {"()": "raycrafter.logs.GelfFormatter"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "gelf"}},
        "root": {"level": level, "handlers": ["stderr"]},
        "loggers": {
            # they say every request and every connection at INFO
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            "amqp": {"level": "WARNING"},
            # ticks every few seconds, sent and received each; the end of a task is task_times' to tell
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }


def configure() -> None:
    """Configure logging for this process."""
    logging.config.dictConfig(dictionary())
