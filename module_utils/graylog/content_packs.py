"""Manage content packs of Graylog: upload a revision and install it once."""

from __future__ import annotations

from urllib.parse import quote

from .client import GraylogClient
from .reconcile import DesiredStateError, Resource

# The pack's name of a parameter type, and the function that converts to it.
TYPES = {"string": str, "integer": int, "double": float, "boolean": bool}
BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}


def typed(name: str, kind: str, value: object) -> object:
    """Convert a parameter's value to its type.

    Raises DesiredStateError for a value that does not fit.
    """
    try:
        if kind == "boolean" and not isinstance(value, bool):
            return BOOLEANS[str(value).lower()]
        return TYPES[kind](value)
    except (KeyError, TypeError, ValueError) as error:
        raise DesiredStateError(
            f"The parameter {name} of the content pack got {value!r}, but needs a value of type {kind}"
        ) from error


class ContentPack(Resource):
    """A content pack, known by its id.

    content: the pack as a dictionary, None for a pack to be deleted.
    parameters: values of the pack's parameters by name; the other parameters get the pack's defaults.
    replace: whether an installation of another revision or with other values may be removed with all its objects.
    """

    kind = "content pack"

    def __init__(
        self,
        client: GraylogClient,
        pack_id: str,
        content: dict | None,
        parameters: dict,
        install: bool,
        replace: bool,
        comment: str,
    ) -> None:
        self.name = pack_id
        self._client = client
        self._content = content
        self._parameters = parameters
        self._install = install
        self._replace = replace
        self._comment = comment
        self._path = f"/system/content_packs/{quote(pack_id, safe='')}"

    def find(self) -> dict | None:
        """Return {"revisions": numbers, "installations": [...]}, or None."""
        found = self._client.find(self._path) or {}
        listed = self._client.find(f"{self._path}/installations") or {}
        revisions = sorted(int(number) for number in found.get("content_pack_revisions", {}))
        installations = listed.get("installations", [])
        return {"revisions": revisions, "installations": installations} if revisions or installations else None

    def current(self, item: dict) -> dict:
        """Return uploaded and installed revisions, and values of the given parameters.

        A revision that was installed twice appears twice: its objects exist twice.
        """
        installations = item["installations"]
        return {
            "id": self.name,
            "revisions": item["revisions"],
            "installed": sorted(installation["content_pack_revision"] for installation in installations),
            "parameters": self._current_parameters(installations),
        }

    def desired(self, item: dict | None) -> dict:
        """Return the desired settings.

        Raises DesiredStateError if an installation must go but `replace` is false.
        """
        current = self.current(item or {"revisions": [], "installations": []})
        desired = {**current, "revisions": sorted({*current["revisions"], self._content["rev"]})}
        if not self._install:
            return desired
        desired |= {"installed": [self._content["rev"]], "parameters": self._typed_parameters()}
        if not self._content.get("entities"):
            raise DesiredStateError(f"The content pack {self.name!r} has no entities: it has nothing to install")
        if not self._outdated(current, desired):
            return desired
        self._values()  # fail for a missing value before the first write
        if current["installed"] and not self._replace:
            raise DesiredStateError(
                f"The content pack {self.name!r} is installed as revision {', '.join(map(str, current['installed']))}, "
                f"not once as revision {self._content['rev']} with the given values. A new installation deletes all "
                "objects of the old ones: set replace to true if you want that"
            )
        return desired

    def create(self) -> None:
        """Upload and install the pack."""
        self._write({"revisions": [], "installations": []})

    def update(self, item: dict) -> None:
        """Upload a missing revision and replace the installation."""
        self._write(item)

    def delete(self, item: dict) -> None:
        """Delete the objects of all installations, then all revisions."""
        self._uninstall(item)
        if item["revisions"]:
            self._client.request("DELETE", self._path)

    def _write(self, item: dict) -> None:
        desired, current = self.desired(item), self.current(item)
        if self._content["rev"] not in current["revisions"]:
            self._client.request("POST", "/system/content_packs", self._content)
        if not self._install or not self._outdated(current, desired):
            return
        self._uninstall(item)
        values = self._values()
        kinds = self._kinds()
        body = {
            "parameters": {name: {"@type": kinds[name], "@value": value} for name, value in values.items()},
            "comment": self._comment,
        }
        self._client.create(f"{self._path}/{self._content['rev']}/installations", body)

    def _uninstall(self, item: dict) -> None:
        for installation in item["installations"]:
            number = installation.get("_id") or installation["id"]
            self._client.request("DELETE", f"{self._path}/installations/{quote(number, safe='')}")

    @staticmethod
    def _outdated(current: dict, desired: dict) -> bool:
        return any(current[key] != desired[key] for key in ("installed", "parameters"))

    def _kinds(self) -> dict[str, str]:
        return {each["name"]: each["type"] for each in self._content.get("parameters", [])}

    def _typed_parameters(self) -> dict:
        """Return the given values in their types.

        Raises DesiredStateError for a name that the pack does not have.
        """
        kinds = self._kinds()
        unknown = sorted(set(self._parameters) - set(kinds))
        if unknown:
            raise DesiredStateError(
                f"The content pack {self.name!r} has no parameter {', '.join(unknown)}; "
                f"it has {', '.join(sorted(kinds)) or 'none'}"
            )
        return {name: typed(name, kinds[name], value) for name, value in self._parameters.items()}

    def _values(self) -> dict:
        """Return the values of all parameters.

        Raises DesiredStateError for a parameter without a value.
        """
        defaults = {each["name"]: each.get("default_value") for each in self._content.get("parameters", [])}
        values = {**defaults, **self._typed_parameters()}
        missing = sorted(name for name, value in values.items() if value is None)
        if missing:
            raise DesiredStateError(
                f"The content pack {self.name!r} needs a value for {', '.join(missing)}: set it in parameters"
            )
        return values

    def _current_parameters(self, installations: list[dict]) -> dict:
        """Return the values of the given parameters in the first installation."""
        current = installations[0].get("parameters", {}) if installations else {}
        return {name: current.get(name, {}).get("@value") for name in self._parameters} if installations else {}
