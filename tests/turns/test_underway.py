"""What a turn knows of itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.storage.samples import attempt, costing, day_cap, hold
from tui_orchestrator.routing.budget import Budgets, BudgetState, Refusal, Shortage
from tui_orchestrator.routing.calling import Tried
from tui_orchestrator.routing.events import Event
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.underway import MakeRoom, Means, Underway

from .conftest import ask, running


@asynccontextmanager
async def underway(path: Path, make_room: MakeRoom | None = None) -> AsyncIterator[Underway]:
    async def emit(event: Event) -> None: ...

    async with running(path) as (runtime, _):
        router = runtime.router
        decision = router.preview(ask())
        means = Means(router.registry, router.policy, router.budgets, router.caller)
        yield Underway(ask(), decision, means, emit, make_room)


@pytest.mark.parametrize(("costs", "spent"), [((), 0), ((3, 4), 7), ((3, None), None), ((None, 4), None)])
async def test_what_it_has_spent_is_unknown_as_soon_as_a_part_of_it_is(
    tmp_path: Path, costs: tuple[int | None, ...], spent: int | None
) -> None:
    async with underway(tmp_path / "s.db") as turn:
        made = [Tried(attempt(number=n, cost=costing(cost)), "", None, None, ()) for n, cost in enumerate(costs, 1)]
        turn.answers, turn.checks = made[:1], made[1:]
        assert turn.spent == (None if spent is None else Money(spent))


async def test_the_time_a_person_takes_to_raise_a_cap_is_not_its_own(tmp_path: Path) -> None:
    async def make_room(shortage: Shortage) -> Budgets | None:
        await asyncio.sleep(0)
        return Budgets(daily=shortage.limit)

    async with underway(tmp_path / "s.db", make_room) as turn:
        state = BudgetState(day_cap(10), Money(4), Money(5))
        turn.refusal = Refusal(hold(2, state.cap), (state,), state)
        before = turn.deadline.at
        assert await turn.wait_for_room()
        assert turn.budgets == Budgets(daily=Money(11))
        assert turn.deadline.at > before


async def test_whoever_was_asked_for_an_answer_or_for_a_check_is_not_asked_again(tmp_path: Path) -> None:
    async with underway(tmp_path / "s.db") as turn:
        one, other, third = (model.id for model in list(turn.registry)[:3])
        assert all(map(turn.is_open, (one, other, third)))
        turn.answers = [Tried(attempt(model=one), "", None, None, ())]
        turn.checks = [Tried(attempt(model=other), "", None, None, ())]
        assert list(map(turn.is_open, (one, other, third))) == [False, False, True]
