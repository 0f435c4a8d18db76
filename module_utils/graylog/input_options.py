"""What an input of Graylog shall be, what it is, and what differs: pure functions without a request.

The server stores an input's configuration as it was posted, fills in no default and sorts the values by their type: the
text "true" for tls_enable leaves TLS off with status 201. So every value is brought to the type that the server's own
description of the input type (GET /system/inputs/types/CLASS) asks for, before it is compared or sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

TYPES = {
    "beats": "org.graylog.plugins.beats.Beats2Input",
    "gelf_http": "org.graylog2.inputs.gelf.http.GELFHttpInput",
    "gelf_tcp": "org.graylog2.inputs.gelf.tcp.GELFTCPInput",
    "raw_tcp": "org.graylog2.inputs.raw.tcp.RawTCPInput",
    "syslog_tcp": "org.graylog2.inputs.syslog.tcp.SyslogTCPInput",
}
TLS_KEYS = {
    "enable": "tls_enable",
    "cert_file": "tls_cert_file",
    "key_file": "tls_key_file",
    "key_password": "tls_key_password",
    "client_auth": "tls_client_auth",
    "client_ca": "tls_client_auth_cert_file",
}
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
# What inputstates shows in place of a password.
HIDDEN_BY_SERVER = "<password set>"
# How an encrypted secret is shown that has no value.
UNSET = {"is_set": False}
UDP = re.compile(r"udp|netflow|ipfix", re.IGNORECASE)
# The type's default is a guess from the server's own processors: another server, another default.
COMPUTED_DEFAULTS = ("number_worker_threads",)
NUMBER = re.compile(r"[+-]?\d+")
STATIC_FIELD = re.compile(r"[A-Za-z0-9_.@-]+")
BOOLEANS = {"true": True, "false": False}


class InputError(ValueError):
    """A wish that no Graylog can or should fulfil; its text names the option and the mend."""


def is_udp(input_type: str) -> bool:
    """Return whether an input of this class listens on UDP."""
    return bool(UDP.search(input_type.rsplit(".", 1)[-1]))


def resolve_type(name: str) -> str:
    """Return the Java class of a short name or of a class.

    Raises InputError for an unknown short name and for everything that listens on UDP.
    """
    input_type = TYPES.get(name, name)
    if is_udp(input_type):
        raise InputError(f"type {name} listens on UDP, where messages get lost unseen: use one of {', '.join(TYPES)}")
    if "." not in input_type:
        raise InputError(f"type {name} is neither one of {', '.join(TYPES)} nor the name of a Java class")
    return input_type


def gather_options(port: int, bind_address: str, tls: dict | None, configuration: dict | None) -> dict:
    """Return the one configuration of the options that a user gave, with Graylog's own keys.

    Raises InputError for an option given twice and for TLS settings that Graylog takes without a word though it then
    serves a certificate of its own making, or lets in any client with a certificate from a public authority.
    """
    asked = {"port": port, "bind_address": bind_address}
    tls = {key: value for key, value in (tls or {}).items() if value is not None}
    asked.update({TLS_KEYS[key]: value for key, value in tls.items()})
    twice = sorted(set(asked) & set(configuration or {}))
    if twice:
        raise InputError(f"configuration repeats {', '.join(twice)}: give these as port, bind_address or in tls only")
    stray = sorted(set(TLS_KEYS.values()) & set(configuration or {}))
    if stray:
        raise InputError(f"configuration has {', '.join(stray)}: settings of TLS belong in tls, where they are checked")
    wants_client = tls.get("client_auth", "disabled") != "disabled"
    if tls.get("enable"):
        missing = [name for name in ("cert_file", "key_file") if not tls.get(name)]
        if missing:
            raise InputError(
                f"tls.{missing[0]} is missing: Graylog would make a certificate of its own and say nothing"
            )
        if wants_client and not tls.get("client_ca"):
            raise InputError("tls.client_ca is missing: Graylog would accept clients of any public authority")
    elif wants_client:
        raise InputError("tls.client_auth asks for client certificates but tls.enable is off: nothing would be checked")
    return {**asked, **(configuration or {})}


def secret_keys(schema: dict) -> set[str]:
    """Return the keys whose values must never be shown, of an input type's requested_configuration."""
    return {
        key
        for key, entry in schema.items()
        if entry.get("is_encrypted") or "is_password" in (entry.get("attributes") or [])
    }


