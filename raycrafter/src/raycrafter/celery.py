"""The Celery application: three queues, no result backend, tasks acknowledged when done."""

import os
from datetime import timedelta

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from kombu import Queue

from raycrafter import logs, task_times
from raycrafter.task_ids import TracedTask

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "raycrafter.settings")

PLAN_SECONDS = 3
TIMEOUT_SECONDS = 60
MEASURE_SECONDS = 60
PROXY_SECONDS = 300
SEND_SECONDS = 30
HOLD_SECONDS = 300
HOUR = 3600
POLL_SECONDS = settings.RAYCRAFTER.cluster.poll_interval


def _every(task: str, seconds: int, queue: str) -> dict[str, object]:
    """Return an entry of beat. Its message expires with the next one, so none pile up."""
    return {"task": task, "schedule": timedelta(seconds=seconds), "options": {"queue": queue, "expires": seconds}}


app = Celery("raycrafter", task_cls=TracedTask)
# Never config_from_object("django.conf:settings"): workers tell whoever asks (Flower does) all they are configured by,
# and Celery masks the secrets in its own settings alone.
app.conf.update(
    broker_url=settings.RAYCRAFTER.broker.url,
    broker_use_ssl=settings.RAYCRAFTER.broker.tls,
    task_always_eager=settings.DEVELOPMENT,
    imports=["raycrafter.tasks"],
    timezone=settings.TIME_ZONE,
    task_serializer="json",
    accept_content=["json"],
    result_backend=None,
    task_ignore_result=True,
    task_acks_late=True,
    # a killed worker's task is delivered again: tasks re-read the state and do nothing when it is done
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    # for Flower: events of tasks and workers; a broker drops them when nobody listens
    worker_send_task_events=True,
    task_send_sent_event=True,
    worker_enable_remote_control=True,  # the health check of the workers is Celery's own ping
    broker_connection_retry_on_startup=True,
    broker_heartbeat=30,
    # wait for the broker's word that a message is safe; do not wait for ever for a broker that is down
    broker_transport_options={} if settings.DEVELOPMENT else {"confirm_publish": True},
    task_publish_retry_policy={"max_retries": 3, "interval_start": 0, "interval_step": 0.5, "interval_max": 2},
    task_default_queue="default",
    task_create_missing_queues=False,
    # a key of its own for each: by default all are bound by one
    task_queues=[Queue(name, routing_key=name, durable=True) for name in ("default", "ssh", "transfer")],
    task_routes={
        # one ssh session to the site at a time: whatever talks to the cluster by ssh goes to the queue of concurrency 1
        "raycrafter.tasks.poll_cluster": {"queue": "ssh"},
        "raycrafter.tasks.ensure_workspace": {"queue": "ssh"},
        "raycrafter.tasks.release_workspace": {"queue": "ssh"},
        "raycrafter.tasks.extend_workspace": {"queue": "ssh"},
        "raycrafter.tasks.watch_workspaces": {"queue": "ssh"},
        "raycrafter.tasks.submit_batch": {"queue": "ssh"},
        "raycrafter.tasks.cancel_batch": {"queue": "ssh"},
        "raycrafter.tasks.push_input": {"queue": "transfer"},
        "raycrafter.tasks.pull_output": {"queue": "transfer"},
    },
    beat_schedule={
        "plan": _every("raycrafter.tasks.plan", PLAN_SECONDS, "default"),
        "poll_cluster": _every("raycrafter.tasks.poll_cluster", POLL_SECONDS, "ssh"),
        "check_timeouts": _every("raycrafter.tasks.check_timeouts", TIMEOUT_SECONDS, "default"),
        "measure_queues": _every("raycrafter.tasks.measure_queues", MEASURE_SECONDS, "default"),
        "check_proxy": _every("raycrafter.tasks.check_proxy", PROXY_SECONDS, "default"),
        "send_notifications": _every("raycrafter.tasks.send_notifications", SEND_SECONDS, "default"),
        "notify_holds": _every("raycrafter.tasks.notify_holds", HOLD_SECONDS, "default"),
        "watch_workspaces": _every("raycrafter.tasks.watch_workspaces", HOUR, "ssh"),
        "apply_retention": _every("raycrafter.tasks.apply_retention", HOUR, "default"),
    },
)

task_times.connect()


@setup_logging.connect
def _keep_logging(**_: object) -> None:
    """Configure our logging; Celery leaves it alone when this signal is answered."""
    logs.configure()
