"""One run: users, workers, the batch system and clients take turns in an order that the seed decides."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from fault_chance import FAULTS, Chance, Clock
from fault_clients import Client
from fault_cluster import Cluster, WorkerKilledError
from raycrafter.celery import app
from raycrafter.jobs import requests
from raycrafter.jobs.models import Attempt, Batch, Event, Frame, Job, Lease, Licence, Site, Transfer, Workspace
from raycrafter.tasks import common
from raycrafter.tasks.timeouts import TIMEOUT

FAULTY_TURNS, QUIET_TURNS = 20, 150
AWAY = TIMEOUT.total_seconds() * 4 / 3
MAX_TRIES = 60  # the runs lose more attempts than any site
HOSTS = [f"nid{number:05}" for number in range(1, 7)]
SSH = ("poll_cluster", "ensure_workspace", "release_workspace", "submit_batch", "cancel_batch")


class Run:
    """The service and its surroundings. ``nodes`` is how many clients a batch has."""

    def __init__(self, chance: Chance, clock: Clock, cluster: Cluster, nodes: int, walltime: int) -> None:
        self.chance, self.clock, self.cluster, self.nodes, self.walltime = chance, clock, cluster, nodes, walltime
        self.random = chance.random
        self.messages: list[tuple[str, tuple[int, ...]]] = []
        self.clients: list[Client] = []
        self.cancelled: set[int] = set()
        self.bad_host = self.random.choice((HOSTS[0], None, None))
        self._depth = 0
        cluster.meanwhile = self._meanwhile

    def send(self, name: str, arguments: tuple[int, ...] = (), **_: Any) -> None:
        """Stands for the broker."""
        message = (name.rpartition(".")[2], tuple(arguments))
        if self.chance.strikes("message lost") or message in self.messages:
            return
        self.messages += [message] * (2 if self.chance.strikes("message twice") else 1)

    def submit_jobs(self) -> None:
        """A few jobs of two users, sometimes with licences for two clients."""
        if self.random.random() < 0.3:
            Licence.objects.get_or_create(renderer="povray", defaults={"count": 2})
        for number in range(self.random.randint(1, 2)):
            owner, _ = get_user_model().objects.get_or_create(username=self.random.choice(("ada", "bob")))
            frames = self.random.randint(1, 4)
            upload = SimpleUploadedFile("ball.pov", b"sphere { 0, 1 }")
            columns = {"name": f"job {number}", "renderer": "povray", "width": 64, "height": 48}
            columns |= {"frames_spec": f"1-{frames}", "max_tries": MAX_TRIES}
            requests.submit(owner, upload, "ball.pov", "ball.pov", list(range(1, frames + 1)), **columns)

    def whole(self, waves: int = 1, enough: Callable[[], bool] = lambda: False) -> None:
        """Run with faults, then without, to the end. In each wave there are new jobs; no more come when it was
        ``enough``. Raises AssertionError when there is no end."""
        for _ in range(waves):
            self.submit_jobs()
            for _ in range(FAULTY_TURNS):
                self.turn()
            if enough():
                break
        self._calm_down()
        for _ in range(QUIET_TURNS):
            if self._is_over():
                return
            self.turn()
        raise AssertionError(f"no end after {QUIET_TURNS} quiet turns:\n{self.account()}")

    def turn(self) -> None:
        """Some time passes; everybody does something."""
        if self.chance.strikes("service away"):
            self._service_away()
        self.clock.seconds += self.random.choice((60, 120) if self.chance.calm else (3, 10, 30, 300))
        self._batch_system()
        living = [client for client in self.clients if client.alive] * (4 if self.chance.calm else 1)
        for client in self.random.sample(living, len(living)):
            if client.alive:
                client.step()
        if not self.chance.calm:
            self._users_and_operators()
        for task in ("plan", "poll_cluster", "check_timeouts"):
            if self.random.random() < 0.5:
                self.send(task)
        for _ in range(40):
            if not self.messages:
                break
            self._work(self.messages.pop(self.random.randrange(len(self.messages))))

    def _service_away(self) -> None:
        """Web, broker and database are away for longer than a client's timeout, while batches run on. What beat has
        overdue comes before the first client is heard again."""
        self.cluster.is_service_away = True
        for _ in range(4):
            self.clock.seconds += AWAY / 4
            self._batch_system()
            for client in [client for client in self.clients if client.alive]:
                client.step()
        self.cluster.is_service_away = False
        timed_out = Event.objects.filter(kind="silent")
        before = timed_out.count()
        self._work(("check_timeouts", ()))
        assert timed_out.count() == before, f"the service's own outage ended a batch:\n{self.account()}"

    def _work(self, message: tuple[str, tuple[int, ...]]) -> None:
        """One task in a worker, which may die of it: then the broker gives it to the next."""
        name, arguments = message
        try:
            app.tasks[f"raycrafter.tasks.{name}"](*arguments)
        except WorkerKilledError:
            common.pauses.clear()
            self.messages.append(message)

    def _meanwhile(self) -> None:
        """What others do while a task waits for the cluster: all but what the same queue would do."""
        if self._depth or self.random.random() < 0.7:
            return
        self._depth += 1
        living = [client for client in self.clients if client.alive]
        if living and self.random.random() < 0.6:
            self.random.choice(living).step()
        elif not self.chance.calm and self.random.random() < 0.1:
            self._users_and_operators()
        elif others := [message for message in self.messages if message[0] not in SSH]:
            message = self.random.choice(others)
            self.messages.remove(message)
            self._work(message)
        self._depth -= 1

    def _batch_system(self) -> None:
        jobs = self.cluster.jobs
        for native_id, job in list(jobs.items()):
            if job.shown_until:
                if job.shown_until <= self.clock.seconds:
                    del jobs[native_id]
            elif job.started is None:
                if self.random.random() < 0.5:
                    self._start(job)
            elif self.chance.strikes("job killed") or self.clock.seconds > job.started + self.walltime:
                self.cluster.end(job, leaves_exit=False)
            elif not any(client.alive for client in job.clients):
                self.cluster.end(job, leaves_exit=True)
        if self.random.random() < 0.1 or self.chance.calm:
            for late in self.cluster.late:
                late()
            self.cluster.late.clear()

    def _start(self, job: Any) -> None:
        if f"{job.directory}/client.json" not in self.cluster.files or self.chance.strikes(
            "job killed before its client"
        ):
            self.cluster.end(job, leaves_exit=job.directory in self.cluster.directories)
            return
        job.started = self.clock.seconds
        copies = 2 if self.chance.strikes("job started twice") else 1
        for host in self.random.sample(HOSTS, self.nodes * copies):
            client = Client(self.cluster, job, host, is_bad=host == self.bad_host)
            job.clients.append(client)
            self.clients.append(client)

    def _users_and_operators(self) -> None:
        """Now and then somebody changes his mind."""
        job, chance = self.random.choice(list(Job.objects.all())), self.random.random()
        if chance < 0.01 and requests.cancel(job, "ada"):
            self.cancelled.add(job.pk)
        elif chance < 0.04:
            requests.pause(job, "ada")
        elif chance < 0.12:
            requests.resume(job, "ada")
        elif chance < 0.14:
            Site.objects.update(paused=self.random.random() < 0.3)

    def _calm_down(self) -> None:
        self.chance.calm = True
        Site.objects.update(paused=False)
        for job in Job.objects.filter(paused=True):
            requests.resume(job, "ada")

    def _is_over(self) -> bool:
        return (
            not Job.objects.exclude(state__in=["DONE", "FAILED", "CANCELLED"]).exists()
            and not Workspace.objects.exclude(state__in=["RELEASED", "FAILED"]).exists()
            and not self.cluster.jobs
        )

    def check(self) -> None:
        """Nothing is lost, nothing is in the result twice, nothing is left behind."""
        for job in Job.objects.all():
            assert job.state == ("CANCELLED" if job.pk in self.cancelled else "DONE"), self.account()
            if job.state == "DONE":
                for frame in job.frames.all():
                    self._check_frame(job, frame)
        left = [client for client in self.clients if client.alive]
        assert not left, "clients still run"
        assert not Batch.objects.exclude(state__in=["FINISHED", "LOST", "CANCELLED"]).exists()
        assert not Transfer.objects.exclude(state__in=["DONE", "FAILED", "CANCELLED"]).exists()
        assert not Attempt.objects.filter(ended=None).exists()
        assert not Lease.objects.exists(), "a licence is still held"
        twice = {name: count for name, count in Counter(self.cluster.submissions).items() if count > 1}
        assert not twice, f"submitted more than once: {twice}"

    def _check_frame(self, job: Job, frame: Frame) -> None:
        assert frame.state == "SYNCED", self.account()
        with default_storage.open(frame.file.name) as file:
            assert hashlib.sha256(file.read()).hexdigest() == frame.file_sha256
        transitions = Event.objects.filter(frame=frame, kind="state").values_list("data__from", "data__to")
        counts = Counter(transitions)
        assert counts["RENDERED", "SYNCED"] == 1, f"{frame} came {counts['RENDERED', 'SYNCED']} times"
        rendered = frame.attempts.filter(outcome="rendered").count()
        assert rendered == 1 + counts["RENDERED", "SOFT_FAILED"], f"{frame} was rendered {rendered} times: {counts}"
        mine = [
            taken
            for client in self.clients
            for taken in client.accepted
            if taken[0] == frame.number
            and taken[2] == frame.file_sha256
            and f"/{job.workspace.name}/" in client.job.directory
        ]
        assert len(mine) == 1, f"{frame}: its file is that of {mine}"

    def account(self) -> str:
        """What there is, for whoever reads a failure."""
        lines = [f"faults: {dict(self.chance.seen)} of {len(FAULTS)} kinds", f"messages: {self.messages}"]
        lines += [f"{job}: {job.state} {job.state_reason}" for job in Job.objects.all()]
        lines += [f"{frame}: {frame.state} {frame.error}" for frame in Frame.objects.all()]
        lines += [f"{batch}: {batch.state} {batch.native_id} {batch.state_reason}" for batch in Batch.objects.all()]
        lines += [
            f"{row}: {row.state} {row.state_reason}" for row in [*Workspace.objects.all(), *Transfer.objects.all()]
        ]
        lines += [str(job) for job in self.cluster.jobs.values()]
        return "\n".join(lines)
