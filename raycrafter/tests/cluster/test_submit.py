"""A submission is made once: in a real shell, with a qsub that counts, over a connection that loses answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from raycrafter.cluster import submit
from raycrafter.cluster.batch.reply import Refused, Submitted, Verdict
from raycrafter.cluster.errors import RemoteError, SshError
from raycrafter.cluster.scheduler import Scheduler

SLURM = Scheduler("slurm_torque")


@pytest.fixture
def directory(fake_site: Path) -> Path:
    path = fake_site / "lustre" / "batch-1"
    path.mkdir(parents=True)
    (path / "job.sh").write_text("#!/bin/sh\n#PBS -N rcone\n")
    return path


def submissions(site: Path) -> int:
    log = site / "qsub.log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_a_second_call_gets_the_first_answer(remote, fake_site, directory) -> None:
    assert submit.look(remote, SLURM, str(directory)) == submit.NotSubmitted()
    for _ in range(3):
        assert submit.submit(remote, SLURM, str(directory)) == Submitted("1")
    assert submit.look(remote, SLURM, str(directory)) == Submitted("1")
    assert submissions(fake_site) == 1
    assert (directory / "jobid").read_text() == "1\n"
    assert (directory / "jobid").stat().st_mode & 0o077 == 0


def test_a_lost_answer_is_found_again(remote, fake_site, directory, monkeypatch) -> None:
    (fake_site / "ssh-loses-reply-to").write_text("qsub job.sh")
    with pytest.raises(SshError, match="connection failed"):
        submit.submit(remote, SLURM, str(directory))
    monkeypatch.setattr(remote, "_retry_at", 0.0)
    assert submissions(fake_site) == 1
    assert submit.look(remote, SLURM, str(directory)) == Submitted("1")
    assert submit.submit(remote, SLURM, str(directory)) == Submitted("1")
    assert submissions(fake_site) == 1


def test_a_shell_that_died_after_the_lock_leaves_a_doubt_and_no_second_job(remote, fake_site, directory) -> None:
    (directory / "submit.lock").mkdir()
    assert submit.submit(remote, SLURM, str(directory)) == submit.Pending()
    assert submit.look(remote, SLURM, str(directory)) == submit.Pending()
    assert submissions(fake_site) == 0


def test_a_shell_that_died_between_the_id_and_its_exit_code(remote, fake_site, directory) -> None:
    (directory / "submit.lock").mkdir()
    (directory / "jobid").write_text("42\n")
    assert submit.submit(remote, SLURM, str(directory)) == Submitted("42")
    assert submissions(fake_site) == 0


def test_refusal_is_repeated_and_can_be_cleared(remote, fake_site, directory) -> None:
    (fake_site / "qsub-says").write_text("1\nsbatch: error: QOSMaxSubmitJobPerUserLimit\n")
    for _ in range(2):
        answer = submit.submit(remote, SLURM, str(directory))
        assert isinstance(answer, Refused) and answer.verdict is Verdict.LIMIT
        assert "QOSMaxSubmitJobPerUserLimit" in answer.text
    assert submissions(fake_site) == 1
    (fake_site / "qsub-says").unlink()
    submit.rearm(remote, str(directory))
    assert submit.look(remote, SLURM, str(directory)) == submit.NotSubmitted()
    assert submit.submit(remote, SLURM, str(directory)) == Submitted("2")


def test_submission_taken_or_in_doubt_cannot_be_cleared(remote, directory) -> None:
    submit.submit(remote, SLURM, str(directory))
    with pytest.raises(RemoteError):
        submit.rearm(remote, str(directory))
    (directory / "jobid").unlink()
    (directory / "submit.rc").unlink()
    with pytest.raises(RemoteError):
        submit.rearm(remote, str(directory))
    assert (directory / "submit.lock").is_dir()


def test_without_a_directory_nothing_was_submitted(remote, fake_site) -> None:
    missing = str(fake_site / "gone")
    assert submit.look(remote, SLURM, missing) == submit.NotSubmitted()
    with pytest.raises(RemoteError, match="gone"):
        submit.submit(remote, SLURM, missing)
    assert submissions(fake_site) == 0


def test_noise_of_the_login_shell_is_read_over(remote, fake_site, directory, monkeypatch) -> None:
    run = remote.run

    def noisy(*arguments, **options):
        result = run(*arguments, **options)
        return type(result)(result.code, "Welcome!\n" + result.stdout, result.stderr)

    monkeypatch.setattr(remote, "run", noisy)
    assert submit.submit(remote, SLURM, str(directory)) == Submitted("1")