def secret_values(configuration: dict, schema: dict) -> set[str]:
    """Return what must not be shown of a configuration as a user gave it.

    An option that the type does not have may be a secret with a slip in its name.
    """
    secrets = secret_keys(schema)
    hidden = [value for key, value in configuration.items() if key in secrets or key not in schema]
    return {text for value in hidden for text in _texts(value)}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
    elif value not in (None, "") and not isinstance(value, bool):
        yield str(value)


def _number(key: str, value: object, entry: dict) -> int:
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"option {key} got {value!r}, it needs a whole number")
    if "is_port_number" in (entry.get("attributes") or []) and not 0 < value < 65536:
        raise InputError(f"option {key} got {value}, it needs a port from 1 to 65535")
    return value


def _boolean(key: str, value: object, _entry: dict) -> bool:
    if isinstance(value, str):
        value = BOOLEANS.get(value.strip().lower(), value)
    if not isinstance(value, bool):
        raise InputError(f"option {key} got {value!r}, it needs true or false")
    return value


def _text(key: str, value: object, _entry: dict) -> str:
    if isinstance(value, (bool, dict, list)):
        raise InputError(f"option {key} got {value!r}, it needs text")
    return str(value)


def _dropdown(key: str, value: object, entry: dict) -> str:
    choices = list((entry.get("additional_info") or {}).get("values") or {})
    text = _text(key, value, entry)
    if choices and text not in choices:
        raise InputError(f"option {key} got {text!r}, it needs one of {', '.join(choices)}")
    return text


def _list(key: str, value: object, entry: dict) -> list[str]:
    if not isinstance(value, list):
        raise InputError(f"option {key} got {value!r}, it needs a list")
    return [_text(key, item, entry) for item in value]


COERCIONS = {"number": _number, "boolean": _boolean, "text": _text, "dropdown": _dropdown, "list": _list}


def coerce(asked: dict, schema: dict) -> dict:
    """Return the options with the types that the server's description of the input type asks for.

    None stays None: it takes an optional option back to its default.
    Raises InputError naming the option that is unknown to this input type, or whose value does not fit.
    """
    result = {}
    for key, value in asked.items():
        entry = schema.get(key)
        if entry is None:
            raise InputError(f"option {key} is unknown to this type of input, which has {', '.join(sorted(schema))}")
        if value is None:
            if not entry.get("is_optional"):
                raise InputError(f"option {key} must have a value")
            result[key] = None
        else:
            result[key] = COERCIONS.get(entry["type"], lambda _key, same, _entry: same)(key, value, entry)
    return result


def _plain(value: object) -> object:
    """Return a value as the server shows it, an encrypted secret without a value as what it is."""
    return "" if value == UNSET else value


def is_opaque(value: object) -> bool:
    """Return whether a secret's value as the server shows it tells nothing: encrypted, or hidden."""
    return isinstance(value, dict) or value == HIDDEN_BY_SERVER


def same(one: object, other: object) -> bool:
    """Return whether two values mean the same to Graylog: None is "", true is neither 1 nor "true"."""
    if one in (None, "") and other in (None, ""):
        return True
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


