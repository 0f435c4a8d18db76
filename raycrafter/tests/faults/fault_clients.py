"""Clients on compute nodes: they claim by the real API, render to the cluster's memory, and die when told to."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fault_cluster import BatchJob, Cluster
from rest_framework.test import APIClient

STEPS = 3  # in which a frame is rendered
REFUSED = (401, 403, 409, 410)


class Client:
    """One client of one batch job. A step is one request or one piece of work, so that others come in between."""

    def __init__(self, cluster: Cluster, job: BatchJob, host: str, is_bad: bool) -> None:
        """On a bad host every frame fails."""
        self.cluster, self.job, self.host, self._is_bad = cluster, job, host, is_bad
        self.alive = True
        self.accepted: list[tuple[int, int, str]] = []  # frame, attempt, sha256 of a result that was taken
        told = json.loads(cluster.files[f"{job.directory}/client.json"])
        self._http = APIClient()
        self._http.credentials(HTTP_AUTHORIZATION=f"Batch {told['token']}")
        self._work: dict[str, Any] | None = None
        self._report: dict[str, Any] | None = None
        self._sent: list[tuple[str, dict[str, Any]]] = []
        self._reason, self._is_owner, self._cut_off = "", False, 0
        self._stop_at = float("inf")

    def step(self) -> None:
        """Do the next thing."""
        if self.cluster.chance.strikes("client killed"):
            self.alive = False
        elif self.cluster.chance.strikes("client cut off"):
            self._cut_off = self.cluster.chance.random.randrange(5, 60)
        self._cut_off -= 1
        if self._sent and self.alive and self.cluster.chance.strikes("request again"):
            self._send(*self.cluster.chance.random.choice(self._sent))
        if not self.alive:
            return
        if self._report:
            self._bring_report()
        elif self._work:
            self._render()
        elif self._reason:
            self._finish()
        elif self.cluster.clock.time() >= self._stop_at:
            self._reason = "walltime"
        else:
            self._claim()

    def post(self, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """One POST. Returns status 0 when it is not known whether it arrived."""
        strikes = self.cluster.chance.strikes
        if self._cut_off > 0 or self.cluster.is_service_away or strikes("request lost"):
            return 0, {}
        body = {"native_id": self.job.native_id, **body}
        self._sent.append((path, body))
        answer = self._send(path, body)
        assert answer.status_code < 500, answer.content
        if strikes("answer lost"):
            return 0, {}
        return answer.status_code, json.loads(answer.content or b"{}")

    def _send(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._http.post(f"/api/v1/client/{path}", json.dumps(body), content_type="application/json")
        if path.endswith("/result") and answer.status_code == 200 and body["outcome"] == "rendered":
            taken = (int(path.split("/")[1]), body["attempt"], body["files"][0]["sha256"])
            if taken not in self.accepted and json.loads(answer.content)["state"] in ("RENDERED", "SYNCED"):
                self.accepted.append(taken)
        return answer

    def _claim(self) -> None:
        status, answer = self.post("claim", host=self.host)
        if status in (200, 204):
            self._is_owner = True
        if status == 200:
            (self._work,) = answer["frames"]
            self._stop_at = answer["stop_at"]
        elif status == 204:
            self._reason = "nothing left"
        elif status in REFUSED:
            self.alive = False

    def _render(self) -> None:
        work, files = self._work, self.cluster.files
        progress = f"{work['files'][0]['work']}.state"
        done = int(files.get(progress, b"0")) if "+C" in work["command"] else 0
        frames = [{"number": work["number"], "attempt": work["attempt"], "percent": 100.0 * done / STEPS}]
        status, answer = self.post("heartbeat", frames=frames)
        if status in REFUSED or answer.get("action") == "stop":
            self._reason = "stopped"
        elif self.cluster.clock.time() >= self._stop_at:
            self._reason = "walltime"
        elif answer.get("action") == "drain":
            self._reason = "drained"
        if self._reason and self._reason != "drained":
            self._report = {"outcome": "interrupted", "error": self._reason, "files": []}
        elif self._is_bad or self.cluster.chance.strikes("renderer fails"):
            self._report = {"outcome": "failed", "error": "out of memory", "returncode": 1, "files": []}
        elif done + 1 < STEPS:
            files[progress] = str(done + 1).encode()
        else:
            self._publish(f"frame {work['number']} by {self.host} in {self.job.native_id}: {work['attempt']}".encode())

    def _publish(self, data: bytes) -> None:
        path = self._work["files"][0]["final"]
        if path.rpartition("/")[0] in self.cluster.directories:
            self.cluster.files[path] = data
        sha256 = hashlib.sha256(data).hexdigest()
        files = [{"path": path, "size": len(data), "sha256": sha256}]
        self._report = {"outcome": "rendered", "error": "", "returncode": 0, "seconds": 1.0, "files": files}

    def _bring_report(self) -> None:
        path = f"frames/{self._work['number']}/result"
        status, _ = self.post(path, attempt=self._work["attempt"], **self._report)
        if status:
            self._work = self._report = None
            if status in REFUSED and status != 409:
                self._reason = "refused"

    def _finish(self) -> None:
        if not self._is_owner or self.post("finish", reason=self._reason)[0]:
            self.alive = False
