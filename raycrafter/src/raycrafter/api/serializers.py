"""JSON of the users' API."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.validators import RegexValidator
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from raycrafter.jobs import frames as frame_numbers
from raycrafter.jobs import rendering, uploads
from raycrafter.jobs import scene as scenes
from raycrafter.jobs.models import Attempt, Batch, Event, Frame, Job, Transfer, Upload
from raycrafter.jobs.permissions import visible_jobs
from raycrafter.jobs.retention import files_go
from raycrafter.jobs.states import WorkspaceState
from raycrafter.renderers import OptionError

from .parsers import TOO_DEEP, is_too_deep

MAX_SIDE = 16_384  # pixels
MAX_PIXELS = 100_000_000

no_control_characters = RegexValidator(r"[\x00-\x1f\x7f-\x9f]", "has control characters", inverse_match=True)


def log_search_url(job: Job, frame: int | None = None) -> str | None:
    """Return a link to the messages of a job or of one frame since the job was made; None when the site has no search.

    Graylog counts back from when the link is opened: a day more than the job is old, so that it stays right for a day.
    """
    template = settings.RAYCRAFTER.graylog.search_url
    if not template:
        return None
    query = f"job_id:{job.pk}" if frame is None else f"job_id:{job.pk} AND frame:{frame}"
    seconds = ((timezone.now() - job.created).days + 2) * 86400
    return template.replace("{query}", quote(query, safe="")).replace("{seconds}", str(seconds))


class WorkspaceSerializer(serializers.Serializer):
    """Where the job's files are on the cluster, and until when."""

    name = serializers.CharField()
    path = serializers.CharField()
    state = serializers.ChoiceField(choices=WorkspaceState.choices)
    expires = serializers.DateTimeField(allow_null=True)
    extensions_left = serializers.IntegerField(allow_null=True)


class JobUrlsSerializer(serializers.Serializer):
    """Related addresses."""

    self = serializers.URLField()
    page = serializers.URLField()
    cancel = serializers.URLField()
    retry = serializers.URLField()
    pause = serializers.URLField()
    resume = serializers.URLField()
    extend = serializers.URLField()
    archive = serializers.URLField()
    shares = serializers.URLField()
    frames = serializers.URLField()
    batches = serializers.URLField()
    events = serializers.URLField()
    transfers = serializers.URLField()


class JobSerializer(serializers.ModelSerializer):
    """A job."""

    owner = serializers.CharField(source="owner.username")
    frames = serializers.CharField(source="frames_spec")
    frame_counts = serializers.SerializerMethodField()
    percent = serializers.FloatField()
    files_go = serializers.SerializerMethodField()
    workspace = serializers.SerializerMethodField()
    urls = serializers.SerializerMethodField()
    log_search_url = serializers.SerializerMethodField()

    class Meta:
        """Fields."""

        model = Job
        fields = (
            "id",
            "name",
            "owner",
            "renderer",
            "state",
            "state_reason",
            "main",
            "frames",
            "frame_count",
            "frame_counts",
            "percent",
            "width",
            "height",
            "options",
            "priority",
            "paused",
            "after",
            "created",
            "started",
            "finished",
            "keep",
            "files_go",
            "files_deleted",
            "workspace",
            "urls",
            "log_search_url",
        )
        read_only_fields = fields

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "integer"}})
    def get_frame_counts(self, job: Job) -> dict[str, int]:
        """Return how many frames are in each state."""
        return job.frame_counts()

    @extend_schema_field({"type": "string", "format": "date-time", "nullable": True})
    def get_files_go(self, job: Job) -> str | None:
        """Return when its files are deleted by age, at the earliest."""
        moment = files_go(job)
        return moment.isoformat() if moment else None

    @extend_schema_field(WorkspaceSerializer(allow_null=True))
    def get_workspace(self, job: Job) -> dict[str, Any] | None:
        """Return the workspace, once there is one."""
        workspace = getattr(job, "workspace", None)
        return WorkspaceSerializer(workspace).data if workspace else None

    @extend_schema_field(JobUrlsSerializer)
    def get_urls(self, job: Job) -> dict[str, str]:
        """Related addresses."""
        actions = ("cancel", "retry", "pause", "resume", "extend")
        related = ("archive", "shares", "frames", "batches", "events", "transfers")
        names = {name: f"api-job-{name}" for name in actions + related}
        names |= {"self": "api-job", "page": "job"}
        request = self.context["request"]
        return {key: reverse(name, kwargs={"pk": job.pk}, request=request) for key, name in names.items()}

    @extend_schema_field({"type": "string", "format": "uri", "nullable": True})
    def get_log_search_url(self, job: Job) -> str | None:
        """Return the address of the job's messages in the log search."""
        return log_search_url(job)


