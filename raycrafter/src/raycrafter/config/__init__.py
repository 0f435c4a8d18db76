"""The configuration file (TOML) as typed, frozen objects. Whatever is wrong with it is said by file, key and mend.

The path stands in the environment variable RAYCRAFTER_CONFIG. Without the variable a development configuration is used:
SQLite and files below RAYCRAFTER_DEV_DIR (default ``.cache/raycrafter``), tasks run at once in the same process.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import tomllib
import types
import typing
from collections.abc import Collection
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from raycrafter.cluster.batch_answers import ANSWERS
from raycrafter.cluster.batch_dialects import DIALECTS
from raycrafter.cluster.batch_script import render
from raycrafter.cluster.batch_spec import BatchScriptError, parse_walltime
from raycrafter.cluster.batch_template import PLAIN
from raycrafter.cluster.site import batch_spec
from raycrafter.cluster.transfer import KINDS

ENVIRONMENT = "RAYCRAFTER_CONFIG"
DEVELOPMENT_DIRECTORY = "RAYCRAFTER_DEV_DIR"


class ConfigError(Exception):
    """Something in the configuration file is missing or wrong."""

    def __init__(self, path: str | Path, key: str, problem: str, mend: str) -> None:
        self.path, self.key, self.problem, self.mend = str(path), key, problem, mend
        super().__init__(f"{path}: {key}: {problem}. Mend: {mend}")


class _KeyError(Exception):
    """A problem with one key; becomes a ConfigError once the file is known."""

    def __init__(self, key: str, problem: str, mend: str) -> None:
        super().__init__(key, problem, mend)


def _walltime(text: str, key: str) -> int:
    try:
        return parse_walltime(text)
    except BatchScriptError as error:
        raise _KeyError(key, error.reason, 'write hours, minutes and seconds, like "01:30:00"') from error


def _choice(value: str, key: str, allowed: Collection[str]) -> None:
    if value not in allowed:
        raise _KeyError(key, f"{value!r} is unknown", "use one of " + ", ".join(allowed))


def _at_least(value: int, key: str, least: int) -> None:
    if value < least:
        raise _KeyError(key, f"{value} is too small", f"use {least} or more")


def _together(section: str, values: dict[str, str]) -> None:
    """All of the keys or none: a certificate without its key cannot work."""
    missing = [key for key, value in values.items() if not value]
    if missing and len(missing) != len(values):
        raise _KeyError(f"{section}.{missing[0]}", "is missing", f"set {', '.join(values)} together, or none of them")


@dataclass(frozen=True, kw_only=True)
class Django:
    """[django]"""

    secret_key: str = field(repr=False)
    allowed_hosts: list[str]
    public_url: str
    extra_origins: list[str] = field(default_factory=list)
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        """Refuse what would start but be wrong."""
        if len(self.secret_key) < 50 or len(set(self.secret_key)) < 5:
            raise _KeyError("django.secret_key", "is too weak", "generate at least 50 random characters")
        if not self.allowed_hosts or "*" in self.allowed_hosts:
            raise _KeyError("django.allowed_hosts", "names no hosts", "list the host names of public_url, never *")
        for origin in [self.public_url, *self.extra_origins]:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
                key = "public_url" if origin == self.public_url else "extra_origins"
                raise _KeyError(f"django.{key}", f"{origin!r} is not an origin", 'write it like "https://host:port"')
        try:
            ZoneInfo(self.time_zone)
        except (ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
            raise _KeyError("django.time_zone", str(error), 'use a name like "Europe/Berlin"') from error
        except KeyError as error:
            raise _KeyError("django.time_zone", f"{self.time_zone!r} is unknown", 'use one like "UTC"') from error

    @property
    def origins(self) -> list[str]:
        """The origins of which forms are accepted."""
        return [origin.rstrip("/") for origin in (self.public_url, *self.extra_origins)]


@dataclass(frozen=True, kw_only=True)
class Database:
    """[database]: PostgreSQL over TLS, its name verified."""

    name: str
    user: str
    password: str = field(repr=False)
    host: str
    port: int = 5432
    ca_file: str


@dataclass(frozen=True, kw_only=True)
class Broker:
    """[broker]"""

    url: str = field(repr=False)
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""

    def __post_init__(self) -> None:
        """A broker is reached over TLS, or it is the in-memory one of development."""
        scheme = urlsplit(self.url).scheme
        _choice(scheme, "broker.url", ("amqps", "memory"))
        if scheme == "amqps" and not self.ca_file:
            raise _KeyError("broker.ca_file", "is missing", "name the CA certificate that signed the broker's")
        if self.cert_file or self.key_file:
            _together("broker", {"cert_file": self.cert_file, "key_file": self.key_file})

    @property
    def tls(self) -> dict[str, Any] | None:
        """What Celery must be told of TLS; None without. The broker's name is checked only if it is named here."""
        if not self.url.startswith("amqps:"):
            return None
        options = {
            "ca_certs": self.ca_file,
            "cert_reqs": ssl.CERT_REQUIRED,
            "server_hostname": urlsplit(self.url).hostname,
        }
        return options | ({"certfile": self.cert_file, "keyfile": self.key_file} if self.cert_file else {})


