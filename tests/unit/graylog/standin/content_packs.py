"""/system/content_packs and their installations."""

from __future__ import annotations

from tests.unit.graylog.standin.routes import Call, Resource, route
from tests.unit.graylog.standin.shapes import (
    LIST,
    MAP,
    TEXT,
    WHOLE,
    RefusedError,
    Shape,
    fit_created,
    needed,
    optional,
)

PACK = Shape(
    "org.graylog2.contentpacks.model.ContentPackV1",
    {
        "v": needed(TEXT),
        "id": needed(TEXT),
        "rev": needed(WHOLE),
        "name": needed(TEXT),
        "summary": needed(TEXT),
        "description": needed(TEXT),
        "vendor": needed(TEXT),
        "url": needed(TEXT),
        "created_at": optional(TEXT),
        "server_version": optional(TEXT),
        "parameters": needed(LIST),
        "entities": needed(LIST),
    },
    builder=True,
)
INSTALL = Shape(
    "org.graylog2.rest.models.system.contentpacks.responses.ContentPackInstallationRequest",
    {"parameters": optional(MAP), "comment": optional(TEXT)},
)
VERSION = "1"


# not recorded: packs of another version, deleting what is installed, uninstalling; form: ContentPackResource.java
class ContentPacks(Resource):
    """Record installations without creating entities: each call installs again."""

    def __init__(self, api) -> None:
        super().__init__(api)
        self.items: dict[str, dict[int, dict]] = {}
        self.installed: dict[str, list[dict]] = {}

    def _revision(self, pack_id: str, revision: str) -> dict:
        found = self.items.get(pack_id, {}).get(int(revision) if revision.isdigit() else -1)
        if found is None:
            raise RefusedError(404, f"Content pack {pack_id} with revision {revision} not found!")
        return found

    @route("GET", "/system/content_packs")
    def list(self, call: Call):
        packs = [pack for revisions in self.items.values() for pack in revisions.values()]
        metadata = {
            pack_id: {str(revision): {"installation_count": len(self._of(pack_id, revision))} for revision in revisions}
            for pack_id, revisions in self.items.items()
        }
        return 200, {"total": len(packs), "content_packs": packs, "content_packs_metadata": metadata}

    @route("GET", "/system/content_packs/latest")
    def latest(self, call: Call):
        packs = [revisions[max(revisions)] for revisions in self.items.values() if revisions]
        return 200, {"total": len(packs), "content_packs": packs, "content_packs_metadata": {}}

    @route("POST", "/system/content_packs")
    def create(self, call: Call):
        given = self.fit(PACK, call.body)
        if given["v"] != VERSION:
            raise RefusedError(400, f"Could not resolve type id '{given['v']}' as a subtype of ContentPack")
        revisions = self.items.setdefault(given["id"], {})
        if given["rev"] in revisions:
            raise RefusedError(400, f"Content pack {given['id']} with this revision {given['rev']} already found!")
        stamps = {"created_at": self.api.now(), "server_version": self.release.full}
        revisions[given["rev"]] = {**stamps, **{key: value for key, value in given.items() if value is not None}}
        return 201, None

    @route("GET", "/system/content_packs/{pack_id}")
    def read(self, call: Call, pack_id: str):
        if not self.items.get(pack_id):
            raise RefusedError(404, f"Content pack {pack_id} not found!")
        revisions = {str(revision): pack for revision, pack in self.items[pack_id].items()}
        return 200, {"content_pack_revisions": revisions, "constraints_result": {each: [] for each in revisions}}

    @route("DELETE", "/system/content_packs/{pack_id}")
    def delete(self, call: Call, pack_id: str):
        if self.installed.get(pack_id):
            raise RefusedError(
                400,
                f"Content pack {pack_id} with all its revisions can't be deleted: "
                "There are still installations of this content pack",
            )
        self.items.pop(pack_id, None)
        return 204, None

    @route("GET", "/system/content_packs/{pack_id}/{revision}")
    def read_revision(self, call: Call, pack_id: str, revision: str):
        return 200, {"content_pack": self._revision(pack_id, revision), "constraints_result": []}

    @route("DELETE", "/system/content_packs/{pack_id}/{revision}")
    def delete_revision(self, call: Call, pack_id: str, revision: str):
        pack = self._revision(pack_id, revision)
        if self._of(pack_id, pack["rev"]):
            raise RefusedError(
                400,
                f"Content pack {pack_id} and revision {revision} can't be deleted: "
                "There are still installations of this content pack revision.",
            )
        del self.items[pack_id][pack["rev"]]
        return 204, None

    def _of(self, pack_id: str, revision: int) -> list[dict]:
        return [entry for entry in self.installed.get(pack_id, []) if entry["content_pack_revision"] == revision]

    @route("POST", "/system/content_packs/{pack_id}/{revision}/installations")
    def install(self, call: Call, pack_id: str, revision: str):
        shape = INSTALL
        given = fit_created(self.release, shape, call.body) if self._wrapped() else self.fit(shape, call.body)
        pack = self._revision(pack_id, revision)
        if not pack["entities"]:
            raise RefusedError(500, self._empty(pack_id, pack["rev"]))
        needs = [each["name"] for each in pack["parameters"] if "default_value" not in each]
        missing = [name for name in needs if name not in (given.get("parameters") or {})]
        if missing:
            raise RefusedError(400, f"Missing parameters: {', '.join(missing)}")
        entry = {
            "_id": self.api.new_id(),
            "content_pack_id": pack_id,
            "content_pack_revision": pack["rev"],
            "parameters": given.get("parameters") or {},
            "comment": given.get("comment") or "",
            "entities": [],
            "created_at": self.api.now(),
            "created_by": call.user,
        }
        self.installed.setdefault(pack_id, []).append(entry)
        return 200, entry

    def _wrapped(self) -> bool:
        """Read an installation: wrapped since 7.0, and strict in 6.3."""
        return self.release.has("creates are wrapped")

    def _empty(self, pack_id: str, revision: int) -> str:
        """Return the server's error for a pack without entities."""
        constraint = f"GraylogVersionConstraint{{type=server-version, version=>={self.release.full}}}"
        return (
            f"Node EntityV1{{id=virtual-root-{pack_id}-{revision}, type=ModelType{{name=virtual-root, version=1}}, "
            f"version=1, data=null, constraints=[{constraint}]}} is not an element of this graph."
        )

    @route("GET", "/system/content_packs/{pack_id}/installations")
    def installations(self, call: Call, pack_id: str):
        found = self.installed.get(pack_id, [])
        return 200, {"total": len(found), "installations": found}

    @route("DELETE", "/system/content_packs/{pack_id}/installations/{installation_id}")
    def uninstall(self, call: Call, pack_id: str, installation_id: str):
        for entry in self.installed.get(pack_id, []):
            if entry["_id"] == installation_id:
                self.installed[pack_id].remove(entry)
                return 200, {"content_pack": self.items[pack_id][entry["content_pack_revision"]], "uninstalled": entry}
        raise RefusedError(404, f"Couldn't find installation {installation_id}")
