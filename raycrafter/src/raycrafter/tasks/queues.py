"""Length of the queues: work without a worker shows in the logs before users ask."""

from __future__ import annotations

import logging

from kombu import Connection

from raycrafter.celery import app

logger = logging.getLogger(__name__)

BROKER_TIMEOUT = 10  # seconds


@app.task(name="raycrafter.tasks.measure_queues")
def measure_queues() -> None:
    """Log one line for each queue: ``_queue``, waiting ``_messages``, ``_consumers``.

    A queue without consumers is a warning.
    """
    with app.connection_for_read(connect_timeout=BROKER_TIMEOUT) as broker:
        for queue in app.conf.task_queues:
            messages, consumers = _measure(broker, queue.name)
            logger.log(
                logging.INFO if consumers else logging.WARNING,
                "queue %s: %d messages, %d consumers",
                queue.name,
                messages,
                consumers,
                extra={"queue": queue.name, "messages": messages, "consumers": consumers},
            )


def _measure(broker: Connection, name: str) -> tuple[int, int]:
    """Return messages and consumers of a queue; zeros if no worker has declared it."""
    try:
        # one each: the broker closes the channel on which it was asked for a queue that is not there
        with broker.channel() as channel:
            answer = channel.queue_declare(queue=name, passive=True)
    except broker.channel_errors:
        return 0, 0
    return answer.message_count, answer.consumer_count
