"""What a conversation's beginning costs where the model has it in its cache."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.storage.samples import ATTEMPT
from tui_orchestrator.routing.decision import Standing
from tui_orchestrator.routing.events import Attempt, Cause
from tui_orchestrator.routing.model import Registry
from tui_orchestrator.routing.money import Money, Price, Rates, Usage
from tui_orchestrator.routing.prefixes import CONVERSATIONS, Prefixes

from .deciding import decided
from .samples import model

ENDED = ATTEMPT.started + timedelta(seconds=ATTEMPT.latency_s)


def after(*attempts: Attempt) -> Prefixes:
    prefixes = Prefixes()
    for attempt in attempts:
        prefixes.learn(attempt)
    return prefixes


def test_what_was_read_from_the_cache_is_expected_again_for_five_minutes() -> None:
    prefixes = after(ATTEMPT, replace(ATTEMPT, usage=Usage(2000, 10, 1500)))
    assert prefixes.of("s1", ENDED + timedelta(minutes=5)) == {"openai/small": 1500}
    assert prefixes.of("s1", ENDED + timedelta(minutes=5, seconds=1)) == {}
    assert prefixes.of("s2", ENDED) == {}


@pytest.mark.parametrize(
    "other",
    [
        replace(ATTEMPT, usage=Usage(1200, 340)),
        replace(ATTEMPT, from_cache=True),
        replace(ATTEMPT, session=""),
        replace(ATTEMPT, cause=Cause.JUDGE),
    ],
)
def test_nothing_is_expected_before_it_was_read_by_an_answer_of_the_conversation(other: Attempt) -> None:
    prefixes = after(other)
    assert prefixes.of("s1", ENDED) == prefixes.of("", ENDED) == {}


def test_only_the_last_conversations_are_remembered() -> None:
    prefixes = after(*(replace(ATTEMPT, session=f"s{n}") for n in range(CONVERSATIONS + 1)))
    assert prefixes.of("s0", ENDED) == {}
    assert prefixes.of("s1", ENDED) == {"openai/small": 200}


def test_a_cached_beginning_makes_a_model_cheaper_to_go_on_with() -> None:
    price = Price(Rates.from_usd("1", "5", cached_input="0.1"))
    registry = Registry.of([model("a/one", price=price), model("a/two", price=price)])
    decision = decided(registry=registry, two=Standing(cached_input=900))
    one, two = decision.candidate("a/one"), decision.candidate("a/two")
    assert one is not None
    assert two is not None
    assert one.estimated_cost == Money(1000 * 1_000_000 + 500 * 5_000_000)
    assert two.estimated_cost == Money(100 * 1_000_000 + 900 * 100_000 + 500 * 5_000_000)
    assert two.cost_ceiling == one.cost_ceiling
    assert decision.model == "a/two"
