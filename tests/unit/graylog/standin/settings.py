"""Serve message processors, the list of allowed URLs and cluster_config."""

from __future__ import annotations

from tests.unit.graylog.standin.routes import Call, Resource, route
from tests.unit.graylog.standin.shapes import BOOL, LIST, TEXT, TEXTS, WHOLE, RefusedError, Shape, needed, optional

PROCESSORS = "org.graylog2.messageprocessors.MessageProcessorsConfig"
SEARCHES = "org.graylog2.indexer.searches.SearchesClusterConfig"
EVENTS = "org.graylog.events.configuration.EventsConfiguration"
USERS = "org.graylog2.users.UserConfiguration"
PASSWORDS = "org.graylog2.users.PasswordComplexityConfig"
WHITE, ALLOW = "org.graylog2.system.urlwhitelist.UrlWhitelist", "org.graylog2.system.urlallowlist.UrlAllowlist"
PIPELINE = {
    "name": "Pipeline Processor",
    "class_name": "org.graylog.plugins.pipelineprocessor.processors.PipelineInterpreter",
}
FILTERS = {"name": "Message Filter Chain", "class_name": "org.graylog2.messageprocessors.MessageFilterChainProcessor"}
STREAMS = {
    "name": "Stream Rule Processor",
    "class_name": "org.graylog2.messageprocessors.StreamMatcherFilterProcessor",
}
FIRST = [
    {
        "name": "AWS Instance Name Lookup",
        "class_name": "org.graylog.aws.processors.instancelookup.AWSInstanceNameLookupProcessor",
    },
    {"name": "GeoIP Resolver", "class_name": "org.graylog.plugins.map.geoip.processor.GeoIpProcessor"},
]
PROCESSOR = Shape(
    "org.graylog2.messageprocessors.MessageProcessorDescriptor", {"name": needed(TEXT), "class_name": needed(TEXT)}
)
ORDER = Shape(PROCESSORS, {"processor_order": needed(LIST), "disabled_processors": needed(TEXTS)}, builder=True)
ALLOWED = Shape(WHITE, {"entries": needed(LIST), "disabled": optional(BOOL)})
ENTRY = Shape(
    "org.graylog2.system.urlwhitelist.WhitelistEntry",
    {"id": needed(TEXT), "title": needed(TEXT), "value": needed(TEXT), "type": needed(TEXT)},
)
# Keys of the validated classes of /system/cluster_config; other known classes accept any object.
CLASSES = {
    PROCESSORS: ORDER,
    USERS: Shape(
        USERS,
        {
            "enable_global_session_timeout": optional(BOOL),
            "global_session_timeout_interval": optional(TEXT),
            "allow_access_token_for_external_user": optional(BOOL, since=(6, 2)),
            "restrict_access_token_to_admins": optional(BOOL, since=(6, 2)),
            "default_ttl_for_new_tokens": optional(TEXT, since=(6, 2)),
        },
    ),
    PASSWORDS: Shape(
        PASSWORDS,
        {
            "min_length": optional(WHOLE),
            "require_uppercase": optional(BOOL),
            "require_lowercase": optional(BOOL),
            "require_numbers": optional(BOOL),
            "require_special_chars": optional(BOOL),
        },
    ),
    EVENTS: Shape(
        EVENTS,
        {
            "events_search_timeout": optional(WHOLE),
            "events_notification_retry_period": optional(WHOLE),
            "events_notification_default_backlog": optional(WHOLE),
            "events_catchup_window": optional(WHOLE),
            "events_notification_tcp_keepalive": optional(BOOL, since=(6, 0)),
        },
    ),
}
# Known classes without stored settings.
OTHERS = {SEARCHES, "org.graylog.plugins.map.config.GeoIpResolverConfig"}


