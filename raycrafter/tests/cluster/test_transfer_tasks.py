"""Tasks of transfers: what counts as arrived, progress, and the proxy as the pages see it."""

from __future__ import annotations

import dataclasses
import io
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from PIL import Image
from raycrafter.cluster import transfer as transfer_adapters
from raycrafter.cluster.errors import SshError, TransferError
from raycrafter.cluster.gridftp import GridFtp
from raycrafter.cluster.ssh_transfer import SshTransfer
from raycrafter.cluster.transfer import Files
from raycrafter.jobs import requests
from raycrafter.jobs.models import Job, Site, Transfer
from raycrafter.tasks import common, transfers
from raycrafter.tasks.proxy import check_proxy
from raycrafter.tasks.transfer_progress import Progress, StoppedError, arrived, sent

both_ways = pytest.mark.parametrize("cluster", ["gridftp", "ssh"], indirect=True)


@both_ways
def test_bytes_that_changed_on_the_way_are_found_and_sent_anew(cluster, world, new_job, monkeypatch) -> None:
    kind = SshTransfer if cluster.transfer == "ssh" else GridFtp
    push, inputs = kind.push, []

    def spoilt(self, files: Files, *arguments) -> None:
        push(self, files, *arguments)
        inputs.append(list(Path(files.there).parent.glob("input/*")))
        for path in Path(files.there).iterdir():
            path.write_bytes(b"!" * path.stat().st_size)  # the size is right

    job = new_job("1")
    with monkeypatch.context() as patch:
        patch.setattr(kind, "push", spoilt)
        world.turn()
    transfer = job.transfers.get()
    assert transfer.state == "RETRY" and "ball.pov" in transfer.state_reason
    job.refresh_from_db()
    place = Path(job.workspace.path)
    assert inputs == [[]] and not list(place.glob("input/*"))  # nothing has the input's name yet
    assert not list(place.glob("incoming/*"))
    Transfer.objects.update(next_try=timezone.now())
    world.turn()
    job.refresh_from_db()
    assert job.state == "READY" and not (place / "incoming").exists()
    assert (place / "input/ball.pov").read_bytes() == b"sphere { 0, 1 }"


def test_second_worker_does_not_remove_the_input(cluster, world, new_job) -> None:
    """Two workers have the same transfer, because one was retried and its worker lives: the first has named it."""
    job = new_job("1")
    world.turn()
    job.refresh_from_db()
    place = f"{job.workspace.path}/input"
    assert common.remote().run(transfers._PUBLISH, f"{job.workspace.path}/incoming", place).code != 0
    assert Path(place, "ball.pov").exists()


def test_a_file_that_cannot_be_read_there_has_not_arrived(cluster, world, new_job, tmp_path) -> None:
    for side in ("here", "there"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "a").write_text("a")
    (tmp_path / "here/b").write_text("b")
    with pytest.raises(transfers.MismatchError, match="1 files did not arrive whole, b among them"):
        transfers._compare(Files(tmp_path / "here", str(tmp_path / "there"), ["a", "b"]))


# -- how far --------------------------------------------------------------------------------------------------------


@pytest.fixture
def running(world, new_job) -> Transfer:
    return Transfer.objects.create(job=new_job("1"), kind="out", state="RUNNING", bytes_total=100, bytes_done=70)


def test_progress_is_written_when_it_has_grown(running, django_assert_num_queries) -> None:
    found = iter([10, 10, 40, 30])
    progress = Progress(running, lambda: next(found))
    seen = []
    for queries in (2, 1, 2, 1):  # one asks whether it still runs
        with django_assert_num_queries(queries):
            progress()
        running.refresh_from_db()
        seen.append(running.bytes_done)
    assert seen == [10, 10, 40, 40]  # the first is below what an earlier try had noted


@both_ways
def test_a_transfer_tells_how_far_it_is_while_it_goes(cluster, world, new_job, monkeypatch) -> None:
    seen = []

    def looked_at(copy):
        def wrapper(self, files: Files, state: Path, tick) -> None:
            copy(self, files, state, tick)
            tick()
            seen.append(
                Transfer.objects.order_by("pk").values_list("kind", "state", "bytes_done", "bytes_total").last()
            )

        return wrapper

    kind = SshTransfer if cluster.transfer == "ssh" else GridFtp
    monkeypatch.setattr(kind, "push", looked_at(kind.push))
    monkeypatch.setattr(kind, "pull", looked_at(kind.pull))
    job = new_job("1")
    world.turn()
    world.render(job.batches.get())
    world.turn()
    assert seen == [("in", "RUNNING", 15, 15), ("out", "RUNNING", 7, 7)]


