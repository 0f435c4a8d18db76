"""Errors that a person can act on."""

from __future__ import annotations

import os
import ssl
from typing import Any

import click
import httpx

from .text import clean

EXIT_FAILED = 1  # the job failed or was cancelled, or a frame could not be fetched
EXIT_ERROR = 2  # usage, connection, refusal
EXIT_INTERRUPTED = 130
EXIT_UNREAD = 141  # nobody reads the output any more: as of a program that SIGPIPE has ended


# OpenSSL's numbers: self-signed, no issuer found, no issuer here, no chain
UNKNOWN_AUTHORITY = {18, 19, 20, 21}


class CliError(click.ClickException):
    """Ends the command with a message and exit code 2."""

    exit_code = EXIT_ERROR


class SignedOutError(CliError):
    """The server does not know the token, or no more."""


class CertificateError(CliError):
    """The server's certificate is not trusted: another try changes nothing."""


def connection_error(error: httpx.HTTPError, url: str) -> CliError:
    """Return what to tell a person about a request that got no answer."""
    host = httpx.URL(url).netloc.decode()
    certificate = _certificate_error(error)
    if certificate is not None:
        problem = f"the certificate of {host} is not trusted: {certificate.verify_message or certificate}"
        if certificate.verify_code not in UNKNOWN_AUTHORITY:
            return CertificateError(f"{problem}\nIs the address the right one, and this machine's clock?")
        return CertificateError(
            f"{problem}\n"
            "If the site has a certificate authority of its own, get that authority's certificate and run\n"
            f"  raycrafter login {url} --ca FILE\n"
            "or set RAYCRAFTER_CA to the file."
        )
    if isinstance(error, httpx.TimeoutException):
        return CliError(f"{host} does not answer in time ({type(error).__name__})")
    return CliError(f"cannot reach {host}: {clean(str(error)) or type(error).__name__}")


def status_error(response: httpx.Response, url: str) -> CliError:
    """Return what to tell a person about a refusal; the server explains itself with application/problem+json."""
    problem = _problem(response)
    if response.status_code == httpx.codes.UNAUTHORIZED:
        detail = problem.get("detail") or "not signed in"
        given = "\nThe token is that in RAYCRAFTER_TOKEN." if os.environ.get("RAYCRAFTER_TOKEN") else ""
        return SignedOutError(f"{clean(detail)}\nSign in again: raycrafter login {url}{given}")
    if response.is_redirect:
        target = response.headers.get("location", "elsewhere")
        return CliError(f"the server points to {clean(target)}: sign in with the right address")
    code = response.status_code
    title = str(problem.get("detail") or problem.get("title") or response.reason_phrase or "no reason given")
    lines = [f"{clean(title)} ({code})"]
    for item in problem.get("errors") or []:
        line = f"{item.get('field')}: {item.get('message')}" if item.get("field") else str(item.get("message"))
        if line not in title:
            lines.append("  " + clean(line))
    if code == httpx.codes.NOT_FOUND:
        hint = "It is not there, or neither yours nor shared with you." if problem else f"Is {url} the right address?"
        lines.append(hint)
    if response.is_server_error:
        lines.append(f"That is trouble on the side of {url}: try again later, or tell its operators.")
    return CliError("\n".join(lines))


def _certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Find the TLS error that httpx and httpcore have wrapped."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _problem(response: httpx.Response) -> dict[str, Any]:
    """Return what the server says of it; nothing when that is not in its own words: another may stand before it."""
    if not response.headers.get("Content-Type", "").startswith("application/problem+json"):
        return {}
    try:
        data = response.json()
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