@dataclass
class Wish:
    """What an input shall be; only what is named here is compared.

    configuration: coerced already. static_fields: the exact set, None leaves them as they are.
    """

    title: str
    type: str
    is_global: bool
    configuration: dict
    schema: dict
    static_fields: dict | None = None
    always_send_secrets: bool = False
    secrets: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.secrets = secret_keys(self.schema)

    def current(self, key: str, attributes: dict) -> object:
        """Return the value in force: the server's, else the type's default."""
        if key in attributes:
            return _plain(attributes[key])
        return None if key in COMPUTED_DEFAULTS else self.schema[key].get("default_value")

    def differing(self, item: dict) -> list[str]:
        """Return the names of what must be written, of the server's item; static fields are written apart."""
        attributes = item["attributes"]
        names = [] if item["global"] == self.is_global else ["global"]
        for key, value in self.configuration.items():
            current = self.current(key, attributes)
            if key in self.secrets and (self.always_send_secrets or is_opaque(current)):
                if self.always_send_secrets:
                    names.append(key)
            elif not same(current, value):
                names.append(key)
        return names

    def is_launched_as_wished(self, launched: dict) -> bool:
        """Return whether the input that runs has these settings, its static fields aside."""
        attributes = launched.get("attributes") or {}
        return all(
            same(self.current(key, attributes), value)
            for key, value in self.configuration.items()
            if key not in self.secrets
        )

    def body(self, node_id: str, item: dict | None = None) -> dict:
        """Return the body of POST, or of PUT for the server's item.

        PUT replaces the whole configuration in Graylog 3.3 and is laid over the old one from 5.1: sending the old
        values with the new ones comes to the same in both. An encrypted secret is kept by name.
        """
        old = dict(item["attributes"]) if item else {}
        for key in self.secrets & set(old):
            if old[key] == UNSET:
                del old[key]
            elif isinstance(old[key], dict):
                old[key] = {"keep_value": True}
        wanted = dict(self.configuration)
        if item and not self.always_send_secrets:
            for key in self.secrets & set(wanted):
                if is_opaque(self.current(key, item["attributes"])):
                    del wanted[key]
        return {
            "title": self.title,
            "type": self.type,
            "global": self.is_global,
            "node": None if self.is_global else node_id,
            "configuration": {**old, **wanted},
        }

    def picture(self, item: dict | None, state: str | None) -> dict:
        """Return what a diff shows: the managed settings in force in the server's item, secrets hidden."""
        if item is None:
            return {}
        configuration = {key: self.current(key, item["attributes"]) for key in self.configuration}
        picture = {
            "title": item["title"],
            "type": item["type"],
            "global": item["global"],
            "configuration": {
                key: HIDDEN if key in self.secrets and value not in (None, "") else value
                for key, value in configuration.items()
            },
            "state": state,
        }
        if self.static_fields is not None:
            picture["static_fields"] = dict(item["static_fields"])
        return picture

    def as_item(self, item: dict | None) -> dict:
        """Return the item that the server will hold once the wish is fulfilled."""
        old = item or {"attributes": {}, "static_fields": {}}
        return {
            **old,
            "title": self.title,
            "type": self.type,
            "global": self.is_global,
            "attributes": {**old["attributes"], **self.configuration},
            "static_fields": old["static_fields"] if self.static_fields is None else self.static_fields,
        }


def check_static_fields(static_fields: dict | None) -> dict | None:
    """Return the static fields as texts. Raises InputError for a name that Graylog would refuse."""
    if static_fields is None:
        return None
    for key in static_fields:
        if not STATIC_FIELD.fullmatch(str(key)):
            raise InputError(f"static field {key!r}: a name has letters, digits and _ . @ - only")
    return {str(key): _text(f"static_fields.{key}", value, {}) for key, value in static_fields.items()}


def hide_secrets(item: dict, schema: dict | None) -> dict:
    """Return an input as it may be shown, its secrets hidden: without a schema every text may be one."""
    attributes = {key: _plain(value) for key, value in item["attributes"].items()}
    secrets = (
        {key for key in attributes if isinstance(attributes[key], (str, list))}
        if schema is None
        else secret_keys(schema)
    )
    return {
        "id": item.get("id"),
        "title": item["title"],
        "type": item["type"],
        "global": item["global"],
        "node": item.get("node"),
        "configuration": {
            key: HIDDEN if (key in secrets and value not in (None, "")) or isinstance(value, dict) else value
            for key, value in attributes.items()
        },
        "static_fields": dict(item["static_fields"]),
    }
