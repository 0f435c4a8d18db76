"""Submission of a batch: once, whatever happens to the connection."""

from __future__ import annotations

import hashlib
import json

from django.conf import settings
from django.utils import timezone

from raycrafter.celery import app
from raycrafter.cluster import submit
from raycrafter.cluster.batch.registry import of_all
from raycrafter.cluster.batch.reply import Refused, Submitted, Verdict
from raycrafter.cluster.errors import InfrastructureError, RemoteError, SshError
from raycrafter.jobs import holds, outcomes
from raycrafter.jobs.closing import fail_job
from raycrafter.jobs.models import Attempt, Batch, Event
from raycrafter.jobs.states import BatchState, JobState, WorkspaceState
from raycrafter.jobs.transitions import transition

from .common import cluster, pauses, remote, scheduler
from .workspaces import lasts

SOURCE = "submission"
HEARTBEAT_SECONDS = 10
RETRY_SECONDS = {Verdict.BUSY: 15.0, Verdict.LIMIT: 60.0}
REFUSED_BY_SITE = 60.0  # seconds before files are written again after the site refused


@app.task(name="raycrafter.tasks.submit_batch")
def submit_batch(batch_id: int) -> None:
    """Submit a CREATED batch once.

    Once qsub may have run, nothing here runs it again: poll_cluster finds out what became of it.
    """
    batch = Batch.objects.select_related("job__workspace").filter(pk=batch_id, state=BatchState.CREATED).first()
    if batch is None or batch.job.is_final or batch.job.state == JobState.CANCELLING or ("batch", batch.pk) in pauses:
        return
    row = batch.job.workspace
    if row.state != WorkspaceState.ALLOCATED or batch.is_held:
        return
    try:
        if not lasts(row, batch.walltime_seconds + cluster().walltime_margin):
            fail_job(batch.job, f"workspace {row.name} expires before a batch could end, and cannot be extended")
            return
        if not transition(batch, BatchState.SUBMITTING, directory=f"{row.path}/batch-{batch.pk}"):
            return
        _write_files(batch)
    except (InfrastructureError, RemoteError) as error:
        _postpone(batch, str(error), 0.0 if isinstance(error, SshError) else REFUSED_BY_SITE)
        return
    try:
        submission_answered(batch, submit.submit(remote(), scheduler(), batch.directory))
    except (SshError, RemoteError) as error:
        batch.refresh_from_db()
        if batch.state == BatchState.SUBMITTING:
            transition(batch, BatchState.SUBMIT_UNKNOWN, state_reason=str(error))
        holds.hold(batch.job, SOURCE, f"batch {batch.pk}: the answer to its submission was lost ({error})", batch)


def _write_files(batch: Batch) -> None:
    """Write script and client settings into the batch's directory, mode 0600."""
    script = cluster().batch_script(batch.name, batch.directory).encode()
    Batch.objects.filter(pk=batch.pk).update(script_sha256=hashlib.sha256(script).hexdigest())
    remote().write(f"{batch.directory}/job.sh", script)
    remote().write(f"{batch.directory}/client.json", json.dumps(client_settings(batch)).encode())


def client_settings(batch: Batch) -> dict[str, object]:
    """Return the settings of the compute client, with a new token."""
    site, graylog, tls = cluster(), settings.RAYCRAFTER.graylog, cluster().client_tls_dir
    client: dict[str, object] = {
        "url": settings.RAYCRAFTER.django.public_url,
        "ca_file": f"{tls}/ca.crt",
        "token": batch.issue_token(),
        "batch": batch.pk,
        "job": batch.job_id,
        "native_id_env": list(of_all("job_id_env")),
        "spool_dir": f"{batch.directory}/spool",
        "walltime_seconds": batch.walltime_seconds,
        "walltime_end_margin": site.walltime_margin,
        "heartbeat_seconds": HEARTBEAT_SECONDS,
    }
    if graylog.gelf_host:
        address = {"host": graylog.gelf_host, "port": graylog.gelf_port, "transport": graylog.gelf_transport}
        files = {"ca_file": f"{tls}/ca.crt", "cert_file": f"{tls}/client.crt", "key_file": f"{tls}/client.key"}
        client["gelf"] = address | files
    return client


def submission_answered(batch: Batch, answer: submit.Answer) -> None:
    """Act on the answer to a submission; the batch is SUBMITTING or SUBMIT_UNKNOWN."""
    match answer:
        case Submitted(native_id):
            Batch.objects.filter(pk=batch.pk).update(native_id=native_id, submitted=timezone.now())
            batch.refresh_from_db()
            # A client may have claimed already, which made it RUNNING.
            if batch.state in (BatchState.SUBMITTING, BatchState.SUBMIT_UNKNOWN):
                transition(batch, BatchState.QUEUED, state_reason="")
            Event.note(batch.job, "submitted", f"batch {batch.pk} is {native_id}", batch=batch)
            holds.release(batch.job, SOURCE)
        case Refused(Verdict.DOUBT, text):
            transition(batch, BatchState.SUBMIT_UNKNOWN, state_reason=text)
            holds.hold(batch.job, SOURCE, f"batch {batch.pk}: qsub may have taken it or not: {text}", batch)
        case Refused(Verdict.FATAL, text):
            if transition(batch, BatchState.LOST, state_reason=text, finished=timezone.now()):
                outcomes.release(batch, Attempt.Outcome.LOST, text)
                fail_job(batch.job, f"the batch system refuses the job: {text}")
        case Refused(verdict, text):
            submit.rearm(remote(), batch.directory)
            _postpone(batch, f"{cluster().ssh_host}: the batch system takes no job now: {text}", RETRY_SECONDS[verdict])
        case submit.NotSubmitted():
            _postpone(batch, "", 0.0)
        case submit.Pending():
            transition(batch, BatchState.SUBMIT_UNKNOWN, state_reason="qsub has not answered")


def _postpone(batch: Batch, text: str, seconds: float) -> None:
    """Return the batch to CREATED: no submission was made."""
    pauses.set(("batch", batch.pk), seconds)
    if batch.state in (BatchState.SUBMITTING, BatchState.SUBMIT_UNKNOWN):
        transition(batch, BatchState.CREATED, state_reason=text)
    if text:
        holds.hold(batch.job, SOURCE, text, batch)