@dataclass(frozen=True, kw_only=True)
class Cache:
    """[cache]: memcached servers; none means the process's own memory."""

    servers: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Media:
    """[media]: where scenes and frames are. Either a directory (web hosts) or an HTTP storage (workers)."""

    root: str = ""
    url: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""

    def __post_init__(self) -> None:
        """Exactly one of the two."""
        if bool(self.root) == bool(self.url):
            problem = "both are set" if self.root else "neither is set"
            raise _KeyError("media.root, media.url", problem, "set root on web hosts, url on worker hosts")
        if self.url:
            if urlsplit(self.url).scheme != "https":
                raise _KeyError("media.url", f"{self.url!r} is not https", 'write it like "https://host:8444/"')
            for key in ("ca_file", "cert_file", "key_file"):
                if not getattr(self, key):
                    raise _KeyError(f"media.{key}", "is missing", "media.url needs the host's client certificate")
        elif not Path(self.root).is_absolute():
            raise _KeyError("media.root", f"{self.root!r} is relative", "give an absolute directory")


@dataclass(frozen=True, kw_only=True)
class Graylog:
    """[graylog]: a link for people, an address for clients."""

    search_url: str = ""
    gelf_host: str = ""
    gelf_port: int = 12202
    gelf_transport: str = "tcp"

    def __post_init__(self) -> None:
        """The link needs the place of the query, and clients know two transports."""
        if self.gelf_transport not in ("tcp", "http"):
            raise _KeyError("graylog.gelf_transport", f"is {self.gelf_transport!r}", "choose tcp or http")
        if self.search_url and "{query}" not in self.search_url:
            raise _KeyError("graylog.search_url", "has no {query}", "write {query} where the search text goes")


@dataclass(frozen=True, kw_only=True)
class Mail:
    """[mail]: the relay, and the addresses of operators who are told what they must do; no host, no mail."""

    host: str = ""
    port: int = 25
    tls: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    operators: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """A relay needs a sender, and a password does not travel in the clear."""
        _choice(self.tls, "mail.tls", ("starttls", "tls", "none"))
        _together("mail", {"user": self.user, "password": self.password})
        if self.host and "@" not in self.sender:
            raise _KeyError("mail.sender", f"{self.sender!r} is no address", 'write it like "render@example.org"')
        if self.user and self.tls == "none":
            raise _KeyError("mail.tls", "is none, the password would be readable", "use starttls or tls")


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """[webhook]: networks that users' webhooks may be in although they are not public."""

    networks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse what is no network."""
        for network in self.networks:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise _KeyError("webhook.networks", str(error), 'write them like "192.0.2.0/24"') from error


@dataclass(frozen=True, kw_only=True)
class Retention:
    """[retention]: days after its end that a job's files, and then the job itself, are kept; 0 keeps them for ever."""

    keep_days: int = 0
    keep_job_days: int = 0
    warn_days: int = 7

    def __post_init__(self) -> None:
        """Files go before the rows that know them."""
        for key in ("keep_days", "keep_job_days", "warn_days"):
            _at_least(getattr(self, key), f"retention.{key}", 0)
        if self.keep_job_days and not 0 < self.keep_days <= self.keep_job_days:
            problem = f"{self.keep_job_days} would delete jobs whose files are kept"
            raise _KeyError("retention.keep_job_days", problem, "set keep_days too, to as many days or fewer")


