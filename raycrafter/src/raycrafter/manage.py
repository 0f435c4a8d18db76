"""Django's manage.py as the console script ``raycrafter-manage``."""

import os
import sys

from django.core.management import execute_from_command_line

from raycrafter.config import ConfigError


def main() -> None:
    """Run a management command; a wrong configuration is one line and exit status 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "raycrafter.settings")
    try:
        execute_from_command_line(sys.argv)
    except ConfigError as error:
        sys.exit(f"raycrafter-manage: {error}")


if __name__ == "__main__":
    main()
