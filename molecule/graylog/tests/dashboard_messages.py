"""Generate a day of messages with the fields of hosts, nodes and nginx.

Fields that the pipelines add (seconds of a frame, findings, status classes) are not included.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

DAY = 86400
JOBS = {41: 95.0, 42: 240.0, 43: 420.0, 44: 150.0}  # seconds per frame
NODES = [f"node{number:03}" for number in range(1, 11)]
HOSTS = ("web1", "worker1", "master1", "logging1")
# not recorded: the two lines of POV-Ray; form: povray-3.7.0.10-error-bad2.stderr and POV-Ray's source, parser/parse.cpp
CAUSES = (
    "File 'scene.pov' line 12: Parse Error: Cannot open include file textures.inc. (exit code 1)",
    "the renderer gave no reason (signal 9)",
    "cannot start the renderer: [Errno 28] No space left on device",
)
WARNING = "File 'scene.pov' line 3: Parse Warning: This scene did not contain a #version directive."
PATHS = (
    "/",
    "/jobs/44",
    "/api/jobs/",
    "/api/jobs/44/frames/",
    "/static/site.css",
    "/api/client/heartbeat",
    "/jobs/new",
)
UNITS = ("postgresql@15-main.service", "rabbitmq-server.service", "nginx.service", "ssh.service", "cron.service")
FINDINGS = (
    ("worker1", "disk: /var is 91 % full, 812 MB are free"),
    ("web1", "certificate: /etc/raycrafter/tls/host.crt ends in 310 hours: renew it"),
    (
        "worker1",
        "proxy: /var/lib/raycrafter/proxy.pem ends in 5 hours: look at `systemctl status raycrafter-grid-proxy.timer`",
    ),
    ("master1", "service: rabbitmq-server.service has failed: look at `journalctl -u rabbitmq-server.service`"),
)


def messages(mark: str) -> list[dict]:
    """Return the last day's GELF messages with a mark; only times vary."""
    dice, now = random.Random(1), time.time() - 30  # noqa: S311 - no secrets
    found = [*_frames(dice, now), *_requests(dice, now), *_journals(dice, now), *_findings(now)]
    return [message | {"_sample": mark} for message in found if now - DAY + 600 < message["timestamp"] <= now]


def _gelf(host: str, at: float, text: str, level: int, **fields) -> dict:
    own = {f"_{name}": value for name, value in fields.items()}
    return {"version": "1.1", "host": host, "timestamp": round(at, 3), "short_message": text, "level": level, **own}


def _frames(dice: random.Random, now: float) -> Iterator[dict]:
    """Yield the frames that every node renders, one job after another."""
    for place, node in enumerate(NODES):
        at, number = now - DAY + place * 97, place
        while at < now:
            job = 41 + min(3, int((at - now + DAY) / (DAY / 4) + dice.uniform(-0.25, 0.25)))
            yield from _frame(dice, node, at, max(41, job), number)
            number += len(NODES)
            at += JOBS[max(41, job)] * dice.uniform(3.5, 6.5)


def _frame(dice: random.Random, node: str, at: float, job: int, number: int) -> Iterator[dict]:
    ids = {"job_id": job, "batch_id": job * 10, "frame": number, "attempt": 1, "native_id": f"{job}17.batch"}
    seconds = JOBS[job] * dice.lognormvariate(0, 0.25)
    yield _gelf(node, at, f"frame {number} starts", 6, kind="frame_started", **ids)
    for part in (0.3, 0.6, 0.9):
        yield _gelf(node, at + seconds * part, f"{part * 100:.0f} %", 6, kind="progress", **ids)
    if dice.random() < 0.2:
        yield _gelf(node, at + 1, WARNING, 4, kind="warning", **ids)
    if dice.random() < 0.05:
        cause = dice.choices(CAUSES, (6, 3, 1))[0]
        yield _gelf(node, at + seconds, f"frame {number} failed: {cause}", 3, kind="frame_failed", **ids)
        yield _transition("worker1", at + seconds + 2, ids, "RUNNING", "SOFT_FAILED", 4)
        if dice.random() < 0.3:
            yield _transition("worker1", at + seconds + 3, ids, "SOFT_FAILED", "FAILED", 4)
        return
    yield _gelf(node, at + seconds, f"frame {number} rendered in {seconds:.1f} s", 6, kind="frame_rendered", **ids)
    yield _transition("worker1", at + seconds + 9, ids, "RENDERED", "SYNCED", 6)


def _transition(host: str, at: float, ids: dict, before: str, after: str, level: int) -> dict:
    """Return the render manager's message about a frame's transition."""
    text = f"frame {ids['frame']} of job {ids['job_id']}: {before} to {after}"
    fields = {"program": "raycrafter-worker-default", "object": "frame", "state": after}
    return _gelf(host, at, text, level, **fields, **{key: ids[key] for key in ("job_id", "batch_id", "frame")})


def _requests(dice: random.Random, now: float) -> Iterator[dict]:
    """Yield requests, more by day than by night."""
    for _ in range(2500):
        at = now - DAY * min(dice.random(), dice.random() + 0.2)
        path, status = dice.choice(PATHS), dice.choices((200, 304, 404, 403, 502, 500), (80, 12, 4, 2, 1, 1))[0]
        seconds = round(dice.lognormvariate(-3, 1.1) * (12 if path.endswith("frames/") else 1), 3)
        method, level = "POST" if "heartbeat" in path else "GET", {4: 5, 5: 3}.get(status // 100, 6)
        fields = {
            "method": method,
            "path": path,
            "status": status,
            "seconds": seconds,
            "bytes": dice.randint(300, 90000),
        }
        client = f"192.0.2.{dice.randint(1, 40)}"
        text = f"{method} {path} {status}"
        yield _gelf("web1", at, text, level, program="nginx", facility="nginx", site="pages", client=client, **fields)


def _journals(dice: random.Random, now: float) -> Iterator[dict]:
    for _ in range(2000):
        host, unit = dice.choice(HOSTS), dice.choice(UNITS)
        level = dice.choices((6, 5, 4, 3), (80, 10, 6, 4))[0]
        text = "could not reach its peer" if level == 3 else "goes about its work"
        program = unit.split(".")[0].split("@")[0]
        yield _gelf(host, now - DAY * dice.random(), text, level, program=program, unit=unit, facility="daemon")
    killed = "Out of memory: Killed process 4711 (python3) total-vm:9812345kB"
    yield _gelf("worker1", now - 5 * 3600, killed, 3, program="kernel", unit="", facility="kern")


def _findings(now: float) -> Iterator[dict]:
    """Yield findings, which the watch repeats as long as they last."""
    for place, (host, text) in enumerate(FINDINGS):
        for look in range(20 + place * 9):
            at = now - place * 4 * 3600 - look * 600
            yield _gelf(
                host, at, text, 4, program="raycrafter-watch", unit="raycrafter-watch.service", facility="daemon"
            )
