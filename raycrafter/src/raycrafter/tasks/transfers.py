"""Transfers: the scene to the cluster, the frames back.

A transfer that broke off continues where it was; it fails no job.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from raycrafter.celery import app
from raycrafter.cluster.errors import CredentialError, InfrastructureError, RemoteError, TransferError
from raycrafter.cluster.transfer import Files
from raycrafter.dispatch import enqueue
from raycrafter.jobs import holds, outcomes, scene
from raycrafter.jobs.closing import fail_job
from raycrafter.jobs.fetching import due
from raycrafter.jobs.models import Frame, Job, Transfer
from raycrafter.jobs.states import TRANSFER_FINAL, FrameState, JobState, TransferState
from raycrafter.jobs.thumbnails import delete_with_copy, small_copy, thumbnail_path
from raycrafter.jobs.transitions import transition

from .common import adapter, cluster, remote
from .transfer_progress import Progress, StoppedError, arrived, sent

logger = logging.getLogger(__name__)

FIRST_PAUSE, LAST_PAUSE = 5, 300  # seconds before another try; doubled by each failure in a row
CREDENTIAL_PAUSE = 60  # seconds; a person or a timer must renew the proxy
MAX_MISMATCHES = 3  # tries at frames that arrive wrong before they are rendered again
CHUNK = 1024 * 1024  # bytes
DIGEST_LIMIT = 900.0  # seconds for the login node to read a scene through
_NO_FILE = 123  # how xargs ends when one of the files could not be read
_DIGESTS = 'cd "$1" && xargs -0 sha256sum --'
_REMOVE = 'cd "$1" && xargs -0 rm -f --'
# Looked for first: another worker may have named it, and then the second argument is what is rendered.
_PUBLISH = '[ -d "$1" ] && rm -rf -- "$2" && mv -T -- "$1" "$2"'


class MismatchError(Exception):
    """Files arrived with another size or other bytes, or not at all."""


def _begin(transfer_id: int) -> Transfer | None:
    """Return the transfer, RUNNING by this call; None when it is not due, or taken."""
    transfer = Transfer.objects.select_related("job__workspace").filter(pk=transfer_id).first()
    if transfer is None or not due(transfer) or transfer.job.is_final or transfer.job.state == JobState.CANCELLING:
        return None
    fields = {"started": timezone.now(), "tries": transfer.tries + 1, "error_class": "", "state_reason": ""}
    return transfer if transition(transfer, TransferState.RUNNING, **fields) else None


def _scratch(transfer: Transfer) -> Path:
    return Path(cluster().scratch) / f"transfer-{transfer.pk}"


def _put_off(transfer: Transfer, error: Exception) -> None:
    """Record why a transfer did not finish, and when to try again."""
    blocked = isinstance(error, CredentialError)
    pause = CREDENTIAL_PAUSE if blocked else min(FIRST_PAUSE * 2 ** min(transfer.tries - 1, 10), LAST_PAUSE)
    fields = {
        "state_reason": str(error)[:2000],
        "error_class": "credential" if blocked else getattr(error, "kind", "network"),
        "next_try": timezone.now() + timedelta(seconds=pause),
    }
    if transition(transfer, TransferState.BLOCKED if blocked else TransferState.RETRY, **fields):
        holds.hold(transfer.job, f"transfer {transfer.get_kind_display()}", str(error))
    else:
        _leave(transfer)


def _leave(transfer: Transfer) -> None:
    """Lost the race: keep partial files if there will be another try."""
    if not Transfer.objects.filter(pk=transfer.pk).exclude(state__in=TRANSFER_FINAL).exists():
        shutil.rmtree(_scratch(transfer), ignore_errors=True)


def _finish(transfer: Transfer, state: str, **fields: Any) -> None:
    transition(transfer, state, finished=timezone.now(), **fields)
    holds.release(transfer.job, f"transfer {transfer.get_kind_display()}")
    shutil.rmtree(_scratch(transfer), ignore_errors=True)
    enqueue("plan")


# -- in ----------------------------------------------------------------------------------------------------------------


@app.task(name="raycrafter.tasks.push_input")
def push_input(transfer_id: int) -> None:
    """Send the scene's files to a side directory; rename it when every file is right."""
    transfer = _begin(transfer_id)
    if transfer is None:
        return
    job, workspace, scratch = transfer.job, transfer.job.workspace.path, _scratch(transfer)
    try:
        names = _unpacked(job, scratch)
        files = Files(scratch / "input", f"{workspace}/incoming", names)
        sizes = {name: (files.here / name).stat().st_size for name in names}
        total = sum(sizes.values())
        Transfer.objects.filter(pk=transfer.pk).update(bytes_total=total)
        adapter().push(files, scratch / "state", Progress(transfer, lambda: sent(sizes, files)))
        if not transition(transfer, TransferState.VERIFYING):
            raise StoppedError
        _compare(files)
        remote().check(f"naming {workspace}/input", _PUBLISH, files.there, f"{workspace}/input")
    except scene.SceneError as error:
        _finish(transfer, TransferState.FAILED, state_reason=str(error), error_class="scene")
        fail_job(job, f"the scene cannot be unpacked: it {error}")
        return
    except StoppedError:
        _leave(transfer)
        return
    except (InfrastructureError, RemoteError, MismatchError, OSError) as error:
        _put_off(transfer, error)
        return
    _finish(transfer, TransferState.DONE, bytes_done=total)


