"""The command ``raycrafter``."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from click.shell_completion import get_completion_class
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from . import __version__, account, fetch, logs, retention, share
from .api import Api
from .common import JOB, api_of, as_json, interval, print_json, progress
from .errors import EXIT_FAILED, CliError
from .group import Group
from .pack import packed
from .text import clean, columns, moment, standing
from .upload import upload
from .watch import FINAL, summary, watch

STATES = ("NEW", "STAGING", "READY", "ACTIVE", "STAGING_OUT", "CANCELLING", *sorted(FINAL))


def _watched(api: Api, number: int, interval: float, as_json: bool, job: dict[str, Any] | None = None) -> int:
    try:
        return watch(api, number, interval, as_json, job)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"The job goes on; see it again with: raycrafter watch {number}") from None


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Render scenes on the cluster: submit, watch, fetch.

    Exit codes: 0 done; 1 the job failed or was cancelled, or a frame could not be fetched; 2 wrong usage, no
    connection, or a refusal by the server; 130 interrupted; 141 nobody reads the output any more.
    """


for command in (account.login, account.logout, account.tokens, logs.logs, share.share, share.unshare):
    main.add_command(command)
for command in (retention.extend, retention.keep, retention.notify):
    main.add_command(command)


@main.command()
@click.argument("scene", type=click.Path(exists=True, path_type=Path))
@click.option("--frames", required=True, help="Like 1-20 or 1-100x2,150.")
@click.option("--renderer", default="povray", show_default=True)
@click.option("--width", type=click.IntRange(min=1), help="Pixels.")
@click.option("--height", type=click.IntRange(min=1), help="Pixels.")
@click.option("--main", "main_file", help="File to render, when a directory or an archive has several.")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="The renderer's own; may be repeated.")
@click.option("--name", help="The scene's name when left out.")
@click.option("--priority", type=click.IntRange(0, 100), help="Among your jobs the highest comes first.")
@click.option("--after", multiple=True, type=JOB, metavar="JOB", help="A job to wait for; may be repeated.")
@click.option("--watch", "watching", is_flag=True, help="Stay and watch the job.")
@interval
@as_json
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
    priority: int | None,
    after: tuple[int, ...],
    watching: bool,
    interval: float,
    as_json: bool,
) -> None:
    """Submit SCENE: a file, an archive, or a directory, which is packed.

    With --watch and --json the job is printed as a line of JSON, and again whenever it has changed.
    """
    given: dict[str, Any] = {
        "name": name or scene.resolve().name.split(".")[0] or "scene",
        "renderer": renderer,
        "frames": frames,
        "main": main_file,
        "width": width,
        "height": height,
        "priority": priority,
        "options": json.dumps(_options(options)) if options else None,
    }
    api = api_of(context)
    with packed(scene) as file:
        fields: dict[str, Any] = {key: str(value) for key, value in given.items() if value is not None}
        job = upload(api, fields | ({"after": list(after)} if after else {}), file)
    if not as_json:
        click.echo(f"Job {job['id']} ({clean(job['name'])}): {sum(job['frame_counts'].values())} frames")
    elif not watching:
        print_json(job)
    if watching:
        context.exit(_watched(api, job["id"], interval, as_json, job))


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


@main.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--state", type=click.Choice(STATES, case_sensitive=False), multiple=True, help="May be repeated.")
@click.option("--renderer")
@click.option("--owner", help="User name.")
@click.option("--name", help="A part of the name.")
@click.option("--since", "created_after", metavar="DATE", help="Created since, like 2030-05-01 or 2030-05-01T12:00Z.")
@as_json
@click.pass_context
def list_jobs(context: click.Context, limit: int, as_json: bool, **wanted: Any) -> None:
    """List the newest jobs: yours, and those that are shared with you."""
    jobs = api_of(context).jobs(limit, **{key: value for key, value in wanted.items() if value})
    if as_json:
        print_json(jobs)
    elif not jobs:
        nothing = "No such jobs." if any(wanted.values()) else "No jobs yet: raycrafter submit SCENE --frames 1-20"
        click.echo(nothing)
    else:
        rows = [("JOB", "STATE", "FRAMES", "CREATED", "NAME")]
        rows += [
            (str(job["id"]), standing(job), summary(job), moment(job["created"]), clean(job["name"])) for job in jobs
        ]
        click.echo("\n".join(columns(rows)))


