"""Validate, convert and compare the options of an input, without any request.

The server stores an input's configuration as posted, fills in no defaults and ignores a value of the wrong type: the
text "true" for tls_enable leaves TLS off with status 201. So every value is converted to the type in the server's own
description of the input type (GET /system/inputs/types/CLASS) before it is compared or sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from .reconcile import HIDDEN, DesiredStateError

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
# inputstates shows this text in place of a password.
HIDDEN_BY_SERVER = "<password set>"
# The server shows an encrypted secret without a value so.
UNSET = {"is_set": False}
UDP = re.compile(r"udp|netflow|ipfix", re.IGNORECASE)
# The server computes these defaults from its own processors, so they differ between servers.
COMPUTED_DEFAULTS = ("number_worker_threads",)
NUMBER = re.compile(r"[+-]?\d+")
STATIC_FIELD = re.compile(r"[A-Za-z0-9_.@-]+")
BOOLEANS = {"true": True, "false": False}


def is_udp(input_type: str) -> bool:
    """Return whether an input of this class listens on UDP."""
    return bool(UDP.search(input_type.rsplit(".", 1)[-1]))


def resolve_type(name: str) -> str:
    """Return the Java class of a short name or of a class.

    Raises DesiredStateError for an unknown short name and for a type that listens on UDP.
    """
    input_type = TYPES.get(name, name)
    if is_udp(input_type):
        raise DesiredStateError(f"type {name} listens on UDP, which loses messages: use one of {', '.join(TYPES)}")
    if "." not in input_type:
        raise DesiredStateError(f"type {name} is neither one of {', '.join(TYPES)} nor the name of a Java class")
    return input_type


def gather_options(port: int, bind_address: str, tls: dict | None, configuration: dict | None) -> dict:
    """Merge a module's options into one configuration with Graylog's own keys.

    Raises DesiredStateError for an option given twice, and for TLS settings that Graylog accepts silently although it
    then serves a self-signed certificate or accepts clients of any public authority.
    """
    options = {"port": port, "bind_address": bind_address}
    tls = {key: value for key, value in (tls or {}).items() if value is not None}
    options.update({TLS_KEYS[key]: value for key, value in tls.items()})
    twice = sorted(set(options) & set(configuration or {}))
    if twice:
        raise DesiredStateError(
            f"configuration repeats {', '.join(twice)}: set these in port, bind_address or tls only"
        )
    stray = sorted(set(TLS_KEYS.values()) & set(configuration or {}))
    if stray:
        raise DesiredStateError(f"configuration has {', '.join(stray)}: set TLS options in tls, which validates them")
    wants_client = tls.get("client_auth", "disabled") != "disabled"
    if tls.get("enable"):
        missing = [name for name in ("cert_file", "key_file") if not tls.get(name)]
        if missing:
            raise DesiredStateError(
                f"tls.{missing[0]} is missing: Graylog would silently serve a self-signed certificate"
            )
        if wants_client and not tls.get("client_ca"):
            raise DesiredStateError("tls.client_ca is missing: Graylog would accept clients of any public authority")
    elif wants_client:
        raise DesiredStateError("tls.client_auth asks for client certificates but tls.enable is off: set it to true")
    return {**options, **(configuration or {})}


def secret_keys(schema: dict) -> set[str]:
    """Return the keys of an input type's requested_configuration that hold secrets."""
    return {
        key
        for key, entry in schema.items()
        if entry.get("is_encrypted") or "is_password" in (entry.get("attributes") or [])
    }


