"""Read client.json, the configuration file that the worker writes for one batch."""

import json
import re
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from .gelf import LINKS


class ConfigError(ValueError):
    """The configuration or the environment is invalid; the text names the setting."""


class GelfConfig(NamedTuple):
    """Target of log messages; ``transport`` is a key of gelf.LINKS."""

    transport: str
    host: str
    port: int
    ca_file: str
    cert_file: Optional[str]
    key_file: Optional[str]


class Config(NamedTuple):
    """Settings of the client of one batch. Times are in seconds."""

    url: str
    ca_file: str
    token: str
    batch: Any
    job: Any
    native_id_env: List[str]
    gelf: Optional[GelfConfig]
    spool_dir: str
    walltime_end_margin: float
    heartbeat_seconds: float
    walltime_seconds: float


def load(path: str) -> Config:
    """Read and check client.json.

    Raises ConfigError that names the file and the setting.
    """
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        if not isinstance(data, dict):
            raise ConfigError("the top level is not an object")
        return _config(data)
    except (OSError, ValueError) as error:
        raise ConfigError("{}: {}".format(path, error)) from error


def native_id(names: List[str], environ: Mapping[str, str]) -> str:
    """Return the batch job's id from the first variable in ``names`` that is set.

    Raises ConfigError if no variable is set.
    """
    for name in names:
        if environ.get(name):
            # Some Torque versions put the server's index before the id, as in 0:12345.server.
            return re.sub(r"^\d+:", "", environ[name])
    raise ConfigError("none of the variables {} is set: run the client in a batch job".format(", ".join(names)))


def _config(data: Dict[str, Any]) -> Config:
    url = _text(data, "url").rstrip("/")
    if not url.startswith("https://"):
        raise ConfigError("url must start with https://")
    gelf = data.get("gelf")
    config = Config(
        url=url,
        ca_file=_text(data, "ca_file"),
        token=_text(data, "token"),
        batch=_present(data, "batch"),
        job=_present(data, "job"),
        native_id_env=[str(name) for name in _present(data, "native_id_env")],
        gelf=_gelf(gelf) if gelf else None,
        spool_dir=_text(data, "spool_dir"),
        walltime_end_margin=_number(data, "walltime_end_margin", zero=True),
        heartbeat_seconds=_number(data, "heartbeat_seconds"),
        walltime_seconds=_number(data, "walltime_seconds"),
    )
    if config.walltime_end_margin >= config.walltime_seconds:
        raise ConfigError("walltime_end_margin must be less than walltime_seconds")
    return config


def _gelf(data: Dict[str, Any]) -> GelfConfig:
    transport = data.get("transport", "tcp")
    if transport not in LINKS:
        raise ConfigError("gelf.transport must be one of {}".format(", ".join(sorted(LINKS))))
    return GelfConfig(
        transport=transport,
        host=_text(data, "host"),
        port=int(_number(data, "port")),
        ca_file=_text(data, "ca_file"),
        cert_file=data.get("cert_file") or None,
        key_file=data.get("key_file") or None,
    )


def _present(data: Dict[str, Any], name: str) -> Any:
    if data.get(name) in (None, "", []):
        raise ConfigError("{} is missing".format(name))
    return data[name]


def _text(data: Dict[str, Any], name: str) -> str:
    value = _present(data, name)
    if not isinstance(value, str):
        raise ConfigError("{} must be a string".format(name))
    return value


def _number(data: Dict[str, Any], name: str, zero: bool = False) -> float:
    value = _present(data, name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0 or not (value or zero):
        raise ConfigError("{} must be a number {}".format(name, "from 0" if zero else "above 0"))
    return value
