"""What a job has made, to take away: the file of one frame, or all of them in one archive."""

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

from .access import visible_job

CHUNK = 1024 * 1024  # bytes


class FrameFileView(APIView):
    """The rendered file of a frame."""

    # A page shows 48 of them at once, and a picture that is refused stays broken.
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "file"

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
        job = visible_job(request.user, pk)
        frame = get_object_or_404(Frame, job=job, number=number)
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


class ArchiveView(APIView):
    """All rendered files of a job."""

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        """Download every frame that has a file, as one zip. It is made while it is sent: nothing is stored for it."""
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


def _content(name: str) -> Iterator[bytes]:
    with default_storage.open(name) as file:
        while chunk := file.read(CHUNK):
            yield chunk
