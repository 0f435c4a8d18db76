"""Uploads that survive a broken connection: the tus protocol 1.0.0 (creation, termination, expiration).

A scene is announced with its length, sent in one piece or many with PATCH, and named in the job: ``upload=<id>``.
nginx takes no body larger than MAX_PIECE, so a scene of more is sent in several.
"""

from __future__ import annotations

import base64
import binascii
import re
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import exceptions, generics, serializers, status
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from raycrafter.jobs import scene as scenes
from raycrafter.jobs import uploads
from raycrafter.jobs.models import Upload

from .errors import Conflict
from .throttles import SubmitThrottle

VERSION = "1.0.0"
MAX_PIECE = 2 * 1024**3  # bytes
CONTENT_TYPE = "application/offset+octet-stream"
PROTOCOL = {
    "Tus-Resumable": VERSION,
    "Tus-Version": VERSION,
    "Tus-Extension": "creation,termination,expiration",
    "Tus-Max-Size": str(scenes.MAX_UPLOAD),
}
_SHA256 = re.compile(r"[0-9a-f]{64}")


class LengthRequired(exceptions.APIException):
    """The length of a body must be known before it comes."""

    status_code = HTTPStatus.LENGTH_REQUIRED
    default_detail = "Send a Content-Length."


class TooLarge(exceptions.APIException):
    """More than is taken."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class WrongVersion(exceptions.APIException):
    """Another version of the protocol."""

    status_code = HTTPStatus.PRECONDITION_FAILED
    default_detail = f"The protocol is tus {VERSION}."


class PieceParser(BaseParser):
    """Declares the content type; the body is never parsed, it is read as it comes."""

    media_type = CONTENT_TYPE


class UploadSerializer(serializers.ModelSerializer):
    """A scene on its way in."""

    class Meta:
        """Fields."""

        model = Upload
        fields = ("id", "filename", "size", "offset", "sha256", "job", "expires")
        read_only_fields = fields


class Tus:
    """What the addresses of uploads share."""

    serializer_class = UploadSerializer
    queryset = Upload.objects.none()  # tells the schema what the ids are

    def get_queryset(self) -> QuerySet[Upload]:
        """Return the uploads of the user; staff do not see those of others either."""
        return Upload.objects.filter(owner=self.request.user.pk)  # type: ignore[attr-defined]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse another version of the protocol."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        if request.headers.get("Tus-Resumable", VERSION) != VERSION:
            raise WrongVersion

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        """Every answer names the protocol."""
        response = super().finalize_response(*args, **kwargs)  # type: ignore[misc]
        for name, value in PROTOCOL.items():
            response.headers[name] = value
        return response

    def answer(self, upload: Upload, code: int) -> Response:
        """Return the state of an upload, in the protocol's headers and as JSON."""
        headers = {
            "Upload-Offset": str(upload.offset),
            "Upload-Length": str(upload.size),
            "Upload-Expires": format_datetime(upload.expires, usegmt=True),
            "Cache-Control": "no-store",
        }
        data = None if code == status.HTTP_204_NO_CONTENT else UploadSerializer(upload).data
        return Response(data, code, headers=headers)


def _number(request: Request, header: str) -> int:
    """Return a header that is a number. Raises ValidationError."""
    text = request.headers.get(header, "")
    if not re.fullmatch(r"[0-9]{1,15}", text, re.ASCII):
        raise exceptions.ValidationError({header: "is not a number of bytes"})
    return int(text)


def _metadata(text: str) -> dict[str, str]:
    """Return the pairs of an Upload-Metadata header. Raises ValidationError."""
    try:
        pairs = [item.split() for item in text.split(",") if item.strip()]
        return {pair[0]: base64.b64decode(pair[1], validate=True).decode() if pair[1:] else "" for pair in pairs}
    except (binascii.Error, UnicodeDecodeError) as error:
        raise exceptions.ValidationError({"Upload-Metadata": "is not: name base64, name base64"}) from error


