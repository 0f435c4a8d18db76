"""Errors that a person can act on."""

from __future__ import annotations

import ssl
from typing import Any

import click
import httpx

from .text import clean

EXIT_FAILED = 1  # the job failed or was cancelled, or a frame could not be fetched
EXIT_ERROR = 2  # usage, connection, refusal
EXIT_INTERRUPTED = 130
EXIT_UNREAD = 141  # nobody reads the output any more: as of a program that SIGPIPE has ended


class CliError(click.ClickException):
    """Ends the command with a message and exit code 2."""

    exit_code = EXIT_ERROR


class CertificateError(CliError):
    """The server's certificate is not trusted: another try changes nothing."""


def connection_error(error: httpx.HTTPError, url: str) -> CliError:
    """Return what to tell a person about a request that got no answer."""
    host = httpx.URL(url).netloc.decode()
    certificate = _certificate_error(error)
    if certificate is not None:
        reason = certificate.verify_message or str(certificate)
        return CertificateError(
            f"the certificate of {host} is not trusted: {reason}\n"
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
        return CliError(f"{clean(detail)}\nSign in again: raycrafter login {url}")
    if response.is_redirect:
        target = response.headers.get("location", "elsewhere")
        return CliError(f"the server points to {clean(target)}: sign in with the right address")
    title = problem.get("detail") or problem.get("title") or response.reason_phrase or "no reason given"
    lines = [f"{clean(title)} ({response.status_code})"]
    for item in problem.get("errors") or []:
        line = f"{item.get('field')}: {item.get('message')}" if item.get("field") else str(item.get("message"))
        if line not in title:
            lines.append("  " + clean(line))
    return CliError("\n".join(lines))


def _certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Find the TLS error that httpx and httpcore have wrapped."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        data = response.json()
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
