"""Test the reading of client.json, claims and the batch job's id."""

import json

import pytest
from raycrafter_client.claim import ClaimError, parse
from raycrafter_client.config import ConfigError, load, native_id

GOOD = {
    "url": "https://master1/",
    "ca_file": "/ca.crt",
    "token": "t",
    "batch": 17,
    "job": 7,
    "native_id_env": ["PBS_JOBID", "SLURM_JOB_ID"],
    "gelf": {"host": "logging1", "port": 12202, "ca_file": "/ca.crt", "cert_file": "/c.crt", "key_file": "/c.key"},
    "spool_dir": "/spool",
    "walltime_end_margin": 60,
    "heartbeat_seconds": 10,
    "walltime_seconds": 3600,
}


def read(tmp_path, **changes):
    path = tmp_path / "client.json"
    path.write_text(json.dumps(dict(GOOD, **changes)))
    return load(str(path))


def test_valid_file_is_loaded(tmp_path):
    config = read(tmp_path)
    assert config.url == "https://master1"
    assert (config.gelf.host, config.gelf.port, config.gelf.transport) == ("logging1", 12202, "tcp")


def test_margin_of_zero_is_accepted(tmp_path):
    assert read(tmp_path, walltime_end_margin=0).walltime_end_margin == 0


def test_gelf_is_optional(tmp_path):
    assert read(tmp_path, gelf=None).gelf is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "http://master1"}, "https://"),
        ({"token": ""}, "token is missing"),
        ({"batch": None}, "batch is missing"),
        ({"walltime_seconds": "3600"}, "walltime_seconds must be a number"),
        ({"walltime_seconds": 0}, "walltime_seconds must be a number above 0"),
        ({"walltime_end_margin": -1}, "walltime_end_margin must be a number from 0"),
        ({"walltime_end_margin": 4000}, "walltime_end_margin must be less"),
        ({"gelf": {"host": "logging1"}}, "port is missing"),
        ({"gelf": dict(GOOD["gelf"], transport="udp")}, "transport must be one of http, tcp"),
    ],
)
def test_error_names_file_and_setting(tmp_path, change, words):
    with pytest.raises(ConfigError, match=words) as caught:
        read(tmp_path, **change)
    assert "client.json" in str(caught.value)


def test_missing_or_broken_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.json"):
        load(str(tmp_path / "nowhere.json"))
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ConfigError, match=r"broken\.json"):
        load(str(tmp_path / "broken.json"))


def test_native_id_is_the_first_variable_set():
    names = ["PBS_JOBID", "SLURM_JOB_ID"]
    assert native_id(names, {"PBS_JOBID": "12.server", "SLURM_JOB_ID": "12"}) == "12.server"
    assert native_id(names, {"PBS_JOBID": "", "SLURM_JOB_ID": "12"}) == "12"
    assert native_id(names, {"PBS_JOBID": "0:12.server"}) == "12.server"
    with pytest.raises(ConfigError, match="PBS_JOBID, SLURM_JOB_ID"):
        native_id(names, {})


FRAME = {
    "number": 1,
    "attempt": 2,
    "command": ["povray"],
    "directory": "/d",
    "files": [{"work": "/w", "final": "/f"}],
    "resume": True,
}


def claim(**changes):
    return parse({"renderer": "povray", "stop_at": 1.5, "frames": [dict(FRAME, **changes)]})


def test_claim_is_parsed():
    (frame,) = claim().frames
    assert (frame.number, frame.attempt, frame.resume, frame.files[0].final) == (1, 2, True, "/f")


@pytest.mark.parametrize(
    "change",
    [
        {"command": "povray +Iscene.pov"},
        {"command": []},
        {"command": ["povray", 1]},
        {"directory": "relative"},
        {"files": []},
        {"files": [{"work": "w", "final": "/f"}]},
        {"number": None},
    ],
)
def test_invalid_claim_is_refused(change):
    with pytest.raises(ClaimError):
        claim(**change)
