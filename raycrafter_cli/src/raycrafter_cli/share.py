"""Share a job with users and groups."""

from __future__ import annotations

import click

from .common import JOB, api_of
from .errors import CliError
from .text import clean


@click.command()
@click.argument("job", type=JOB)
@click.option("--user", help="Name of a user.")
@click.option("--group", help="Name of one of your groups.")
@click.option("--manage", is_flag=True, help="Also allow actions such as cancel and retry.")
@click.pass_context
def share(context: click.Context, job: int, user: str | None, group: str | None, manage: bool) -> None:
    """Share JOB with a user or a group; without options, list its shares."""
    api = api_of(context)
    if user and group:
        raise click.UsageError("use either --user or --group")
    if user or group:
        api.share(job, {"manage": manage} | ({"user": user} if user else {"group": group}))
    for row in api.shares(job):
        name = f"user {row['user']}" if row["user"] else f"group {row['group']}"
        click.echo(f"{clean(name)} may {'manage' if row['manage'] else 'see'} job {job}")


@click.command()
@click.argument("job", type=JOB)
@click.argument("name")
@click.pass_context
def unshare(context: click.Context, job: int, name: str) -> None:
    """Stop sharing JOB with the user or group NAME."""
    api = api_of(context)
    rows = [row for row in api.shares(job) if name in (row["user"], row["group"])]
    if not rows:
        raise CliError(f"job {job} is not shared with {name}: raycrafter share {job} lists its shares")
    for row in rows:
        api.unshare(job, row["id"])
    click.echo(f"Job {job} is no longer shared with {clean(name)}.")
