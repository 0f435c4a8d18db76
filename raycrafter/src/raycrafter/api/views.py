"""The users' API."""

from __future__ import annotations

import base64
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import django_filters
from django.conf import settings
from django.contrib.auth import authenticate
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from knox.models import AuthToken
from rest_framework import generics, status
from rest_framework.exceptions import AuthenticationFailed, ValidationError
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from raycrafter.jobs import requests
from raycrafter.jobs.models import Event, Frame, Job
from raycrafter.jobs.states import FrameState, JobState

from . import serializers
from .authentication import TokenAuthentication
from .errors import Conflict

MAX_KEY = 200  # characters of an Idempotency-Key


class LoginThrottle(ScopedRateThrottle):
    """Slow down guessing of passwords, per address."""


class LoginView(APIView):
    """Get a token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (LoginThrottle,)
    throttle_scope = "login"

    # REST framework makes a refusal 401 only if the view can say by which scheme one signs in
    def get_authenticate_header(self, request: Request) -> str:
        """Return the scheme of the tokens."""
        return "Token"

    @extend_schema(request=serializers.LoginSerializer, responses={200: serializers.TokenSerializer}, auth=[])
    def post(self, request: Request) -> Response:
        """Exchange user name and password for a token."""
        data = serializers.LoginSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        user = authenticate(request, **data.validated_data)
        if user is None:
            raise AuthenticationFailed("User name or password is wrong.")
        instance, token = AuthToken.objects.create(user)
        answer = {"token": token, "expiry": instance.expiry, "user": {"username": user.get_username()}}
        return Response(serializers.TokenSerializer(answer).data)


class LogoutView(APIView):
    """Give a token back."""

    authentication_classes = (TokenAuthentication,)

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Void the token of this request."""
        request.auth.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class JobFilter(django_filters.FilterSet):
    """``?state=ACTIVE&renderer=povray``"""

    state = django_filters.MultipleChoiceFilter(choices=JobState.choices)
    renderer = django_filters.CharFilter()
    owner = django_filters.CharFilter(field_name="owner__username")


class JobsView(generics.ListCreateAPIView):
    """The jobs."""

    parser_classes = (
        MultiPartParser,
        JSONParser,
    )
    filterset_class = JobFilter

    def get_queryset(self) -> QuerySet[Job]:
        """The jobs this user may see, newest first."""
        return Job.objects.visible_to(self.request.user).with_progress().select_related("owner", "workspace")

    def get_serializer_class(self) -> type:
        """What comes in differs from what goes out."""
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
        data = self.get_serializer(data=request.data)
        data.is_valid(raise_exception=True)
        fields = data.validated_data
        key = self._key(request)
        wanted = {
            "name": fields["name"],
            "renderer": fields["renderer"],
            "frames_spec": fields["frames"],
            "width": fields["width"],
            "height": fields["height"],
            "options": fields["options"],
        }
        if earlier := self._earlier(request, key, wanted):
            return self._answer(earlier, status.HTTP_200_OK)
        try:
            job = requests.submit(
                request.user,
                fields["scene"],
                fields["filename"],
                fields["main"],
                fields["numbers"],
                idempotency_key=key,
                **wanted,
            )
        except IntegrityError:
            # the same key a moment ago, in another process
            if earlier := self._earlier(request, key, wanted):
                return self._answer(earlier, status.HTTP_200_OK)
            raise
        return self._answer(job, status.HTTP_201_CREATED)

    def _key(self, request: Request) -> str | None:
        key = request.headers.get("Idempotency-Key")
        if key is not None and not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
            raise ValidationError({"Idempotency-Key": f"use 1 to {MAX_KEY} printable ASCII characters"})
        return key

    def _earlier(self, request: Request, key: str | None, wanted: dict[str, Any]) -> Job | None:
        """Return the job that this key made before."""
        job = Job.objects.filter(owner=request.user, idempotency_key=key).first() if key else None
        if job and any(getattr(job, name) != value for name, value in wanted.items()):
            raise Conflict(f"This Idempotency-Key belongs to job {job.pk}, which is another request.")
        return job

    def _answer(self, job: Job, code: int) -> Response:
        data = serializers.JobSerializer(job, context=self.get_serializer_context()).data
        return Response(data, code, headers={"Location": data["urls"]["self"]})


