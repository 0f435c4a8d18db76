"""Addresses below /api/v1/."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from . import client_views, views

client = [
    path("claim", client_views.ClaimView.as_view(), name="api-client-claim"),
    path("heartbeat", client_views.HeartbeatView.as_view(), name="api-client-heartbeat"),
    path("events", client_views.EventsView.as_view(), name="api-client-events"),
    path("frames/<int:number>/result", client_views.ResultView.as_view(), name="api-client-result"),
    path("finish", client_views.FinishView.as_view(), name="api-client-finish"),
]

urlpatterns = [
    path("auth/login", views.LoginView.as_view(), name="api-login"),
    path("auth/logout", views.LogoutView.as_view(), name="api-logout"),
    path("jobs", views.JobsView.as_view(), name="api-jobs"),
    path("jobs/<int:pk>", views.JobView.as_view(), name="api-job"),
    path("jobs/<int:pk>/cancel", views.CancelView.as_view(), name="api-job-cancel"),
    path("jobs/<int:pk>/frames", views.FramesView.as_view(), name="api-job-frames"),
    path("jobs/<int:pk>/frames/<int:number>/file", views.FrameFileView.as_view(), name="api-frame-file"),
    path("jobs/<int:pk>/batches", views.BatchesView.as_view(), name="api-job-batches"),
    path("jobs/<int:pk>/events", views.EventsView.as_view(), name="api-job-events"),
    path("jobs/<int:pk>/transfers", views.TransfersView.as_view(), name="api-job-transfers"),
    path("client/", include(client)),
    path("schema/", SpectacularAPIView.as_view(authentication_classes=[]), name="api-schema"),
]
