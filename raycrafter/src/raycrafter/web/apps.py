"""Django application configuration of the pages."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Server-rendered pages."""

    name = "raycrafter.web"
    label = "web"
