"""Test the event spool: continuous numbers, crashes, a full disk."""

import os

from raycrafter_client.event_spool import EventSpool

EVENT = {"level": 30, "kind": "warning", "frame": 3, "attempt": 1, "message": "text", "data": {"line": 5}}


def add(spool, count):
    for number in range(count):
        spool.add(dict(EVENT, message=f"event {number}"))


def seqs(spool):
    return [event["seq"] for event in spool.pending(1000)]


def test_event_has_number_and_fields(tmp_path):
    spool = EventSpool(str(tmp_path / "spool"))
    spool.add(EVENT)
    (event,) = spool.pending(10)
    assert event.pop("time").endswith("+00:00")
    assert event == dict(EVENT, seq=1)


def test_new_client_continues_after_the_last_number(tmp_path):
    first = EventSpool(str(tmp_path))
    add(first, 5)
    first.acknowledge(3)
    first.close()
    second = EventSpool(str(tmp_path))
    assert seqs(second) == [4, 5]
    add(second, 1)
    assert seqs(second) == [4, 5, 6]


def test_line_cut_by_a_crash_loses_only_itself(tmp_path):
    first = EventSpool(str(tmp_path))
    add(first, 3)
    first.close()
    path = tmp_path / "events.jsonl"
    path.write_bytes(path.read_bytes()[:-10])
    second = EventSpool(str(tmp_path))
    add(second, 1)
    assert seqs(second) == [1, 2, 3]
    second.close()
    assert seqs(EventSpool(str(tmp_path))) == [1, 2, 3]


def test_numbers_continue_from_the_acknowledgement_alone(tmp_path):
    first = EventSpool(str(tmp_path))
    add(first, 5)
    first.acknowledge(5)
    first.close()
    (tmp_path / "events.jsonl").unlink()
    second = EventSpool(str(tmp_path))
    add(second, 1)
    assert seqs(second) == [6]


def test_numbers_known_to_the_server_are_not_reused(tmp_path):
    spool = EventSpool(str(tmp_path))
    add(spool, 1)
    spool.acknowledge(40)  # the file was lost, but the server has the numbers
    add(spool, 1)
    assert seqs(spool) == [41]


def test_spool_file_is_private(tmp_path):
    EventSpool(str(tmp_path / "spool"))
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "spool" / "events.jsonl").stat().st_mode & 0o777 == 0o600


def test_full_disk_is_counted_and_the_event_is_still_sent(tmp_path, monkeypatch):
    spool = EventSpool(str(tmp_path))
    add(spool, 1)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    add(spool, 1)
    monkeypatch.undo()
    add(spool, 1)
    assert seqs(spool) == [1, 2, 3]
    assert spool.lost == 1
    spool.close()
    assert seqs(EventSpool(str(tmp_path))) == [1, 3]
