"""The page that makes a job, with a preview of the batch script."""

from __future__ import annotations

import json
import math
import secrets
from types import SimpleNamespace
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from raycrafter.api.parsers import TOO_DEEP
from raycrafter.api.serializers import MAX_SIDE, JobCreateSerializer
from raycrafter.api.throttles import SubmitThrottle
from raycrafter.api.views import JobsView
from raycrafter.jobs import frames as frame_numbers
from raycrafter.jobs import rendering, requests
from raycrafter.jobs.errors import RefusedError
from raycrafter.jobs.models import Job
from raycrafter.jobs.scene import ARCHIVE_SUFFIXES, MAX_PATH, SCENE_SUFFIXES

SUBMITTING = SimpleNamespace(throttle_scope=JobsView.throttle_scope)  # counted together with the API's
MAX_OPTIONS = 10_000  # characters
# Stand in the preview for what is known only when the batch is made.
BATCH_NAME = "rc-batch-name"
BATCH_DIRECTORY = "/path/of/the/workspace/batch-1"


class NewJob(forms.Form):
    """The fields as people fill them in; the API's serializer checks them."""

    scene = forms.FileField(
        help_text=f"One of {', '.join(SCENE_SUFFIXES)}, or an archive with one in it: {', '.join(ARCHIVE_SUFFIXES)}.",
        widget=forms.FileInput(attrs={"accept": ",".join((*SCENE_SUFFIXES, *ARCHIVE_SUFFIXES))}),
    )
    name = forms.CharField(max_length=200)
    renderer = forms.ChoiceField(choices=lambda: [(name, name) for name in rendering.names()])
    frames = forms.CharField(
        max_length=frame_numbers.MAX_LENGTH, initial="1-20", help_text="Like 1-20, or 1-100x2,150."
    )
    width = forms.IntegerField(min_value=1, max_value=MAX_SIDE, initial=800, help_text="Pixels.")
    height = forms.IntegerField(min_value=1, max_value=MAX_SIDE, initial=600, help_text="Pixels.")
    main = forms.CharField(
        max_length=MAX_PATH,
        required=False,
        label="File to render",
        help_text="Only for an archive with more than one file that can be rendered.",
    )
    options = forms.CharField(
        max_length=MAX_OPTIONS,
        required=False,
        initial="{}",
        help_text='The renderer\'s own options as JSON, like {"quality": 9} for povray or {"samples": 64} for blender.',
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )
    # Sent twice, the form makes one job.
    key = forms.CharField(max_length=100, initial=lambda: f"page-{secrets.token_urlsafe(16)}", widget=forms.HiddenInput)

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.request = request

    def clean_options(self) -> Any:
        """Read the JSON."""
        try:
            return json.loads(self.cleaned_data["options"] or "{}")
        except RecursionError as error:
            raise forms.ValidationError(f"is {TOO_DEEP}") from error
        except ValueError as error:
            raise forms.ValidationError(f"is not JSON: {error}") from error

    def clean(self) -> dict[str, Any]:
        """Let the API's serializer judge, and look into the scene."""
        data = super().clean()
        if self.errors:
            return data
        judge = JobCreateSerializer(data=data, context={"request": self.request})
        if not judge.is_valid():
            for name, reasons in judge.errors.items():
                field = name.split(".", 1)[0]
                self.add_error(field if field in self.fields else None, [str(reason) for reason in reasons])
            return data
        return judge.validated_data | {"key": data["key"]}


def preview(text: str) -> dict[str, Any]:
    """Return what becomes of a frame specification: ``script``, ``batches`` or ``problem``."""
    site = settings.RAYCRAFTER.cluster
    try:
        count = len(frame_numbers.parse(text))
    except frame_numbers.FramesError as error:
        return {"problem": str(error)}
    script = site.batch_script(BATCH_NAME, BATCH_DIRECTORY)
    return {"script": script, "frames": count, "batches": math.ceil(count / site.chunk_size), "site": site}


def _submit(request: HttpRequest, data: dict[str, Any]) -> Job:
    """Make the job, or return the one that this form made before.

    Raises RefusedError.
    """
    earlier = Job.objects.filter(owner=request.user.pk, idempotency_key=data["key"])
    if job := earlier.first():
        return job
    fields = {name: data[name] for name in ("name", "renderer", "width", "height", "options")}
    fields |= {"frames_spec": data["frames"], "idempotency_key": data["key"]}
    try:
        with transaction.atomic():
            return requests.submit(
                request.user, data["scene"], data["filename"], data["main"], data["numbers"], **fields
            )
    except IntegrityError:
        return earlier.get()


# The form's token is looked for behind the sign-in: it is in the body, and of a stranger's nothing is read.
@csrf_exempt
@never_cache
@login_required
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def new_job(request: HttpRequest) -> HttpResponse:
    """Show the form, or submit it; its button "preview" changes nothing."""
    throttled = False
    if request.method != "POST":
        form = NewJob(request)
    elif "preview" in request.POST or (throttled := not SubmitThrottle().allow_request(request, SUBMITTING)):
        form = NewJob(
            request, initial={name: value for name, value in request.POST.items() if name in NewJob.base_fields}
        )
    else:
        form = NewJob(request, request.POST, request.FILES)
        if form.is_valid():
            try:
                return redirect("job", pk=_submit(request, form.cleaned_data).pk)
            except RefusedError as error:
                form.add_error(None, str(error))
    look = preview(request.POST.get("frames", form["frames"].initial))
    status = 429 if throttled else 422 if form.errors else 200
    context = {"form": form, "preview": look, "throttled": throttled}
    return render(request, "web/new_job.html", context, status=status)
