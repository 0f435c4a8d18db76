"""The configuration file: what is read, and that every mistake is named by file, key and fix."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from raycrafter.config import ConfigError

from raycrafter import config

GOOD: dict[str, Any] = {
    "django": {
        "secret_key": "k7Qz" * 20 + "!xyw",
        "allowed_hosts": ["master1", "127.0.0.1", "localhost"],
        "public_url": "https://master1",
        "extra_origins": ["https://127.0.0.1:8443"],
        "time_zone": "UTC",
    },
    "database": {
        "name": "raycrafter",
        "user": "raycrafter",
        "password": "database secret",
        "host": "master1",
        "port": 5432,
        "ca_file": "/etc/raycrafter/tls/ca.crt",
    },
    "broker": {
        "url": "amqps://raycrafter:broker-secret@master1:5671/raycrafter",
        "ca_file": "/etc/raycrafter/tls/ca.crt",
    },
    "cache": {"servers": ["127.0.0.1:11211"]},
    "media": {"root": "/var/lib/raycrafter/media"},
    "graylog": {
        "search_url": "https://logging1:9443/search?q={query}&rangetype=relative&relative={seconds}",
        "gelf_host": "logging1",
        "gelf_port": 12204,
        "gelf_transport": "http",
    },
    "mail": {
        "host": "mail.example.org",
        "port": 587,
        "tls": "starttls",
        "user": "render",
        "password": "mail secret",
        "sender": "render@example.org",
        "operators": ["ops@example.org"],
    },
    "webhook": {"networks": ["10.0.0.0/8", "fd00::/8"]},
    "retention": {"keep_days": 30, "keep_job_days": 90, "warn_days": 7},
    "cluster": {
        "name": "lab",
        "ssh_config": "/etc/raycrafter/cluster/ssh_config",
        "ssh_host": "cluster",
        "dialect": "torque",
        "scheduler": "slurm_torque",
        "launcher": "aprun",
        "queue": "workq",
        "account": "",
        "cores_per_node": 2,
        "numa_nodes": 1,
        "hyperthreads": 1,
        "nodes": 1,
        "walltime": "01:00:00",
        "walltime_margin": 60,
        "workspace_days": 7,
        "poll_interval": 5,
        "chunk_size": 10,
        "max_batches": 4,
        "gridftp_url": "gsiftp://login1:2811",
        "proxy_file": "/var/lib/raycrafter/grid/proxy.pem",
        "scratch": "/var/lib/raycrafter/scratch",
        "client_python": "/lustre/sw/raycrafter/current/bin/python",
        "client_tls_dir": "/lustre/sw/raycrafter/tls",
        "modules": [],
        "renderers": {"povray": "/usr/bin/povray"},
    },
    "celery": {},
}


def toml(tables: dict[str, Any], prefix: str = "") -> str:
    """Return nested tables of plain values as TOML; JSON's scalars and lists are TOML's."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in tables.items() if not isinstance(value, dict)]
    for key, value in tables.items():
        if isinstance(value, dict):
            lines += [f"[{prefix}{key}]", toml(value, f"{prefix}{key}.")]
    return "\n".join(lines)


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return GOOD with one key changed, or removed (value None)."""
    tables = copy.deepcopy(GOOD)
    *parents, key = path.split(".")
    table = tables
    for parent in parents:
        table = table.setdefault(parent, {})
    if value is None:
        del table[key]
    else:
        table[key] = value
    return tables


def test_good_file() -> None:
    found = config.parse(toml(GOOD), "x.toml")
    assert found.cluster.walltime_seconds == 3600
    assert found.cluster.renderers == {"povray": "/usr/bin/povray"}
    assert found.django.origins == ["https://master1", "https://127.0.0.1:8443"]
    assert found.broker.tls


def test_defaults_suffice_where_there_are_some() -> None:
    tables = copy.deepcopy(GOOD)
    for table in ("cache", "graylog", "mail", "webhook", "retention", "celery"):
        del tables[table]
    found = config.parse(toml(tables), "x.toml")
    assert (found.mail.host, found.webhook.networks, found.retention.keep_days) == ("", [], 0)
    assert (found.cache.servers, found.graylog.search_url) == ([], "")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("django", None),
        ("django.secret_key", None),
        ("django.secret_key", "short"),
        ("django.secret_key", "a" * 80),
        ("django.allowed_hosts", []),
        ("django.allowed_hosts", ["*"]),
        ("django.allowed_hosts", "master1"),
        ("django.public_url", "master1"),
        ("django.public_url", "https://master1/app"),
        ("django.time_zone", "Mars/Olympus"),
        ("django.debug", True),
        ("database", None),
        ("database.ca_file", None),
        ("database.port", "5432"),
        ("database.port", True),
        ("broker.url", "amqp://master1"),
        ("broker.ca_file", None),
        ("media", {}),
        ("media", {"root": "/a", "url": "https://b/"}),
        ("media.root", "relative"),
        ("media", {"url": "http://b/"}),
        ("media", {"url": "https://b/", "ca_file": "/a", "cert_file": "/b"}),
        ("graylog.search_url", "https://x/"),
        ("mail.sender", "nobody"),
        ("mail.tls", "none"),
        ("mail.tls", "perhaps"),
        ("mail.password", ""),
        ("mail.operators", "ops@example.org"),
        ("webhook.networks", ["10.0.0.1/8"]),
        ("retention.keep_days", -1),
        ("retention.keep_job_days", 29),
        ("cluster.workspace_days", 0),
        ("cluster.workspace_warn_days", ["7"]),
        ("cluster.dialect", "sge"),
        ("cluster.dialect", "slurm"),  # slurm_torque reads Torque's
        ("cluster.dialect", "pbspro"),
        ("cluster.numa_nodes", 99),
        ("cluster.client_python", "two words"),
        ("cluster.scheduler", "maybe"),
        ("cluster.launcher", "ssh"),
        ("cluster.cores_per_node", 0),
        ("cluster.chunk_size", 0),
        ("cluster.queue", "two words"),
        ("cluster.project", "p7"),
        ("cluster.prologue", "relative"),
        ("cluster.template", "#!/bin/bash\n@script@\n"),
        ("cluster.walltime", "one hour"),
        ("cluster.walltime", "00:00:00"),
        ("cluster.walltime_margin", 3600),
        ("cluster.gridftp_url", "http://login1"),
        ("cluster.gridftp_url", None),
        ("cluster.proxy_file", None),
        ("cluster.transfer", "ftp"),
        ("cluster.renderers", {}),
        ("cluster.renderers", {"povray": 1}),
        ("cluster.modules", [1]),
        ("cluster.quue", "x"),
        ("cloud", {}),
    ],
)
def test_mistakes_are_named(key: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse(toml(changed(key, value)), "/etc/raycrafter/raycrafter.toml")
    text = str(caught.value)
    assert text.startswith("/etc/raycrafter/raycrafter.toml: ")
    assert key.split(".")[0] in caught.value.key
    if value is not None and not isinstance(value, dict):
        assert key.rsplit(".", 1)[-1] in caught.value.key
    assert "Fix: " in text
    assert "secret" not in text.replace("secret_key", "")


def test_script_that_does_not_fit_is_named_by_the_files_keys() -> None:
    with pytest.raises(ConfigError, match=r"cluster\.numa_nodes: numa_nodes <= cores_per_node does not hold: 99 > "):
        config.parse(toml(changed("cluster.numa_nodes", 99)), "x.toml")


def test_ssh_needs_nothing_of_gridftp_and_takes_nothing_of_it() -> None:
    tables = changed("cluster.transfer", "ssh")
    for key in ("gridftp_url", "proxy_file"):
        with pytest.raises(ConfigError, match=f"cluster.{key}: is for GridFTP alone"):
            config.parse(toml(tables), "x.toml")
        del tables["cluster"][key]
    assert config.parse(toml(tables), "x.toml").cluster.transfer == "ssh"


def test_a_workspace_must_outlive_a_batch() -> None:
    tables = changed("cluster.walltime", "40:00:00")
    tables["cluster"]["workspace_days"] = 1
    with pytest.raises(ConfigError, match=r"cluster\.workspace_days: 1 is less than one batch may take"):
        config.parse(toml(tables), "x.toml")


def test_not_toml_and_not_there(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[django\n")
    with pytest.raises(ConfigError, match=r"bad\.toml: TOML: .*line 1"):
        config.load(tmp_path / "bad.toml")
    with pytest.raises(ConfigError, match="RAYCRAFTER_CONFIG"):
        config.load(tmp_path / "none.toml")


def test_secrets_are_not_shown() -> None:
    text = repr(config.parse(toml(GOOD), "x"))
    for secret in (GOOD["django"]["secret_key"], "database secret", "broker-secret"):
        assert secret not in text


def manage(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a management command in a process of its own with a configuration file."""
    environment = os.environ | {"RAYCRAFTER_CONFIG": str(path), "PYTHONPATH": os.pathsep.join(sys.path)}
    # the browser tests', where they ran before in this process
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
    command = [sys.executable, "-W", "error::DeprecationWarning", "-m", "raycrafter.manage", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_check_deploy_is_clean(tmp_path: Path) -> None:
    path = tmp_path / "raycrafter.toml"
    path.write_text(toml(changed("media.root", str(tmp_path))))
    done = manage(path, "check", "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout


def test_wrong_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "raycrafter.toml"
    path.write_text(toml(changed("cluster.queue", None)))
    done = manage(path, "check")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"{path}: cluster.queue: is missing. Fix: add it below [cluster]" in done.stderr


def test_production_settings(tmp_path: Path) -> None:
    """What must hold where users are: TLS with verified names, cookies over TLS only, nginx sends files, JSON logs."""
    path = tmp_path / "raycrafter.toml"
    tables = changed("media", {"url": "https://m:8444/", "ca_file": "/a", "cert_file": "/b", "key_file": "/c"})
    path.write_text(toml(tables))
    code = (
        "from django.conf import settings as s; from raycrafter.celery import app; import json; print(json.dumps(["
        "s.DEBUG, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SENDFILE,"
        "s.DATABASES['default']['OPTIONS']['sslmode'], app.conf.broker_use_ssl['server_hostname'],"
        "app.conf.task_always_eager, app.conf.result_backend,"
        # workers tell it to whoever asks
        "app.conf.table()['broker_url'], [key for key in app.conf.table() if key.isupper()],"
        "s.STORAGES['default']['BACKEND'], s.CSRF_TRUSTED_ORIGINS, s.PASSWORD_HASHERS[0].rsplit('.')[-1]]))"
    )
    environment = os.environ | {
        "RAYCRAFTER_CONFIG": str(path),
        "DJANGO_SETTINGS_MODULE": "raycrafter.settings",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert json.loads(done.stdout) == [
        False,
        True,
        True,
        True,
        "verify-full",
        "master1",
        False,
        None,
        "amqps://raycrafter:********@master1:5671/raycrafter",
        [],
        "raycrafter.storage.HttpStorage",
        ["https://master1", "https://127.0.0.1:8443"],
        "Argon2PasswordHasher",
    ]
