"""Addresses of the deployed service, and helpers of its tests."""

from __future__ import annotations

import io
import os
import subprocess
import zipfile
from pathlib import Path

from scenario import wait_for

ROOT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
PREFIX = os.environ["LAB_PREFIX"]
# Host name of Graylog's pages if one machine runs everything, because they then share a port with the service's pages.
ON_ONE_HOST = os.environ.get("SITE_ON_ONE_HOST")
WORKER, LOGGING = ("master1", "master1") if ON_ONE_HOST else ("worker1", "logging1")
ADDRESS = {"master1": f"{PREFIX}.11", "worker1": f"{PREFIX}.12", "logging1": f"{PREFIX}.13", "login1": f"{PREFIX}.14"}
MANAGED = list(dict.fromkeys(["master1", WORKER, LOGGING]))
ACCOUNT = {"login1": "render"}
ENDED = {"DONE", "FAILED", "CANCELLED"}


def as_root(name: str) -> str:
    """Return testinfra's address of a managed host, with commands as root."""
    return f"{as_user(name)}?sudo=true"


def as_user(name: str) -> str:
    """Return testinfra's address of a host; molecule.yml sets the ssh configuration."""
    return f"ssh://{ACCOUNT.get(name, 'ansible')}@{ADDRESS[name]}"


def over_ssh(address: str, command: str, text: str) -> str:
    """Run a command on a managed host with `text` as its input; return its output."""
    ssh = ["ssh", "-F", ROOT / ".lab/ssh/config", f"ansible@{address}", command]
    return subprocess.run(ssh, input=text, capture_output=True, text=True, timeout=120).stdout


def ended(api, job: int) -> dict:
    """Wait until the job has ended and return it."""
    return wait_for(
        f"job {job} ended",
        lambda: (answer := api.get(f"jobs/{job}").json())["state"] in ENDED and answer,
        480,
    )


def archive(files: dict[str, str]) -> bytes:
    """Return a zip archive of the files, by name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as container:
        for name, text in files.items():
            container.writestr(name, text)
    return packed.getvalue()
