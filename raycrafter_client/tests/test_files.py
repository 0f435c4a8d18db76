"""Test the checks of expected files: present, not empty, written by this render."""

import hashlib
import os

import pytest
from raycrafter_client.files import ExpectedFile, OutputError, prepare, publish


class Place:
    """Return an expected file and its two paths."""

    def __init__(self, directory, name):
        self.work = directory / "work" / name
        self.final = directory / "frames" / name
        self.expected = ExpectedFile(str(self.work), str(self.final))


@pytest.fixture()
def place(tmp_path):
    return Place(tmp_path, "a.png")


def test_complete_file_is_renamed_and_listed(place):
    stamp = prepare([place.expected])
    place.work.write_bytes(b"picture")
    sha256 = hashlib.sha256(b"picture").hexdigest()
    assert publish([place.expected], stamp) == [{"path": str(place.final), "size": 7, "sha256": sha256}]
    assert not place.work.exists()
    assert place.final.read_bytes() == b"picture"


def test_missing_file_is_refused(place):
    with pytest.raises(OutputError, match=r"did not write .*a\.png"):
        publish([place.expected], prepare([place.expected]))


def test_empty_file_is_refused(place):
    stamp = prepare([place.expected])
    place.work.write_bytes(b"")
    with pytest.raises(OutputError, match="empty"):
        publish([place.expected], stamp)
    assert not place.final.exists()


def test_old_file_is_refused(place):
    stamp = prepare([place.expected])
    place.work.write_bytes(b"from elsewhere")
    os.utime(str(place.work), ns=(stamp - 1, stamp - 1))
    with pytest.raises(OutputError, match="older"):
        publish([place.expected], stamp)


def test_prepare_removes_files_of_an_earlier_attempt(place):
    prepare([place.expected])
    place.work.write_bytes(b"half a picture")
    prepare([place.expected])
    assert list(place.work.parent.iterdir()) == []


def test_prepare_keeps_the_renderers_state_file(place):
    prepare([place.expected])
    state = place.work.with_suffix(".pov-state")
    state.write_bytes(b"state")
    prepare([place.expected])
    assert list(place.work.parent.iterdir()) == [state]


def test_publish_renames_all_files_or_none(place, tmp_path):
    second = Place(tmp_path, "b.png")
    stamp = prepare([place.expected, second.expected])
    place.work.write_bytes(b"x")
    with pytest.raises(OutputError, match=r"b\.png"):
        publish([place.expected, second.expected], stamp)
    assert list(place.final.parent.iterdir()) == []
