"""Serve version, journal, indexer, load balancer state and searches of a node."""

from __future__ import annotations

from tests.unit.graylog.standin.routes import Call, Resource, route
from tests.unit.graylog.standin.shapes import RefusedError

TAGLINE = "Manage your logs in the dark and have lasers going and make it look like you're from space!"
MEGABYTE = 1048576


class System(Resource):
    """The state of a node.

    uncommitted: entries in the journal. found: messages that a search finds.
    """

    def __init__(self, api) -> None:
        super().__init__(api)
        self.uncommitted = 0
        self.found: list[dict] = []
        self.indexer_status = "green"
        self.load_balancer = "ALIVE"

    @route("GET", "/")
    def hello(self, call: Call):
        cluster = {"cluster_id": self.api.cluster_id, "node_id": self.api.node_id}
        return 200, {**cluster, "version": self.release.full, "tagline": TAGLINE}

    @route("GET", "/system")
    def overview(self, call: Call):
        answer = {
            "facility": "graylog-server",
            "codename": "Stand-in",
            "node_id": self.api.node_id,
            "cluster_id": self.api.cluster_id,
            "version": self.release.full,
            "started_at": self.api.now(),
            "hostname": "localhost",
            "lifecycle": "running",
            "lb_status": self.load_balancer.lower(),
            "timezone": "Etc/UTC",
            "operating_system": "Linux",
            "is_processing": True,
        }
        return 200, {**answer, "is_leader": True} if self.release.within((4, 3), None) else answer

    @route("GET", "/system/lbstatus")
    def lbstatus(self, call: Call):
        """Answer in plain text, and refuse requests for JSON."""
        if not any(kind in call.accept for kind in ("text/plain", "text/*", "*/*")):
            raise RefusedError(406, "HTTP 406 Not Acceptable")
        if self.load_balancer == "ALIVE":
            return 200, "ALIVE"
        return {"THROTTLED": 429}.get(self.load_balancer, 503), self.load_balancer

    @route("GET", "/system/journal")
    def journal(self, call: Call):
        config = {
            "directory": "file:///var/lib/graylog-server/data/journal/",
            "segment_size": 100 * MEGABYTE,
            "segment_age": 3600000,
            "max_size": 200 * MEGABYTE,
            "max_age": 43200000,
            "flush_interval": 1000000,
            "flush_age": 60000,
        }
        return 200, {
            "enabled": True,
            "append_events_per_second": 0,
            "read_events_per_second": 0,
            "uncommitted_journal_entries": self.uncommitted,
            "journal_size": 0,
            "journal_size_limit": 200 * MEGABYTE,
            "number_of_segments": 1,
            "oldest_segment": self.api.now(),
            "journal_config": config,
        }

    def _target(self, set_id: str) -> dict:
        return {"current_target": f"{self.api.index_sets.get(set_id)['index_prefix']}_0", "is_up": True}

    @route("GET", "/system/deflector")
    def deflector(self, call: Call):
        return 200, self._target(self.api.index_sets.default)

    @route("GET", "/system/deflector/{set_id}")
    def deflector_of(self, call: Call, set_id: str):
        return 200, self._target(set_id)

    @route("POST", "/system/deflector/cycle")
    def cycle(self, call: Call):
        return 204, None

    @route("POST", "/system/deflector/{set_id}/cycle")
    def cycle_of(self, call: Call, set_id: str):
        self.api.index_sets.get(set_id)
        return 204, None

    @route("GET", "/system/indexer/overview")
    def indexer(self, call: Call):
        deflector = self._target(self.api.index_sets.default)
        shards = {"active": 3, "initializing": 0, "relocating": 0, "unassigned": 0}
        epoch = "1970-01-01T00:00:00.000Z"
        name = deflector["current_target"]
        index = {
            "index_name": name,
            "size": {"events": 0, "deleted": 0, "bytes": 208},
            "range": {
                "index_name": name,
                "begin": epoch,
                "end": epoch,
                "calculated_at": self.api.now(),
                "took_ms": 0,
            },
            "is_closed": False,
            "is_reopened": False,
            "is_deflector": True,
        }
        if self.release.within((6, 1), None):
            index.update(tier="HOT", shard_count=1)
        return 200, {
            "deflector": deflector,
            "indexer_cluster": {"health": {"status": self.indexer_status, "shards": shards}, "name": "graylog"},
            "counts": {"events": len(self.found)},
            "indices": [index],
        }

    @route("GET", "/system/indexer/cluster/health")
    def health(self, call: Call):
        shards = {"active": 3, "initializing": 0, "relocating": 0, "unassigned": 0}
        return 200, {"status": self.indexer_status, "shards": shards}

    @route("GET", "/system/cluster/nodes")
    def nodes(self, call: Call):
        node = {
            "cluster_id": self.api.cluster_id,
            "node_id": self.api.node_id,
            "transport_address": "http://127.0.0.1:9000/api/",
            "last_seen": self.api.now(),
            "short_node_id": self.api.node_id[:8],
            "hostname": "localhost",
            "is_master": True,
        }
        if self.release.within((4, 3), None):
            node["is_leader"] = True
        return 200, {"nodes": [node], "total": 1}

    # not recorded: a search that finds something or lacks a parameter; form: RelativeSearchResource.java
    @route("GET", "/search/universal/relative")
    def search(self, call: Call):
        """Return all messages in `found` for every query."""
        if "query" not in call.query or not call.query.get("range", "").isdigit():
            raise RefusedError(400, "query and range are needed: range must be a number of seconds")
        limit = call.number("limit", 150) or None
        return 200, {
            "query": call.query["query"],
            "built_query": call.query["query"],
            "used_indices": [],
            "messages": [{"message": message, "index": "graylog_0"} for message in self.found][:limit],
            "fields": sorted({key for message in self.found for key in message}),
            "time": 1,
            "total_results": len(self.found),
            "from": self.api.now(-int(call.query["range"])),
            "to": self.api.now(),
            "decoration_stats": None,
        }
