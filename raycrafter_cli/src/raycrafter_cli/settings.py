"""Load and save the server's address and the token.

The environment overrides the file that ``login`` writes.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from .errors import CliError
from .text import clean

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Settings:
    """Address, token, and a CA file to trust instead of the system's CAs."""

    url: str
    token: str | None = None
    ca: str | None = None


def path(environ: Mapping[str, str]) -> Path:
    """Return the path of the settings file."""
    base = environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "raycrafter" / "config.json"


def normal_url(url: str) -> str:
    """Return an address in canonical form. Raises CliError for an unusable address."""
    url = (url if "://" in url else f"https://{url}").rstrip("/")
    try:
        parts = urlsplit(url)
        # Refuse values that fail later in httpx: ports out of range, empty or too long labels.
        usable = parts.port != 0 and bool((parts.hostname or "").encode("idna")) and bool(httpx.URL(url).host)
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable or parts.scheme not in ("https", "http") or set(url) & set(" @?#"):
        raise CliError(f"{clean(url)!r} is not an address: use https://HOST[:PORT]")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise CliError("http would send the password in clear text: use https://")
    return url


def load(environ: Mapping[str, str]) -> Settings:
    """Return the effective settings. Raises CliError without an address."""
    saved = _saved(path(environ))
    url = normal_url(environ["RAYCRAFTER_URL"]) if environ.get("RAYCRAFTER_URL") else None
    token, ca = _token(environ.get("RAYCRAFTER_TOKEN"), "RAYCRAFTER_TOKEN"), environ.get("RAYCRAFTER_CA")
    # A saved token is for the saved address only.
    if saved and url in (None, saved.url):
        return Settings(saved.url, token or saved.token, ca or saved.ca)
    if url is None:
        raise CliError("you are not signed in: raycrafter login URL")
    return Settings(url, token, ca)


def save(settings: Settings, environ: Mapping[str, str]) -> Path:
    """Write the settings file with mode 0600; return its path. Raises CliError."""
    target = path(environ)
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp creates the file with mode 0600.
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".config-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(settings), file, indent=2)
                file.write("\n")
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CliError(f"cannot write {target}: {error}\nXDG_CONFIG_HOME sets another directory.") from error
    return target


def _token(token: str | None, source: str) -> str | None:
    """Check the form of a token. Raises CliError without the token in its text."""
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise CliError(f"the token in {source} is invalid: copy it again, or sign in with raycrafter login URL")
    return token


def _saved(file: Path) -> Settings | None:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return Settings(normal_url(data["url"]), _token(data.get("token"), str(file)), data.get("ca"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CliError(f"{file} is invalid ({error}): remove the file and sign in again") from error
