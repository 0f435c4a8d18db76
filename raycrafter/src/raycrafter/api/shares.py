"""Access of other users and groups to a job: to see it, or to manage it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from raycrafter.jobs.models import Event, Job, JobShare
from raycrafter.jobs.permissions import actor_of, own_job


class ShareSerializer(serializers.ModelSerializer):
    """A user or group that may see the job."""

    user = serializers.CharField(source="user.username", default=None, allow_null=True)
    group = serializers.CharField(source="group.name", default=None, allow_null=True)

    class Meta:
        """Fields."""

        model = JobShare
        fields = ("id", "user", "group", "manage", "created")
        read_only_fields = fields


class NewShareSerializer(serializers.Serializer):
    """Whom to share with: a user, or a group to which one belongs oneself."""

    user = serializers.CharField(max_length=150, required=False)
    group = serializers.CharField(max_length=150, required=False)
    manage = serializers.BooleanField(default=False, help_text="may also cancel and retry")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Find the one that is named."""
        if ("user" in data) == ("group" in data):
            raise serializers.ValidationError("name either a user or a group")
        asking = self.context["request"].user
        if "user" in data:
            found = get_user_model().objects.filter(username=data["user"], is_active=True).first()
            if found is None:
                raise serializers.ValidationError({"user": "there is no such user"})
            if found.pk == self.context["job"].owner_id:
                raise serializers.ValidationError({"user": "is the job's owner"})
            return {"user": found, "manage": data["manage"]}
        groups = Group.objects.all() if asking.is_staff else asking.groups.all()
        found = groups.filter(name=data["group"]).first()
        if found is None:
            raise serializers.ValidationError({"group": "you belong to no such group"})
        return {"group": found, "manage": data["manage"]}


class OfOwnJob:
    """The shares of a job that one decides about."""

    serializer_class = ShareSerializer
    queryset = JobShare.objects.none()  # tells the schema what the ids are

    def job(self) -> Job:
        """Return the job of the address."""
        return own_job(self.request.user, self.kwargs["pk"])  # type: ignore[attr-defined]

    def get_queryset(self) -> QuerySet[JobShare]:
        """Return the rows of the job."""
        if getattr(self, "swagger_fake_view", False):
            return JobShare.objects.none()
        return JobShare.objects.filter(job=self.job()).select_related("user", "group")


@extend_schema_view(get=extend_schema(description="With whom the job is shared.", operation_id="jobs_shares_list"))
class SharesView(OfOwnJob, generics.ListAPIView):
    """The shares of a job."""

    @extend_schema(
        request=NewShareSerializer,
        responses={201: ShareSerializer, 200: OpenApiResponse(ShareSerializer, description="was shared already")},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Share the job. Repeating it changes what may be done."""
        job = self.job()
        data = NewShareSerializer(data=request.data, context={"request": request, "job": job})
        data.is_valid(raise_exception=True)
        party = {key: value for key, value in data.validated_data.items() if key != "manage"}
        manage = data.validated_data["manage"]
        share, made = JobShare.objects.update_or_create(job=job, **party, defaults={"manage": manage})
        name = next(iter(party.values()))
        text = f"with {name}, {'to manage' if manage else 'to see'}, by {request.user.username}"
        Event.note(job, "shared", text, actor=actor_of(request.user))
        return Response(ShareSerializer(share).data, status.HTTP_201_CREATED if made else status.HTTP_200_OK)


@extend_schema_view(delete=extend_schema(description="Share the job no longer."))
class ShareView(OfOwnJob, generics.DestroyAPIView):
    """One share of a job."""

    lookup_field = "pk"
    lookup_url_kwarg = "share"

    def perform_destroy(self, instance: JobShare) -> None:
        """Remove it and leave a note."""
        instance.delete()
        name = instance.user or instance.group
        user = self.request.user
        text = f"no longer with {name}, by {user.username}"
        Event.note(instance.job, "shared", text, actor=actor_of(user))
