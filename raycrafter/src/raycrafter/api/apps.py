"""Django application configuration of the REST API."""

from importlib import import_module

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The API of users and of compute-node clients."""

    name = "raycrafter.api"
    label = "api"

    def ready(self) -> None:
        """Make the OpenAPI description's extensions known."""
        import_module("raycrafter.api.schema")
