"""The users' API: jobs, and the lists that belong to one."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from raycrafter.jobs import requests
from raycrafter.jobs.models import Attempt, Event, Frame, Job
from raycrafter.jobs.permissions import actor_of, manageable_job, visible_job, visible_jobs
from raycrafter.jobs.progress import load_progress
from raycrafter.jobs.states import FrameState, JobState

from . import serializers
from .errors import Conflict
from .parsers import JSONParser
from .throttles import SubmitThrottle

MAX_DIGITS = 10  # of the number of an attempt
MAX_KEY = 200  # characters of an Idempotency-Key


class JobFilter(django_filters.FilterSet):
    """``?state=ACTIVE&renderer=povray&name=castle&created_after=2030-05-01``"""

    state = django_filters.MultipleChoiceFilter(choices=JobState.choices)
    renderer = django_filters.CharFilter()
    owner = django_filters.CharFilter(field_name="owner__username")
    name = django_filters.CharFilter(lookup_expr="icontains", help_text="a part of the name")
    created_after = django_filters.IsoDateTimeFilter(field_name="created", lookup_expr="gte")
    created_before = django_filters.IsoDateTimeFilter(field_name="created", lookup_expr="lt")


class JobsView(generics.ListCreateAPIView):
    """The jobs."""

    parser_classes = (
        MultiPartParser,
        JSONParser,
    )
    filterset_class = JobFilter
    throttle_classes = (*generics.ListCreateAPIView.throttle_classes, SubmitThrottle)
    throttle_scope = "submit"

    def get_queryset(self) -> QuerySet[Job]:
        """Return the jobs this user may see, newest first."""
        jobs = visible_jobs(self.request.user)
        return jobs.select_related("owner", "workspace").prefetch_related("after")

    def paginate_queryset(self, queryset: QuerySet[Job]) -> list[Job]:
        """Return a page of jobs, with their progress."""
        page = super().paginate_queryset(queryset)
        load_progress(page)
        return page

    def get_serializer_class(self) -> type:
        """Return the serializer for submitting, or the one for showing."""
        return serializers.JobCreateSerializer if self.request.method == "POST" else serializers.JobSerializer

    @extend_schema(
        request={"multipart/form-data": serializers.JobCreateSerializer},
        responses={
            201: serializers.JobSerializer,
            200: OpenApiResponse(serializers.JobSerializer, description="the job of this Idempotency-Key"),
        },
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER)],
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Submit a job. With an Idempotency-Key a repeated request makes no second job."""
        key = self._key(request)
        data = self.get_serializer(data=request.data)
        data.is_valid(raise_exception=True)
        fields = data.validated_data
        try:
            return self._submit(request, key, fields)
        finally:
            if fields["upload"] and fields["scene"]:
                fields["scene"].close()

    def _submit(self, request: Request, key: str | None, fields: dict[str, Any]) -> Response:
        """Answer with the job of this key, or with a new one."""
        if earlier := self._earlier(request, key, fields):
            return self._answer(earlier, status.HTTP_200_OK)
        if fields["scene"] is None:
            raise Conflict(f"This upload is job {fields['upload'].job_id} already.")
        try:
            job = requests.submit(
                request.user,
                fields["scene"],
                fields["filename"],
                fields["main"],
                fields["numbers"],
                fields["after"],
                source=fields["upload"],
                idempotency_key=key,
                **_columns(fields),
            )
        except IntegrityError:
            # the same key a moment ago, in another process
            if earlier := self._earlier(request, key, fields):
                return self._answer(earlier, status.HTTP_200_OK)
            raise
        return self._answer(job, status.HTTP_201_CREATED)

    def _key(self, request: Request) -> str | None:
        key = request.headers.get("Idempotency-Key")
        if key is not None and not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
            raise ValidationError({"Idempotency-Key": f"use 1 to {MAX_KEY} printable ASCII characters"})
        return key

    def _earlier(self, request: Request, key: str | None, fields: dict[str, Any]) -> Job | None:
        """Return the job that this key made before.

        Raises Conflict when it was another request.
        """
        job = Job.objects.filter(owner=request.user, idempotency_key=key).first() if key else None
        if job is None:
            return None
        wanted = _columns(fields) | ({"main": fields["main"]} if fields["main"] else {})
        digest = requests.scene_digest(fields["scene"]) if fields["scene"] else fields["upload"].sha256
        same = digest == job.scene_sha256 and set(fields["after"]) == set(job.after.all())
        if not same or any(getattr(job, name) != value for name, value in wanted.items()):
            raise Conflict(f"This Idempotency-Key belongs to job {job.pk}, which is another request.")
        return job

    def _answer(self, job: Job, code: int) -> Response:
        data = serializers.JobSerializer(job, context=self.get_serializer_context()).data
        return Response(data, code, headers={"Location": data["urls"]["self"]})


