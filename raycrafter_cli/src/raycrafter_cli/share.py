"""Showing a job to others."""

from __future__ import annotations

import click

from .common import JOB, api_of
from .errors import CliError
from .text import clean


@click.command()
@click.argument("job", type=JOB)
@click.option("--user", help="Name of a user.")
@click.option("--group", help="Name of a group that you belong to.")
@click.option("--manage", is_flag=True, help="They may also cancel and retry it.")
@click.pass_context
def share(context: click.Context, job: int, user: str | None, group: str | None, manage: bool) -> None:
    """Share JOB with a user or a group; without either, say with whom it is shared."""
    api = api_of(context)
    if user and group:
        raise click.UsageError("give either --user or --group")
    if user or group:
        api.share(job, {"manage": manage} | ({"user": user} if user else {"group": group}))
    for row in api.shares(job):
        who = f"user {row['user']}" if row["user"] else f"group {row['group']}"
        click.echo(f"{clean(who)} may {'manage' if row['manage'] else 'see'} job {job}")


@click.command()
@click.argument("job", type=JOB)
@click.argument("who")
@click.pass_context
def unshare(context: click.Context, job: int, who: str) -> None:
    """Share JOB no longer with the user or the group WHO."""
    api = api_of(context)
    rows = [row for row in api.shares(job) if who in (row["user"], row["group"])]
    if not rows:
        raise CliError(f"job {job} is not shared with {who}")
    for row in rows:
        api.unshare(job, row["id"])
    click.echo(f"Job {job} is no longer shared with {clean(who)}.")