class JobView(generics.RetrieveAPIView):
    """One job."""

    serializer_class = serializers.JobSerializer

    def get_queryset(self) -> QuerySet[Job]:
        """The jobs this user may see."""
        return Job.objects.visible_to(self.request.user).select_related("owner", "workspace")


class CancelView(APIView):
    """Cancel a job."""

    @extend_schema(request=None, responses={200: serializers.JobSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Cancel. Repeating it changes nothing; a job that has ended otherwise is a conflict."""
        job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
        if not requests.cancel(job, request.user.get_username()):
            job.refresh_from_db()
            if job.state not in (JobState.CANCELLING, JobState.CANCELLED):
                raise Conflict(f"Job {pk} has ended: it is {job.state}.")
        return Response(serializers.JobSerializer(job, context={"request": request}).data)


class OfJob(generics.ListAPIView):
    """A list that belongs to a job."""

    def job(self) -> Job:
        """Return the job of the address, if this user may see it."""
        return get_object_or_404(Job.objects.visible_to(self.request.user), pk=self.kwargs["pk"])

    def get_queryset(self) -> QuerySet:
        """The rows that belong to the job."""
        model = self.serializer_class.Meta.model
        if getattr(self, "swagger_fake_view", False):
            return model.objects.none()
        return model.objects.filter(job=self.job())


class FrameFilter(django_filters.FilterSet):
    """``?state=FAILED``"""

    state = django_filters.MultipleChoiceFilter(choices=FrameState.choices)

    class Meta:
        """What it filters."""

        model = Frame
        fields = ()


class EventFilter(django_filters.FilterSet):
    """``?after=120`` gives what came after event 120; ``?level=30`` warnings and errors only."""

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


class BatchesView(OfJob):
    """A job's batches."""

    serializer_class = serializers.BatchSerializer


class EventsView(OfJob):
    """What happened to a job, oldest first."""

    serializer_class = serializers.EventSerializer
    filterset_class = EventFilter

    def get_queryset(self) -> QuerySet[Event]:
        """With the frames' numbers."""
        return super().get_queryset().select_related("frame")


class TransfersView(OfJob):
    """A job's transfers."""

    serializer_class = serializers.TransferSerializer


class FrameFileView(APIView):
    """The rendered file of a frame."""

    @extend_schema(
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        parameters=[
            OpenApiParameter(
                "X-Checksum-Sha256", str, OpenApiParameter.HEADER, response=[200], description="hexadecimal"
            ),
            OpenApiParameter("Digest", str, OpenApiParameter.HEADER, response=[200], description="sha-256=base64"),
        ],
    )
    def get(self, request: Request, pk: int, number: int) -> HttpResponse | FileResponse:
        """Download. In production nginx sends the bytes."""
        jobs = Job.objects.visible_to(request.user)
        frame = get_object_or_404(Frame.objects.filter(job__in=jobs), job=pk, number=number)
        if not frame.file:
            raise Http404(f"Frame {number} of job {pk} has no file yet: it is {frame.state}.")
        name = PurePosixPath(frame.file.name).name
        if settings.SENDFILE:
            response: HttpResponse | FileResponse = HttpResponse(
                headers={"X-Accel-Redirect": settings.MEDIA_URL + quote(frame.file.name)}
            )
            # nginx takes the type from the file's name
            del response.headers["Content-Type"]
            response.headers["Content-Disposition"] = f'inline; filename="{name}"'
        else:
            response = FileResponse(frame.file.open("rb"), filename=name)
        if frame.file_sha256:
            digest = base64.b64encode(bytes.fromhex(frame.file_sha256)).decode()
            response.headers["X-Checksum-Sha256"] = frame.file_sha256
            response.headers["Digest"] = f"sha-256={digest}"
        return response