def _unpacked(job: Job, scratch: Path) -> list[str]:
    """Unpack the scene below ``scratch``/input and return the names of its files.

    Unpacked anew each time, because an earlier try may have been killed.
    """
    shutil.rmtree(scratch / "input", ignore_errors=True)
    scratch.mkdir(parents=True, exist_ok=True)
    packed = scratch / PurePosixPath(job.scene.name).name
    with default_storage.open(job.scene.name) as source, packed.open("wb") as copy:
        shutil.copyfileobj(source, copy, CHUNK)
    if _digest(packed) != job.scene_sha256:
        raise MismatchError("the scene came from the storage with other bytes than were uploaded")
    return scene.unpack(packed, scratch / "input")


def _compare(files: Files) -> None:
    """Compare every file on the cluster by checksum, and remove the wrong ones there.

    A later try sends them again. Raises MismatchError.
    """
    names = b"\0".join(os.fsencode(name) for name in files.names)
    reply = remote().run(_DIGESTS, files.there, data=names, timeout=DIGEST_LIMIT)
    if reply.code not in (0, _NO_FILE):
        raise RemoteError(f"sha256sum in {files.there}", reply.code, reply.stderr)
    there = {name: digest for digest, _, name in (line.partition("  ") for line in reply.stdout.splitlines())}
    wrong = [name for name in files.names if there.get(name) != _digest(files.here / name)]
    if wrong:
        data = b"\0".join(os.fsencode(name) for name in wrong)
        remote().check(f"removing from {files.there}", _REMOVE, files.there, data=data)
        raise MismatchError(f"{len(wrong)} files did not arrive whole, {wrong[0]} among them")


# -- out ---------------------------------------------------------------------------------------------------------------


@app.task(name="raycrafter.tasks.pull_output")
def pull_output(transfer_id: int) -> None:
    """Fetch the files of a transfer, check size and sha256, and store them."""
    transfer = _begin(transfer_id)
    if transfer is None:
        return
    scratch = _scratch(transfer)
    frames = {frame.number: frame for frame in transfer.job.frames.filter(state=FrameState.RENDERED)}
    entries = [entry for entry in transfer.manifest if entry["frame"] in frames]
    try:
        _fetch(transfer, entries, scratch)
        if not transition(transfer, TransferState.VERIFYING):
            raise StoppedError
        wrong = [number for number, mine in _by_frame(entries) if not _keep(frames[number], mine, scratch)]
    except StoppedError:
        _leave(transfer)
        return
    except (InfrastructureError, OSError) as error:
        _put_off(transfer, error)
        return
    done = sum(entry["size"] for entry in transfer.manifest if entry["frame"] not in wrong)
    Transfer.objects.filter(pk=transfer.pk).update(bytes_done=done)
    if wrong and transfer.tries < MAX_MISMATCHES:
        shutil.rmtree(scratch, ignore_errors=True)
        _put_off(transfer, MismatchError(f"frames {', '.join(map(str, wrong))} did not arrive as they were rendered"))
        return
    for number in wrong:
        outcomes.fail_frame(frames[number], "the file on the cluster is missing or not what was rendered")
    _finish(transfer, TransferState.DONE)


def _fetch(transfer: Transfer, entries: Sequence[dict[str, Any]], scratch: Path) -> None:
    """Pull the files that are not here yet.

    Files that are missing on the cluster are found by the comparison.
    """
    files = Files(scratch / "files", "/", [_name(entry) for entry in entries])
    here = {_local(entry, scratch): entry["size"] for entry in entries}
    for path in here:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        adapter().pull(files, scratch / "state", Progress(transfer, lambda: arrived(here)))
    except TransferError as error:
        if error.kind != "missing":
            raise
        logger.warning("%s", error)


def _name(entry: dict[str, Any]) -> str:
    return entry["source"].lstrip("/")


def _local(entry: dict[str, Any], scratch: Path) -> Path:
    return scratch / "files" / _name(entry)


def _by_frame(entries: Sequence[dict[str, Any]]) -> list[tuple[int, list[dict[str, Any]]]]:
    numbers = dict.fromkeys(entry["frame"] for entry in entries)
    return [(number, [entry for entry in entries if entry["frame"] == number]) for number in numbers]


def _keep(frame: Frame, entries: list[dict[str, Any]], scratch: Path) -> bool:
    """Store the files of one frame when all are right. Return whether they are."""
    for entry in entries:
        local = _local(entry, scratch)
        if not local.is_file() or local.stat().st_size != entry["size"] or _digest(local) != entry["sha256"]:
            return False
    for entry in entries:
        with _local(entry, scratch).open("rb") as source:
            _store(entry["target"], File(source))
    first = entries[0]
    fields = {"file": first["target"], "file_size": first["size"], "file_sha256": first["sha256"], "percent": 100.0}
    if small := small_copy(_local(first, scratch)):
        _store(thumbnail_path(first["target"]), ContentFile(small))
        fields["thumbnail"] = True
    if not transition(frame, FrameState.SYNCED, **fields) and frame.state != FrameState.SYNCED:
        # cancelled meanwhile: no row would name the files
        for entry in entries:
            delete_with_copy(entry["target"])
    return True


def _store(name: str, content: File) -> None:
    # Deleted first: a storage gives a file another name when one is there, as after a worker's death right here.
    default_storage.delete(name)
    default_storage.save(name, content)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