@extend_schema_view(get=extend_schema(description="Your uploads, to go on with one after a restart."))
class UploadsView(Tus, generics.ListAPIView):
    """Uploads."""

    throttle_classes = (*generics.ListAPIView.throttle_classes, SubmitThrottle)
    throttle_scope = "submit"

    @extend_schema(
        request=None,
        responses={201: UploadSerializer},
        parameters=[
            OpenApiParameter("Upload-Length", int, OpenApiParameter.HEADER, required=True, description="bytes"),
            OpenApiParameter(
                "Upload-Metadata",
                str,
                OpenApiParameter.HEADER,
                required=True,
                description="`filename` and, to have it checked, `sha256` (hexadecimal); values in base64",
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Announce a scene. Send it to the address in Location, in pieces of 2 GiB at most."""
        size, about = _number(request, "Upload-Length"), _metadata(request.headers.get("Upload-Metadata", ""))
        if not size:
            raise exceptions.ValidationError({"Upload-Length": "is empty"})
        if size > scenes.MAX_UPLOAD:
            raise TooLarge(f"A scene has {scenes.MAX_UPLOAD} bytes at most.")
        try:
            filename = scenes.clean_name(about.get("filename", ""))
        except scenes.SceneError as error:
            raise exceptions.ValidationError({"Upload-Metadata": f"filename: {error}"}) from error
        if not _SHA256.fullmatch(about.get("sha256") or "0" * 64):
            raise exceptions.ValidationError({"Upload-Metadata": "sha256: write 64 hexadecimal digits"})
        uploads.remove_expired()
        uploads.sweep()
        if self.get_queryset().filter(job=None).count() >= uploads.MAX_OPEN:
            raise Conflict(f"You have {uploads.MAX_OPEN} unfinished uploads: finish or delete one.")
        upload = Upload.objects.create(
            owner=request.user,
            filename=filename,
            size=size,
            sha256=about.get("sha256", ""),
            expires=timezone.now() + uploads.LIFETIME,
        )
        response = self.answer(upload, status.HTTP_201_CREATED)
        response.headers["Location"] = request.build_absolute_uri(f"{request.path}/{upload.pk}")
        return response


class UploadView(Tus, generics.GenericAPIView):
    """One upload."""

    parser_classes = (PieceParser,)

    def upload(self) -> Upload:
        """Return the upload of the address."""
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])

    def get(self, request: Request, pk: str) -> Response:
        """Say how much has arrived: `offset`, and `Upload-Offset` in the answer to HEAD."""
        return self.answer(self.upload(), status.HTTP_200_OK)

    @extend_schema(
        request={CONTENT_TYPE: OpenApiTypes.BINARY},
        responses={204: None},
        parameters=[OpenApiParameter("Upload-Offset", int, OpenApiParameter.HEADER, required=True)],
    )
    def patch(self, request: Request, pk: str) -> Response:
        """Send the next bytes, 2 GiB at most, from Upload-Offset on. What arrives is kept, even when the connection
        breaks."""
        if (request.content_type or "").partition(";")[0].strip() != CONTENT_TYPE:
            raise exceptions.UnsupportedMediaType(request.content_type or "", f"Send the bytes as {CONTENT_TYPE}.")
        upload, offset = self.upload(), _number(request, "Upload-Offset")
        if "Content-Length" not in request.headers:
            raise LengthRequired
        length = _number(request, "Content-Length")
        if offset != upload.offset or upload.job_id:
            raise Conflict(f"This upload has {upload.offset} of {upload.size} bytes: go on from there.")
        if length > MAX_PIECE:
            raise TooLarge(f"A piece has {MAX_PIECE} bytes at most: send more of them.")
        if offset + length > upload.size:
            raise TooLarge(f"Only {upload.size - offset} bytes are missing.")
        if len(upload.pieces) >= uploads.MAX_PIECES:
            raise Conflict(f"An upload has {uploads.MAX_PIECES} pieces at most: send larger ones.")
        if not uploads.append(upload, request._request, length):
            raise Conflict("Another request has sent these bytes: ask where the upload stands.")
        return self.answer(upload, status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, pk: str) -> Response:
        """Forget the upload and what has arrived of it."""
        uploads.remove(self.upload())
        return Response(status=status.HTTP_204_NO_CONTENT)
