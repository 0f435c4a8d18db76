"""Extend a job's workspace, keep its files, and set the user's notifications."""

from __future__ import annotations

import click

from .common import JOB, api_of, as_json, print_json
from .text import clean, local_time


@click.command()
@click.argument("job", type=JOB)
@click.pass_context
def extend(context: click.Context, job: int) -> None:
    """Request a longer lifetime for the workspace of JOB on the cluster."""
    workspace = api_of(context).act(job, "extend")["workspace"]
    until = local_time(workspace["expires"])
    click.echo(f"Extension requested; the workspace lasts until {until} so far. See the result: raycrafter logs {job}")


@click.command()
@click.argument("job", type=JOB)
@click.option("--off", is_flag=True, help="Delete the files by age again.")
@click.pass_context
def keep(context: click.Context, job: int, off: bool) -> None:
    """Exempt JOB and its files from deletion by age."""
    data = api_of(context).update(job, {"keep": not off})
    until = f" until {local_time(data['files_go'])}" if data["files_go"] else ""
    click.echo(f"Job {job} is kept{'' if data['keep'] else until or ': the site deletes no jobs by age'}.")


@click.command()
@click.option("--mail/--no-mail", default=None, help="Notify you by mail, or do not.")
@click.option("--webhook", metavar="URL", help='https address to notify; "" removes the webhook.')
@click.option("--new-secret", is_flag=True, help="Create a new secret for the webhook.")
@as_json
@click.pass_context
def notify(context: click.Context, mail: bool | None, webhook: str | None, new_secret: bool, as_json: bool) -> None:
    """Show or set your notifications for jobs that end or need your action."""
    changes = {"mail": mail, "webhook": webhook, "new_secret": new_secret or None}
    changes = {name: value for name, value in changes.items() if value is not None}
    data = api_of(context).notifications(changes)
    if as_json:
        print_json(data)
        return
    hint = "" if data["mail_works"] else " (inactive: the site sends no mail, or your account has no address)"
    click.echo(f"Mail: {'to ' + (clean(data['address']) or 'no address') if data['mail'] else 'no'}{hint}")
    click.echo(f"Webhook: {clean(data['webhook']) or 'none'}")
    if data.get("secret"):
        click.echo(f"Secret of the webhook, shown only once: {clean(data['secret'])}")
