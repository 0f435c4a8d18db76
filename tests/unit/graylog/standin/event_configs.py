"""Validate the settings within event definitions and notifications.

A key's release is the first of which the sources or a recording show it; the real one may have come earlier.
"""

from __future__ import annotations

from tests.unit.graylog.standin.releases import Release
from tests.unit.graylog.standin.shapes import (
    ANY,
    BOOL,
    LIST,
    MAP,
    TEXT,
    TEXTS,
    WHOLE,
    Shape,
    fit,
    needed,
    optional,
    unknown_key,
)

TYPE = {"type": needed(TEXT)}
AGGREGATION = Shape(
    "org.graylog.events.processor.aggregation.AggregationEventProcessorConfig",
    {
        **TYPE,
        "query": needed(TEXT),
        "query_parameters": optional(LIST),
        "filters": optional(LIST, since=(5, 0)),
        "streams": needed(TEXTS),
        "stream_categories": optional(TEXTS, since=(6, 1)),
        "group_by": needed(TEXTS),
        "series": needed(LIST),
        "conditions": optional(MAP),
        "search_within_ms": needed(WHOLE),
        "execute_every_ms": needed(WHOLE),
        "use_cron_scheduling": optional(BOOL, since=(6, 1)),
        "cron_expression": optional(TEXT, since=(6, 1)),
        "cron_timezone": optional(TEXT, since=(6, 1)),
        "event_limit": optional(WHOLE, since=(5, 2)),
    },
    builder=True,
)
SERIES = Shape(
    "org.graylog.plugins.views.search.searchtypes.pivot.SeriesSpec",
    {
        "id": optional(TEXT),
        "function": needed(TEXT, until=(5, 2)),
        "type": needed(TEXT, since=(5, 2)),
        "field": optional(TEXT),
    },
)
CONDITIONS = Shape(
    "org.graylog.events.processor.aggregation.AggregationConditions", {"expression": optional(MAP)}, builder=True
)
BOTH = {"left": needed(MAP), "right": needed(MAP)}
# Keys of each kind of expression, besides `expr`.
EXPRESSIONS = {
    **dict.fromkeys(("&&", "||", "==", ">", ">=", "<", "<="), BOTH),
    "!": {"left": needed(MAP)},
    "group": {"child": needed(MAP), "operator": optional(TEXT)},
    "number": {"value": needed(ANY)},
    "number-ref": {"ref": needed(TEXT)},
    "true": {},
}
HTTP = Shape(
    "org.graylog.events.notifications.types.HTTPEventNotificationConfig",
    {
        **TYPE,
        "url": optional(TEXT),
        "basic_auth": optional(ANY, since=(4, 0)),
        "api_key_as_header": optional(BOOL, since=(4, 0)),
        "api_key": optional(TEXT, since=(4, 0)),
        "api_secret": optional(ANY, since=(4, 0)),
        "skip_tls_verification": optional(BOOL, since=(4, 0)),
    },
    builder=True,
)
EMAIL = Shape(
    "org.graylog.events.notifications.types.EmailEventNotificationConfig",
    {
        **TYPE,
        "sender": optional(TEXT),
        "reply_to": optional(TEXT, since=(5, 0)),
        "subject": optional(TEXT),
        "body_template": optional(TEXT),
        "html_body_template": optional(TEXT),
        "email_recipients": optional(TEXTS),
        "user_recipients": optional(TEXTS),
        "time_zone": optional(TEXT, since=(4, 3)),
    },
    builder=True,
)
# Other types belong to plugins and accept any keys.
KINDS = {"aggregation-v1": AGGREGATION, "http-notification-v1": HTTP, "email-notification-v1": EMAIL}


def fit_config(release: Release, config: dict) -> dict:
    """Return the settings as the server parses them. Raises RefusedError."""
    shape = KINDS.get(config.get("type"))
    if shape is None:
        return dict(config)
    given = fit(release, shape, config)
    if shape is AGGREGATION:
        for series in given["series"]:
            fit(release, SERIES, series)
        expression = fit(release, CONDITIONS, given.get("conditions") or {}).get("expression")
        if expression is not None:
            fit_expression(release, expression)
    return given


def fit_expression(release: Release, expression: dict) -> None:
    """Validate a condition recursively. Raises RefusedError."""
    kind = expression.get("expr")
    keys = EXPRESSIONS.get(kind)
    if keys is None:
        shape = Shape("org.graylog.events.conditions.Expression")
        raise unknown_key(release, shape, f"expr {kind}", sorted(EXPRESSIONS), len(str(expression)))
    given = fit(release, Shape("org.graylog.events.conditions.Expr", {"expr": needed(TEXT), **keys}), expression)
    for key in ("left", "right", "child"):
        if key in given:
            fit_expression(release, given[key])
