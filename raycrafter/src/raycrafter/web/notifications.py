"""The page of a user's notification settings."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from raycrafter import webhook
from raycrafter.jobs.notifications import choice_of, choose


class Choice(forms.Form):
    """Mail and webhook."""

    mail = forms.BooleanField(required=False, label="Notify me by mail")
    webhook = forms.URLField(
        max_length=500,
        required=False,
        assume_scheme="https",
        help_text="An https address that is notified as well, in JSON; empty for none.",
    )
    new_secret = forms.BooleanField(required=False, label="Make a new secret for the webhook")

    def clean_webhook(self) -> str:
        """Refuse what would never be called."""
        value = self.cleaned_data["webhook"]
        if value:
            try:
                webhook.resolve(value)
            except webhook.WebhookError as error:
                raise forms.ValidationError(str(error)) from error
        return value


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def notifications(request: HttpRequest) -> HttpResponse:
    """Show the form, or save it. A new secret is shown this once."""
    choice, secret = choice_of(request.user), None
    posted = request.POST if request.method == "POST" else None
    form = Choice(posted, initial={"mail": choice.mail, "webhook": choice.webhook}, label_suffix="")
    if form.is_valid():
        fields = form.cleaned_data
        _, secret = choose(request.user, fields["mail"], fields["webhook"], fields["new_secret"])
        if secret is None:
            messages.success(request, "Saved.")
            return redirect("notifications")
    context = {"form": form, "secret": secret, "site_mails": bool(settings.RAYCRAFTER.mail.host)}
    return render(request, "web/notifications.html", context, status=422 if form.errors else 200)
