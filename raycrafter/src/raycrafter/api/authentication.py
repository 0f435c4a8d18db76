"""Who asks: a user by token or session, a compute-node client by its batch's token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from raycrafter.jobs.models import Batch

if TYPE_CHECKING:
    # imported by REST framework while it imports its views
    from rest_framework.views import APIView


class TokenAuthentication(KnoxTokenAuthentication):
    """``Authorization: Token …`` of a user; the database holds its hash."""


class BatchAuthentication(BaseAuthentication):
    """``Authorization: Batch …`` of a compute-node client. The request's ``auth`` is the Batch."""

    keyword = "Batch"

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Batch] | None:
        """Return the batch of the token; every refusal looks alike."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != self.keyword.lower().encode():
            return None
        token = words[1].decode("latin-1") if len(words) == 2 else ""
        batch = (
            Batch.objects.select_related("job").filter(token_hash=Batch.hash_token(token)).first() if token else None
        )
        if batch is None or (batch.token_expires and batch.token_expires <= timezone.now()):
            raise AuthenticationFailed("The token is not valid.")
        return AnonymousUser(), batch

    def authenticate_header(self, request: Request) -> str:
        """Make refusals 401, with this scheme."""
        return self.keyword


class IsBatch(BasePermission):
    """Only clients with a batch's token."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the token was a batch's."""
        return isinstance(request.auth, Batch)
