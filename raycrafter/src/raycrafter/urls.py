"""Addresses."""

from django.contrib import admin
from django.urls import include, path

from raycrafter.api.health import healthz
from raycrafter.web import errors
from raycrafter.web.views import documentation

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.not_found
handler500 = errors.server_error

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("raycrafter.api.urls")),
    path("api/v1/docs/", documentation, name="api-docs"),
    path("", include("raycrafter.web.urls")),
]
