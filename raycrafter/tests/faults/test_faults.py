"""Randomised runs against a cluster that fails in every way known of it. The seed is the test's number."""

from __future__ import annotations

import pytest

SEEDS = 200


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_fault_loses_a_frame_or_renders_it_twice(new_run, seed: int) -> None:
    run = new_run(seed)
    run.whole()
    run.check()
