"""The whole configuration file, and reading it."""

from __future__ import annotations

import tomllib
import types
import typing
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from .cluster import Cluster
from .errors import ConfigError, SettingError
from .sections import Broker, Cache, Celery, Database, Django, Graylog, Mail, Media, Retention, Webhook

ENVIRONMENT = "RAYCRAFTER_CONFIG"


@dataclass(frozen=True, kw_only=True)
class Config:
    """The whole file."""

    django: Django
    database: Database
    broker: Broker
    cache: Cache = field(default_factory=Cache)
    media: Media
    graylog: Graylog = field(default_factory=Graylog)
    mail: Mail = field(default_factory=Mail)
    webhook: Webhook = field(default_factory=Webhook)
    retention: Retention = field(default_factory=Retention)
    cluster: Cluster
    celery: Celery = field(default_factory=Celery)


def _convert(kind: Any, value: Any, key: str) -> Any:
    """Return ``value`` as ``kind``; raise SettingError when it is of another type."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if is_dataclass(kind):
        return _build(kind, value, key)
    if origin is types.UnionType:
        return _convert(next(a for a in arguments if a is not types.NoneType), value, key)
    if origin is list:
        if isinstance(value, list):
            return [_convert(arguments[0], item, f"{key}[{index}]") for index, item in enumerate(value)]
        raise SettingError(key, f"is {type(value).__name__}, not a list", "write it in [ ]")
    if origin is dict:
        if isinstance(value, dict):
            return {name: _convert(arguments[1], item, f"{key}.{name}") for name, item in value.items()}
        raise SettingError(key, f"is {type(value).__name__}, not a table", "write it as a table")
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    fix = {str: "put it in quotes", int: "write a whole number without quotes"}[kind]
    raise SettingError(key, f"is {type(value).__name__}, not {kind.__name__}", fix)


def _build(kind: Any, table: Any, prefix: str = "") -> Any:
    """Return the dataclass ``kind`` filled from a TOML table."""
    if not isinstance(table, dict):
        raise SettingError(prefix, "is not a table", f"write [{prefix}]")
    hints, values = typing.get_type_hints(kind), {}
    known = {item.name: item for item in fields(kind)}
    for name in table:
        if name not in known:
            key = f"{prefix}.{name}" if prefix else name
            raise SettingError(key, "is unknown", "remove it, or use one of " + (", ".join(known) or "(no keys)"))
    for name, item in known.items():
        key = f"{prefix}.{name}" if prefix else name
        if name in table:
            values[name] = _convert(hints[name], table[name], key)
        elif item.default is MISSING and item.default_factory is MISSING:
            raise SettingError(key, "is missing", f"add it below [{prefix}]" if prefix else f"add the table [{name}]")
    return kind(**values)


def parse(text: str, path: str | Path) -> Config:
    """Return the configuration of ``text``; ``path`` is for messages.

    Raises ConfigError.
    """
    try:
        return _build(Config, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, "TOML", str(error), "correct the syntax at the place named") from error
    except SettingError as error:
        raise ConfigError(path, *error.args) from error


def load(path: str | Path) -> Config:
    """Read a configuration file. Raises ConfigError."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        fix = f"make the file readable for this user, or correct {ENVIRONMENT}"
        raise ConfigError(path, "file", f"cannot be read ({error.strerror})", fix) from error
    except UnicodeDecodeError as error:
        raise ConfigError(path, "file", f"is not UTF-8 ({error.reason})", "save it as UTF-8") from error
    return parse(text, path)
