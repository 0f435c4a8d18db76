"""The configuration without a file, for development.

SQLite and files are below RAYCRAFTER_DEV_DIR (default ``.cache/raycrafter``).
"""

from __future__ import annotations

import os
from pathlib import Path

from .cluster import Cluster
from .file import Config
from .sections import Broker, Database, Django, Graylog, Media

DEVELOPMENT_DIRECTORY = "RAYCRAFTER_DEV_DIR"


def development_directory() -> Path:
    """Return the directory of the development configuration."""
    return Path(os.environ.get(DEVELOPMENT_DIRECTORY, ".cache/raycrafter")).absolute()


def development() -> Config:
    """Return the configuration without a file: for unit tests and for trying things."""
    home = development_directory()
    return Config(
        django=Django(
            secret_key="-".join(["development"] * 6),
            allowed_hosts=["localhost", "127.0.0.1", "testserver"],
            public_url="http://localhost:8000",
        ),
        database=Database(name=str(home / "db.sqlite3"), user="", password="", host="", ca_file=""),
        broker=Broker(url="memory://"),
        media=Media(root=str(home / "media")),
        graylog=Graylog(search_url="https://graylog.invalid/search?q={query}&rangetype=relative&relative={seconds}"),
        cluster=Cluster(
            name="development",
            ssh_config="/dev/null",
            dialect="torque",
            scheduler="slurm_torque",
            launcher="none",
            queue="workq",
            cores_per_node=2,
            poll_interval=5,
            gridftp_url="gsiftp://localhost:2811",
            proxy_file=str(home / "proxy.pem"),
            scratch=str(home / "scratch"),
            client_python="/lustre/sw/raycrafter/current/bin/python",
            client_tls_dir="/lustre/sw/raycrafter/tls",
            renderers={"povray": "/usr/bin/povray"},
        ),
    )
