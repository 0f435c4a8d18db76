"""Notification settings of a user: by mail, by a webhook, or not at all."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from raycrafter import webhook
from raycrafter.jobs.models import NotificationChoice
from raycrafter.jobs.notifications import choice_of, choose


class NotificationChoiceSerializer(serializers.ModelSerializer):
    """The notification settings of a user."""

    address = serializers.CharField(source="user.email", help_text="where mail goes; operators set it")
    mail_works = serializers.SerializerMethodField()
    # not a URLField: "" is no address
    webhook = serializers.CharField(help_text="https address; empty for none")

    class Meta:
        """Fields."""

        model = NotificationChoice
        fields = ("mail", "address", "mail_works", "webhook")
        read_only_fields = fields

    def get_mail_works(self, choice: NotificationChoice) -> bool:
        """Whether the site sends mail at all, and there is an address."""
        return bool(settings.RAYCRAFTER.mail.host and choice.user.email)


class ChosenSerializer(NotificationChoiceSerializer):
    """New settings, with a new secret if there is one; it is shown once."""

    secret = serializers.CharField(
        allow_null=True, help_text="key of the HMAC-SHA256 of the body, which is the header X-RayCrafter-Signature"
    )

    class Meta(NotificationChoiceSerializer.Meta):
        """Fields."""

        fields = (*NotificationChoiceSerializer.Meta.fields, "secret")
        read_only_fields = fields


class NotificationChangeSerializer(serializers.Serializer):
    """What to change; what is left out stays."""

    mail = serializers.BooleanField(required=False)
    webhook = serializers.URLField(
        max_length=500, required=False, allow_blank=True, help_text="https, at a public address; empty for none"
    )
    new_secret = serializers.BooleanField(required=False, help_text="make another secret; the old one signs no more")

    def validate_webhook(self, value: str) -> str:
        """Refuse what would never be called."""
        if value:
            try:
                webhook.resolve(value)
            except webhook.WebhookError as error:
                raise serializers.ValidationError(str(error)) from error
        return value


class NotificationsView(APIView):
    """The notifications of whoever asks."""

    @extend_schema(responses={200: NotificationChoiceSerializer})
    def get(self, request: Request) -> Response:
        """Show how you are notified when a job of yours ends or needs you."""
        return Response(NotificationChoiceSerializer(choice_of(request.user)).data)

    @extend_schema(request=NotificationChangeSerializer, responses={200: ChosenSerializer})
    def patch(self, request: Request) -> Response:
        """Change the settings. The first address of a webhook comes with a secret."""
        data = NotificationChangeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        fields: dict[str, Any] = data.validated_data
        choice, secret = choose(
            request.user, fields.get("mail"), fields.get("webhook"), fields.get("new_secret", False)
        )
        return Response(NotificationChoiceSerializer(choice).data | {"secret": secret})
