"""A small heat of `benchmarks/budget_race.py`: copies of the program race for the same caps, and one is killed."""

from __future__ import annotations

from pathlib import Path

from benchmarks.race.trial import run


async def test_no_cap_is_passed_and_no_money_lost_in_a_race_of_copies_of_which_one_is_killed(tmp_path: Path) -> None:
    outcome = await run(7, tmp_path, copies=2, at_once=12, turns=24, kills=1)
    assert outcome.holds, outcome
    assert outcome.killed == 1
    assert outcome.finished > 20
    assert outcome.fullest > 0.5, "the caps were pressed"
