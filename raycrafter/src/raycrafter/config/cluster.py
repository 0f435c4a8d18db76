"""The section [cluster], its nodes' geometry, and what a batch on it reserves."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from raycrafter.cluster.batch.registry import DIALECTS, SCHEDULERS
from raycrafter.cluster.batch.script import render
from raycrafter.cluster.batch.spec import BatchScriptError, BatchSpec, Launch, Node, parse_walltime
from raycrafter.cluster.batch.template import PLAIN
from raycrafter.cluster.transfer import KINDS

from .checks import check_at_least, check_choice
from .errors import SettingError


def _walltime(text: str, key: str) -> int:
    try:
        return parse_walltime(text)
    except BatchScriptError as error:
        raise SettingError(key, error.reason, 'write hours, minutes and seconds, like "01:30:00"') from error


# What a batch script's description calls what has another name in [cluster] (``batch_spec`` makes one of the other).
SCRIPT_KEYS = {
    "node.cores": "cores_per_node",
    "node.numa_nodes": "numa_nodes",
    "node.hyperthreads": "hyperthreads",
    "command[0]": "client_python",
}


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """[cluster]: the cluster that jobs run at. Times are in seconds unless named."""

    name: str
    ssh_config: str
    ssh_host: str = "cluster"
    dialect: str
    scheduler: str
    launcher: str
    queue: str
    account: str = ""
    project: str = ""
    cores_per_node: int
    numa_nodes: int = 1
    hyperthreads: int = 1
    nodes: int = 1
    walltime: str = "01:00:00"
    walltime_margin: int = 60
    workspace_days: int = 7
    workspace_warn_days: list[int] = field(default_factory=lambda: [7, 1])
    poll_interval: int = 45
    chunk_size: int = 10
    max_batches: int = 4
    transfer: str = "gridftp"
    gridftp_url: str = ""
    proxy_file: str = ""
    scratch: str
    client_python: str
    client_tls_dir: str
    modules: list[str] = field(default_factory=list)
    prologue: str = ""
    epilogue: str = ""
    template: str = PLAIN
    renderers: dict[str, str]

    def __post_init__(self) -> None:
        """Refuse what no batch system would take."""
        check_choice(self.scheduler, "cluster.scheduler", SCHEDULERS)
        check_choice(self.dialect, "cluster.dialect", DIALECTS)
        if self.dialect not in SCHEDULERS[self.scheduler].dialects:
            fits = ", ".join(SCHEDULERS[self.scheduler].dialects)
            problem = f"scheduler {self.scheduler!r} does not read {self.dialect!r}"
            raise SettingError("cluster.dialect", problem, f"use {fits}, or correct cluster.scheduler")
        for key in ("cores_per_node", "numa_nodes", "hyperthreads", "nodes", "workspace_days", "poll_interval"):
            check_at_least(getattr(self, key), f"cluster.{key}", 1)
        for key in ("chunk_size", "max_batches"):
            check_at_least(getattr(self, key), f"cluster.{key}", 1)
        if not 0 <= self.walltime_margin < _walltime(self.walltime, "cluster.walltime"):
            raise SettingError(
                "cluster.walltime_margin", f"{self.walltime_margin} leaves no time", "make it less than walltime"
            )
        self._check_transfer()
        if self.workspace_days * 86400 < self.walltime_seconds + self.walltime_margin:
            problem = f"{self.workspace_days} is less than one batch may take"
            raise SettingError("cluster.workspace_days", problem, "ask for more days, or make walltime shorter")
        if not self.renderers:
            raise SettingError("cluster.renderers", "is empty", 'add a line like povray = "/usr/bin/povray"')
        try:
            self.batch_script("trial", "/trial")
        except BatchScriptError as error:
            key, reason = error.field, error.reason
            for inner, ours in SCRIPT_KEYS.items():
                key, reason = key.replace(inner, ours), reason.replace(inner, ours)
            raise SettingError(f"cluster.{key}", reason, "docs/batch-scripts.md tells what it may be") from error

    def _check_transfer(self) -> None:
        """GridFTP needs a server and a proxy; ssh needs neither."""
        check_choice(self.transfer, "cluster.transfer", KINDS)
        for key in ("gridftp_url", "proxy_file"):
            if self.transfer == "gridftp" and not getattr(self, key):
                raise SettingError(f"cluster.{key}", "is missing", 'set it, or transfer = "ssh" below [cluster]')
            if self.transfer != "gridftp" and getattr(self, key):
                raise SettingError(f"cluster.{key}", "is for GridFTP alone", 'remove it, or set transfer = "gridftp"')
        if self.gridftp_url and urlsplit(self.gridftp_url).scheme not in ("gsiftp", "sshftp", "file"):
            raise SettingError(
                "cluster.gridftp_url", f"{self.gridftp_url!r} is no GridFTP address", 'use "gsiftp://host:2811"'
            )

    @property
    def walltime_seconds(self) -> int:
        """The walltime of a batch in seconds."""
        return _walltime(self.walltime, "cluster.walltime")

    @property
    def threads(self) -> int:
        """Threads of a renderer that has a node to itself."""
        return self.cores_per_node * min(self.hyperthreads, 2)

    @property
    def launch(self) -> Launch:
        """How a batch starts its clients: one per node with all of its CPUs, bound to none.

        The renderer's threads spread by themselves. Without ``d`` and ``cc`` aprun would bind every thread to one core.
        """
        # Without a launcher the batch system starts the client itself, once.
        clients = 1 if self.launcher == "none" else self.nodes
        return Launch(n=clients, N=1, d=self.threads, j=min(self.hyperthreads, 2), cc="none")

    def batch_spec(self, name: str, directory: str) -> BatchSpec:
        """Describe a batch whose client runs in ``directory`` (absolute, on the cluster)."""
        return BatchSpec(
            name=name,
            queue=self.queue,
            account=self.account or None,
            project=self.project or None,
            nodes=self.nodes,
            cores_per_node=self.cores_per_node,
            walltime=self.walltime_seconds,
            dialect=self.dialect,
            launcher=self.launcher,
            launch=self.launch,
            node=Node(self.cores_per_node, self.numa_nodes, self.hyperthreads),
            directory=directory,
            modules=self.modules,
            prologue=self.prologue or None,
            epilogue=self.epilogue or None,
            command=[self.client_python, "-m", "raycrafter_client", "run", "--config", f"{directory}/client.json"],
        )

    def batch_script(self, name: str, directory: str) -> str:
        """Return the text of such a batch's script."""
        return render(self.batch_spec(name, directory), self.template)
