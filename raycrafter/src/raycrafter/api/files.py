"""Files of a job to download: one frame, or all of them in one archive."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView
from zipstream import ZIP_STORED, ZipStream

from raycrafter.jobs.models import Frame
from raycrafter.jobs.permissions import visible_job
from raycrafter.jobs.thumbnails import thumbnail_path

CHUNK = 1024 * 1024  # bytes


class FrameView(APIView):
    """What is kept of one frame."""

    # A page shows 48 of them at once, and a picture that is refused stays broken.
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "file"

    def frame(self) -> Frame:
        """Return the frame that was asked for, which has a file."""
        pk, number = self.kwargs["pk"], self.kwargs["number"]
        frame = get_object_or_404(Frame, job=visible_job(self.request.user, pk), number=number)
        if not frame.file:
            raise Http404(f"Frame {number} of job {pk} has no file yet: it is {frame.state}.")
        return frame


class FrameFileView(FrameView):
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
        """Download. In production nginx sends the bytes, parts of them where a Range is asked for."""
        frame = self.frame()
        response = _sent(frame.file.name)
        if frame.file_sha256:
            digest = base64.b64encode(bytes.fromhex(frame.file_sha256)).decode()
            response.headers["X-Checksum-Sha256"] = frame.file_sha256
            response.headers["Digest"] = f"sha-256={digest}"
        return response


class FrameThumbnailView(FrameView):
    """A small picture of a frame."""

    @extend_schema(responses={(200, "image/*"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: int, number: int) -> HttpResponse | FileResponse:
        """Download at most 384 by 384 pixels, or the file itself where there is no small copy of it."""
        frame = self.frame()
        return _sent(thumbnail_path(frame.file.name) if frame.thumbnail else frame.file.name)


class ArchiveView(APIView):
    """All rendered files of a job."""

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        """Download every frame that has a file, as one zip.

        The archive is made while it is sent: nothing is stored for it.
        """
        frames = visible_job(request.user, pk).frames.exclude(file="").order_by("number")
        rows = list(frames.values_list("file", "file_size"))
        if not rows:
            raise Http404(f"Job {pk} has no files yet.")
        # images are compressed already; unpacked sizes are known, so is the archive's
        archive = ZipStream(compress_type=ZIP_STORED, sized=True)
        for name, size in rows:
            archive.add(_content(name), PurePosixPath(name).name, size=size)
        return StreamingHttpResponse(
            archive,
            content_type="application/zip",
            headers={
                "Content-Length": str(len(archive)),
                "Content-Disposition": f'attachment; filename="job-{pk}.zip"',
                # nginx would write it to its disk first
                "X-Accel-Buffering": "no",
            },
        )


def _sent(name: str) -> HttpResponse | FileResponse:
    """Return a response with a file of the media storage; nginx sends the bytes."""
    filename = PurePosixPath(name).name
    if not settings.SENDFILE:
        return FileResponse(default_storage.open(name), filename=filename)
    response = HttpResponse(headers={"X-Accel-Redirect": settings.MEDIA_URL + quote(name)})
    # nginx takes the type from the file's name
    del response.headers["Content-Type"]
    response.headers["Content-Disposition"] = f'inline; filename="{filename}"'
    return response


def _content(name: str) -> Iterator[bytes]:
    with default_storage.open(name) as file:
        while chunk := file.read(CHUNK):
            yield chunk
