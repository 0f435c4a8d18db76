"""The configuration file (TOML) as typed, frozen objects.

An error names the file, the key, the problem and the fix. The path stands in the environment variable
RAYCRAFTER_CONFIG. Without the variable a development configuration is used (development.py), and tasks run at once in
the same process.
"""

from __future__ import annotations

import os

from .cluster import Cluster
from .development import development, development_directory
from .errors import ConfigError
from .file import ENVIRONMENT, Config, load, parse
from .sections import Broker, Mail, Media, Retention, Webhook

__all__ = [
    "Broker",
    "Cluster",
    "Config",
    "ConfigError",
    "Mail",
    "Media",
    "Retention",
    "Webhook",
    "development",
    "development_directory",
    "from_environment",
    "load",
    "parse",
]


def from_environment() -> tuple[Config, bool]:
    """Return the configuration and whether it is the one of development. Raises ConfigError."""
    path = os.environ.get(ENVIRONMENT)
    return (load(path), False) if path else (development(), True)
