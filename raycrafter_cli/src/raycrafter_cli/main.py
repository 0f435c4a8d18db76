"""Define the command ``raycrafter`` and its subcommands."""

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
from .text import clean, columns, job_state, local_time
from .upload import upload
from .watch import FINAL, summary, watch

STATES = ("NEW", "STAGING", "READY", "ACTIVE", "STAGING_OUT", "CANCELLING", *sorted(FINAL))


def _watched(api: Api, number: int, interval: float, as_json: bool, job: dict[str, Any] | None = None) -> int:
    try:
        return watch(api, number, interval, as_json, job)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"The job continues; watch it again with: raycrafter watch {number}") from None


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Render scenes on the cluster: submit, watch, fetch.

    Exit codes: 0 done; 1 the job failed or was cancelled, or a frame could not be fetched; 2 wrong usage, no
    connection, or a refusal by the server; 130 interrupted; 141 the reader has closed the output.
    """


for command in (account.login, account.logout, account.tokens, logs.logs, share.share, share.unshare):
    main.add_command(command)
for command in (retention.extend, retention.keep, retention.notify):
    main.add_command(command)


@main.command()
@click.argument("scene", type=click.Path(exists=True, path_type=Path))
@click.option("--frames", required=True, help="Frames to render, like 1-20 or 1-100x2,150.")
@click.option("--renderer", default="povray", show_default=True, help="Renderer of the site to use.")
@click.option("--width", type=click.IntRange(min=1), help="Width in pixels; the server has a default.")
@click.option("--height", type=click.IntRange(min=1), help="Height in pixels; the server has a default.")
@click.option("--main", "main_file", help="File to render if SCENE contains several.")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="Renderer option; repeatable.")
@click.option("--name", help="Name of the job; by default the name of SCENE.")
@click.option("--priority", type=click.IntRange(0, 100), help="Priority among your jobs; the highest goes first.")
@click.option("--after", multiple=True, type=JOB, metavar="JOB", help="Wait for the end of JOB; repeatable.")
@click.option("--watch", "watching", is_flag=True, help="Watch the job until it ends.")
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
    """Submit SCENE: a file, an archive, or a directory, which the command packs.

    With --watch and --json, the command prints the job as a line of JSON after every change.
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
    """Return the options of KEY=VALUE pairs; values that are JSON are decoded."""
    options: dict[str, Any] = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise click.BadParameter(f"{pair!r} must have the form KEY=VALUE", param_hint="--option")
        try:
            options[key] = json.loads(value)
        except ValueError:
            options[key] = value
    return options


@main.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="Number of jobs to list.")
@click.option("--state", type=click.Choice(STATES, case_sensitive=False), multiple=True, help="State; repeatable.")
@click.option("--renderer", help="Name of the renderer.")
@click.option("--owner", help="User name of the owner.")
@click.option("--name", help="Part of the job's name.")
@click.option("--since", "created_after", metavar="DATE", help="Created after, like 2030-05-01 or 2030-05-01T12:00Z.")
@as_json
@click.pass_context
def list_jobs(context: click.Context, limit: int, as_json: bool, **filters: Any) -> None:
    """List your newest jobs and the newest jobs shared with you."""
    jobs = api_of(context).jobs(limit, **{key: value for key, value in filters.items() if value})
    if as_json:
        print_json(jobs)
    elif not jobs:
        hint = "No jobs match." if any(filters.values()) else "No jobs yet: raycrafter submit SCENE --frames 1-20"
        click.echo(hint)
    else:
        rows = [("JOB", "STATE", "FRAMES", "CREATED", "NAME")]
        rows += [
            (str(job["id"]), job_state(job), summary(job), local_time(job["created"]), clean(job["name"]))
            for job in jobs
        ]
        click.echo("\n".join(columns(rows)))


