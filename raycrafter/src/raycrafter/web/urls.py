"""Addresses of the pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from . import new_job, notifications, site, views

urlpatterns = [
    path("", views.job_list, name="job-list"),
    path("jobs/new", new_job.new_job, name="job-new"),
    path("jobs/<int:pk>", views.job, name="job"),
    path("jobs/<int:pk>/frames/<int:number>", views.frame, name="job-frame"),
    path("jobs/<int:pk>/<slug:action>", views.act, name="job-act"),
    path("site", site.site, name="site"),
    path("notifications", notifications.notifications, name="notifications"),
    path("login/", views.LoginView.as_view(), name="login"),
    path("_staff", views.staff_gate, name="staff_gate"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
