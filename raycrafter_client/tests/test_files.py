"""Expected files: there, not empty, of this render."""

import hashlib
import os

import pytest
from raycrafter_client.files import ExpectedFile, OutputError, prepare, publish


class Place:
    """One expected file and its two paths."""

    def __init__(self, directory, name):
        self.work = directory / "work" / name
        self.final = directory / "frames" / name
        self.expected = ExpectedFile(str(self.work), str(self.final))


@pytest.fixture()
def place(tmp_path):
    return Place(tmp_path, "a.png")


def test_a_whole_file_is_renamed_and_described(place):
    stamp = prepare([place.expected])
    place.work.write_bytes(b"picture")
    sha256 = hashlib.sha256(b"picture").hexdigest()
    assert publish([place.expected], stamp) == [{"path": str(place.final), "size": 7, "sha256": sha256}]
    assert not place.work.exists()
    assert place.final.read_bytes() == b"picture"


def test_a_missing_file(place):
    with pytest.raises(OutputError, match=r"did not write .*a\.png"):
        publish([place.expected], prepare([place.expected]))


def test_an_empty_file(place):
    stamp = prepare([place.expected])
    place.work.write_bytes(b"")
    with pytest.raises(OutputError, match="empty"):
        publish([place.expected], stamp)
    assert not place.final.exists()


def test_an_old_file_is_no_result(place):
    stamp = prepare([place.expected])
    place.work.write_bytes(b"from elsewhere")
    os.utime(str(place.work), ns=(stamp - 1, stamp - 1))
    with pytest.raises(OutputError, match="older"):
        publish([place.expected], stamp)


def test_what_an_earlier_attempt_left_is_removed(place):
    prepare([place.expected])
    place.work.write_bytes(b"half a picture")
    prepare([place.expected])
    assert list(place.work.parent.iterdir()) == []


def test_a_state_file_to_resume_from_stays(place):
    prepare([place.expected])
    state = place.work.with_suffix(".pov-state")
    state.write_bytes(b"state")
    prepare([place.expected])
    assert list(place.work.parent.iterdir()) == [state]


def test_nothing_is_renamed_when_one_of_several_is_missing(place, tmp_path):
    second = Place(tmp_path, "b.png")
    stamp = prepare([place.expected, second.expected])
    place.work.write_bytes(b"x")
    with pytest.raises(OutputError, match=r"b\.png"):
        publish([place.expected, second.expected], stamp)
    assert list(place.final.parent.iterdir()) == []
