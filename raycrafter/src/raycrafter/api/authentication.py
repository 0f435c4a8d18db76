"""Authentication: users by token or session, compute clients by a batch's token."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.models import AuthToken
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from raycrafter.jobs.models import AccessToken, Batch

if TYPE_CHECKING:
    # imported by REST framework while it imports its views
    from rest_framework.views import APIView

# A time of last use as exact as this costs one UPDATE in so many seconds, not one in every request.
LAST_USE = timedelta(minutes=1)


class TokenAuthentication(KnoxTokenAuthentication):
    """``Authorization: Token …`` of a user; the request's ``auth`` is the AuthToken."""

    def authenticate_credentials(self, token: bytes) -> tuple[Any, AuthToken]:
        """Return user and token."""
        try:
            return super().authenticate_credentials(token)
        except UnicodeDecodeError as error:
            raise AuthenticationFailed("Invalid token.") from error

    def validate_user(self, auth_token: AuthToken) -> tuple[Any, AuthToken]:
        """Refuse users who may not sign in any more; note the use."""
        found = super().validate_user(auth_token)
        access, _ = AccessToken.objects.get_or_create(token=auth_token)
        access.token = auth_token  # auth_token.access is now known without another query
        now = timezone.now()
        if access.last_used is None or now - access.last_used > LAST_USE:
            AccessToken.objects.filter(pk=access.pk).update(last_used=now)
        return found


class MayWrite(BasePermission):
    """A read-only token reads; a view with ``open_to_read_only`` lets it do more."""

    message = "This token is for reading only."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the token is good for this method."""
        if request.method in SAFE_METHODS or not isinstance(request.auth, AuthToken):
            return True
        return not request.auth.access.read_only or getattr(view, "open_to_read_only", False)


class BatchAuthentication(BaseAuthentication):
    """``Authorization: Batch …`` of a compute client; the request's ``auth`` is the Batch."""

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
