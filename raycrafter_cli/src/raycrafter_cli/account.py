"""Sign in and out; manage the user's tokens."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from pathlib import Path
from typing import TextIO

import click

from . import settings
from .api import Api
from .common import api_of, as_json, print_json
from .errors import CliError, SignedOutError
from .text import clean, columns, local_time


@click.command()
@click.argument("url")
@click.option("--username", help="User name; prompted for on a terminal if omitted.")
@click.option(
    "--ca",
    envvar="RAYCRAFTER_CA",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CA certificate file to trust instead of the system's CAs.",
)
@click.option("--read-only", is_flag=True, help="Get a token that cannot change anything.")
@click.pass_context
def login(context: click.Context, url: str, username: str | None, ca: Path | None, read_only: bool) -> None:
    """Sign in at URL and save the token.

    The command prompts for the password, or reads it from standard input if that is not a terminal.
    """
    target = settings.Settings(settings.normal_url(url), ca=str(ca.resolve()) if ca else None)
    if sys.stdin.isatty():
        username = username or click.prompt("User name")
        password = click.prompt("Password", hide_input=True)
    else:
        password = _line(sys.stdin)
        if not username:
            raise click.UsageError("the password comes from standard input: add --username")
    if not password:
        raise click.UsageError("the password is empty: run the command again and enter it")
    session = Api(target, context.obj).login(username, password, _token_name(), read_only)
    file = settings.save(settings.Settings(target.url, session["token"], target.ca), os.environ)
    until = f" until {local_time(session['expiry'])}" if session.get("expiry") else ""
    click.echo(f"Signed in at {target.url} as {clean(session['user']['username'])}{until}; token saved in {file}")


@click.command()
@click.pass_context
def logout(context: click.Context) -> None:
    """Revoke the token and delete the saved copy."""
    with contextlib.suppress(SignedOutError):  # the token is revoked or has expired
        api_of(context).logout()
    settings.path(os.environ).unlink(missing_ok=True)
    click.echo("Signed out.")


def _line(file: TextIO) -> str:
    """Return the first line of a file. Raises CliError."""
    try:
        line = file.readline().rstrip("\r\n")
        line.encode()
    except UnicodeError:
        raise CliError("the password is not UTF-8 text: set the terminal or the file to UTF-8") from None
    return line


def _token_name() -> str:
    """Return the name of a token for this host."""
    return clean(f"raycrafter on {platform.node()}")[:100]


@click.group()
def tokens() -> None:
    """List, create and revoke tokens."""


@tokens.command("list")
@as_json
@click.pass_context
def list_tokens(context: click.Context, as_json: bool) -> None:
    """List your tokens with the time of their last use."""
    tokens = api_of(context).tokens()
    if as_json:
        print_json(tokens)
        return
    rows = [("TOKEN", "ACCESS", "LAST USED", "EXPIRES", "NAME")]
    for token in tokens:
        access = "read" if token["read_only"] else "all"
        name = clean(token["name"] or "-") + (" (current)" if token["current"] else "")
        rows.append((str(token["id"]), access, local_time(token["last_used"]), local_time(token["expiry"]), name))
    click.echo("\n".join(columns(rows)))


@tokens.command()
@click.argument("name")
@click.option("--read-only", is_flag=True, help="Create a token that cannot change anything.")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 366), help="Lifetime in days.")
@as_json
@click.pass_context
def create(context: click.Context, name: str, read_only: bool, days: int, as_json: bool) -> None:
    """Create a token for a script and print its secret, which is shown only once."""
    token = api_of(context).create_token({"name": name, "read_only": read_only, "days": days})
    if as_json:
        print_json(token)
    else:
        click.echo(clean(token["secret"]))


@tokens.command()
@click.argument("number", type=click.IntRange(min=1))
@click.pass_context
def revoke(context: click.Context, number: int) -> None:
    """Revoke the token NUMBER."""
    api_of(context).revoke_token(number)
    click.echo(f"Token {number} is revoked.")
