"""Where the service is and who we are there: the environment before the file that ``login`` writes."""

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
    """``ca`` is the file of an authority to trust instead of the system's, or None."""

    url: str
    token: str | None = None
    ca: str | None = None


def path(environ: Mapping[str, str]) -> Path:
    """Return the file's path."""
    base = environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "raycrafter" / "config.json"


def normal_url(url: str) -> str:
    """Return an address without what is superfluous. Raises CliError when it must not be used."""
    url = (url if "://" in url else f"https://{url}").rstrip("/")
    try:
        parts = urlsplit(url)
        # what the network's libraries would stumble over later: a port out of range, labels that are empty or too long
        usable = parts.port != 0 and bool((parts.hostname or "").encode("idna")) and bool(httpx.URL(url).host)
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable or parts.scheme not in ("https", "http") or set(url) & set(" @?#"):
        raise CliError(f"{clean(url)!r} is not an address: use https://HOST[:PORT]")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise CliError("http would show the password to the network: use https://")
    return url


def load(environ: Mapping[str, str]) -> Settings:
    """Return the settings in force. Raises CliError when there is no address."""
    saved = _saved(path(environ))
    url = normal_url(environ["RAYCRAFTER_URL"]) if environ.get("RAYCRAFTER_URL") else None
    token, ca = _token(environ.get("RAYCRAFTER_TOKEN"), "RAYCRAFTER_TOKEN"), environ.get("RAYCRAFTER_CA")
    # what was saved for one server is not for another
    if saved and url in (None, saved.url):
        return Settings(saved.url, token or saved.token, ca or saved.ca)
    if url is None:
        raise CliError("not signed in: raycrafter login URL")
    return Settings(url, token, ca)


def save(settings: Settings, environ: Mapping[str, str]) -> Path:
    """Write the file, readable by its owner only. Raises CliError."""
    target = path(environ)
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes it 0600 from the first moment
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
        raise CliError(f"cannot write {target}: {error}") from error
    return target


def _token(token: str | None, source: str) -> str | None:
    """Return a token if it can be one. Raises CliError, in which the token is not shown."""
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise CliError(f"what {source} holds is no token: copy it again, or sign in with raycrafter login URL")
    return token


def _saved(file: Path) -> Settings | None:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return Settings(normal_url(data["url"]), _token(data.get("token"), str(file)), data.get("ca"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CliError(f"{file} cannot be used ({error}): remove it and sign in again") from error
