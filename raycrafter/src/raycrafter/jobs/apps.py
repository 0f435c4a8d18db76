"""Django application configuration of the jobs."""

from django.apps import AppConfig

from raycrafter.task_ids import TracedTask


class JobsConfig(AppConfig):
    """The models of the render manager."""

    name = "raycrafter.jobs"
    label = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the lines of tasks carry the id of their job."""
        from .log_fields import find_job  # models can be imported from here on

        TracedTask.find_job = staticmethod(find_job)