def secret_values(configuration: dict, schema: dict) -> set[str]:
    """Return the texts of a user's configuration that must not be shown.

    An option that the type does not have may be a secret with a misspelt name.
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
        raise DesiredStateError(f"option {key} got {value!r}, it needs a whole number")
    if "is_port_number" in (entry.get("attributes") or []) and not 0 < value < 65536:
        raise DesiredStateError(f"option {key} got {value}, it needs a port from 1 to 65535")
    return value


def _boolean(key: str, value: object, _entry: dict) -> bool:
    if isinstance(value, str):
        value = BOOLEANS.get(value.strip().lower(), value)
    if not isinstance(value, bool):
        raise DesiredStateError(f"option {key} got {value!r}, it needs true or false")
    return value


def _text(key: str, value: object, _entry: dict) -> str:
    if isinstance(value, (bool, dict, list)):
        raise DesiredStateError(f"option {key} got {value!r}, it needs text")
    return str(value)


def _dropdown(key: str, value: object, entry: dict) -> str:
    choices = list((entry.get("additional_info") or {}).get("values") or {})
    text = _text(key, value, entry)
    if choices and text not in choices:
        raise DesiredStateError(f"option {key} got {text!r}, it needs one of {', '.join(choices)}")
    return text


def _list(key: str, value: object, entry: dict) -> list[str]:
    if not isinstance(value, list):
        raise DesiredStateError(f"option {key} got {value!r}, it needs a list")
    return [_text(key, item, entry) for item in value]


COERCIONS = {"number": _number, "boolean": _boolean, "text": _text, "dropdown": _dropdown, "list": _list}


def coerce(options: dict, schema: dict) -> dict:
    """Convert the options to the types in the server's description of the input type.

    None stays None: it resets an optional option to its default.
    Raises DesiredStateError for an option that the input type does not have, and for a value that does not fit.
    """
    result = {}
    for key, value in options.items():
        entry = schema.get(key)
        if entry is None:
            raise DesiredStateError(
                f"option {key} is unknown to this type of input, which has {', '.join(sorted(schema))}"
            )
        if value is None:
            if not entry.get("is_optional"):
                raise DesiredStateError(f"option {key} must have a value")
            result[key] = None
        else:
            result[key] = COERCIONS.get(entry["type"], lambda _key, same, _entry: same)(key, value, entry)
    return result


def _plain(value: object) -> object:
    """Return a value as shown, but an encrypted secret without a value as ""."""
    return "" if value == UNSET else value


def is_opaque(value: object) -> bool:
    """Return whether a secret is shown encrypted or hidden and cannot be compared."""
    return isinstance(value, dict) or value == HIDDEN_BY_SERVER


def same(one: object, other: object) -> bool:
    """Return whether two values are equal to Graylog.

    None equals "", and true equals neither 1 nor "true".
    """
    if one in (None, "") and other in (None, ""):
        return True
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


@dataclass
class DesiredInput:
    """The desired settings of an input; only the options named here are compared.

    options: with Graylog's own keys. schema: the server's description of the input type.
    static_fields: the exact set; None leaves them unchanged.
    """

    title: str
    type: str
    is_global: bool
    options: dict
    schema: dict
    static_fields: dict | None = None
    always_send_secrets: bool = False

    @cached_property
    def configuration(self) -> dict:
        """The options in the server's types. Raises DesiredStateError, see coerce."""
        return coerce(self.options, self.schema)

    @cached_property
    def secrets(self) -> set[str]:
        """The keys that hold secrets."""
        return secret_keys(self.schema)

    def current_value(self, key: str, attributes: dict) -> object:
        """Return the value in force: the server's, or the type's default."""
        if key in attributes:
            return _plain(attributes[key])
        return None if key in COMPUTED_DEFAULTS else self.schema[key].get("default_value")

    def differing(self, item: dict) -> list[str]:
        """Return the keys that must be written, static fields aside."""
        attributes = item["attributes"]
        names = [] if item["global"] == self.is_global else ["global"]
        for key, value in self.configuration.items():
            current = self.current_value(key, attributes)
            if key in self.secrets and (self.always_send_secrets or is_opaque(current)):
                if self.always_send_secrets:
                    names.append(key)
            elif not same(current, value):
                names.append(key)
        return names

    def static_field_changes(self, item: dict | None) -> dict:
        """Return {name: new value}, with None for a field to be removed."""
        if self.static_fields is None:
            return {}
        old = item["static_fields"] if item else {}
        changed = {key: value for key, value in self.static_fields.items() if old.get(key) != value}
        return {**{key: None for key in old if key not in self.static_fields}, **changed}

    def is_launched(self, launched: dict) -> bool:
        """Return whether a running input has these settings, static fields aside."""
        attributes = launched.get("attributes") or {}
        return all(
            same(self.current_value(key, attributes), value)
            for key, value in self.configuration.items()
            if key not in self.secrets
        )

    def body(self, node_id: str, item: dict | None = None) -> dict:
        """Return the body of POST, or of PUT for the server's item.

        PUT replaces the configuration in Graylog 3.3 and merges into it from 5.1 on: a body with the old values and
        the new ones has the same effect in both. An encrypted secret is kept by `keep_value`.
        """
        old = dict(item["attributes"]) if item else {}
        for key in self.secrets & set(old):
            if old[key] == UNSET:
                del old[key]
            elif isinstance(old[key], dict):
                old[key] = {"keep_value": True}
        new = dict(self.configuration)
        if item and not self.always_send_secrets:
            for key in self.secrets & set(new):
                if is_opaque(self.current_value(key, item["attributes"])):
                    del new[key]
        return {
            "title": self.title,
            "type": self.type,
            "global": self.is_global,
            "node": None if self.is_global else node_id,
            "configuration": {**old, **new},
        }

    def shown(self, item: dict) -> dict:
        """Return the managed settings in force, with secrets hidden, for a diff."""
        configuration = {key: self.current_value(key, item["attributes"]) for key in self.configuration}
        shown = {
            "title": item["title"],
            "type": item["type"],
            "global": item["global"],
            "configuration": {
                key: HIDDEN if key in self.secrets and value not in (None, "") else value
                for key, value in configuration.items()
            },
            "state": item["state"],
        }
        if self.static_fields is not None:
            shown["static_fields"] = dict(item["static_fields"])
        return shown

    def planned(self, item: dict | None) -> dict:
        """Return the server's item with the desired settings."""
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
    """Convert static fields to texts.

    Raises DesiredStateError for a name that Graylog would refuse.
    """
    if static_fields is None:
        return None
    for key in static_fields:
        if not STATIC_FIELD.fullmatch(str(key)):
            raise DesiredStateError(f"static field {key!r}: a name has letters, digits and _ . @ - only")
    return {str(key): _text(f"static_fields.{key}", value, {}) for key, value in static_fields.items()}


def hide_secrets(item: dict, schema: dict | None) -> dict:
    """Return an input with its secrets hidden; without a schema every text is hidden."""
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