@pytest.mark.parametrize("way", ["sent", "arrived"])
def test_cancelling_ends_the_copy_that_runs(cluster, world, new_job, monkeypatch, way) -> None:
    monkeypatch.setattr(transfer_adapters, "TICK", 0.05)
    job, looks = new_job("1"), []

    def cancelled(*_) -> int:
        looks.append(requests.cancel(Job.objects.get(pk=job.pk), "ada"))
        return 0

    monkeypatch.setattr(transfers, way, cancelled)
    if way == "arrived":
        world.turn()
        world.render(job.batches.get())
    (world.site / "gridftp-hangs").touch()
    began = time.monotonic()
    world.turn()
    assert looks == [True] and time.monotonic() - began < 30
    job.refresh_from_db()
    assert job.transfers.last().state == "CANCELLED" and not job.state_reason.startswith("Waiting")
    assert not list(world.scratch.glob("transfer-*"))


def test_a_copy_that_fails_after_the_cancellation_says_nothing_more(cluster, world, new_job, monkeypatch) -> None:
    job = new_job("1")

    def fails(*_) -> None:
        requests.cancel(Job.objects.get(pk=job.pk), "ada")
        raise TransferError("network", "reset by peer")

    monkeypatch.setattr(GridFtp, "push", fails)
    world.turn()
    assert job.transfers.get().state == "CANCELLED" and not job.events.filter(kind="infrastructure").exists()
    assert not list(world.scratch.glob("transfer-*"))


def test_cancelling_between_fetch_and_record_leaves_no_file(cluster, world, new_job, monkeypatch) -> None:
    job, save, picture = new_job("1-2"), transfers.default_storage.save, io.BytesIO()
    Image.new("RGB", (8, 6)).save(picture, "PNG")

    def saved(name, content) -> str:
        requests.cancel(Job.objects.get(pk=job.pk), "ada")
        return save(name, content)

    world.turn()
    world.render(job.batches.get(), picture=picture.getvalue())
    monkeypatch.setattr(transfers.default_storage, "save", saved)
    world.turn()
    assert {frame.state for frame in job.frames.all()} == {"CANCELLED"}
    assert not list((world.site / "media").rglob("*.png*"))


def test_a_picture_gets_a_small_copy_and_what_is_none_arrives_without(cluster, world, new_job) -> None:
    job, picture = new_job("1-2"), io.BytesIO()
    Image.new("RGB", (800, 600), "orange").save(picture, "PNG")
    world.turn()
    world.render(job.batches.get(), frames=1, picture=picture.getvalue())
    world.render(job.batches.get())
    world.turn()
    frames = job.frames.order_by("number")
    assert [(frame.state, frame.thumbnail) for frame in frames] == [("SYNCED", True), ("SYNCED", False)]
    (copy,) = (world.site / "media").rglob("*.webp")
    with Image.open(copy) as small:
        assert (small.format, small.size) == ("WEBP", (384, 288))


def test_progress_of_a_transfer_that_is_over_is_not_written(running) -> None:
    progress = Progress(running, lambda: 10)
    Transfer.objects.update(state="DONE", bytes_done=100)
    with pytest.raises(StoppedError):
        progress()
    running.refresh_from_db()
    assert running.bytes_done == 100


@pytest.mark.parametrize("error", [SshError("gone"), ValueError("garbage"), OSError("no disk")])
def test_not_to_know_how_far_it_is_ends_no_copy(running, error) -> None:
    def fails() -> int:
        raise error

    Progress(running, fails)()
    running.refresh_from_db()
    assert running.bytes_done == 70


def test_sizes_there_and_here_are_added_up_to_what_is_expected(cluster, world, tmp_path) -> None:
    for name, size in (("a", 10), ("b c/d", 4), ("not ours", 1000)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    expected = {"a": 8, "b c/d": 20, "not there": 5}
    assert sent(expected, Files(tmp_path, str(tmp_path), list(expected))) == 8 + 4
    assert arrived({tmp_path / name: size for name, size in expected.items()}) == 8 + 4


def test_output_of_a_login_shell_aborts_no_transfer(cluster, world, running, tmp_path, monkeypatch) -> None:
    said = dataclasses.replace(common.remote().run("true"), stdout="Welcome to the cluster!\n\n12 a\n")
    monkeypatch.setattr(common.remote(), "check", lambda *_, **__: said)
    Progress(running, lambda: sent({"a": 12}, Files(tmp_path, "/there", ["a"])))()
    running.refresh_from_db()
    assert running.bytes_done == 12


# -- the proxy ------------------------------------------------------------------------------------------------------


def test_pages_show_when_the_proxy_ends(cluster, world, settings) -> None:
    check_proxy()
    row = Site.objects.get(name=cluster.name)
    assert timedelta(days=1) < row.proxy_ends - timezone.now() <= timedelta(days=2)
    Path(cluster.proxy_file).rename(f"{cluster.proxy_file}.away")
    try:
        check_proxy()
    finally:
        Path(f"{cluster.proxy_file}.away").rename(cluster.proxy_file)
    row.refresh_from_db()
    assert row.proxy_ends is None and row.proxy_seen


@pytest.mark.parametrize("cluster", ["ssh"], indirect=True)
def test_a_site_without_gridftp_has_no_proxy(cluster, world) -> None:
    check_proxy()
    assert not Site.objects.exists()