@main.command()
@click.argument("job", required=False, type=JOB)
@as_json
@click.pass_context
def status(context: click.Context, job: int | None, as_json: bool) -> None:
    """Show JOB, or the newest job."""
    api = api_of(context)
    if job is None:
        newest = api.jobs(1)
        if not newest:
            raise CliError("no jobs yet: raycrafter submit SCENE --frames 1-20")
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
        ("State", job_state(data)),
        ("Reason", clean(data.get("state_reason") or "")),
        ("Renderer", clean(data["renderer"])),
        ("Frames", f"{clean(data['frames'])}: {clean(counts)}"),
        ("Progress", f"{data['percent']:.0f} %"),
        ("Created", local_time(data["created"])),
        ("Started", local_time(data.get("started"))),
        ("Finished", local_time(data.get("finished"))),
        ("Workspace", clean(workspace.get("path") or "")),
        ("Workspace until", local_time(workspace.get("expires"))),
        ("Kept until", local_time(data.get("files_go"))),
        ("Log", clean(data.get("log_search_url") or "")),
    ]
    click.echo("\n".join(columns(row for row in rows if row[1] not in ("", "-"))))


@main.command("watch")
@click.argument("job", type=JOB)
@interval
@click.option("--json", "as_json", is_flag=True, help="Print the job as a line of JSON after every change.")
@click.pass_context
def watch_job(context: click.Context, job: int, interval: float, as_json: bool) -> None:
    """Watch JOB until it ends.

    The exit code is 0 if the job is done, 1 if the job failed or was cancelled.
    """
    context.exit(_watched(api_of(context), job, interval, as_json))


@main.command("fetch")
@click.argument("job", type=JOB)
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), help="Target directory; by default job-NUMBER."
)
@click.option("--parallel", default=4, show_default=True, type=click.IntRange(1, 32), help="Parallel downloads.")
@as_json
@click.pass_context
def fetch_job(context: click.Context, job: int, output: Path | None, parallel: int, as_json: bool) -> None:
    """Download the rendered frames of JOB.

    The command skips complete files and continues partial files: after an interruption, run the command again.
    """
    api = api_of(context)
    directory = output or Path(f"job-{job}")
    frames = list(api.frames(job))
    available = [frame for frame in frames if frame["file"]]
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass  # tests the write permission
    except OSError as error:
        raise CliError(f"cannot write to {directory}: {error}\nChoose another directory with --output.") from error
    show = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    try:
        with progress(*show) as bar:
            task = bar.add_task(f"job {job}", total=len(available))
            outcomes = fetch.fetch_all(api, job, available, directory, parallel, lambda: bar.advance(task))
    except KeyboardInterrupt:
        raise KeyboardInterrupt("Interrupted; run the same command again to continue.") from None
    if as_json:
        print_json({"directory": str(directory), "frames": [asdict(outcome) for outcome in outcomes]})
    else:
        _report(directory, frames, outcomes)
    skipped = len(available) - len(outcomes)
    if skipped:
        click.echo(
            f"{skipped} frames were skipped after the failures; run the same command again to continue", err=True
        )
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
    _print_job(api_of(context).act(job, "cancel"), as_json)


@main.command()
@click.argument("job", type=JOB)
@as_json
@click.pass_context
def retry(context: click.Context, job: int, as_json: bool) -> None:
    """Render the failed frames of JOB again; rendered frames stay."""
    _print_job(api_of(context).act(job, "retry"), as_json)


@main.command()
@click.argument("job", type=JOB)
@as_json
@click.pass_context
def pause(context: click.Context, job: int, as_json: bool) -> None:
    """Start no more frames of JOB; running frames finish."""
    _print_job(api_of(context).act(job, "pause"), as_json)


@main.command()
@click.argument("job", type=JOB)
@as_json
@click.pass_context
def resume(context: click.Context, job: int, as_json: bool) -> None:
    """Resume JOB after a pause."""
    _print_job(api_of(context).act(job, "resume"), as_json)


def _print_job(data: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(data)
    else:
        click.echo(f"Job {data['id']} is {job_state(data)}")


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for SHELL.

    Example for bash: raycrafter completion bash > ~/.local/share/bash-completion/completions/raycrafter
    """
    completion_class = get_completion_class(shell)
    if completion_class is None:
        raise CliError(f"click has no completion for {shell}: use bash, zsh or fish")
    click.echo(completion_class(main, {}, "raycrafter", "_RAYCRAFTER_COMPLETE").source())
