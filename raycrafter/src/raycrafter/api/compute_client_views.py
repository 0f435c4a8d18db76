"""The API of compute clients; the rules are in jobs/compute_client.py."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from raycrafter.jobs import compute_client

from . import compute_client_serializers as serializers
from .authentication import BatchAuthentication, IsBatch


class ClientView(APIView):
    """One POST of a client, by its batch's token."""

    authentication_classes = (BatchAuthentication,)
    permission_classes = (IsBatch,)
    throttle_classes = ()
    serializer_class: type

    def read(self, request: Request) -> dict[str, Any]:
        """Return the checked body."""
        data = self.serializer_class(data=request.data)
        data.is_valid(raise_exception=True)
        return data.validated_data


class ClaimView(ClientView):
    """Ask for work."""

    serializer_class = serializers.ClaimSerializer

    @extend_schema(
        responses={
            200: serializers.ClaimedSerializer,
            204: OpenApiResponse(description="nothing is left"),
            409: OpenApiResponse(description="another client owns this batch"),
            410: OpenApiResponse(description="the batch is over or cancelled"),
        }
    )
    def post(self, request: Request) -> Response:
        """Claim the next frame. The first native id that claims owns the batch."""
        data, batch = self.read(request), request.auth
        work = compute_client.claim(batch, data["native_id"], data["host"])
        if work is None:
            return Response(status=204)
        answer = {
            "job": batch.job_id,
            "batch": batch.pk,
            "renderer": batch.job.renderer,
            "frames": [asdict(work)],
            "stop_at": batch.stop_at,
        }
        return Response(serializers.ClaimedSerializer(answer).data)


class HeartbeatView(ClientView):
    """Say that the client lives."""

    serializer_class = serializers.HeartbeatSerializer

    @extend_schema(responses=serializers.ActionSerializer)
    def post(self, request: Request) -> Response:
        """Report progress; learn whether to go on."""
        data = self.read(request)
        return Response({"action": compute_client.heartbeat(request.auth, data["native_id"], data["frames"])})


class EventsView(ClientView):
    """Report events."""

    serializer_class = serializers.EventsSerializer

    @extend_schema(responses=serializers.LastSeqSerializer)
    def post(self, request: Request) -> Response:
        """Store events; those that are known already are left alone."""
        data = self.read(request)
        return Response({"last_seq": compute_client.events(request.auth, data["native_id"], data["events"])})


class ResultView(ClientView):
    """Report a result."""

    serializer_class = serializers.ResultSerializer

    @extend_schema(responses=serializers.AfterResultSerializer)
    def post(self, request: Request, number: int) -> Response:
        """Say how an attempt ended; repeating it changes nothing."""
        data = self.read(request)
        return Response({"state": compute_client.result(request.auth, data["native_id"], number, data)})


class FinishView(ClientView):
    """Say good-bye."""

    serializer_class = serializers.FinishSerializer

    @extend_schema(responses={200: OpenApiResponse({"type": "object"}, description="done")})
    def post(self, request: Request) -> Response:
        """End: open attempts count as interrupted."""
        data = self.read(request)
        compute_client.finish(request.auth, data["native_id"], data["reason"])
        return Response({})
