"""A prompt that nobody can read whole, in parts: how many, how long, by whom, and what it comes to."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from tui_orchestrator.routing.decide import decide
from tui_orchestrator.routing.decision import Circumstances, Decision, Division, Exclusion, Policy, Standing
from tui_orchestrator.routing.division import Reading, divided, is_too_long, reading_of
from tui_orchestrator.routing.model import Model, Registry
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.profile import Ability, Profile
from tui_orchestrator.routing.profiler import profile as profiled
from tui_orchestrator.routing.request import Request, Split, Strategy
from tui_orchestrator.routing.splitting import SLACK
from tui_orchestrator.routing.tools import Tool

from .deciding import room
from .samples import model, price, request

REPORT = "\n\n".join(
    f"# Room {n}\nRoom {n} was looked at by the third team, which wrote down {n} windows." for n in range(1500)
)
ASKED = request(f"Which rooms does this report name?\n\n{REPORT}", split=Split.AGREED)
READER = model("a/reader", context_window=12_000, ability=0.8)


@cache
def read() -> tuple[Profile, Reading]:
    return profiled(ASKED), reading_of(ASKED)


def decided(*models: Model, asked: Request = ASKED, policy: Policy | None = None, **standings: Standing) -> Decision:
    registry = Registry.of(models)
    live = Circumstances({m.id: standings[m.name] for m in models if m.name in standings})
    prompt, reading = read()
    decision = decide(asked, prompt, registry, live, policy or Policy())
    assert is_too_long(asked, decision)
    return divided(asked, decision, reading, registry, live)


def plan(decision: Decision) -> Division:
    assert decision.division is not None
    return decision.division


def test_the_parts_fill_what_is_left_of_a_context_and_their_answers_are_read_together() -> None:
    _, reading = read()
    found = plan(decided(READER))
    # 2,048 tokens answer a part, and no answer takes more than a quarter of the context.
    assert found.part_output == 2048
    assert found.part_tokens == int((12_000 - 2048) * 0.85) - reading.overhead
    assert found.parts == math.ceil(reading.tokens * SLACK / found.part_tokens) == 6
    assert found.joint_tokens == int((12_000 - 3000) * 0.85) - reading.overhead
    # Three answers at once: two for six, and one for those two.
    assert (found.joint_tokens // (2048 + 24), found.joins) == (3, 3)
    assert (found.reader, found.writer, found.pinned) == ("a/reader", "a/reader", False)


THINKS = frozenset({Ability.THINKING})


@pytest.mark.parametrize(
    ("more", "asked", "standing", "numbers", "cost", "ceiling", "seconds"),
    [
        # Parts, tokens of one, of its answer, of answers that are read together, how often; millionths of a dollar.
        ({}, {}, Standing(), (6, 8231, 2048, 7422, 3), 80842, 225768, 53.5),
        ({"context_window": 30_000}, {}, Standing(), (3, 23531, 2048, 21790, 1), 61903, 125403, 35.667),
        ({"context_window": 4_096}, {}, Standing(), (20, 2383, 1024, 2383, 21), 295468, 695292, 107.0),
        ({"context_window": 2_000}, {}, Standing(), (45, 1047, 499, 1047, 47), 455922, 1258674, 231.833),
        ({"context_window": 1_100}, {}, Standing(), (90, 526, 212, 473, 92), 681986, 2193500, 428.0),
        ({"max_output": 900}, {}, Standing(), (6, 9207, 900, 9207, 1), 76882, 105917, 48.0),
        ({"max_output": 100}, {}, Standing(), (5, 9887, 100, 9887, 1), 47228, 68847, 8.0),
        ({}, {"max_tokens": 300}, Standing(), (5, 9717, 300, 9717, 1), 49678, 76497, 18.0),
        ({}, {"max_tokens": 50}, Standing(), (5, 9929, 50, 9929, 1), 40928, 66934, 5.5),
        # Who thinks before it answers has as much as was asked for.
        (
            *({"abilities": THINKS, "context_window": 20_000}, {}, Standing()),
            *((4, 13290, 4096, 13290, 3), 68214, 274405, 35.667),
        ),
        # Who counts more than was estimated reads less, and takes no less time for a part.
        ({}, {}, Standing(more_input=37_710), (12, 4118, 1774, 3597, 12), 217224, 638568, 71.333),
        ({}, {}, Standing(more_input=-18_855), (3, 16690, 2048, 15072, 1), 41053, 88428, 35.667),
        ({}, {}, Standing(more_input=-25_000), (3, 16690, 2048, 15072, 1), 41053, 88428, 35.667),
        ({"price": None}, {}, Standing(), (6, 8231, 2048, 7422, 3), None, None, 53.5),
    ],
)
def test_a_division_follows_from_the_context_the_output_and_how_the_model_counts(
    more: dict[str, Any],
    asked: dict[str, Any],
    standing: Standing,
    numbers: tuple[int, ...],
    cost: int | None,
    ceiling: int | None,
    seconds: float,
) -> None:
    decision = decided(replace(READER, **more), asked=replace(ASKED, **asked), reader=standing)
    found, chosen = plan(decision), decision.chosen
    assert (found.parts, found.part_tokens, found.part_output, found.joint_tokens, found.joins) == numbers
    amounts = tuple(None if amount is None else Money(amount * 10**6) for amount in (cost, ceiling))
    assert chosen is not None
    assert (found.cost, found.ceiling) == (chosen.estimated_cost, chosen.cost_ceiling)
    for amount, told in zip(amounts, (found.cost, found.ceiling), strict=True):
        assert told == amount or (told and amount and abs(told.picodollars - amount.picodollars) < 10**6)
    assert chosen.estimated_latency_s == pytest.approx(seconds, abs=0.001)
    assert chosen.max_tokens == found.part_output


@pytest.mark.parametrize(
    "more",
    [
        {"context_window": 1_000},
        {"context_window": 9_000, "abilities": THINKS},
        {"context_window": 14_000, "abilities": THINKS},
    ],
)
def test_a_context_that_holds_too_little_is_no_way(more: dict[str, Any]) -> None:
    decision = decided(replace(READER, **more))
    assert (decision.model, decision.division) == (None, None)
    assert [c.excluded_by for c in decision.candidates] == [Exclusion.CONTEXT_WINDOW]


BIG = model("b/big", context_window=30_000, price=price("3", "15"), ability=0.95)


@pytest.mark.parametrize(
    ("strategy", "reader", "writer"),
    [
        (Strategy.CHEAPEST, "a/reader", "a/reader"),
        (Strategy.QUALITY, "b/big", "b/big"),
        (Strategy.ENSEMBLE, "b/big", "b/big"),
    ],
)
def test_the_users_strategy_says_who_reads_and_who_writes(strategy: Strategy, reader: str, writer: str) -> None:
    decision = decided(READER, BIG, policy=Policy(strategy=strategy))
    assert (plan(decision).reader, plan(decision).writer, decision.model) == (reader, writer, reader)
    assert decision.strategy is (Strategy.BALANCED if strategy is Strategy.ENSEMBLE else strategy)
    assert set(decision.chain) == {"a/reader", "b/big"}
    assert decision.margin is not None
    assert decision.reason.startswith(f"longer than any model's context: {plan(decision).parts} parts with {reader}, ")


def test_a_large_context_reads_and_a_cheap_model_writes_where_that_costs_least() -> None:
    reader, writer = replace(BIG, price=price("2", "5")), replace(READER, context_window=2_000)
    decision = decided(writer, reader, policy=Policy(strategy=Strategy.CHEAPEST, quality_threshold=0.5))
    assert decision.model == "b/big"
    # No answer to a part is longer than the writer can read two of.
    assert plan(decision) == Division(
        *(2, 24847, 1047 // 2 - 24, "b/big", "a/reader", 1047, 1),
        *(Money(87_602_000_000), Money(153_763_000_000)),
    )
    chosen = decision.chosen
    assert chosen is not None
    # As sure as the less sure of both, and as long as one round of parts and the writing.
    assert chosen.success_probability == pytest.approx(0.93255, abs=1e-5)
    assert chosen.estimated_latency_s == pytest.approx(35.667, abs=0.001)
    unpriced = decided(replace(writer, price=None), reader, asked=replace(ASKED, model="b/big"))
    assert plan(unpriced).writer == "b/big"


@pytest.mark.parametrize("unpriced", ["a/reader", "b/big"])
def test_what_a_plan_costs_is_unknown_where_the_price_of_the_reader_or_the_writer_is(unpriced: str) -> None:
    models = [replace(one, price=None) if one.id == unpriced else one for one in (READER, BIG)]
    decision = decided(*models, policy=Policy(strategy=Strategy.QUALITY))
    costs = {c.model: (c.estimated_cost, c.cost_ceiling) for c in decision.candidates}
    assert costs[unpriced] == (None, None)
    found = plan(decision)
    assert (found.cost is None) is (found.ceiling is None) is (unpriced in (found.reader, found.writer))


def test_a_pinned_reader_is_divided_for_alone() -> None:
    decision = decided(READER, BIG, asked=replace(ASKED, model="a/reader"))
    assert (plan(decision).reader, plan(decision).writer, plan(decision).pinned) == ("a/reader", "a/reader", True)
    assert decision.chain == ("a/reader",)
    assert {c.model: c.excluded_by for c in decision.candidates}["b/big"] is Exclusion.CONTEXT_WINDOW


CEILING = Money(225_768_000_000)


@pytest.mark.parametrize(
    ("standing", "more", "refused", "words"),
    [
        (Standing(room=CEILING, room_scope="day"), {}, None, ""),
        (
            *(Standing(room=CEILING - Money(1), room_scope="day"), {}, Exclusion.OVER_BUDGET),
            "could cost $0.226 in parts, the day's cap has $0.226 left",
        ),
        (
            *(room("0.1", "request"), {}, Exclusion.OVER_MAX_COST),
            "could cost $0.226 in parts, this request may cost $0.100",
        ),
        (room("9"), {"price": None}, Exclusion.UNPRICED, "its price is not known under the day's cap"),
    ],
)
def test_a_plan_that_does_not_fit_says_so(
    standing: Standing, more: dict[str, Any], refused: Exclusion | None, words: str
) -> None:
    decision = decided(replace(READER, **more), reader=standing)
    (only,) = decision.candidates
    assert (only.excluded_by, only.excluded or "") == (refused, words)
    assert (decision.model is None) is (refused is not None)
    assert (decision.refused, decision.wished) == (
        (None, None) if refused in (None, Exclusion.UNPRICED) else (refused, "a/reader")
    )
    assert (decision.division is None) is (refused is Exclusion.UNPRICED)
    assert decision.reason.startswith("longer than any model's context: ") is (refused is None)


def test_of_two_plans_the_one_that_a_cap_leaves_is_taken() -> None:
    decision = decided(READER, BIG, policy=Policy(strategy=Strategy.QUALITY), big=room("0.01"), reader=room("9"))
    assert decision.refused is Exclusion.OVER_BUDGET
    assert decision.wished == "b/big"
    cheap = decided(READER, BIG, policy=Policy(strategy=Strategy.CHEAPEST), big=room("0.01"), reader=room("9"))
    assert (cheap.model, plan(cheap).writer) == ("a/reader", "a/reader")


@pytest.mark.parametrize(
    ("more", "too_long"),
    [
        ({}, True),
        ({"split": Split.NEVER}, False),
        ({"tools": (Tool("look"),)}, False),
        ({"continues": True}, False),
        ({"judges": True}, False),
        ({"puts_together": True}, False),
        ({"model": "a/reader"}, True),
        ({"model": "c/off"}, False),
    ],
)
def test_only_a_prompt_of_the_users_own_that_is_too_long_is_divided(more: dict[str, Any], too_long: bool) -> None:
    prompt, _ = read()
    off = model("c/off", context_window=1_000_000)
    registry = replace(Registry.of([READER, off]), out={"c/off": "disabled in your configuration"})
    asked: Request = replace(ASKED, **more)
    decision = decide(asked, prompt, registry, Circumstances({}), Policy())
    assert is_too_long(asked, decision) is too_long
    assert not is_too_long(asked, replace(decision, refused=Exclusion.OVER_BUDGET))
    assert not is_too_long(asked, replace(decision, model="a/reader"))


def test_of_the_writers_there_are_one_is_taken_that_a_cap_leaves() -> None:
    best = Policy(strategy=Strategy.QUALITY)
    whole = decided(READER, BIG, policy=best).candidate("b/big")
    assert whole is not None
    assert whole.cost_ceiling is not None
    assert plan(decided(READER, BIG, policy=best)).writer == "b/big"
    for short_by in (0, 1):
        left = Standing(room=Money(whole.cost_ceiling.picodollars - short_by), room_scope="day")
        found = decided(READER, BIG, policy=best, big=left).candidate("b/big")
        assert found is not None
        assert found.excluded_by is None
        assert (found.cost_ceiling == whole.cost_ceiling) is (short_by == 0)


@pytest.mark.parametrize("chain", [("a/reader", "b/big"), ("b/big", "a/reader"), ("b/big",), ("a/reader",)])
def test_of_a_chain_the_first_reads_and_writes(chain: tuple[str, ...]) -> None:
    decision = decided(READER, BIG, asked=replace(ASKED, chain=chain))
    assert decision.chain == chain
    assert (plan(decision).reader, plan(decision).writer) == (chain[0], chain[0])


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("name", ["a/reader", "b/big"])
def test_whoever_is_not_in_the_chain_reads_no_part_and_puts_none_together_under_any_strategy(
    strategy: Strategy, name: str
) -> None:
    decision = decided(READER, BIG, asked=replace(ASKED, chain=(name,), strategy=strategy))
    assert (decision.chain, plan(decision).reader, plan(decision).writer) == ((name,), name, name)
    out = {c.model: c.excluded_by for c in decision.candidates if c.model != name}
    assert set(out.values()) == {Exclusion.CONTEXT_WINDOW}
