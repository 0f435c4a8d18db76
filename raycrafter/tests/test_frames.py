"""Frame specifications."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raycrafter.jobs.frames import MAX_FRAMES, FramesError, parse


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("7", [7]),
        ("0", [0]),
        ("1-5", [1, 2, 3, 4, 5]),
        ("1-10x3", [1, 4, 7, 10]),
        ("1-9x3,150", [1, 4, 7, 150]),
        ("3,1,2,2-3", [1, 2, 3]),
        (" 1 - 3 , 9 ", [1, 2, 3, 9]),
        ("5-5", [5]),
        ("007", [7]),
    ],
)
def test_good(text: str, numbers: list[int]) -> None:
    assert parse(text) == numbers


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "at least one"),
        ("  ", "at least one"),
        ("20-1", "backwards: write 1-20"),
        ("-5", "not negative"),
        ("-5--1", "not negative"),
        ("a-b", "not understood"),
        ("1-", "not understood"),
        ("1..5", "not understood"),
        ("1,,2", "not understood"),
        ("1-5x", "not understood"),
        ("1.5", "not understood"),
        ("\uff11-\uff15", "not understood"),
        ("1-10x0", "step of 0"),
        ("1-100001", "more than 100000"),
        ("1-60000,1-60000", "more than 100000"),
        ("1-999999999999999999999", "above"),
        ("1-5x99999999", "above"),
        ("1," * 300 + "1", "longer than"),
    ],
)
def test_bad(text: str, words: str) -> None:
    with pytest.raises(FramesError, match=words):
        parse(text)


def test_largest() -> None:
    assert len(parse(f"1-{MAX_FRAMES}")) == MAX_FRAMES


@given(st.text(alphabet="0123456789-x, ab.", max_size=40))
def test_any_text_gives_sorted_frames_or_the_one_error(text: str) -> None:
    try:
        numbers = parse(text)
    except FramesError:
        return
    assert numbers == sorted(set(numbers))
    assert 0 < len(numbers) <= MAX_FRAMES


@given(st.integers(0, 9999), st.integers(0, 500), st.integers(1, 50))
def test_ranges_are_pythons(first: int, length: int, step: int) -> None:
    assert parse(f"{first}-{first + length}x{step}") == list(range(first, first + length + 1, step))