class Settings(Resource):
    def __init__(self, api) -> None:
        super().__init__(api)
        # As recorded from new servers: pipelines run before the stream rules.
        order = [*FIRST, PIPELINE, FILTERS]
        if self.release.has("streams have a processor"):
            order.append(STREAMS)
        self.stored: dict[str, dict] = {
            PROCESSORS: {"processor_order": order, "disabled_processors": []},
            self.list_class: {"entries": [], "disabled": False},
            EVENTS: {"events_search_timeout": 60000, "events_notification_retry_period": 300000},
        }
        if self.release.has("users by id"):
            self.stored[USERS] = {"enable_global_session_timeout": False, "global_session_timeout_interval": "PT8H"}
        if self.release.has("tokens end"):
            ends = {"restrict_access_token_to_admins": True, "default_ttl_for_new_tokens": "P30D"}
            self.stored[USERS].update(allow_access_token_for_external_user=False, **ends)
        if self.release.has("password complexity"):
            kinds = ("uppercase", "lowercase", "numbers", "special_chars")
            self.stored[PASSWORDS] = {"min_length": 6, **{f"require_{kind}": False for kind in kinds}}

    @property
    def list_class(self) -> str:
        return ALLOW if self.release.has("allow list") else WHITE

    @route("GET", "/system/messageprocessors/config")
    def processors(self, call: Call):
        return 200, self.stored[PROCESSORS]

    @route("PUT", "/system/messageprocessors/config")
    def order_processors(self, call: Call):
        given = self.fit(ORDER, call.body)
        known = {entry["class_name"] for entry in self.stored[PROCESSORS]["processor_order"]}
        asked = [self.fit(PROCESSOR, entry) for entry in given["processor_order"]]
        # A missing processor is appended, an unknown processor is dropped.
        kept = [entry for entry in asked if entry["class_name"] in known]
        names = {entry["class_name"] for entry in kept}
        left = [each for each in self.stored[PROCESSORS]["processor_order"] if each["class_name"] not in names]
        if known <= set(given["disabled_processors"]):
            # not recorded: no processor left; form: none known
            raise RefusedError(400, "All message processors are disabled.")
        self.stored[PROCESSORS] = {
            "processor_order": [*kept, *left],
            "disabled_processors": [each for each in given["disabled_processors"] if each in known],
        }
        return 200, self.stored[PROCESSORS]

    @route("GET", "/system/urlallowlist", since="allow list")
    @route("GET", "/system/urlwhitelist", until="allow list")
    def allowed(self, call: Call):
        return 200, self.stored[self.list_class]

    @route("PUT", "/system/urlallowlist", since="allow list")
    @route("PUT", "/system/urlwhitelist", until="allow list")
    def allow(self, call: Call):
        given = self.fit(ALLOWED, call.body)
        entries = [self.fit(ENTRY, entry) for entry in given["entries"]]
        for entry in entries:
            if entry["type"] not in ("literal", "regex"):
                raise RefusedError(
                    400, f"Could not resolve type id '{entry['type']}': known type ids are literal, regex"
                )
        ids = [entry["id"] for entry in entries]
        twice = [each for each in ids if ids.count(each) > 1]
        if twice:
            # not recorded: an id given twice; form: UrlAllowlist.java
            kind = "allowlist" if self.release.has("allow list") else "whitelist"
            raise RefusedError(400, f"Found duplicate ID '{twice[0]}' in {kind} entries.")
        self.stored[self.list_class] = {"entries": entries, "disabled": given.get("disabled") or False}
        return 204, None

    @route("GET", "/system/cluster_config")
    def list(self, call: Call):
        return 200, {"total": len(self.stored), "classes": list(self.stored)}

    def _known(self, java: str) -> None:
        late = java == PASSWORDS and not self.release.has("password complexity")
        if late or java not in {*self.stored, *CLASSES, *OTHERS}:
            # not recorded: an unknown class; form: ClusterConfigResource.java
            raise RefusedError(404, f"Couldn't find configuration class  '{java}'")

    @route("GET", "/system/cluster_config/{java}")
    def read(self, call: Call, java: str):
        self._known(java)
        return (200, self.stored[java]) if java in self.stored else (204, None)

    @route("PUT", "/system/cluster_config/{java}")
    def write(self, call: Call, java: str):
        """Refuse an unreadable class with an empty body, as every release does."""
        self._known(java)
        try:
            shape = ALLOWED if java == self.list_class else CLASSES.get(java)
            given = self.fit(shape, call.body) if shape else call.body
        except RefusedError as refusal:
            raise RefusedError(400, "") from refusal
        if not isinstance(given, dict):
            raise RefusedError(400, "")
        self.stored[java] = given
        return 202, given

    @route("DELETE", "/system/cluster_config/{java}")
    def delete(self, call: Call, java: str):
        self._known(java)
        self.stored.pop(java, None)
        return 204, None
