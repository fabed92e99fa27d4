"""What is far from the usual, and that ordinary spending is not."""

from __future__ import annotations

import math
import random
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.services.anomalies import DAY, MODEL_DAY, TURN, told, unusual

USD = Money.from_usd


def dollars(*amounts: str) -> list[Money]:
    return [USD(amount) for amount in amounts]


ABOUT_FIVE_CENTS = dollars("0.03", "0.04", "0.045", "0.05", "0.06") * 5


@pytest.mark.parametrize(
    ("cost", "history", "news"),
    [
        ("0.42", ABOUT_FIVE_CENTS, True),  # nine times the usual
        ("0.12", ABOUT_FIVE_CENTS, False),  # a long answer
        ("0.0001", ABOUT_FIVE_CENTS, False),  # only what is dear is news
        ("0.42", ABOUT_FIVE_CENTS[:19], False),  # too little seen to call anything usual
        ("0.001", dollars("0.00001") * 30, False),  # a hundred times nothing is nothing
        (
            "0.42",
            dollars("0.001", "0.01", "0.1", "0.5", "0.0002") * 5,
            False,
        ),  # costs differ like this
        ("0.42", [*ABOUT_FIVE_CENTS, *dollars("9", "9", "9")], True),  # a few outliers do not become the usual
        ("0.10", dollars("0.02") * 40, True),  # always the same, then five times as much
        ("0.07", dollars("0.02") * 40, False),  # always the same, then a little more
        ("0.42", [ZERO] * 40, False),  # free calls are no history of costs
    ],
)
def test_a_turn_is_news_when_it_is_far_above_its_own_history(cost: str, history: list[Money], news: bool) -> None:
    assert (unusual(USD(cost), history, TURN) is not None) is news


def test_it_is_said_with_the_usual_and_how_often_it_fits_in() -> None:
    found = unusual(USD("0.42"), ABOUT_FIVE_CENTS, TURN)
    assert found is not None
    assert told("This turn cost", found, "for code") == "This turn cost $0.420, 9.3 times your usual for code ($0.045)"
    assert found.n == 25


@given(st.lists(st.integers(1, 10**13), min_size=20, max_size=60), st.integers(1, 10**14))
def test_what_is_news_is_still_news_when_it_costs_more(history: list[int], cost: int) -> None:
    known = [Money(one) for one in history]
    if unusual(Money(cost), known, TURN) is not None:
        assert unusual(Money(cost * 2), known, TURN) is not None
        assert cost > sorted(history)[len(history) // 2]


def ordinary_turns(seed: int, count: int) -> list[Money]:
    """Spending as it is: a model's price, lengths that differ by factors, a conversation that grows and starts anew,
    now and then a file with the prompt. About five cents at the median, so that the floor hides nothing."""
    draw = random.Random(seed)
    costs, context = [], 1.0
    for _ in range(count):
        context = 1.0 if draw.random() < 0.2 else context * draw.uniform(1.0, 1.35)
        dollars = 0.03 * context * math.exp(draw.gauss(0, 0.7)) * (draw.uniform(2, 5) if draw.random() < 0.03 else 1)
        costs.append(Money(round(dollars * 10**12)))
    return costs


def false_alarms(costs: list[Money]) -> int:
    seen: deque[Money] = deque(maxlen=200)
    alarms = 0
    for cost in costs:
        alarms += unusual(cost, tuple(seen), TURN) is not None
        seen.append(cost)
    return alarms


def test_ordinary_spending_raises_fewer_than_one_false_alarm_in_500_turns() -> None:
    turns = 8_000
    alarms = sum(false_alarms(ordinary_turns(seed, turns // 4)) for seed in range(4))
    print(f"{alarms} false alarms in {turns} turns")  # noqa: T201
    assert alarms <= turns // 500


@pytest.mark.parametrize(("spread", "times"), [(0.35, 9), (0.5, 16)])
def test_a_turn_many_times_the_usual_is_found_where_turns_are_alike(spread: float, times: int) -> None:
    for seed in range(20):
        draw = random.Random(seed)
        history = [Money(round(4.5e10 * math.exp(draw.gauss(0, spread)))) for _ in range(200)]
        assert unusual(sorted(history)[100] * times, history, TURN) is not None


def test_days_of_ordinary_spending_are_hardly_ever_news() -> None:
    """A year of days of 5 to 60 turns each; weekends are quiet."""
    alarms = days = 0
    for seed in range(6):
        draw = random.Random(seed)
        seen: list[Money] = []
        for day in range(365):
            turns = draw.randint(5, 60) if day % 7 < 5 else draw.randint(1, 15)
            total = sum(ordinary_turns(seed * 1000 + day, turns), ZERO)
            alarms += unusual(total, seen[-60:], DAY) is not None
            seen.append(total)
            days += 1
    assert alarms <= days // 200


@pytest.mark.parametrize(("spent", "news"), [("1.20", True), ("0.24", False), ("0.80", False)])
def test_a_models_day_is_compared_with_its_own_days(spent: str, news: bool) -> None:
    days = dollars("0.20", "0.25", "0.18", "0.22", "0.30", "0.24", "0.21", "0.19")
    assert (unusual(USD(spent), days, MODEL_DAY) is not None) is news
