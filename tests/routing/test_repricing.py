"""What would hold of candidates at other prices."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from tui_orchestrator.routing.decision import Decision
from tui_orchestrator.routing.money import Money, Price, Rates, Tier
from tui_orchestrator.routing.parts import Part
from tui_orchestrator.routing.repricing import PriceTable, reprice

from .deciding import REGISTRY, decided
from .samples import candidate, price

THRICE = Decimal(3)
KNOWN = Price(
    Rates(10, 20, 1, 2, 3, ((Part.AUDIO_INPUT, 7),)), (Tier(100, Rates(30, 40)),), Money(5), "your configuration"
)


def test_a_price_that_is_named_holds_and_a_factor_multiplies_what_is_known() -> None:
    table = PriceTable({"a/x": price("9", "9")}, {"a": Decimal("0.5"), "b/y": THRICE, "b": Decimal(7)})
    assert table.price("a/x", KNOWN) == price("9", "9")
    assert table.price("c/z", KNOWN) is KNOWN
    assert table.price("b/y", None) is table.price("c/z", None) is None
    thrice = table.price("b/y", KNOWN)
    assert thrice == Price(
        Rates(30, 60, 3, 6, 9, ((Part.AUDIO_INPUT, 21),)),
        *((Tier(100, Rates(90, 120)),), Money(15), "your configuration, × 3"),
    )
    assert table.price("b/other", KNOWN).rates.input == 70  # type: ignore[union-attr]
    # A fraction of a micro-dollar is rounded up.
    assert table.price("a/w", KNOWN).rates == Rates(5, 10, 1, 1, 2, ((Part.AUDIO_INPUT, 4),))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("table", "says", "named"),
    [
        (PriceTable(), False, []),
        (PriceTable({"a/x": KNOWN}), True, ["a/x"]),
        (PriceTable(factors={"a": THRICE}), True, ["a/x", "a/w"]),
        (PriceTable(factors={"a/w": THRICE}), True, ["a/w"]),
    ],
)
def test_of_whom_a_table_says_anything(table: PriceTable, says: bool, named: list[str]) -> None:
    assert bool(table) is says
    assert [model for model in ("a/x", "a/w", "b/x") if table.names(model)] == named


def repriced(table: PriceTable, decision: Decision | None = None) -> dict[str, tuple[Money | None, Money | None]]:
    again = reprice(decision or decided(), table)
    return {c.model: (c.estimated_cost, c.cost_ceiling) for c in again.candidates}


def test_candidates_are_weighed_again_at_the_prices_that_are_named_and_the_others_stay() -> None:
    before = repriced(PriceTable())
    assert reprice(decision := decided(), PriceTable()) is decision
    after = repriced(PriceTable({"a/cheap": Price(Rates(2, 3))}, {"b": THRICE, "c": THRICE}))
    assert after["a/cheap"] == (Money(1000 * 2 + 500 * 3), Money(1564 * 2 + 4096 * 3))
    cost, ceiling = before["b/dear"]
    assert cost is not None
    assert ceiling is not None
    assert after["b/dear"] == (cost * 3, ceiling * 3)
    assert after["c/unknown"] == before["c/unknown"] == (None, None)
    assert after["here/small"] == before["here/small"]
    assert set(after) == set(REGISTRY.models)


@pytest.mark.parametrize(
    ("tokens", "most", "cost"),
    [
        (None, 1000, (1000 * 2 + 500 * 3, 1564 * 2 + 1000 * 3)),
        (2000, 1000, (2000 * 2 + 500 * 3, 3064 * 2 + 1000 * 3)),
        (None, 400, (1000 * 2 + 400 * 3, 1564 * 2 + 400 * 3)),
        (None, 0, (1000 * 2 + 1 * 3, 1564 * 2)),
    ],
)
def test_a_candidate_is_priced_by_its_own_tokens(tokens: int | None, most: int, cost: tuple[int, int]) -> None:
    one = replace(candidate("a/x"), input_tokens=tokens, max_tokens=most)
    decision = replace(decided(), candidates=(one,))
    assert repriced(PriceTable({"a/x": Price(Rates(2, 3))}), decision)["a/x"] == tuple(map(Money, cost))


@pytest.mark.parametrize("unknown", ["estimated_cost", "cost_ceiling"])
def test_what_is_not_known_is_not_multiplied(unknown: str) -> None:
    one = replace(candidate("a/x"), **{unknown: None})
    decision = replace(decided(), candidates=(one,))
    assert repriced(PriceTable(factors={"a": THRICE}), decision)["a/x"] == (one.estimated_cost, one.cost_ceiling)
