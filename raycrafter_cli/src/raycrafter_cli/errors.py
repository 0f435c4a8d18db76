"""Turn failures into error texts with the fix for the user."""

from __future__ import annotations

import os
import ssl
from typing import Any

import click
import httpx

from .text import clean

EXIT_FAILED = 1  # the job failed or was cancelled, or a frame could not be fetched
EXIT_ERROR = 2  # wrong usage, no connection, or a refusal by the server
EXIT_INTERRUPTED = 130
EXIT_UNREAD = 141  # the reader has closed the output: the code of a program that SIGPIPE has ended


# OpenSSL's verify codes: self-signed, self-signed in the chain, no local issuer, first certificate not verifiable.
UNKNOWN_AUTHORITY = {18, 19, 20, 21}


class CliError(click.ClickException):
    """End the command with a message and exit code 2."""

    exit_code = EXIT_ERROR


class SignedOutError(CliError):
    """The token is unknown, revoked or expired."""


class CertificateError(CliError):
    """The server's certificate is not trusted; a retry is useless."""


def connection_error(error: httpx.HTTPError, url: str) -> CliError:
    """Return the error for a request without a response."""
    host = httpx.URL(url).netloc.decode()
    certificate = _certificate_error(error)
    if certificate is not None:
        problem = f"the certificate of {host} is not trusted: {certificate.verify_message or certificate}"
        if certificate.verify_code not in UNKNOWN_AUTHORITY:
            return CertificateError(f"{problem}\nCheck the address and this machine's clock.")
        return CertificateError(
            f"{problem}\n"
            "If the site has its own certificate authority, get the certificate of that authority and run\n"
            f"  raycrafter login {url} --ca FILE\n"
            "or set RAYCRAFTER_CA to the file."
        )
    if isinstance(error, httpx.TimeoutException):
        return CliError(f"{host} did not answer in time ({type(error).__name__}): try again later")
    return CliError(
        f"cannot reach {host}: {clean(str(error)) or type(error).__name__}\nCheck the address and the network."
    )


def status_error(response: httpx.Response, url: str) -> CliError:
    """Return the error for a refusal; the server sends application/problem+json."""
    problem = _problem(response)
    if response.status_code == httpx.codes.UNAUTHORIZED:
        detail = problem.get("detail") or "not signed in"
        if os.environ.get("RAYCRAFTER_TOKEN"):
            hint = "Set RAYCRAFTER_TOKEN to a valid token, or unset it and sign in again: "
        else:
            hint = "Sign in again: "
        return SignedOutError(f"{clean(detail)}\n{hint}raycrafter login {url}")
    if response.is_redirect:
        target = response.headers.get("location", "elsewhere")
        return CliError(f"the server redirects to {clean(target)}: sign in with the correct address")
    code = response.status_code
    title = str(problem.get("detail") or problem.get("title") or response.reason_phrase or "no reason given")
    lines = [f"{clean(title)} ({code})"]
    for item in problem.get("errors") or []:
        line = f"{item.get('field')}: {item.get('message')}" if item.get("field") else str(item.get("message"))
        if line not in title:
            lines.append("  " + clean(line))
    if code == httpx.codes.NOT_FOUND:
        hint = "Check the number, or ask the owner for access." if problem else f"Check the address {url}."
        lines.append(hint)
    if response.is_server_error:
        lines.append(f"The server {url} has failed: try again later, or inform its operators.")
    return CliError("\n".join(lines))


def _certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Return the TLS error within an error of httpx, if any."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _problem(response: httpx.Response) -> dict[str, Any]:
    """Return the problem document of a response, or {} for a response of a proxy."""
    if not response.headers.get("Content-Type", "").startswith("application/problem+json"):
        return {}
    try:
        data = response.json()
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
