"""Print the results of the demo: job, frames, batches, log messages and logins.

Usage: python3 -m lab.demo.report JOB
"""

from __future__ import annotations

import ssl
import sys
import time
from datetime import datetime
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

from lab import vault as lab_vault

ROOT = Path(__file__).resolve().parents[2]
WEB = "https://127.0.0.1:8443"
GRAYLOG = "https://127.0.0.1:9443"
LOG_LIMIT = 60  # seconds until Graylog must find the messages
tls = ssl.create_default_context(cafile=ROOT / ".lab/inventories/demo/pki/ca.crt")


def all_rows(api: httpx.Client, url: str) -> list[dict]:
    """Return the rows of all pages of a list."""
    rows = []
    while url:
        page = api.get(url).raise_for_status().json()
        rows += page["results"]
        url = page["next"]
    return rows


def count_messages(vault: dict[str, str], job: int, expected: int) -> int:
    """Wait until Graylog finds a job's expected log messages; return their number.

    Ends the program after LOG_LIMIT seconds.
    """
    login = ("admin", vault["vault_graylog_root_password"])
    query = {"query": f"job_id:{job} AND facility:raycrafter-client", "range": 3600, "limit": 1}
    end = time.monotonic() + LOG_LIMIT
    with httpx.Client(base_url=f"{GRAYLOG}/api/", auth=login, verify=tls, timeout=30) as graylog:
        while True:
            response = graylog.get("search/universal/relative", params=query, headers={"Accept": "application/json"})
            found = response.raise_for_status().json()["total_results"]
            if found >= expected:
                return found
            if time.monotonic() > end:
                sys.exit(
                    f"Graylog finds {found} of {expected} messages of job {job} after {LOG_LIMIT} s: see {GRAYLOG}"
                )
            time.sleep(1)


def table(title: str, columns: list[str], rows: list[list]) -> Table:
    """Return a table for the console."""
    result = Table(title=title, title_justify="left")
    for column in columns:
        result.add_column(column, overflow="fold")
    for row in rows:
        result.add_row(*(str(cell) if cell is not None else "" for cell in row))
    return result


def main(number: int) -> None:
    """Collect and print the results of a job."""
    vault = lab_vault.opened()
    credentials = {"username": "demo", "password": vault["vault_lab_user_password"]}
    with httpx.Client(base_url=f"{WEB}/api/v1/", verify=tls, timeout=30) as api:
        api.headers["Authorization"] = (
            f"Token {api.post('auth/login', json=credentials).raise_for_status().json()['token']}"
        )
        job = api.get(f"jobs/{number}").raise_for_status().json()
        frames = all_rows(api, f"jobs/{number}/frames")
        batches = all_rows(api, f"jobs/{number}/batches")
    found = count_messages(vault, number, expected=len(frames))
    seconds = (datetime.fromisoformat(job["finished"]) - datetime.fromisoformat(job["created"])).total_seconds()
    rendering = sum(frame["seconds"] or 0 for frame in frames)
    console = Console()
    console.print(
        table(
            "Job",
            ["id", "name", "state", "frames", "wall time", "rendering", "log messages in Graylog"],
            [[job["id"], job["name"], job["state"], len(frames), f"{seconds:.0f} s", f"{rendering:.0f} s", found]],
        ),
        table(
            "Batches",
            ["id", "job id of the cluster", "state", "submitted", "finished"],
            [[batch[key] for key in ("id", "native_id", "state", "submitted", "finished")] for batch in batches],
        ),
        table(
            "Frames",
            ["number", "state", "batch", "seconds", "bytes", "sha256"],
            [
                [f["number"], f["state"], f["batch"], f["seconds"], f["file"]["size"], f["file"]["sha256"][:16]]
                for f in frames
            ],
        ),
        table(
            "Logins (generated for this lab only)",
            ["page", "user", "password"],
            [
                [f"{WEB}/", "demo", vault["vault_lab_user_password"]],
                [f"{WEB}/admin/", "operator", vault["vault_django_operator_password"]],
                [f"{GRAYLOG}/", "admin", vault["vault_graylog_root_password"]],
            ],
        ),
    )
    console.print(f"Log of the job: {job['log_search_url']}", soft_wrap=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
