"""Describe the options of input types, as /system/inputs/types/{class} does."""

from __future__ import annotations

from tests.unit.graylog.standin.releases import Release

GELF = "org.graylog2.inputs.gelf.tcp.GELFTCPInput"
SYSLOG = "org.graylog2.inputs.syslog.tcp.SyslogTCPInput"
RAW = "org.graylog2.inputs.raw.tcp.RawTCPInput"
BEATS = "org.graylog.plugins.beats.Beats2Input"
GELF_HTTP = "org.graylog2.inputs.gelf.http.GELFHttpInput"
GELF_UDP = "org.graylog2.inputs.gelf.udp.GELFUDPInput"
NAMES = {
    GELF: "GELF TCP",
    SYSLOG: "Syslog TCP",
    RAW: "Raw/Plaintext TCP",
    BEATS: "Beats",
    GELF_HTTP: "GELF HTTP",
    GELF_UDP: "GELF UDP",
}

AUTH = {"values": {"disabled": "disabled", "optional": "optional", "required": "required"}}
POSITIVE = ["only_positive"]
PASSWORD = ["is_password"]

# name: (type, default, optional, attributes, additional_info, since)
COMMON = {
    "bind_address": ("text", "0.0.0.0", False, [], {}, None),  # noqa: S104 - Graylog's default
    "port": ("number", None, False, ["is_port_number"], {}, None),
    "recv_buffer_size": ("number", 1048576, True, POSITIVE, {}, None),
    "number_worker_threads": ("number", 2, True, POSITIVE, {}, None),
    "tls_cert_file": ("text", "", True, [], {}, None),
    "tls_key_file": ("text", "", True, [], {}, None),
    "tls_enable": ("boolean", False, True, [], {}, None),
    "tls_key_password": ("text", "", True, PASSWORD, {}, None),
    "tls_client_auth": ("dropdown", "disabled", True, [], AUTH, None),
    "tls_client_auth_cert_file": ("text", "", True, [], {}, None),
    "tcp_keepalive": ("boolean", False, True, [], {}, None),
    "override_source": ("text", None, True, [], {}, None),
    "charset_name": ("text", "UTF-8", True, [], {}, "charset of inputs"),
}


def framed(null_delimiter: bool) -> dict:
    return {
        "use_null_delimiter": ("boolean", null_delimiter, True, [], {}, None),
        "max_message_size": ("number", 2097152, True, POSITIVE, {}, None),
    }


DECOMPRESS = {"decompress_size_limit": ("number", 8388608, True, [], {}, None)}
OWN = {
    GELF: (12201, {**framed(True), **DECOMPRESS}),
    SYSLOG: (
        514,
        {
            **framed(False),
            "force_rdns": ("boolean", False, True, [], {}, None),
            "allow_override_date": ("boolean", True, True, [], {}, None),
            "store_full_message": ("boolean", False, True, [], {}, None),
            "expand_structured_data": ("boolean", False, True, [], {}, None),
            "timezone": ("dropdown", "NotSet", True, [], {"values": {"NotSet": "Not set"}}, "options say is_encrypted"),
        },
    ),
    GELF_UDP: (12201, DECOMPRESS),
    RAW: (5555, framed(False)),
    BEATS: (5044, {"no_beats_prefix": ("boolean", False, True, [], {}, None)}),
    GELF_HTTP: (
        12201,
        {
            **DECOMPRESS,
            "enable_bulk_receiving": ("boolean", False, True, [], {}, "bulk over HTTP"),
            "enable_cors": ("boolean", True, True, [], {}, None),
            "max_chunk_size": ("number", 65536, True, [], {}, None),
            "idle_writer_timeout": ("number", 60, True, POSITIVE, {}, None),
            "authorization_header_name": ("text", "", True, [], {}, "HTTP inputs ask for a header"),
            "authorization_header_value": ("text", "", True, PASSWORD, {}, "HTTP inputs ask for a header"),
            "enable_forwarded_for": ("boolean", False, True, [], {}, "proxies of HTTP inputs"),
            "require_trusted_proxies": ("boolean", False, True, [], {}, "proxies of HTTP inputs"),
            "enable_real_ip_header": ("boolean", False, True, [], {}, "proxies of HTTP inputs"),
            "real_ip_header_name": ("text", "X-Real-IP", True, [], {}, "proxies of HTTP inputs"),
        },
    ),
}
# UDP has no connections, so no TLS and no keepalive.
NOT_UDP = {"tcp_keepalive", *(name for name in COMMON if name.startswith("tls_"))}


def encrypted(release: Release, name: str) -> bool:
    return name == "tls_key_password" and release.has("tls_key_password is encrypted")


def options(release: Release, java: str) -> dict[str, dict]:
    """Return `requested_configuration` of an input type.

    Raises KeyError for an unknown type.
    """
    port, own = OWN[java]
    described = {}
    for name, (kind, default, is_optional, attributes, info, since) in {**COMMON, **own}.items():
        if (since and not release.has(since)) or (java == GELF_UDP and name in NOT_UDP):
            continue
        described[name] = {
            "human_name": name.replace("_", " ").capitalize(),
            "additional_info": info,
            "description": "",
            "default_value": port if name == "port" else default,
            "attributes": attributes,
            "position": 100,
            "type": kind,
            "is_optional": is_optional,
        }
        if release.has("options say is_encrypted"):
            described[name]["is_encrypted"] = encrypted(release, name)
    return described


def described(release: Release, java: str) -> dict:
    answer = {
        "type": java,
        "name": NAMES[java],
        "requested_configuration": options(release, java),
        "link_to_docs": "",
        "is_exclusive": False,
    }
    return {**answer, "description": None} if release.has("types have a description") else answer
