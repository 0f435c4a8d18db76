"""Signing in, and the tokens of a user: rights, last use, and voiding one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import authenticate
from django.db.models import F, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from knox.models import AuthToken
from knox.settings import knox_settings
from rest_framework import generics, serializers, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from raycrafter.jobs.models import AccessToken

from .authentication import TokenAuthentication
from .serializers import no_control_characters
from .throttles import LoginThrottle

MAX_DAYS = 366


class LoginSerializer(serializers.Serializer):
    """Who signs in, and what for."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)
    name = serializers.CharField(
        max_length=100, default="", allow_blank=True, validators=[no_control_characters], help_text="of the token"
    )
    read_only = serializers.BooleanField(default=False, help_text="a token that changes nothing")


class UserSerializer(serializers.Serializer):
    """A user."""

    username = serializers.CharField()


class SignedInSerializer(serializers.Serializer):
    """A token; it is shown once."""

    token = serializers.CharField()
    expiry = serializers.DateTimeField()
    user = UserSerializer()


class AccessTokenSerializer(serializers.ModelSerializer):
    """What is known of a token. The token itself is not."""

    created = serializers.DateTimeField(source="token.created", read_only=True)
    expiry = serializers.DateTimeField(source="token.expiry", read_only=True, allow_null=True)
    current = serializers.SerializerMethodField()

    class Meta:
        """Fields."""

        model = AccessToken
        fields = ("id", "name", "read_only", "created", "expiry", "last_used", "current")

    def get_current(self, access: AccessToken) -> bool:
        """Whether this request came with it."""
        auth = self.context["request"].auth
        return isinstance(auth, AuthToken) and auth.pk == access.token_id


class NewTokenSerializer(serializers.Serializer):
    """A token to make."""

    name = serializers.CharField(max_length=100, validators=[no_control_characters])
    read_only = serializers.BooleanField(default=False)
    days = serializers.IntegerField(min_value=1, max_value=MAX_DAYS, default=knox_settings.TOKEN_TTL.days)


class MadeTokenSerializer(AccessTokenSerializer):
    """A new token; it is shown once."""

    secret = serializers.CharField(read_only=True, help_text="what stands after `Token ` in Authorization")

    class Meta(AccessTokenSerializer.Meta):
        """Fields."""

        fields = (*AccessTokenSerializer.Meta.fields, "secret")


def make_token(user: Any, name: str, read_only: bool, lifetime: timedelta) -> tuple[AccessToken, str]:
    """Return a new token's row and its text.

    Beyond the limit, the token that was used least lately is void.
    """
    superfluous = user.auth_token_set.order_by(F("access__last_used").desc(nulls_last=True), "-created")
    spare = list(superfluous.values_list("pk", flat=True)[knox_settings.TOKEN_LIMIT_PER_USER - 1 :])
    AuthToken.objects.filter(pk__in=spare).delete()
    instance, text = AuthToken.objects.create(user, expiry=lifetime)
    return AccessToken.objects.create(token=instance, name=name, read_only=read_only), text


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

    @extend_schema(request=LoginSerializer, responses={200: SignedInSerializer}, auth=[])
    def post(self, request: Request) -> Response:
        """Exchange user name and password for a token."""
        data = LoginSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        fields = data.validated_data
        user = authenticate(request, username=fields["username"], password=fields["password"])
        if user is None:
            raise AuthenticationFailed("User name or password is wrong.")
        access, text = make_token(user, fields["name"], fields["read_only"], knox_settings.TOKEN_TTL)
        answer = {"token": text, "expiry": access.token.expiry, "user": {"username": user.get_username()}}
        return Response(SignedInSerializer(answer).data)


class LogoutView(APIView):
    """Give a token back."""

    authentication_classes = (TokenAuthentication,)
    open_to_read_only = True

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Void the token of this request."""
        request.auth.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class OwnTokens:
    """The tokens of whoever asks."""

    serializer_class = AccessTokenSerializer
    queryset = AccessToken.objects.none()  # tells the schema what the ids are

    def get_queryset(self) -> QuerySet[AccessToken]:
        """Newest first."""
        rows = AccessToken.objects.filter(token__user=self.request.user.pk)  # type: ignore[attr-defined]
        return rows.select_related("token").order_by("-pk")


@extend_schema_view(get=extend_schema(description="Your tokens, newest first, with the time of their last use."))
class TokensView(OwnTokens, generics.ListAPIView):
    """The tokens of a user."""

    @extend_schema(request=NewTokenSerializer, responses={201: MadeTokenSerializer})
    def post(self, request: Request) -> Response:
        """Make a token, for a script for instance; its text is in this answer and nowhere else."""
        data = NewTokenSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        fields = data.validated_data
        access, text = make_token(request.user, fields["name"], fields["read_only"], timedelta(days=fields["days"]))
        access.secret = text  # type: ignore[attr-defined]
        return Response(MadeTokenSerializer(access, context={"request": request}).data, status.HTTP_201_CREATED)


@extend_schema_view(delete=extend_schema(description="Void a token. Whoever uses it is refused from now on."))
class TokenView(OwnTokens, generics.DestroyAPIView):
    """One token."""

    def perform_destroy(self, instance: AccessToken) -> None:
        """Remove the hash, and with it all that is known of the token."""
        instance.token.delete()