# What a batch script's description calls what has another name in [cluster] (cluster/site.py makes one of the other).
SCRIPTS_WORDS = {
    "node.cores": "cores_per_node",
    "node.numa_nodes": "numa_nodes",
    "node.hyperthreads": "hyperthreads",
    "command[0]": "client_python",
}


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """[cluster]: the one site that jobs run at. Times in seconds unless the name says otherwise."""

    name: str
    ssh_config: str
    ssh_host: str = "cluster"
    dialect: str
    answers: str
    launcher: str
    queue: str
    account: str = ""
    project: str = ""
    cores_per_node: int
    numa_nodes: int = 1
    hyperthreads: int = 1
    nodes: int = 1
    walltime: str = "01:00:00"
    walltime_margin: int = 60
    workspace_days: int = 7
    workspace_warn_days: list[int] = field(default_factory=lambda: [7, 1])
    poll_interval: int = 45
    chunk_size: int = 10
    max_batches: int = 4
    transfer: str = "gridftp"
    gridftp_url: str = ""
    proxy_file: str = ""
    scratch: str
    client_python: str
    client_tls_dir: str
    modules: list[str] = field(default_factory=list)
    prologue: str = ""
    epilogue: str = ""
    template: str = PLAIN
    renderers: dict[str, str]

    def __post_init__(self) -> None:
        """Refuse what no batch system would take."""
        _choice(self.answers, "cluster.answers", ANSWERS)
        _choice(self.dialect, "cluster.dialect", DIALECTS)
        if self.dialect not in ANSWERS[self.answers].dialects:
            fits = ", ".join(ANSWERS[self.answers].dialects)
            problem = f"{self.dialect!r} is not read where answers are {self.answers!r}"
            raise _KeyError("cluster.dialect", problem, f"use {fits}, or correct answers")
        for key in ("cores_per_node", "numa_nodes", "hyperthreads", "nodes", "workspace_days", "poll_interval"):
            _at_least(getattr(self, key), f"cluster.{key}", 1)
        for key in ("chunk_size", "max_batches"):
            _at_least(getattr(self, key), f"cluster.{key}", 1)
        if not 0 <= self.walltime_margin < _walltime(self.walltime, "cluster.walltime"):
            raise _KeyError(
                "cluster.walltime_margin", f"{self.walltime_margin} leaves no time", "make it less than walltime"
            )
        self._check_transfer()
        if self.workspace_days * 86400 < self.walltime_seconds + self.walltime_margin:
            problem = f"{self.workspace_days} is less than one batch may take"
            raise _KeyError("cluster.workspace_days", problem, "ask for more days, or make walltime shorter")
        if not self.renderers:
            raise _KeyError("cluster.renderers", "is empty", 'add a line like povray = "/usr/bin/povray"')
        try:
            render(batch_spec(self, "trial", "/trial"), self.template)
        except BatchScriptError as error:
            key, reason = error.field, error.reason
            for inner, ours in SCRIPTS_WORDS.items():
                key, reason = key.replace(inner, ours), reason.replace(inner, ours)
            raise _KeyError(f"cluster.{key}", reason, "docs/batch-scripts.md tells what it may be") from error

    def _check_transfer(self) -> None:
        """GridFTP needs a server and a proxy; ssh needs neither."""
        _choice(self.transfer, "cluster.transfer", KINDS)
        for key in ("gridftp_url", "proxy_file"):
            if self.transfer == "gridftp" and not getattr(self, key):
                raise _KeyError(f"cluster.{key}", "is missing", 'set it, or transfer = "ssh" below [cluster]')
            if self.transfer != "gridftp" and getattr(self, key):
                raise _KeyError(f"cluster.{key}", "is for GridFTP alone", 'remove it, or set transfer = "gridftp"')
        if self.gridftp_url and urlsplit(self.gridftp_url).scheme not in ("gsiftp", "sshftp", "file"):
            raise _KeyError(
                "cluster.gridftp_url", f"{self.gridftp_url!r} is no GridFTP address", 'use "gsiftp://host:2811"'
            )

    @property
    def walltime_seconds(self) -> int:
        """The walltime of a batch in seconds."""
        return _walltime(self.walltime, "cluster.walltime")


