"""Serve /events/notifications."""

from __future__ import annotations

from tests.unit.graylog.standin.event_configs import fit_config
from tests.unit.graylog.standin.events import Events, invalid
from tests.unit.graylog.standin.routes import Call, route
from tests.unit.graylog.standin.shapes import MAP, TEXT, RefusedError, Shape, needed, optional

NOTIFICATION = Shape(
    "org.graylog.events.notifications.NotificationDto",
    {"id": optional(TEXT), "title": needed(TEXT), "description": needed(TEXT), "config": needed(MAP)},
    builder=True,
)
# Types of settings: required keys, and defaults of the other keys.
NOTIFICATION_KINDS = {
    "http-notification-v1": (["url"], {}),
    "email-notification-v1": (
        ["subject"],
        {"sender": "", "body_template": "", "html_body_template": "", "email_recipients": [], "user_recipients": []},
    ),
}
SECRETS = ("basic_auth", "api_secret")
HTTP_DEFAULTS = {"api_key_as_header": False, "api_key": "", "skip_tls_verification": False}


# not recorded: refusals by validation, of ids and of what is not there; form: NotificationDto.java,
# HTTPEventNotificationConfig.java, EmailEventNotificationConfig.java, EventNotificationsResource.java
class Notifications(Events):
    def shown(self, item: dict) -> dict:
        """Return the item with encrypted secrets hidden; plugins hide nothing."""
        config = dict(item["config"])
        if config["type"] == "http-notification-v1" and self.release.within((4, 0), None):
            config = {**HTTP_DEFAULTS, **config, **{key: {"is_set": bool(config.get(key))} for key in SECRETS}}
        return {**item, "config": config}

    def _checked(self, given: dict, old: dict | None = None) -> dict:
        config = dict(given["config"])
        kind = config.get("type")
        if not given["title"]:
            raise invalid(title="Notification title cannot be empty.")
        if not kind:
            raise invalid(config="Notification config type cannot be empty.")
        config = fit_config(self.release, config)
        must, defaults = NOTIFICATION_KINDS.get(kind, ([], {}))
        for key in must:
            if not config.get(key):
                raise invalid(**{key: f"{key} cannot be empty."})
        for key in SECRETS:
            value = config.get(key)
            if isinstance(value, dict):
                config[key] = (old or {}).get("config", {}).get(key) if value.get("keep_value") else None
                config[key] = value.get("set_value", config[key])
        return {**given, "config": {**defaults, **config}}

    @route("GET", "/events/notifications")
    def list(self, call: Call):
        return 200, self._page(call, "notifications")

    @route("GET", "/events/notifications/paginated", since="paginated elements")
    def pages(self, call: Call):
        return 200, self._elements(call)

    @route("POST", "/events/notifications")
    def create(self, call: Call):
        given = self._checked(self.fit_created(NOTIFICATION, call.body))
        given["id"] = self.api.new_id()
        self.items[given["id"]] = given
        return 200, self.shown(given)

    @route("GET", "/events/notifications/{item_id}")
    def read(self, call: Call, item_id: str):
        return 200, self.shown(self._found(item_id, f"Notification {item_id}"))

    @route("PUT", "/events/notifications/{item_id}")
    def update(self, call: Call, item_id: str):
        given = self.fit(NOTIFICATION, call.body)
        old = self._found(item_id, f"Notification {item_id}")
        if given.get("id") != item_id:
            raise RefusedError(400, "Notification IDs don't match")
        self.items[item_id] = self._checked(given, old)
        return 200, self.shown(self.items[item_id])

    @route("DELETE", "/events/notifications/{item_id}")
    def delete(self, call: Call, item_id: str):
        self.items.pop(item_id, None)
        for definition in self.api.definitions.items.values():
            uses = definition["notifications"]
            definition["notifications"] = [each for each in uses if each.get("notification_id") != item_id]
        return 204, None
