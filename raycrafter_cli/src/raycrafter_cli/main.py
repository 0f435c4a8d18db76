"""The command ``raycrafter``."""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import click
import httpx
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TransferSpeedColumn,
)

from . import __version__, fetch, settings
from .api import Api
from .errors import EXIT_FAILED, EXIT_INTERRUPTED, CliError
from .pack import packed
from .text import clean, columns, moment, state
from .watch import summary, watch

JOB = click.IntRange(min=1)


def _api(context: click.Context) -> Api:
    """Return the API of whom the settings name; tests hand a transport in as the context's object."""
    transport: httpx.BaseTransport | None = context.obj
    return Api(settings.load(os.environ), transport)


def _watched(api: Api, number: int, interval: float) -> int:
    try:
        return watch(api, number, interval)
    except KeyboardInterrupt:
        click.echo(f"\nThe job goes on; see it again with: raycrafter watch {number}", err=True)
        return EXIT_INTERRUPTED


def _json(data: Any) -> None:
    click.echo(json.dumps(data, indent=2, ensure_ascii=True))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Render scenes on the cluster: submit, watch, fetch."""


@main.command()
@click.argument("url")
@click.option("--username", help="Asked for when left out.")
@click.option(
    "--ca",
    envvar="RAYCRAFTER_CA",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificate of the authority to trust, when it is not one of the system's.",
)
@click.pass_context
def login(context: click.Context, url: str, username: str | None, ca: Path | None) -> None:
    """Sign in at URL and keep the token.

    The password is asked for, or read from standard input when that is not a terminal.
    """
    wanted = settings.Settings(settings.normal_url(url), ca=str(ca.resolve()) if ca else None)
    if sys.stdin.isatty():
        username = username or click.prompt("User name")
        password = click.prompt("Password", hide_input=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
        if not username:
            raise click.UsageError("give --username when the password comes from standard input")
    if not password:
        raise click.UsageError("the password is empty")
    answer = Api(wanted, context.obj).login(username, password)
    file = settings.save(settings.Settings(wanted.url, answer["token"], wanted.ca), os.environ)
    until = f" until {moment(answer['expiry'])}" if answer.get("expiry") else ""
    click.echo(f"Signed in at {wanted.url} as {clean(answer['user']['username'])}{until}; kept in {file}")


@main.command()
@click.pass_context
def logout(context: click.Context) -> None:
    """Void the token and forget it."""
    _api(context).logout()
    settings.path(os.environ).unlink(missing_ok=True)
    click.echo("Signed out.")


@main.command()
@click.argument("scene", type=click.Path(exists=True, path_type=Path))
@click.option("--frames", required=True, help="Like 1-20 or 1-100x2,150.")
@click.option("--renderer", default="povray", show_default=True)
@click.option("--width", type=click.IntRange(min=1), help="Pixels.")
@click.option("--height", type=click.IntRange(min=1), help="Pixels.")
@click.option("--main", "main_file", help="File to render, when a directory or an archive has several.")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="The renderer's own; may be repeated.")
@click.option("--name", help="The scene's name when left out.")
@click.option("--watch", "watching", is_flag=True, help="Stay and watch the job.")
@click.option(
    "--interval", default=2.0, type=click.FloatRange(min=0.01), show_default=True, help="Seconds between looks."
)
@click.option("--json", "as_json", is_flag=True, help="Print the job as JSON.")
@click.pass_context
def submit(
    context: click.Context,
    scene: Path,
    frames: str,
    renderer: str,
    width: int | None,
    height: int | None,
    main_file: str | None,
    options: tuple[str, ...],
    name: str | None,
    watching: bool,
    interval: float,
    as_json: bool,
) -> None:
    """Submit SCENE: a file, an archive, or a directory, which is packed."""
    given: dict[str, Any] = {
        "name": name or scene.resolve().name.split(".")[0] or "scene",
        "renderer": renderer,
        "frames": frames,
        "main": main_file,
        "width": width,
        "height": height,
        "options": json.dumps(_options(options)) if options else None,
    }
    api = _api(context)
    with packed(scene) as file:
        job = _upload(api, {key: str(value) for key, value in given.items() if value is not None}, file)
    if as_json:
        _json(job)
    else:
        click.echo(f"Job {job['id']} ({clean(job['name'])}): {sum(job['frame_counts'].values())} frames")
    if watching:
        context.exit(_watched(api, job["id"], interval))


def _options(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Return KEY=VALUE pairs with numbers and true/false as what they are."""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE", param_hint="--option")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found