PRIORITY: dict[str, Any] = {
    "min_value": 0,
    "max_value": 100,
    "help_text": "among its owner's jobs the highest comes first",
}


class JobChangeSerializer(serializers.Serializer):
    """What can be changed of a job."""

    priority = serializers.IntegerField(required=False, **PRIORITY)
    keep = serializers.BooleanField(required=False, help_text="do not delete it by age")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Something must be changed."""
        if not data:
            raise serializers.ValidationError("name priority or keep")
        return data


@extend_schema_field({"type": "object", "additionalProperties": {}})
class OptionsField(serializers.JSONField):
    """A JSON object; a form sends its text."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Refuse JSON that is something else."""
        try:
            value = super().to_internal_value(data)
        except RecursionError as error:
            raise serializers.ValidationError(f"is {TOO_DEEP}") from error
        if is_too_deep(value):
            raise serializers.ValidationError(f"is {TOO_DEEP}")
        if not isinstance(value, dict):
            raise serializers.ValidationError('is not a JSON object, like {"quality": 9}')
        return value


class JobCreateSerializer(serializers.Serializer):
    """A job to submit. ``validated_data`` also has ``filename`` and ``numbers``, and ``main`` is decided.

    ``upload`` becomes an Upload or None. ``scene`` is then what was uploaded, or None when the upload's job was made
    before: whether this is the same request again is the caller's to find out.
    """

    scene = serializers.FileField(
        max_length=255,
        required=False,
        help_text=".pov, .ini or .blend, or a .zip, .tar, .tar.gz with one in it; above 2 GiB send an upload",
    )
    upload = serializers.CharField(
        max_length=32, required=False, help_text="instead of scene: the id of an upload that is whole"
    )
    name = serializers.CharField(max_length=200, validators=[no_control_characters])
    renderer = serializers.CharField(max_length=50)
    frames = serializers.CharField(max_length=frame_numbers.MAX_LENGTH, help_text="like 1-20 or 1-100x2,150")
    main = serializers.CharField(
        max_length=scenes.MAX_PATH, default="", allow_blank=True, help_text="file in the archive to render"
    )
    width = serializers.IntegerField(min_value=1, max_value=MAX_SIDE, default=800, help_text="pixels")
    height = serializers.IntegerField(min_value=1, max_value=MAX_SIDE, default=600, help_text="pixels")
    options = OptionsField(default=dict, help_text="a JSON object; the renderer's own options")
    priority = serializers.IntegerField(default=50, **PRIORITY)
    after = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        default=list,
        max_length=100,
        help_text="numbers of jobs that must be DONE before this one begins",
    )

    def validate_after(self, value: list[int]) -> list[Job]:
        """Find the jobs."""
        found = list(visible_jobs(self.context["request"].user).filter(pk__in=value))
        missing = sorted(set(value) - {job.pk for job in found})
        if missing:
            raise serializers.ValidationError(f"there is no job {missing[0]}")
        return found

    def validate_renderer(self, value: str) -> str:
        """Refuse a renderer that the site does not have."""
        try:
            rendering.get(value)
        except OptionError as error:
            raise serializers.ValidationError(error.reason) from error
        return value

    def validate_frames(self, value: str) -> str:
        """Refuse what is no frame specification."""
        try:
            frame_numbers.parse(value)
        except frame_numbers.FramesError as error:
            raise serializers.ValidationError(str(error)) from error
        return frame_numbers.compact(value)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Look into the scene, and let the renderer judge its options."""
        errors: dict[str, list[str]] = {}
        if data["width"] * data["height"] > MAX_PIXELS:
            errors["width"] = [f"width times height is more than {MAX_PIXELS} pixels"]
        renderer = rendering.get(data["renderer"])
        try:
            data["options"] = renderer.validate(data["options"])
        except OptionError as error:
            errors[error.field] = [error.reason]
        errors |= self._take_scene(data, renderer.suffixes)
        if errors:
            raise serializers.ValidationError(errors)
        data["numbers"] = frame_numbers.parse(data["frames"])
        return data

    def _take_scene(self, data: dict[str, Any], suffixes: tuple[str, ...]) -> dict[str, list[str]]:
        """Set ``scene``, ``upload``, ``filename`` and ``main``; return the errors in them."""
        if ("scene" in data) == ("upload" in data):
            return {"scene": ["send either scene or upload"]}
        try:
            data["upload"] = self._uploaded(data)
            if data["scene"] is not None:
                data["filename"] = scenes.clean_name(data["scene"].name)
                data["main"] = scenes.inspect(data["scene"], data["filename"], data["main"], suffixes)
        except scenes.SceneError as error:
            return {error.field: [str(error)]}
        except uploads.UploadError as error:
            return {"upload": [str(error)]}
        return {}

    def _uploaded(self, data: dict[str, Any]) -> Upload | None:
        """Return the upload that is named, if one is, and make the scene of it. Raises UploadError."""
        if "upload" not in data:
            return None
        mine = Upload.objects.filter(owner=self.context["request"].user.pk)
        upload = mine.filter(pk=data["upload"]).first()
        if upload is None:
            raise uploads.UploadError("you have no such upload")
        try:
            data["scene"] = None if upload.job_id else uploads.assemble(upload)
        except FileNotFoundError:
            # another request has just made its job of it
            upload = mine.filter(pk=upload.pk, job__isnull=False).first()
            if upload is None:
                raise uploads.UploadError("is incomplete on the server: upload it again") from None
            data["scene"] = None
        return upload


class FrameFileSerializer(serializers.Serializer):
    """A rendered file."""

    name = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    url = serializers.URLField()
    thumbnail_url = serializers.URLField()


class FrameSerializer(serializers.ModelSerializer):
    """A frame."""

    file = serializers.SerializerMethodField()
    log_search_url = serializers.SerializerMethodField()

    class Meta:
        """Fields."""

        model = Frame
        fields = (
            "number",
            "state",
            "percent",
            "tries",
            "seconds",
            "batch",
            "file",
            "error",
            "log_search_url",
        )
        read_only_fields = fields

    @extend_schema_field({"type": "string", "format": "uri", "nullable": True})
    def get_log_search_url(self, frame: Frame) -> str | None:
        """Return the address of the frame's messages in the log search."""
        return log_search_url(frame.job, frame.number)

    @extend_schema_field(FrameFileSerializer(allow_null=True))
    def get_file(self, frame: Frame) -> dict[str, Any] | None:
        """Return the address of the rendered file, once it is fetched."""
        if not frame.file:
            return None
        return {
            "name": frame.file.name.rsplit("/", 1)[-1],
            "size": frame.file_size,
            "sha256": frame.file_sha256,
            "url": self._address("api-frame-file", frame),
            "thumbnail_url": self._address("api-frame-thumbnail", frame),
        }

    def _address(self, name: str, frame: Frame) -> str:
        return reverse(name, kwargs={"pk": frame.job_id, "number": frame.number}, request=self.context["request"])