@dataclass(frozen=True, kw_only=True)
class Celery:
    """[celery]: nothing to set yet; the table may be there."""


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
    """Return ``value`` as ``kind``; raise _KeyError when it is of another type."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if is_dataclass(kind):
        return _build(kind, value, key)
    if origin is types.UnionType:
        return _convert(next(a for a in arguments if a is not types.NoneType), value, key)
    if origin is list:
        if isinstance(value, list):
            return [_convert(arguments[0], item, f"{key}[{index}]") for index, item in enumerate(value)]
        raise _KeyError(key, f"is {type(value).__name__}, not a list", "write it in [ ]")
    if origin is dict:
        if isinstance(value, dict):
            return {name: _convert(arguments[1], item, f"{key}.{name}") for name, item in value.items()}
        raise _KeyError(key, f"is {type(value).__name__}, not a table", "write it as a table")
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    mend = {str: "put it in quotes", int: "write a whole number without quotes"}[kind]
    raise _KeyError(key, f"is {type(value).__name__}, not {kind.__name__}", mend)


def _build(kind: Any, table: Any, prefix: str = "") -> Any:
    """Return the dataclass ``kind`` filled from a TOML table."""
    if not isinstance(table, dict):
        raise _KeyError(prefix, "is not a table", f"write [{prefix}]")
    hints, values = typing.get_type_hints(kind), {}
    known = {item.name: item for item in fields(kind)}
    for name in table:
        if name not in known:
            key = f"{prefix}.{name}" if prefix else name
            raise _KeyError(key, "is unknown", "remove it, or use one of " + (", ".join(known) or "(no keys)"))
    for name, item in known.items():
        key = f"{prefix}.{name}" if prefix else name
        if name in table:
            values[name] = _convert(hints[name], table[name], key)
        elif item.default is MISSING and item.default_factory is MISSING:
            raise _KeyError(key, "is missing", f"add it below [{prefix}]" if prefix else f"add the table [{name}]")
    return kind(**values)


def parse(text: str, path: str | Path) -> Config:
    """Return the configuration that ``text`` describes; ``path`` is for messages. Raises ConfigError."""
    try:
        return _build(Config, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, "TOML", str(error), "correct the syntax at the place named") from error
    except _KeyError as error:
        raise ConfigError(path, *error.args) from error


def load(path: str | Path) -> Config:
    """Read a configuration file. Raises ConfigError."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        mend = f"make the file readable for this user, or correct {ENVIRONMENT}"
        raise ConfigError(path, "file", f"cannot be read ({error.strerror})", mend) from error
    except UnicodeDecodeError as error:
        raise ConfigError(path, "file", f"is not UTF-8 ({error.reason})", "save it as UTF-8") from error
    return parse(text, path)


def development_directory() -> Path:
    """Return the directory of the development configuration."""
    return Path(os.environ.get(DEVELOPMENT_DIRECTORY, ".cache/raycrafter")).absolute()


def development() -> Config:
    """Return the configuration without a file: for unit tests and for trying things."""
    home = development_directory()
    return Config(
        django=Django(
            secret_key="-".join(["development"] * 6),
            allowed_hosts=["localhost", "127.0.0.1", "testserver"],
            public_url="http://localhost:8000",
        ),
        database=Database(name=str(home / "db.sqlite3"), user="", password="", host="", ca_file=""),
        broker=Broker(url="memory://"),
        media=Media(root=str(home / "media")),
        graylog=Graylog(search_url="https://graylog.invalid/search?q={query}&rangetype=relative&relative={seconds}"),
        cluster=Cluster(
            name="development",
            ssh_config="/dev/null",
            dialect="torque",
            answers="slurm_torque",
            launcher="none",
            queue="workq",
            cores_per_node=2,
            poll_interval=5,
            gridftp_url="gsiftp://localhost:2811",
            proxy_file=str(home / "proxy.pem"),
            scratch=str(home / "scratch"),
            client_python="/lustre/sw/raycrafter/current/bin/python",
            client_tls_dir="/lustre/sw/raycrafter/tls",
            renderers={"povray": "/usr/bin/povray"},
        ),
    )


def from_environment() -> tuple[Config, bool]:
    """Return the configuration and whether it is the one of development. Raises ConfigError."""
    path = os.environ.get(ENVIRONMENT)
    return (load(path), False) if path else (development(), True)
