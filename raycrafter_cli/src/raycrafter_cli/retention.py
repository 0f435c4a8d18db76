"""What keeps a job's files: a longer workspace, no deletion by age. And how one is told."""

from __future__ import annotations

import click

from .common import JOB, api_of, as_json, print_json
from .text import clean, moment


@click.command()
@click.argument("job", type=JOB)
@click.pass_context
def extend(context: click.Context, job: int) -> None:
    """Ask the site to extend the workspace of JOB."""
    workspace = api_of(context).act(job, "extend")["workspace"]
    until = moment(workspace["expires"])
    click.echo(f"The site is asked; until now it is lent until {until}. Its answer: raycrafter logs {job}")


@click.command()
@click.argument("job", type=JOB)
@click.option("--off", is_flag=True, help="Let it be deleted by age again.")
@click.pass_context
def keep(context: click.Context, job: int, off: bool) -> None:
    """Keep JOB and its files, however old they are."""
    data = api_of(context).change(job, {"keep": not off})
    until = f" until {moment(data['files_go'])}" if data["files_go"] else ""
    click.echo(f"Job {job} is kept{'' if data['keep'] else until or ', as the site keeps all'}.")


@click.command()
@click.option("--mail/--no-mail", default=None, help="Whether you are told by mail.")
@click.option("--webhook", metavar="URL", help='An https address that is told; "" for none.')
@click.option("--new-secret", is_flag=True, help="Make another secret of the webhook.")
@as_json
@click.pass_context
def notify(context: click.Context, mail: bool | None, webhook: str | None, new_secret: bool, as_json: bool) -> None:
    """Show, or choose, how you are told when a job ends or needs you."""
    wanted = {"mail": mail, "webhook": webhook, "new_secret": new_secret or None}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    data = api_of(context).notifications(wanted)
    if as_json:
        print_json(data)
        return
    works = "" if data["mail_works"] else " (the site sends none, or has no address of yours)"
    click.echo(f"Mail: {'to ' + (clean(data['address']) or 'nobody') if data['mail'] else 'no'}{works}")
    click.echo(f"Webhook: {clean(data['webhook']) or 'none'}")
    if data.get("secret"):
        click.echo(f"Secret of the webhook, shown this once: {clean(data['secret'])}")
