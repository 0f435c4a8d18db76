"""Workspaces: ws_list as it is printed, allocation that may be repeated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from raycrafter.cluster import workspace
from raycrafter.cluster.errors import RemoteError

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
# not recorded: ws_list; form: github.com/holgerBerger/hpc-workspace, bin/ws_list (id:), and hpc-workspace-v2,
# src/ws_list.cpp (Id:, a comma between days and hours)
LISTED = """\
id: rc-job-7
     workspace directory  : /lustre/ws/render-rc-job-7
     remaining time       : 6 days 23 hours
     creation time        : Mon Nov 23 01:41:05 2026
     expiration date      : Mon Nov 30 01:41:05 2026
     filesystem name      : lustre
     available extensions : 3
Id: other
    workspace directory  : /lustre/ws/render-other
    remaining time       : 0 days, 1 hours
    comment              : remaining time : 99 days 0 hours
    creation time        : Mon Nov 23 01:41:05 2026
    expiration time      : Mon Nov 23 13:41:05 2026
    filesystem name      : lustre
    available extensions : 0
id: old
     workspace directory  : /lustre/ws/render-old
     remaining time       : expired
     creation time        : Mon Nov 16 01:41:05 2026
     expiration date      : Mon Nov 23 01:41:05 2026
     filesystem name      : lustre
     available extensions : 2
id: strange
     workspace directory  : relative
     remaining time       : 1 days 0 hours
"""


def test_list() -> None:
    leases = workspace.parse_list(f"Welcome to the cluster\n{LISTED}", NOW)
    assert set(leases) == {"rc-job-7", "other"}
    assert leases["rc-job-7"].path == "/lustre/ws/render-rc-job-7"
    assert leases["rc-job-7"].expires == NOW + timedelta(days=6, hours=23)
    assert leases["rc-job-7"].extensions == 3
    assert leases["other"].expires == NOW + timedelta(hours=1)


@pytest.mark.parametrize("text", ["", "Error: no workspaces\n", "id: x\n", "id:\n\nid: y"])
def test_lists_without_workspaces(text) -> None:
    assert workspace.parse_list(text, NOW) == {}


def test_ensure_may_be_repeated_and_notes_what_was_granted(remote, fake_site) -> None:
    (fake_site / "ws-grants").write_text("2 days 5 hours")
    leases = [workspace.ensure(remote, "rc-job-1", 30, NOW) for _ in range(2)]
    assert leases[0] == leases[1]
    assert leases[0].expires == NOW + timedelta(days=2, hours=5)
    for name in ("input", "work", "frames"):
        assert (fake_site / "lustre/render-rc-job-1" / name).is_dir()


def test_a_refusal_is_the_sites_own_words(remote, fake_site) -> None:
    # not recorded: a refusal; form: github.com/holgerBerger/hpc-workspace, src/ws.cpp and testing/tests/06-parameters
    text = "Error: please specify an existing filesystem with -F!"
    (fake_site / "ws-refuses").write_text(f"{text}\n")
    with pytest.raises(RemoteError, match=f"ws_allocate rc-job-1 ended with 1: {text}"):
        workspace.ensure(remote, "rc-job-1", 30, NOW)


def test_extend_until_no_extensions_are_left(remote, fake_site) -> None:
    workspace.ensure(remote, "rc-job-1", 1, NOW)
    for _ in range(3):
        workspace.extend(remote, "rc-job-1", 7)
    assert workspace.find(remote, "rc-job-1", NOW).expires == NOW + timedelta(days=7)
    with pytest.raises(RemoteError, match="no more extensions"):
        workspace.extend(remote, "rc-job-1", 7)


def test_release_may_be_repeated(remote) -> None:
    workspace.ensure(remote, "rc-job-1", 1, NOW)
    workspace.release(remote, "rc-job-1")
    assert workspace.find(remote, "rc-job-1", NOW) is None
    workspace.release(remote, "rc-job-1")
