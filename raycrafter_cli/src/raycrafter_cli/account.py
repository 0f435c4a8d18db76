"""Signing in and out, and the tokens that somebody has."""

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
from .text import clean, columns, moment


@click.command()
@click.argument("url")
@click.option("--username", help="Asked for when left out.")
@click.option(
    "--ca",
    envvar="RAYCRAFTER_CA",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificate of the authority to trust, when it is not one of the system's.",
)
@click.option("--read-only", is_flag=True, help="Get a token that sees everything and changes nothing.")
@click.pass_context
def login(context: click.Context, url: str, username: str | None, ca: Path | None, read_only: bool) -> None:
    """Sign in at URL and keep the token.

    The password is asked for, or read from standard input when that is not a terminal.
    """
    wanted = settings.Settings(settings.normal_url(url), ca=str(ca.resolve()) if ca else None)
    if sys.stdin.isatty():
        username = username or click.prompt("User name")
        password = click.prompt("Password", hide_input=True)
    else:
        password = _line(sys.stdin)
        if not username:
            raise click.UsageError("give --username when the password comes from standard input")
    if not password:
        raise click.UsageError("the password is empty")
    answer = Api(wanted, context.obj).login(username, password, _token_name(), read_only)
    file = settings.save(settings.Settings(wanted.url, answer["token"], wanted.ca), os.environ)
    until = f" until {moment(answer['expiry'])}" if answer.get("expiry") else ""
    click.echo(f"Signed in at {wanted.url} as {clean(answer['user']['username'])}{until}; kept in {file}")


@click.command()
@click.pass_context
def logout(context: click.Context) -> None:
    """Void the token and forget it."""
    with contextlib.suppress(SignedOutError):  # it is void already
        api_of(context).logout()
    settings.path(os.environ).unlink(missing_ok=True)
    click.echo("Signed out.")


def _line(file: TextIO) -> str:
    """Return the first line. Raises CliError."""
    try:
        line = file.readline().rstrip("\r\n")
        line.encode()
    except UnicodeError:
        raise CliError("the password is not UTF-8 text") from None
    return line


def _token_name() -> str:
    """Return a name by which one knows the token again: it lives on this host."""
    return clean(f"raycrafter on {platform.node()}")[:100]


@click.group()
def tokens() -> None:
    """List, make and void tokens."""


@tokens.command("list")
@as_json
@click.pass_context
def list_tokens(context: click.Context, as_json: bool) -> None:
    """List your tokens and when each was last used."""
    found = api_of(context).tokens()
    if as_json:
        print_json(found)
        return
    rows = [("TOKEN", "MAY", "LAST USED", "ENDS", "NAME")]
    for token in found:
        may = "read" if token["read_only"] else "all"
        name = clean(token["name"] or "-") + (" (this one)" if token["current"] else "")
        rows.append((str(token["id"]), may, moment(token["last_used"]), moment(token["expiry"]), name))
    click.echo("\n".join(columns(rows)))


@tokens.command()
@click.argument("name")
@click.option("--read-only", is_flag=True, help="It sees everything and changes nothing.")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 366), help="How long it is good.")
@as_json
@click.pass_context
def create(context: click.Context, name: str, read_only: bool, days: int, as_json: bool) -> None:
    """Make a token for a script and print it: it is shown this once."""
    made = api_of(context).make_token({"name": name, "read_only": read_only, "days": days})
    if as_json:
        print_json(made)
    else:
        click.echo(clean(made["secret"]))


@tokens.command()
@click.argument("number", type=click.IntRange(min=1))
@click.pass_context
def revoke(context: click.Context, number: int) -> None:
    """Void the token NUMBER."""
    api_of(context).revoke_token(number)
    click.echo(f"Token {number} is void.")
