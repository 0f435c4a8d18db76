"""Content packs of Graylog: uploaded by revision, and installed once."""

from __future__ import annotations

from urllib.parse import quote

from .client import GraylogClient
from .reconcile import Resource, WishError

# How a parameter's value is read, by the pack's word for its type.
TYPES = {"string": str, "integer": int, "double": float, "boolean": bool}
BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}


def typed(name: str, kind: str, value: object) -> object:
    """Return a parameter's value in its type. Raises WishError where it cannot be read as one."""
    try:
        if kind == "boolean" and not isinstance(value, bool):
            return BOOLEANS[str(value).lower()]
        return TYPES[kind](value)
    except (KeyError, TypeError, ValueError) as error:
        raise WishError(
            f"The parameter {name} of the content pack got {value!r}, but needs a value of type {kind}"
        ) from error


class ContentPack(Resource):
    """A content pack, known by its id.

    content: the pack as a dictionary, None where it only has to go.
    parameters: values of the pack's parameters by name; the pack's defaults count for the others.
    replace: whether an installation of another revision or with other values, and all things that it made, may go.
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
        """Return {"revisions": numbers, "installations": [...]}, None where the server has nothing of the pack."""
        found = self._client.find(self._path) or {}
        listed = self._client.find(f"{self._path}/installations") or {}
        revisions = sorted(int(number) for number in found.get("content_pack_revisions", {}))
        installations = listed.get("installations", [])
        return {"revisions": revisions, "installations": installations} if revisions or installations else None

    def picture(self, item: dict) -> dict:
        """Return which revisions the server has, and what is installed with which of the wished values.

        A revision that was installed twice made everything twice, and is told twice.
        """
        installations = item["installations"]
        return {
            "id": self.name,
            "revisions": item["revisions"],
            "installed": sorted(installation["content_pack_revision"] for installation in installations),
            "parameters": self._held(installations),
        }

    def wished(self, item: dict | None) -> dict:
        """Return the pack as it shall be. Raises WishError where an installation had to go that may not."""
        held = self.picture(item or {"revisions": [], "installations": []})
        wished = {**held, "revisions": sorted({*held["revisions"], self._content["rev"]})}
        if not self._install:
            return wished
        wished |= {"installed": [self._content["rev"]], "parameters": self._given()}
        if not self._content.get("entities"):
            raise WishError(f"The content pack {self.name!r} has no entities: there is nothing in it to install")
        if not self._outdated(held, wished):
            return wished
        self._values()  # so that a value that is missing is told before anything is written
        if held["installed"] and not self._replace:
            raise WishError(
                f"The content pack {self.name!r} is installed as revision {', '.join(map(str, held['installed']))}, "
                f"not once as revision {self._content['rev']} with the values asked for. Installing that takes away "
                "what the old ones made: set replace to true where that is meant"
            )
        return wished

    def create(self) -> None:
        """Upload and install it."""
        self._write({"revisions": [], "installations": []})

    def update(self, item: dict) -> None:
        """Upload what is missing and put the installation in the old one's place."""
        self._write(item)

    def delete(self, item: dict) -> None:
        """Take away what it made, then all of its revisions."""
        self._uninstall(item)
        if item["revisions"]:
            self._client.request("DELETE", self._path)

    def _write(self, item: dict) -> None:
        wished, held = self.wished(item), self.picture(item)
        if self._content["rev"] not in held["revisions"]:
            self._client.request("POST", "/system/content_packs", self._content)
        if not self._install or not self._outdated(held, wished):
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
    def _outdated(held: dict, wished: dict) -> bool:
        return any(held[key] != wished[key] for key in ("installed", "parameters"))

    def _kinds(self) -> dict[str, str]:
        return {each["name"]: each["type"] for each in self._content.get("parameters", [])}

    def _given(self) -> dict:
        """Return the wished values in their types. Raises WishError for a name that the pack does not have."""
        kinds = self._kinds()
        unknown = sorted(set(self._parameters) - set(kinds))
        if unknown:
            raise WishError(
                f"The content pack {self.name!r} has no parameter {', '.join(unknown)}; "
                f"it has {', '.join(sorted(kinds)) or 'none'}"
            )
        return {name: typed(name, kinds[name], value) for name, value in self._parameters.items()}

    def _values(self) -> dict:
        """Return the values of all parameters. Raises WishError where one has none."""
        defaults = {each["name"]: each.get("default_value") for each in self._content.get("parameters", [])}
        values = {**defaults, **self._given()}
        missing = sorted(name for name, value in values.items() if value is None)
        if missing:
            raise WishError(
                f"The content pack {self.name!r} needs a value for {', '.join(missing)}: give it in parameters"
            )
        return values

    def _held(self, installations: list[dict]) -> dict:
        """Return the values that the first installation got, of the wished parameters."""
        held = installations[0].get("parameters", {}) if installations else {}
        return {name: held.get(name, {}).get("@value") for name in self._parameters} if installations else {}
