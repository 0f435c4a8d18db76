"""The site's geometry, from the configuration's [cluster] table: what a batch reserves and how a client is launched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .batch.spec import BatchSpec, Launch, Node

if TYPE_CHECKING:
    from raycrafter.config import Cluster


def threads(cluster: Cluster) -> int:
    """Threads of a renderer that has a node to itself."""
    return cluster.cores_per_node * min(cluster.hyperthreads, 2)


def launch(cluster: Cluster) -> Launch:
    """One client per node with all of its CPUs, bound to none: the renderer's threads spread by themselves.

    Without ``d`` and ``cc`` aprun would bind every thread to one core.
    """
    # Without a launcher the batch system starts the client itself, once.
    clients = 1 if cluster.launcher == "none" else cluster.nodes
    return Launch(n=clients, N=1, d=threads(cluster), j=min(cluster.hyperthreads, 2), cc="none")


def batch_spec(cluster: Cluster, name: str, directory: str) -> BatchSpec:
    """The description of a batch that runs the client in ``directory`` (absolute, on the cluster)."""
    return BatchSpec(
        name=name,
        queue=cluster.queue,
        account=cluster.account or None,
        project=cluster.project or None,
        nodes=cluster.nodes,
        cores_per_node=cluster.cores_per_node,
        walltime=cluster.walltime_seconds,
        dialect=cluster.dialect,
        launcher=cluster.launcher,
        launch=launch(cluster),
        node=Node(cluster.cores_per_node, cluster.numa_nodes, cluster.hyperthreads),
        directory=directory,
        modules=cluster.modules,
        prologue=cluster.prologue or None,
        epilogue=cluster.epilogue or None,
        command=[cluster.client_python, "-m", "raycrafter_client", "run", "--config", f"{directory}/client.json"],
    )