class AttemptSerializer(serializers.ModelSerializer):
    """One try of a frame, with the end of what its renderer said."""

    frame = serializers.IntegerField(source="frame.number")
    attempt = serializers.IntegerField(source="number", help_text="1 is the frame's first")

    class Meta:
        """Fields."""

        model = Attempt
        fields = (
            "frame",
            "attempt",
            "batch",
            "host",
            "started",
            "ended",
            "outcome",
            "returncode",
            "seconds",
            "peak_rss_kb",
            "error",
            "log",
        )
        read_only_fields = fields


class BatchSerializer(serializers.ModelSerializer):
    """A batch."""

    class Meta:
        """Fields."""

        model = Batch
        fields = (
            "id",
            "name",
            "native_id",
            "state",
            "state_reason",
            "created",
            "submitted",
            "started",
            "finished",
            "last_heartbeat",
            "exit_status",
        )
        read_only_fields = fields


class EventSerializer(serializers.ModelSerializer):
    """An event."""

    level = serializers.CharField(source="get_level_display")
    frame = serializers.IntegerField(source="frame.number", allow_null=True, default=None)
    data = serializers.DictField()

    class Meta:
        """Fields."""

        model = Event
        fields = (
            "id",
            "time",
            "level",
            "kind",
            "batch",
            "frame",
            "message",
            "data",
        )
        read_only_fields = fields


class TransferSerializer(serializers.ModelSerializer):
    """A transfer."""

    class Meta:
        """Fields."""

        model = Transfer
        fields = (
            "id",
            "kind",
            "state",
            "state_reason",
            "error_class",
            "bytes_total",
            "bytes_done",
            "tries",
            "next_try",
            "created",
            "started",
            "finished",
        )
        read_only_fields = fields
