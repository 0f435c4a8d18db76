"""A cluster in memory: login node, file system, batch system and GridFTP server, with all their known faults."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from django.db import connection
from fault_chance import Chance, Clock
from fault_schedulers import KINDS, Row, full_status
from raycrafter.cluster import ssh, submit, workspace
from raycrafter.cluster.batch.reply import Reply, number
from raycrafter.cluster.errors import SshError, TransferError
from raycrafter.cluster.scheduler import MARK, Scheduler
from raycrafter.cluster.transfer import Files
from raycrafter.tasks import left_logs, polling, transfer_progress, transfers


class WorkerKilledError(BaseException):
    """The worker's process is gone in the middle of a task."""


@dataclass
class BatchJob:
    """A job of the batch system."""

    native_id: str
    name: str
    directory: str
    visible_at: float
    started: float | None = None
    clients: list = field(default_factory=list)
    shown_until: float | None = None  # set when it has ended and is still listed as such


class Cluster:
    """Files, directories and jobs."""

    def __init__(self, chance: Chance, clock: Clock, kind: str) -> None:
        self.chance, self.clock, self.scheduler, self.kind = chance, clock, kind, KINDS[kind]
        self.files: dict[str, bytes] = {}
        self.directories: set[str] = set()
        self.leases: dict[str, float] = {}
        self.jobs: dict[str, BatchJob] = {}
        self.late: list[Callable[[], None]] = []
        self.submissions: list[str] = []
        self.is_service_away = False
        self.meanwhile: Callable[[], None] = lambda: None
        self._last = 0
        scheduler = Scheduler(kind)
        self._scripts = {
            submit._SUBMIT % scheduler.submit: self._submit,
            submit._LOOK: self._tell,
            submit._REARM: self._rearm,
            ssh._WRITE: self._write,
            workspace._MAKE: self._make,
            'ws_allocate "$1" "$2"': self._allocate,
            "ws_list": self._list_workspaces,
            'ws_release "$1"': self._release,
            left_logs._FIRST: lambda *_: Reply(0, "", ""),
            scheduler.list: self._qstat,
            scheduler.cancel: self._qdel,
            scheduler.status: self._full_status,
            polling._EXITS: self._exits,
            polling._TAIL: lambda *_: Reply(0, "", ""),
            transfer_progress._SIZES: self._sizes,
            transfers._DIGESTS: self._digests,
            transfers._REMOVE: self._remove,
            transfers._PUBLISH: self._publish,
        }

    def run(self, script: str, arguments: Sequence[str], data: bytes | None) -> Reply:
        """Stands for the shell of the login node. Raises SshError."""
        assert not connection.in_atomic_block, "a transaction is kept open while the cluster is spoken to"
        self.meanwhile()
        if self.chance.strikes("no connection"):
            raise SshError("ssh to cluster: refused")
        if self.chance.strikes("worker killed"):
            raise WorkerKilledError
        handler = self._scripts[script]
        answer = handler(*arguments, data) if data is not None else handler(*arguments)
        self.meanwhile()
        if self.chance.strikes("reply lost"):
            raise SshError("ssh to cluster: broken pipe")
        if self.chance.strikes("worker killed"):
            raise WorkerKilledError
        return answer

    # -- files ---------------------------------------------------------------------------------------------------------

    def _write(self, path: str, size: str, data: bytes) -> Reply:
        assert len(data) == int(size)
        self.directories.add(str(PurePosixPath(path).parent))
        self.files[path] = data
        return Reply(0, "", "")

    def _make(self, path: str) -> Reply:
        self.directories |= {f"{path}/{name}" for name in ("input", "work", "frames")}
        return Reply(0, "", "")

    def _sizes(self, path: str) -> Reply:
        found = {name.removeprefix(f"{path}/"): data for name, data in self.files.items() if name.startswith(path)}
        return Reply(0, "".join(f"{len(data)} {name}\n" for name, data in found.items()), "")

    def _digests(self, path: str, names: bytes) -> Reply:
        found = [(name, self.files.get(f"{path}/{name}")) for name in names.decode().split("\0")]
        lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in found if data is not None]
        return Reply(0 if len(lines) == len(found) else 123, "".join(lines), "")

    def _remove(self, path: str, names: bytes) -> Reply:
        for name in names.decode().split("\0"):
            self.files.pop(f"{path}/{name}", None)
        return Reply(0, "", "")

    def _publish(self, source: str, target: str) -> Reply:
        if not any(path.startswith(f"{source}/") for path in self.files):
            return Reply(1, "", f"mv: cannot stat '{source}'")
        kept = {path: data for path, data in self.files.items() if not path.startswith(f"{target}/")}
        self.files = {
            f"{target}{path.removeprefix(source)}" if path.startswith(f"{source}/") else path: data
            for path, data in kept.items()
        }
        return Reply(0, "", "")

    def _exits(self, *directories: str) -> Reply:
        found = [(path, self.files.get(f"{path}/exit")) for path in directories]
        return Reply(0, "".join(f"{path} {data.decode()}" for path, data in found if data), "")

    # -- workspaces ----------------------------------------------------------------------------------------------------

    def _allocate(self, name: str, days: str) -> Reply:
        self.leases.setdefault(name, self.clock.seconds + int(days) * 86400)
        self.directories.add(f"/lustre/{name}")
        return Reply(0, f"/lustre/{name}\n", "")

    def _list_workspaces(self) -> Reply:
        text = ""
        for name, until in self.leases.items():
            days, hours = divmod(int((until - self.clock.seconds) // 3600), 24)
            text += f"id: {name}\n     workspace directory  : /lustre/{name}\n"
            text += f"     remaining time       : {days} days {hours} hours\n     available extensions : 3\n"
        return Reply(0, text, "")

    def _release(self, name: str) -> Reply:
        del self.leases[name]
        self.directories = {path for path in self.directories if not f"{path}/".startswith(f"/lustre/{name}/")}
        self.files = {path: data for path, data in self.files.items() if not path.startswith(f"/lustre/{name}/")}
        return Reply(0, "", "")

    # -- submissions ---------------------------------------------------------------------------------------------------

    def _submit(self, directory: str) -> Reply:
        if directory in self.directories and f"{directory}/submit.lock" not in self.directories:
            self.directories.add(f"{directory}/submit.lock")
            if self.chance.strikes("shell killed before qsub"):
                raise SshError("ssh to cluster: connection reset")
            if self.chance.strikes("qsub answers late"):
                self.late.append(lambda: self._submit_late(directory))
                raise SshError("ssh took too long and was killed")
            answer = self._qsub(directory)
            if self.chance.strikes("shell killed after qsub"):
                raise SshError("ssh to cluster: connection reset")
            self._record(directory, answer)
        return self._tell(directory)

    def _submit_late(self, directory: str) -> None:
        if directory in self.directories:
            self._record(directory, self._qsub(directory))

    def _record(self, directory: str, answer: Reply) -> None:
        if directory in self.directories:
            self.files[f"{directory}/submit.out"] = f"{answer.code}\n{answer.stdout}{answer.stderr}".encode()

    def _tell(self, directory: str) -> Reply:
        if directory not in self.directories:
            return Reply(submit.NO_DIRECTORY, "", "")
        if kept := self.files.get(f"{directory}/submit.out"):
            code, _, text = kept.decode().partition("\n")
            return Reply(0, f"Welcome\n{submit.MARK} {code}\n{text}", "")
        told = "pending" if f"{directory}/submit.lock" in self.directories else "none"
        return Reply(0, f"{submit.MARK} {told}\n", "")

    def _rearm(self, directory: str) -> Reply:
        if not self.files.pop(f"{directory}/submit.out", None):
            return Reply(1, "", "")
        self.directories.discard(f"{directory}/submit.lock")
        return Reply(0, "", "")

    def _qsub(self, directory: str) -> Reply:
        if self.chance.strikes("qsub busy"):
            code, text = self.chance.random.choice(self.kind.busy)
            return Reply(code, "", text)
        in_doubt = self.chance.strikes("qsub in doubt")
        if not in_doubt or self.chance.random.random() < 0.5:
            script = self.files[f"{directory}/job.sh"].decode()
            name = re.search(rf"^{re.escape(self.kind.name)}(\S+)$", script, re.MULTILINE)[1]
            self.submissions.append(name)
            native_id = self._new_job(name, directory)
            # as a Torque that did not hear its own server's answer: only one of the two is told
            if self.chance.strikes("qsub takes it twice"):
                native_id = self.chance.random.choice((native_id, self._new_job(name, directory)))
        if in_doubt:
            code, text = self.chance.random.choice(self.kind.doubt)
            return Reply(code, "", text)
        banner = "qsub: warning: it is late\n" if self.chance.strikes("qsub prints a banner") else ""
        return Reply(0, f"{banner}{native_id}\n", "")

    def _new_job(self, name: str, directory: str) -> str:
        self._last += 1
        native_id = f"{self._last}{self.kind.server}"
        slow = 60.0 if self.chance.strikes("qstat is slow") else 0.0
        self.jobs[native_id] = BatchJob(native_id, name, directory, self.clock.seconds + slow)
        return native_id

    def _qstat(self) -> Reply:
        if self.chance.strikes("qstat fails"):
            code, text = self.chance.random.choice(self.kind.broken)
            return Reply(code, f"{MARK}\n{text}", "")
        rows = [
            self._row(job)
            for job in self.jobs.values()
            if job.visible_at <= self.clock.seconds and not self.chance.strikes("qstat forgets a job")
        ]
        code, text = self.kind.listing(rows)
        if rows and self.chance.strikes("qstat is cut"):
            text = text[: self.chance.random.randrange(len(text) - 1)].rstrip("\n")
        return Reply(code, f"{MARK}\n{text}", "")

    @staticmethod
    def _row(job: BatchJob) -> Row:
        return Row(job.native_id, job.name, "Q" if job.started is None else "C" if job.shown_until else "R")

    def _find(self, native_id: str) -> BatchJob | None:
        return next((job for job in self.jobs.values() if native_id in (job.native_id, number(job.native_id))), None)

    def _full_status(self, native_id: str) -> Reply:
        job = self._find(native_id)
        answer = full_status(self.scheduler, self._row(job) if job and job.shown_until else None)
        return Reply(answer.code, f"Welcome\n{MARK}\n{answer.stdout}", "")

    def _qdel(self, native_id: str) -> Reply:
        job = self._find(native_id)
        if job is None or job.shown_until:
            code, text = self.kind.no_such_job
            return Reply(code, "", text)
        if self.chance.strikes("qdel fails"):
            code, text = self.kind.refuses_to_delete
            return Reply(code, "", text)
        self.end(job, leaves_exit=False)
        return Reply(0, "", "")

    def end(self, job: BatchJob, leaves_exit: bool) -> None:
        """Ends a job and its clients; it is listed as ended for a while."""
        for client in job.clients:
            client.alive = False
        if job.started is None:
            job.started = self.clock.seconds
        job.shown_until = self.clock.seconds + self.chance.random.choice((0.5, 100.0))
        if leaves_exit and job.directory in self.directories:
            self.files[f"{job.directory}/exit"] = f"{job.native_id} 0\n".encode()


class Login(ssh.Remote):
    """Stands for the ssh connection."""

    cluster: Cluster

    def run(self, script: str, *arguments: str, data: bytes | None = None, timeout: float = 0.0) -> Reply:
        """See ssh.Remote.run."""
        return self.cluster.run(script, arguments, data)


class Copies:
    """Stands for the adapter of transfers."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def push(self, files: Files, state: Path, tick: Callable[[], None]) -> None:
        """See transfer.Adapter.push."""
        self._may_break()
        for name in files.names:
            data = (files.here / name).read_bytes()
            self._cluster.files[f"{files.there}/{name}"] = self._whole_or_not(data)
            tick()
        self._may_break()

    def pull(self, files: Files, state: Path, tick: Callable[[], None]) -> None:
        """See transfer.Adapter.pull."""
        missing = ""
        for name in files.names:
            self._may_break()
            data = self._cluster.files.get(f"{files.there.rstrip('/')}/{name}")
            if data is None:
                missing = name
            else:
                (files.here / name).write_bytes(self._whole_or_not(data))
            tick()
        if missing:
            raise TransferError("missing", f"No such file: {missing}")

    def _whole_or_not(self, data: bytes) -> bytes:
        return data[1:] if self._cluster.chance.strikes("file broken") else data

    def _may_break(self) -> None:
        assert not connection.in_atomic_block, "a transaction is kept open during a transfer"
        self._cluster.meanwhile()
        if self._cluster.chance.strikes("transfer breaks"):
            raise TransferError("network", "an end-of-file was reached")
        if self._cluster.chance.strikes("worker killed"):
            raise WorkerKilledError