@main.command()
@click.argument("job", required=False, type=JOB)
@as_json
@click.pass_context
def status(context: click.Context, job: int | None, as_json: bool) -> None:
    """Show JOB, or the newest one."""
    api = api_of(context)
    if job is None:
        newest = api.jobs(1)
        if not newest:
            raise CliError("there are no jobs yet: raycrafter submit SCENE --frames 1-20")
        data = newest[0]
    else:
        data = api.job(job)
    if as_json:
        print_json(data)
        return
    workspace = data.get("workspace") or {}
    counts = ", ".join(f"{count} {name}" for name, count in data["frame_counts"].items() if count)
    rows = [
        ("Job", f"{data['id']} ({clean(data['name'])})"),
        ("State", standing(data)),
        ("Reason", clean(data.get("state_reason") or "")),
        ("Renderer", clean(data["renderer"])),
        ("Frames", f"{clean(data['frames'])}: {clean(counts)}"),
        ("Progress", f"{data['percent']:.0f} %"),
        ("Created", moment(data["created"])),
        ("Started", moment(data.get("started"))),
        ("Finished", moment(data.get("finished"))),
        ("Workspace", clean(workspace.get("path") or "")),
        ("Lent until", moment(workspace.get("expires"))),
        ("Kept until", moment(data.get("files_go"))),
        ("Log", clean(data.get("log_search_url") or "")),
    ]
    click.echo("\n".join(columns(row for row in rows if row[1] not in ("", "-"))))


@main.command("watch")
@click.argument("job", type=JOB)
@interval
@click.option("--json", "as_json", is_flag=True, help="Print the job as a line of JSON whenever it has changed.")
@click.pass_context
def watch_job(context: click.Context, job: int, interval: float, as_json: bool) -> None:
    """Watch JOB to its end: exit code 0 when it is done, 1 when it failed or was cancelled."""
    context.exit(_watched(api_of(context), job, interval, as_json))


@main.command("fetch")
@click.argument("job", type=JOB)
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Directory; job-NUMBER when left out."
)
@click.option("--parallel", default=4, show_default=True, type=click.IntRange(1, 32), help="Downloads at once.")
@as_json
@click.pass_context
def fetch_job(context: click.Context, job: int, output: Path | None, parallel: int, as_json: bool) -> None:
    """Fetch the frames of JOB that are there.

    What is already here and whole is left alone, what is here in part is gone on with: an interrupted fetch is
    simply repeated.
    """
    api = api_of(context)
    directory = output or Path(f"job-{job}")
    frames = list(api.frames(job))
    wanted = [frame for frame in frames if frame["file"]]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass  # it can be written to
    except OSError as error:
        raise CliError(f"cannot write to {directory}: {error}") from error
    show = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    try:
        with progress(*show) as bar:
            task = bar.add_task(f"job {job}", total=len(wanted))
            outcomes = fetch.fetch_all(api, job, wanted, directory, parallel, lambda: bar.advance(task))
    except KeyboardInterrupt:
        raise KeyboardInterrupt("Interrupted; the same fetch again goes on from here.") from None
    if as_json:
        print_json({"directory": str(directory), "frames": [asdict(outcome) for outcome in outcomes]})
    else:
        _report(directory, frames, outcomes)
    untried = len(wanted) - len(outcomes)
    if untried:
        click.echo(f"{untried} frames were not tried any more; the same fetch again goes on from here", err=True)
    if any(outcome.how == "failed" for outcome in outcomes):
        context.exit(EXIT_FAILED)


def _report(directory: Path, frames: list[dict[str, Any]], outcomes: list[fetch.Outcome]) -> None:
    how = Counter(outcome.how for outcome in outcomes)
    click.echo(f"{directory}: {how['fetched']} frames fetched, {how['kept']} already there")
    missing = Counter(frame["state"] for frame in frames if not frame["file"])
    if missing:
        states = ", ".join(f"{count} {clean(name)}" for name, count in sorted(missing.items()))
        click.echo(f"{missing.total()} frames have no file: {states}")
    for outcome in outcomes:
        if outcome.how == "failed":
            click.echo(f"frame {outcome.number} ({outcome.name}): {outcome.error}", err=True)


@main.command()
@click.argument("job", type=JOB)
@as_json
@click.pass_context
def cancel(context: click.Context, job: int, as_json: bool) -> None:
    """Cancel JOB."""
    _changed(api_of(context).act(job, "cancel"), as_json)


@main.command()
@click.argument("job", type=JOB)
@as_json
@click.pass_context
def retry(context: click.Context, job: int, as_json: bool) -> None:
    """Render the failed frames of JOB again; what is rendered stays."""
    _changed(api_of(context).act(job, "retry"), as_json)


@main.command()
@click.argument("job", type=JOB)
@as_json
@click.pass_context
def pause(context: click.Context, job: int, as_json: bool) -> None:
    """Begin nothing more of JOB; frames that are rendered now end."""
    _changed(api_of(context).act(job, "pause"), as_json)


@main.command()
@click.argument("job", type=JOB)
@as_json
@click.pass_context
def resume(context: click.Context, job: int, as_json: bool) -> None:
    """Go on with JOB after a pause."""
    _changed(api_of(context).act(job, "resume"), as_json)


def _changed(data: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(data)
    else:
        click.echo(f"Job {data['id']} is {standing(data)}")


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete this command.

    For bash, for instance: raycrafter completion bash > ~/.local/share/bash-completion/completions/raycrafter
    """
    words = get_completion_class(shell)
    if words is None:
        raise CliError(f"{shell} is not known")
    click.echo(words(main, {}, "raycrafter", "_RAYCRAFTER_COMPLETE").source())
