"""Django application configuration of the jobs."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """The models of the render manager."""

    name = "raycrafter.jobs"
    label = "jobs"
    default_auto_field = "django.db.models.BigAutoField"