def _columns(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a job that a request decides, but for its scene."""
    return {
        "name": fields["name"],
        "renderer": fields["renderer"],
        "frames_spec": fields["frames"],
        "width": fields["width"],
        "height": fields["height"],
        "options": fields["options"],
        "priority": fields["priority"],
    }


class JobView(generics.RetrieveAPIView):
    """One job."""

    serializer_class = serializers.JobSerializer

    def get_queryset(self) -> QuerySet[Job]:
        """Return the jobs this user may see."""
        return visible_jobs(self.request.user).select_related("owner", "workspace")

    @extend_schema(request=serializers.JobChangeSerializer, responses={200: serializers.JobSerializer})
    def patch(self, request: Request, pk: int) -> Response:
        """Change the priority, or except the job from deletion by age (``keep``)."""
        job = manageable_job(request.user, pk)
        data = serializers.JobChangeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        fields = data.validated_data
        if "keep" in fields and fields["keep"] != job.keep:
            change = requests.keep if fields["keep"] else requests.unkeep
            if not change(job, request.user.get_username(), actor_of(request.user)) and job.files_deleted:
                raise Conflict(f"The files of job {pk} are deleted.")
        if "priority" in fields:
            job.priority = fields["priority"]
            job.save(update_fields=["priority"])
        return Response(serializers.JobSerializer(job, context={"request": request}).data)


class ActionView(APIView):
    """Something that is done to a job: repeating it changes nothing."""

    @extend_schema(request=None, responses={200: serializers.JobSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Do it. What the job's state does not allow is a conflict."""
        job = manageable_job(request.user, pk)
        refusal = self.act(job, request.user.get_username(), actor_of(request.user))
        job.refresh_from_db()
        if refusal:
            raise Conflict(f"{refusal}: it is {job.state}.")
        return Response(serializers.JobSerializer(job, context={"request": request}).data)

    def act(self, job: Job, by: str, actor: str) -> str | None:
        """Do it; return why not, when it cannot be done."""
        raise NotImplementedError


@extend_schema_view(post=extend_schema(description="Cancel a job: nothing is started any more, what runs is stopped."))
class CancelView(ActionView):
    """Cancel a job."""

    def act(self, job: Job, by: str, actor: str) -> str | None:
        """Cancel."""
        if requests.cancel(job, by, actor):
            return None
        job.refresh_from_db()
        return None if job.state in (JobState.CANCELLING, JobState.CANCELLED) else f"Job {job.pk} has ended"


@extend_schema_view(
    post=extend_schema(description="Render the frames again that failed, and those cancelled because others failed.")
)
class RetryView(ActionView):
    """Render failed frames again."""

    def act(self, job: Job, by: str, actor: str) -> str | None:
        """Have them rendered again."""
        return None if requests.retry(job, by, actor) else f"Job {job.pk} has no failed frames to render again"


@extend_schema_view(post=extend_schema(description="Begin nothing more of a job; frames that are rendered now end."))
class PauseView(ActionView):
    """Pause a job."""

    def act(self, job: Job, by: str, actor: str) -> str | None:
        """Pause."""
        if requests.pause(job, by, actor):
            return None
        job.refresh_from_db()
        return None if job.paused else f"Job {job.pk} has ended"


@extend_schema_view(post=extend_schema(description="Go on with a paused job."))
class ResumeView(ActionView):
    """Go on with a paused job."""

    def act(self, job: Job, by: str, actor: str) -> str | None:
        """Resume; a job that is not paused is as it is wanted."""
        requests.resume(job, by, actor)
        return None


@extend_schema_view(
    post=extend_schema(
        description="Ask the site to extend the job's workspace; its answer becomes an event of the job."
    )
)
class ExtendView(ActionView):
    """Extend a workspace."""

    def act(self, job: Job, by: str, actor: str) -> str | None:
        """Ask for it."""
        return None if requests.extend(job, by, actor) else f"Job {job.pk} has no workspace to extend"


class OfJob(generics.ListAPIView):
    """A list that belongs to a job."""

    def get_queryset(self) -> QuerySet:
        """Return the rows of the job."""
        model = self.serializer_class.Meta.model
        if getattr(self, "swagger_fake_view", False):
            return model.objects.none()
        return model.objects.filter(job=visible_job(self.request.user, self.kwargs["pk"]))


class FrameFilter(django_filters.FilterSet):
    """``?state=FAILED``"""

    state = django_filters.MultipleChoiceFilter(choices=FrameState.choices)

    class Meta:
        """What it filters."""

        model = Frame
        fields = ()


class EventFilter(django_filters.FilterSet):
    """``?after=120``: events after number 120; ``?level=30``: warnings and errors."""

    after = django_filters.NumberFilter(field_name="pk", lookup_expr="gt")
    level = django_filters.NumberFilter(lookup_expr="gte")

    class Meta:
        """What it filters."""

        model = Event
        fields = ()


@extend_schema_view(get=extend_schema(operation_id="jobs_frames_list"))
class FramesView(OfJob):
    """A job's frames."""

    serializer_class = serializers.FrameSerializer
    filterset_class = FrameFilter

    def get_queryset(self) -> QuerySet[Frame]:
        """Return the frames with the job, whose age the link to the log depends on."""
        return super().get_queryset().select_related("job")


class FrameLogView(APIView):
    """What the renderer of a frame said last."""

    @extend_schema(
        responses=serializers.AttemptSerializer,
        parameters=[OpenApiParameter("attempt", int, description="an earlier one; without it the latest")],
    )
    def get(self, request: Request, pk: int, number: int) -> Response:
        """Show the last lines of a frame's renderer, as old as the last heartbeat."""
        attempts = Attempt.objects.filter(frame__job=visible_job(request.user, pk), frame__number=number)
        if (asked := request.query_params.get("attempt")) is not None:
            if not (asked.isascii() and asked.isdecimal() and len(asked) < MAX_DIGITS):
                raise ValidationError({"attempt": "is not a number"})
            attempts = attempts.filter(number=int(asked))
        attempt = attempts.select_related("frame").order_by("-number").first()
        if attempt is None:
            raise Http404(f"There is no such attempt at frame {number} of job {pk}.")
        return Response(serializers.AttemptSerializer(attempt).data)


class BatchesView(OfJob):
    """A job's batches."""

    serializer_class = serializers.BatchSerializer


class EventsView(OfJob):
    """What happened to a job, oldest first."""

    serializer_class = serializers.EventSerializer
    filterset_class = EventFilter

    def get_queryset(self) -> QuerySet[Event]:
        """Return the events with the frames' numbers."""
        return super().get_queryset().select_related("frame")


class TransfersView(OfJob):
    """A job's transfers."""

    serializer_class = serializers.TransferSerializer
