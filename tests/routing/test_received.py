"""What a call comes to, whatever became of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.storage.samples import PROFILE
from tui_orchestrator.routing.errors import Connection, RateLimited, StreamBroken, Timeout, TurnError
from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import Cost, CostState, Money, Price, Rates, Usage
from tui_orchestrator.routing.ports import Done
from tui_orchestrator.routing.received import Received, cost_of

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
MODEL = Model("openai", "small", price=Price(Rates(1, 10)))


def received(reported: Usage | None, seen: int, billed: int | None = None, most: int | None = None) -> Received:
    """An answer of which `seen` tokens came."""
    cost = None if billed is None else Money(billed)
    return Received(["…"], reported=reported, billed=cost, sent=1.0, first=1.1, most=most, count=lambda *_: seen)


@pytest.mark.parametrize(
    ("seen", "most", "output"),
    [(5, 100, 50), (70, 100, 70), (200, 100, 100), (200, None, 200)],
)
def test_what_broke_off_is_paid_for_by_what_was_reported_or_seen_whichever_is_more(
    seen: int, most: int | None, output: int
) -> None:
    broken = received(Usage(10, 50), seen, most=most)
    assert broken.usage(PROFILE, StreamBroken()) == Usage(10, output, source="estimated")


@pytest.mark.parametrize(("billed", "cost"), [(900, 900), (100, 510), (None, 510)])
def test_what_a_provider_has_billed_before_the_break_is_the_least_it_costs(billed: int | None, cost: int) -> None:
    usage = Usage(10, 50, source="estimated")
    assert cost_of(received(usage, 5, billed), usage, MODEL, AT)[0] == Cost(Money(cost), CostState.ESTIMATED)


def test_of_a_whole_answer_the_provider_has_the_last_word() -> None:
    whole = received(Usage(10, 50), 70, 100)
    whole.end(Done(FinishReason.STOP, Usage(10, 50)), 1.2)
    assert whole.usage(PROFILE, None) == Usage(10, 50)
    assert cost_of(whole, Usage(10, 50), MODEL, AT)[0] == Cost(Money(100), CostState.BILLED)


@pytest.mark.parametrize(
    ("error", "taken_in"), [(Timeout(), True), (StreamBroken(), True), (Connection(), False), (RateLimited(), False)]
)
def test_a_request_that_was_taken_in_and_not_answered_costs_its_input(error: TurnError, taken_in: bool) -> None:
    silent = Received(sent=1.0, count=lambda *_: 0)
    assert silent.usage(PROFILE, error).input == (PROFILE.input_tokens if taken_in else 0)
    assert Received(count=lambda *_: 0).usage(PROFILE, error) == Usage(), "what was never sent"
