"""JSON of the compute-node clients' API.

Events are taken leniently: a client must never be stuck with one that it cannot send.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from raycrafter.jobs.models import Attempt, Event

MAX_EVENTS = 1000
MAX_MESSAGE = 8000  # characters
MAX_DATA = 16_384  # characters of JSON
MAX_LOG = 4000  # characters, as many as a client sends
MAX_INT = 2**31 - 1


class Lenient(serializers.Field):
    """Treat null as omitted."""

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """Return whether to look no further, and the value."""
        return super().validate_empty_values(serializers.empty if data is None and not self.required else data)


class Text(Lenient):
    """Any text, shortened, without the NUL that PostgreSQL does not store."""

    def __init__(self, limit: int, **options: Any) -> None:
        """``limit`` is in characters."""
        self.limit = limit
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> str:
        """Return text, whatever came."""
        return _storable(str(data))[: self.limit]

    def to_representation(self, value: str) -> str:
        """Return it as it is."""
        return value


def _storable(value: Any) -> Any:
    """Return text or JSON that the database takes: no NUL, no half of a surrogate pair."""
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value


@extend_schema_field(OpenApiTypes.STR)
class ShortText(Text):
    """Text for the schema's sake."""


@extend_schema_field(OpenApiTypes.STR)
class LastLines(Lenient):
    """The end of a log: what is too long loses its beginning."""

    def to_internal_value(self, data: Any) -> str:
        """Return text, whatever came."""
        return _storable(str(data))[-MAX_LOG:]

    def to_representation(self, value: str) -> str:
        """Return it as it is."""
        return value


@extend_schema_field({"oneOf": [{"type": "string", "format": "date-time"}, {"type": "number"}]})
class Moment(Lenient):
    """ISO 8601 or seconds since 1970; what is neither becomes the time of arrival."""

    def to_internal_value(self, data: Any) -> datetime:
        """Return a time with a zone."""
        try:
            if isinstance(data, (int, float)):
                return datetime.fromtimestamp(data, UTC)
            found = parse_datetime(str(data))
        except (ValueError, OverflowError, OSError):
            found = None
        if found is None:
            return timezone.now()
        return found if timezone.is_aware(found) else found.replace(tzinfo=UTC)

    def to_representation(self, value: datetime) -> str:
        """Return ISO 8601."""
        return value.isoformat()


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}]})
class Level(Lenient):
    """Python's level by number or name; what is neither is INFO."""

    def to_internal_value(self, data: Any) -> int:
        """Return one of Event.Level."""
        if isinstance(data, str) and data.upper() in Event.Level.names:
            return Event.Level[data.upper()]
        number = data if isinstance(data, int) else Event.Level.INFO
        return max((level for level in Event.Level if level <= number), default=Event.Level.DEBUG)

    def to_representation(self, value: int) -> int:
        """Return the number."""
        return value


@extend_schema_field({"type": "object", "additionalProperties": {}})
class Data(Lenient):
    """A JSON object; too large a one is left out, and says so."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return an object that the database takes."""
        value = _storable(data if isinstance(data, dict) else {"value": data})
        length = len(json.dumps(value))
        return {"left_out": f"{length} characters"} if length > MAX_DATA else value

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return it as it is."""
        return value


class NativeSerializer(serializers.Serializer):
    """Every call names the batch job it comes from."""

    native_id = serializers.CharField(max_length=100)


class ClaimSerializer(NativeSerializer):
    """A client asks for work."""

    host = serializers.CharField(max_length=200, allow_blank=True)


class FilesSerializer(serializers.Serializer):
    """A file that a frame must leave."""

    work = serializers.CharField(help_text="absolute path while it is written")
    final = serializers.CharField(help_text="absolute path when it is whole")


class WorkSerializer(serializers.Serializer):
    """One frame to render."""

    number = serializers.IntegerField()
    attempt = serializers.IntegerField()
    command = serializers.ListField(child=serializers.CharField(), help_text="run without a shell")
    directory = serializers.CharField(help_text="where to run it")
    files = FilesSerializer(many=True)
    resume = serializers.BooleanField(help_text="an interrupted attempt left its work")


class ClaimedSerializer(serializers.Serializer):
    """The answer to a claim."""

    job = serializers.IntegerField()
    batch = serializers.IntegerField()
    renderer = serializers.CharField()
    frames = WorkSerializer(many=True)
    stop_at = serializers.FloatField(help_text="seconds since 1970 by the server's clock")


class ProgressSerializer(serializers.Serializer):
    """How far a frame is."""

    number = serializers.IntegerField(min_value=0, max_value=MAX_INT)
    attempt = serializers.IntegerField(min_value=1, max_value=32_767)
    percent = serializers.FloatField(min_value=0, max_value=100)
    log = LastLines(default="", help_text="the renderer's last lines")


class HeartbeatSerializer(NativeSerializer):
    """A client lives."""

    frames = ProgressSerializer(many=True, max_length=1000)


class ActionSerializer(serializers.Serializer):
    """What the client must do next."""

    action = serializers.ChoiceField(["continue", "stop", "drain"])


class ClientEventSerializer(serializers.Serializer):
    """Something that happened on the compute node."""

    seq = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    time = Moment(default=timezone.now)
    level = Level(default=Event.Level.INFO)
    kind = ShortText(50, default="message")
    frame = serializers.IntegerField(min_value=0, max_value=MAX_INT, allow_null=True, default=None)
    attempt = serializers.IntegerField(min_value=0, max_value=MAX_INT, allow_null=True, default=None)
    message = ShortText(MAX_MESSAGE, default="")
    data = Data(default=dict)


class EventsSerializer(NativeSerializer):
    """Events, numbered by the client."""

    events = ClientEventSerializer(many=True, max_length=MAX_EVENTS)


class LastSeqSerializer(serializers.Serializer):
    """How far the server has the events."""

    last_seq = serializers.IntegerField()


class ResultFileSerializer(serializers.Serializer):
    """A file that was left."""

    path = serializers.CharField(max_length=1000)
    size = serializers.IntegerField(min_value=0, max_value=2**63 - 1, help_text="bytes")
    sha256 = serializers.RegexField(r"^[0-9a-f]{64}$")


class ResultSerializer(NativeSerializer):
    """How an attempt ended."""

    attempt = serializers.IntegerField(min_value=1, max_value=32_767)
    outcome = serializers.ChoiceField(
        [Attempt.Outcome.RENDERED.value, Attempt.Outcome.FAILED.value, Attempt.Outcome.INTERRUPTED.value]
    )
    returncode = serializers.IntegerField(min_value=-MAX_INT, max_value=MAX_INT, allow_null=True, default=None)
    seconds = serializers.FloatField(min_value=0, allow_null=True, default=None)
    peak_rss_kb = serializers.IntegerField(min_value=0, max_value=2**63 - 1, allow_null=True, default=None)
    error = ShortText(MAX_MESSAGE, default="")
    log = LastLines(default="", help_text="the renderer's last lines")
    files = ResultFileSerializer(many=True, max_length=1000, default=list)


class AfterResultSerializer(serializers.Serializer):
    """The frame's state after a result."""

    state = serializers.CharField()


class FinishSerializer(NativeSerializer):
    """A client's last word."""

    reason = ShortText(200, default="")
