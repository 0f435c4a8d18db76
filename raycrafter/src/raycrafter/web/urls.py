"""Addresses of the pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from . import views

urlpatterns = [
    path("", views.job_list, name="job-list"),
    path("jobs/<int:pk>", views.job, name="job"),
    path("jobs/<int:pk>/progress", views.progress, name="job-progress"),
    path("jobs/<int:pk>/cancel", views.cancel, name="job-cancel"),
    path("login/", views.LoginView.as_view(), name="login"),
    path("_staff", views.staff_gate, name="staff_gate"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
