"""``/healthz``: whether database, broker and cache answer."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from raycrafter.celery import app

logger = logging.getLogger(__name__)

# Anybody may ask: what was found is good for this long, so that asking costs the broker nothing.
REMEMBERED_SECONDS = 2.0
BROKER_TIMEOUT = 3  # seconds

_lock = threading.Lock()
_found: tuple[float, dict[str, str]] = (float("-inf"), {})


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _broker() -> None:
    with app.connection_for_write(connect_timeout=BROKER_TIMEOUT) as broker:
        broker.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT)


def _cache() -> None:
    cache.set("healthz", "ok", 10)
    if cache.get("healthz") != "ok":
        raise ConnectionError("no server keeps what it is given")


CHECKS: dict[str, Callable[[], None]] = {"database": _database, "broker": _broker, "cache": _cache}


def _run(name: str) -> str:
    try:
        CHECKS[name]()
    except Exception as error:  # whatever it is, it is the answer
        logger.error("%s is not healthy: %s", name, error, extra={"check": name})
        return "down"
    return "ok"


def check() -> dict[str, str]:
    """Return ``ok`` or ``down`` for each thing needed; the reasons go to the log."""
    global _found
    with _lock:
        if time.monotonic() - _found[0] > REMEMBERED_SECONDS:
            found = {name: _run(name) for name in CHECKS}
            _found = (time.monotonic(), found)
        return _found[1]


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when all is well, otherwise 503."""
    found = check()
    return JsonResponse(found, status=200 if all(value == "ok" for value in found.values()) else 503)
