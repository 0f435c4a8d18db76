"""Addresses below /api/v1/."""

from django.urls import include, path

from . import compute_client_views, files, notifications, schema, shares, tokens, uploads, views

client = [
    path("claim", compute_client_views.ClaimView.as_view(), name="api-client-claim"),
    path("heartbeat", compute_client_views.HeartbeatView.as_view(), name="api-client-heartbeat"),
    path("events", compute_client_views.EventsView.as_view(), name="api-client-events"),
    path("frames/<int:number>/result", compute_client_views.ResultView.as_view(), name="api-client-result"),
    path("finish", compute_client_views.FinishView.as_view(), name="api-client-finish"),
]

urlpatterns = [
    path("auth/login", tokens.LoginView.as_view(), name="api-login"),
    path("auth/logout", tokens.LogoutView.as_view(), name="api-logout"),
    path("auth/tokens", tokens.TokensView.as_view(), name="api-tokens"),
    path("auth/tokens/<int:pk>", tokens.TokenView.as_view(), name="api-token"),
    path("notifications", notifications.NotificationsView.as_view(), name="api-notifications"),
    path("uploads", uploads.UploadsView.as_view(), name="api-uploads"),
    path("uploads/<slug:pk>", uploads.UploadView.as_view(), name="api-upload"),
    path("jobs", views.JobsView.as_view(), name="api-jobs"),
    path("jobs/<int:pk>", views.JobView.as_view(), name="api-job"),
    path("jobs/<int:pk>/cancel", views.CancelView.as_view(), name="api-job-cancel"),
    path("jobs/<int:pk>/retry", views.RetryView.as_view(), name="api-job-retry"),
    path("jobs/<int:pk>/pause", views.PauseView.as_view(), name="api-job-pause"),
    path("jobs/<int:pk>/resume", views.ResumeView.as_view(), name="api-job-resume"),
    path("jobs/<int:pk>/extend", views.ExtendView.as_view(), name="api-job-extend"),
    path("jobs/<int:pk>/archive", files.ArchiveView.as_view(), name="api-job-archive"),
    path("jobs/<int:pk>/shares", shares.SharesView.as_view(), name="api-job-shares"),
    path("jobs/<int:pk>/shares/<int:share>", shares.ShareView.as_view(), name="api-job-share"),
    path("jobs/<int:pk>/frames", views.FramesView.as_view(), name="api-job-frames"),
    path("jobs/<int:pk>/frames/<int:number>/file", files.FrameFileView.as_view(), name="api-frame-file"),
    path("jobs/<int:pk>/frames/<int:number>/thumbnail", files.FrameThumbnailView.as_view(), name="api-frame-thumbnail"),
    path("jobs/<int:pk>/frames/<int:number>/log", views.FrameLogView.as_view(), name="api-frame-log"),
    path("jobs/<int:pk>/batches", views.BatchesView.as_view(), name="api-job-batches"),
    path("jobs/<int:pk>/events", views.EventsView.as_view(), name="api-job-events"),
    path("jobs/<int:pk>/transfers", views.TransfersView.as_view(), name="api-job-transfers"),
    path("client/", include(client)),
    path("schema/", schema.SchemaView.as_view(), name="api-schema"),
]