def _upload(api: Api, fields: dict[str, str], file: Path) -> dict[str, Any]:
    show = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    label = f"Uploading {clean(file.name)}"
    try:
        with _progress(*show) as progress, progress.open(file, "rb", description=label) as content:
            return api.submit(fields, content, file.name, uuid.uuid4().hex)
    except OSError as error:
        raise CliError(f"cannot read {file}: {error}") from error


def _progress(*show: ProgressColumn) -> Progress:
    """Return a bar on standard error, so that standard output stays fit for other programs."""
    console = Console(stderr=True)
    return Progress(*show, console=console, transient=True, disable=not console.is_terminal)


@main.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def list_jobs(context: click.Context, limit: int, as_json: bool) -> None:
    """List the newest jobs."""
    jobs = _api(context).jobs(limit)
    if as_json:
        _json(jobs)
    elif not jobs:
        click.echo("No jobs yet: raycrafter submit SCENE --frames 1-20")
    else:
        rows = [("JOB", "STATE", "FRAMES", "CREATED", "NAME")]
        rows += [
            (str(job["id"]), state(job["state"]), summary(job), moment(job["created"]), clean(job["name"]))
            for job in jobs
        ]
        click.echo("\n".join(columns(rows)))


@main.command()
@click.argument("job", required=False, type=JOB)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def status(context: click.Context, job: int | None, as_json: bool) -> None:
    """Show JOB, or the newest one."""
    api = _api(context)
    if job is None:
        newest = api.jobs(1)
        if not newest:
            raise CliError("there are no jobs yet: raycrafter submit SCENE --frames 1-20")
        data = newest[0]
    else:
        data = api.job(job)
    if as_json:
        _json(data)
        return
    workspace = data.get("workspace") or {}
    counts = ", ".join(f"{count} {name}" for name, count in data["frame_counts"].items() if count)
    rows = [
        ("Job", f"{data['id']} ({clean(data['name'])})"),
        ("State", state(data["state"])),
        ("Reason", clean(data.get("state_reason") or "")),
        ("Renderer", clean(data["renderer"])),
        ("Frames", f"{clean(data['frames'])}: {clean(counts)}"),
        ("Progress", f"{data['percent']:.0f} %"),
        ("Created", moment(data["created"])),
        ("Started", moment(data.get("started"))),
        ("Finished", moment(data.get("finished"))),
        ("Workspace", clean(workspace.get("path") or "")),
        ("Kept until", moment(workspace.get("expires"))),
        ("Log", clean(data.get("log_search_url") or "")),
    ]
    click.echo("\n".join(columns(row for row in rows if row[1] not in ("", "-"))))


@main.command("watch")
@click.argument("job", type=JOB)
@click.option(
    "--interval", default=2.0, type=click.FloatRange(min=0.01), show_default=True, help="Seconds between looks."
)
@click.pass_context
def watch_job(context: click.Context, job: int, interval: float) -> None:
    """Watch JOB to its end: exit code 0 when it is done, 1 when it failed or was cancelled."""
    context.exit(_watched(_api(context), job, interval))


@main.command("fetch")
@click.argument("job", type=JOB)
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Directory; job-NUMBER when left out."
)
@click.option("--parallel", default=4, show_default=True, type=click.IntRange(1, 32), help="Downloads at once.")
@click.pass_context
def fetch_job(context: click.Context, job: int, output: Path | None, parallel: int) -> None:
    """Fetch the frames of JOB that are there; what is already here and whole is left alone."""
    api = _api(context)
    directory = output or Path(f"job-{job}")
    frames = list(api.frames(job))
    wanted = [frame for frame in frames if frame["file"]]
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CliError(f"cannot write to {directory}: {error}") from error
    show = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with _progress(*show) as progress:
        task = progress.add_task(f"job {job}", total=len(wanted))
        outcomes = fetch.fetch_all(api, job, wanted, directory, parallel, lambda _: progress.advance(task))
    how = Counter(outcome.how for outcome in outcomes)
    click.echo(f"{directory}: {how['fetched']} frames fetched, {how['kept']} already there")
    missing = Counter(frame["state"] for frame in frames if not frame["file"])
    if missing:
        states = ", ".join(f"{count} {clean(name)}" for name, count in sorted(missing.items()))
        click.echo(f"{missing.total()} frames have no file: {states}")
    for outcome in outcomes:
        if outcome.how == "failed":
            click.echo(f"frame {outcome.number} ({outcome.name}): {outcome.error}", err=True)
    if how["failed"]:
        context.exit(EXIT_FAILED)


@main.command()
@click.argument("job", type=JOB)
@click.pass_context
def cancel(context: click.Context, job: int) -> None:
    """Cancel JOB."""
    data = _api(context).cancel(job)
    click.echo(f"Job {data['id']} is {state(data['state'])}")
