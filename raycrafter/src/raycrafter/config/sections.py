"""The sections of the configuration file, but for [cluster]."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from .checks import check_at_least, check_choice, check_together
from .errors import SettingError


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
            raise SettingError("django.secret_key", "is too weak", "generate at least 50 random characters")
        if not self.allowed_hosts or "*" in self.allowed_hosts:
            raise SettingError("django.allowed_hosts", "names no hosts", "list the host names of public_url, never *")
        for origin in [self.public_url, *self.extra_origins]:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
                key = "public_url" if origin == self.public_url else "extra_origins"
                raise SettingError(f"django.{key}", f"{origin!r} is not an origin", 'write it like "https://host:port"')
        try:
            ZoneInfo(self.time_zone)
        except (ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
            raise SettingError("django.time_zone", str(error), 'use a name like "Europe/Berlin"') from error
        except KeyError as error:
            raise SettingError("django.time_zone", f"{self.time_zone!r} is unknown", 'use one like "UTC"') from error

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
        """Refuse a broker without TLS; the in-memory one is for development."""
        scheme = urlsplit(self.url).scheme
        check_choice(scheme, "broker.url", ("amqps", "memory"))
        if scheme == "amqps" and not self.ca_file:
            raise SettingError("broker.ca_file", "is missing", "name the CA certificate that signed the broker's")
        if self.cert_file or self.key_file:
            check_together("broker", {"cert_file": self.cert_file, "key_file": self.key_file})

    @property
    def tls(self) -> dict[str, Any] | None:
        """Celery's options for TLS, None without; they have the broker's name checked."""
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
    """[media]: scenes and frames, in a directory (web hosts) or by HTTP (workers)."""

    root: str = ""
    url: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""

    def __post_init__(self) -> None:
        """Exactly one of the two."""
        if bool(self.root) == bool(self.url):
            problem = "both are set" if self.root else "neither is set"
            raise SettingError("media.root, media.url", problem, "set root on web hosts, url on worker hosts")
        if self.url:
            if urlsplit(self.url).scheme != "https":
                raise SettingError("media.url", f"{self.url!r} is not https", 'write it like "https://host:8444/"')
            for key in ("ca_file", "cert_file", "key_file"):
                if not getattr(self, key):
                    raise SettingError(f"media.{key}", "is missing", "media.url needs the host's client certificate")
        elif not Path(self.root).is_absolute():
            raise SettingError("media.root", f"{self.root!r} is relative", "give an absolute directory")


@dataclass(frozen=True, kw_only=True)
class Graylog:
    """[graylog]: a link for people, an address for clients."""

    search_url: str = ""
    gelf_host: str = ""
    gelf_port: int = 12202
    gelf_transport: str = "tcp"

    def __post_init__(self) -> None:
        """Refuse an unknown transport, and a link without a place for the query."""
        if self.gelf_transport not in ("tcp", "http"):
            raise SettingError("graylog.gelf_transport", f"is {self.gelf_transport!r}", "choose tcp or http")
        if self.search_url and "{query}" not in self.search_url:
            raise SettingError("graylog.search_url", "has no {query}", "write {query} where the search text goes")


@dataclass(frozen=True, kw_only=True)
class Mail:
    """[mail]: the relay, and the operators' addresses; without a host, no mail."""

    host: str = ""
    port: int = 25
    tls: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    operators: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Refuse a relay without a sender, and a password without TLS."""
        check_choice(self.tls, "mail.tls", ("starttls", "tls", "none"))
        check_together("mail", {"user": self.user, "password": self.password})
        if self.host and "@" not in self.sender:
            raise SettingError("mail.sender", f"{self.sender!r} is no address", 'write it like "render@example.org"')
        if self.user and self.tls == "none":
            raise SettingError("mail.tls", "is none, the password would be readable", "use starttls or tls")


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
                raise SettingError("webhook.networks", str(error), 'write them like "192.0.2.0/24"') from error


@dataclass(frozen=True, kw_only=True)
class Retention:
    """[retention]: days that files, and then jobs, are kept after their end; 0: for ever."""

    keep_days: int = 0
    keep_job_days: int = 0
    warn_days: int = 7

    def __post_init__(self) -> None:
        """Refuse to delete rows before the files that they name."""
        for key in ("keep_days", "keep_job_days", "warn_days"):
            check_at_least(getattr(self, key), f"retention.{key}", 0)
        if self.keep_job_days and not 0 < self.keep_days <= self.keep_job_days:
            problem = f"{self.keep_job_days} would delete jobs whose files are kept"
            raise SettingError("retention.keep_job_days", problem, "set keep_days too, to as many days or fewer")


@dataclass(frozen=True, kw_only=True)
class Celery:
    """[celery]: nothing to set yet; the table may be there."""
