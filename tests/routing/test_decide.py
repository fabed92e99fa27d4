"""Who is in and who is out, exploring, and making a stored decision again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.budget import WayOut, WaysOut, alone
from tui_orchestrator.routing.decide import decide, replay
from tui_orchestrator.routing.decision import (
    Candidate,
    Circumstances,
    Exclusion,
    Policy,
    Standing,
    Weights,
)
from tui_orchestrator.routing.model import Registry
from tui_orchestrator.routing.money import Money, Price, Rates
from tui_orchestrator.routing.profile import Ability
from tui_orchestrator.routing.request import Image, Message, Method, Shape, Strategy
from tui_orchestrator.routing.tools import Tool
from tui_orchestrator.routing.weighing import asked_output, weigh
from tui_orchestrator.storage.decisions import decision_from_json, decision_to_json

from .deciding import CHEAP, DEAR, LOCAL, REGISTRY, UNPRICED, WAYS_OUT, budgets, decided, exclusions, room
from .samples import model, profile, request


def test_the_same_arguments_give_the_same_decision() -> None:
    assert decided() == decided()


def test_those_that_are_in_come_first_by_score_and_those_that_are_out_behind_them() -> None:
    decision = decided(cheap=Standing(out=(Exclusion.COOLING_DOWN, "cooling down")))
    assert decision.candidates[-1].model == "a/cheap"
    inside = [c.score for c in decision.candidates[:-1]]
    assert inside == sorted(inside, reverse=True)
    assert decision.margin == pytest.approx(inside[0] - inside[1])
    assert {c.model for c in decision.candidates} == set(REGISTRY.models)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_disabled_model_never_appears_in_a_chain(strategy: Strategy) -> None:
    registry = replace(REGISTRY, out={"b/dear": "disabled in your configuration", "a/cheap": "no key: set A_KEY"})
    decision = decided(request(strategy=strategy), registry)
    assert not {"b/dear", "a/cheap"} & {decision.model, *decision.chain}
    assert exclusions(decision) == {"b/dear": Exclusion.DISABLED, "a/cheap": Exclusion.NO_KEY}


@given(
    st.sets(st.sampled_from(list(REGISTRY.models))),
    st.sampled_from(list(Strategy)),
    st.sampled_from([(), ("b/dear", "a/cheap"), ("here/small",)]),
    st.sampled_from([None, *REGISTRY.models]),
    st.integers(0, 99),
)
def test_whoever_is_disabled_neither_answers_nor_stands_in(
    off: set[str], strategy: Strategy, chain: tuple[str, ...], pinned: str | None, seed: int
) -> None:
    registry = replace(REGISTRY, out=dict.fromkeys(off, "disabled in your configuration"))
    policy = Policy(exploration=1.0)
    decision = decided(request(strategy=strategy, chain=chain, model=pinned, id=f"r{seed}"), registry, policy)
    assert not off & {decision.model, *decision.chain}
    assert {c.model for c in decision.candidates if c.excluded_by is Exclusion.DISABLED} == off


@pytest.mark.parametrize(
    ("standing", "asked", "prompt", "changed", "kind", "words"),
    [
        (Standing(out=(Exclusion.UNHEALTHY, "no answer")), {}, {}, {}, Exclusion.UNHEALTHY, "no answer"),
        (Standing(wait_s=31), {}, {}, {}, Exclusion.RATE_LIMITED, "31 s"),
        (Standing(), {}, {"input_tokens": 9_950}, {"context_window": 10_000}, Exclusion.CONTEXT_WINDOW, "10,000"),
        (Standing(), {"picture": True}, {}, {}, Exclusion.MISSING_ABILITY, "images"),
        (room("0.001"), {}, {}, {}, Exclusion.OVER_BUDGET, "the day's cap has $0.0010 left"),
        (room("0.001", "request"), {}, {}, {}, Exclusion.OVER_MAX_COST, "this request may cost $0.0010"),
    ],
)
def test_each_reason_that_keeps_a_model_out_has_its_kind_and_its_words(
    standing: Standing,
    asked: dict[str, bool],
    prompt: dict[str, int],
    changed: dict[str, int],
    kind: Exclusion,
    words: str,
) -> None:
    only = replace(DEAR, **changed)  # type: ignore[arg-type]
    images = (Image("image/png", b"x"),) if asked.get("picture") else ()
    sent = request(messages=(Message("user", "Why?", images),))
    decision = decided(sent, Registry.of([only]), prompt=profile(**prompt), dear=standing)
    assert exclusions(decision) == {"b/dear": kind}
    assert decision.model is None
    assert words in decision.reason


def test_a_model_that_sees_takes_a_picture() -> None:
    seeing = replace(CHEAP, abilities=frozenset({Ability.VISION}))
    sent = request(messages=(Message("user", "What is it?", (Image("image/png", b"x"),)),))
    assert decided(sent, Registry.of([seeing, DEAR])).chain == ("a/cheap",)


def test_a_model_of_unknown_price_is_out_under_a_cap_and_usable_without() -> None:
    only = Registry.of([UNPRICED])
    assert decided(registry=only).model == "c/unknown"
    capped = decided(registry=only, unknown=room("100"))
    assert exclusions(capped) == {"c/unknown": Exclusion.UNPRICED}
    assert "[[models]]" in capped.reason


def test_of_thousands_of_models_that_are_out_the_reason_names_a_few_and_counts_the_others() -> None:
    many = [replace(DEAR, name=f"model-{number}") for number in range(6_000)]
    registry = Registry.of([*many, CHEAP])
    off = replace(registry, out={one: "disabled in your configuration" for one in registry.models if one != "a/cheap"})
    reason = decided(registry=off, cheap=Standing(out=(Exclusion.COOLING_DOWN, "cooling down after 503"))).reason
    assert len(reason) < 400
    assert reason.startswith("every model is out: ")
    assert "b/model-0, b/model-1, b/model-2 and 5,997 more: disabled in your configuration" in reason
    assert "a/cheap: cooling down after 503" in reason
    each = {f"b/model-{number}": Standing(wait_s=31 + number) for number in range(6_000)}
    reason = decide(request(), profile(), Registry.of(many), Circumstances(each), Policy()).reason
    assert len(reason) < 800
    assert reason.endswith("; and 5,996 more")


def test_when_nobody_is_left_the_reason_lists_every_candidate_with_its_own() -> None:
    out = Standing(out=(Exclusion.COOLING_DOWN, "cooling down after 503"))
    decision = decided(cheap=out, dear=out, small=out, unknown=out)
    assert decision.model is None
    for id in REGISTRY.models:
        assert f"{id}: cooling down after 503" in decision.reason
    assert "no model at all" in decided(registry=Registry()).reason


# Exploring and replaying


def test_an_exploration_is_announced_with_the_favourite_it_passed_over() -> None:
    policy = Policy(strategy=Strategy.PREFERENCE, exploration=1.0)
    explored = [d for n in range(40) if (d := decided(request(id=f"r{n}"), policy=policy)).explored]
    assert explored
    for decision in explored:
        assert "exploration" in decision.reason
        assert decision.chain[1] in decision.reason
        assert decision.model != decided(request(), policy=replace(policy, exploration=0.0)).model


def test_the_same_request_explores_the_same_way() -> None:
    policy = Policy(strategy=Strategy.PREFERENCE, exploration=0.5)
    for n in range(20):
        assert decided(request(id=f"r{n}"), policy=policy) == decided(request(id=f"r{n}"), policy=policy)


@pytest.mark.parametrize(
    ("complexity", "words"),
    [(2, "complexity 2 is at most 3"), (8, "no local model is good enough")],
)
def test_local_first_says_truly_why(complexity: int, words: str) -> None:
    policy = Policy(strategy=Strategy.LOCAL_FIRST)
    assert words in decided(policy=policy, prompt=profile(complexity=complexity)).reason


def test_a_weak_local_model_that_is_alone_is_not_called_good_enough() -> None:
    decision = decided(
        registry=Registry.of([LOCAL]), policy=Policy(strategy=Strategy.LOCAL_FIRST), prompt=profile(complexity=8)
    )
    assert decision.model == "here/small"
    assert "no cloud model can be used" in decision.reason


asked = st.one_of(
    st.builds(lambda s: {"strategy": s}, st.sampled_from(list(Strategy))),
    st.builds(
        lambda c, s: {"chain": tuple(c), "strategy": s},
        st.lists(st.sampled_from([*REGISTRY.models, "x/gone"]), min_size=1, max_size=4, unique=True),
        st.sampled_from([None, *Strategy]),
    ),
    st.builds(lambda m: {"model": m}, st.sampled_from([*REGISTRY.models, "x/gone"])),
)
standings = st.one_of(
    st.just(Standing()),
    st.builds(lambda usd: room(usd), budgets),
    st.just(Standing(out=(Exclusion.COOLING_DOWN, "cooling down"))),
    st.builds(Standing, wins=st.integers(0, 9).map(float), losses=st.integers(0, 9).map(float)),
)


@given(
    asked,
    st.tuples(standings, standings, standings, standings),
    st.sampled_from(WAYS_OUT),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.integers(1, 4),
    st.integers(0, 50),
)
def test_a_stored_decision_is_made_again_as_it_was(
    wanted: dict[str, Any],
    live: tuple[Standing, ...],
    on_exhausted: WaysOut,
    exploration: float,
    size: int,
    seed: int,
) -> None:
    sent = request(id=f"r{seed}", ensemble_size=size, **wanted)
    policy = Policy(on_exhausted=on_exhausted, exploration=exploration)
    circumstances = Circumstances(dict(zip(REGISTRY.models, live, strict=True)))
    decision = decide(sent, profile(), REGISTRY, circumstances, policy)
    stored = decision_from_json(decision_to_json(decision))
    assert stored == decision
    assert replay(stored) == decision


def test_yesterdays_decision_can_be_looked_at_under_another_strategy() -> None:
    decision = decided(policy=Policy(strategy=Strategy.CHEAPEST, quality_threshold=0.5))
    other = replay(decision, Strategy.QUALITY)
    assert (decision.model, other.model) == ("a/cheap", "b/dear")
    assert {c.model for c in other.candidates} == {c.model for c in decision.candidates}


def test_a_candidate_keeps_what_it_was_weighed_by() -> None:
    chosen = decided(registry=Registry.of([CHEAP])).chosen
    assert isinstance(chosen, Candidate)
    assert chosen.estimated_cost == Money(1000 * 100_000 + 500 * 500_000)
    assert chosen.cost_ceiling == Money((1000 + 500 + 64) * 100_000 + 4096 * 500_000)
    assert chosen.estimated_latency_s == pytest.approx(1.0 + 500 / 60)


def test_learned_speed_takes_the_place_of_the_prior() -> None:
    fast = Standing(first_token_s=0.1, tokens_per_s=1000.0, wait_s=2.0)
    chosen = decided(registry=Registry.of([CHEAP]), cheap=fast).chosen
    assert chosen is not None
    assert chosen.estimated_latency_s == pytest.approx(2.0 + 0.1 + 0.5)


@pytest.mark.parametrize(
    ("standing", "tokens", "bound"),
    [
        (Standing(more_input=200), 1200, 1564),
        (Standing(more_bound=300), 1000, 1864),
        (Standing(more_input=200, more_bound=300), 1200, 1864),
        (Standing(more_input=-200), 800, 1564),
        (Standing(more_input=-2000), 0, 1564),
    ],
)
def test_what_a_model_counts_otherwise_is_in_its_estimate_and_its_ceiling(
    standing: Standing, tokens: int, bound: int
) -> None:
    (weighed,) = weigh(request(), profile(), Registry.of([CHEAP]), Circumstances({CHEAP.id: standing}), Policy())
    assert weighed.input_tokens == tokens
    assert weighed.estimated_cost == Money(tokens * 100_000 + 500 * 500_000)
    assert weighed.cost_ceiling == Money(bound * 100_000 + 4096 * 500_000)
    assert weighed.score == 0.0


def test_what_a_cache_holds_of_a_prompt_makes_it_cheaper() -> None:
    cached = replace(CHEAP, price=Price(Rates.from_usd("0.1", "0.5", "0.01")))
    chosen = decided(registry=Registry.of([cached]), cheap=Standing(cached_input=400)).chosen
    assert chosen is not None
    assert chosen.estimated_cost == Money(600 * 100_000 + 400 * 10_000 + 500 * 500_000)


@pytest.mark.parametrize(
    ("short_by", "max_tokens", "excluded"),
    [(0, 4096, None), (1, 4095, None), (3596 * 500_000, 500, None), (3596 * 500_000 + 1, 4096, Exclusion.OVER_BUDGET)],
)
def test_a_call_fits_to_the_last_picodollar_and_is_shortened_to_the_expected_answer(
    short_by: int, max_tokens: int, excluded: Exclusion | None
) -> None:
    left = Money(1564 * 100_000 + 4096 * 500_000 - short_by)
    decision = decided(registry=Registry.of([CHEAP]), cheap=Standing(room=left, room_scope="day"))
    (weighed,) = decision.candidates
    assert (weighed.max_tokens, weighed.excluded_by) == (max_tokens, excluded)
    assert bool(weighed.fewer) is (max_tokens < 4096)


@pytest.mark.parametrize(("asked", "expected"), [(1, 1), (2, 2), (499, 499), (500, 500), (4096, 500)])
def test_no_more_output_is_expected_than_is_asked_for(asked: int, expected: int) -> None:
    chosen = decided(request(max_tokens=asked), Registry.of([CHEAP])).chosen
    assert chosen is not None
    assert chosen.estimated_cost == Money(1000 * 100_000 + expected * 500_000)
    assert chosen.estimated_latency_s == pytest.approx(1.0 + expected / 60)


@pytest.mark.parametrize(("speed", "as_if"), [(1.0, 1.0), (0.2, 0.2), (0.1, 0.1), (0.05, 0.1), (0.0, 0.1)])
def test_nobody_is_taken_to_be_slower_than_ten_seconds_a_token(speed: float, as_if: float) -> None:
    chosen = decided(registry=Registry.of([CHEAP]), cheap=Standing(tokens_per_s=speed)).chosen
    assert chosen is not None
    assert chosen.estimated_latency_s == pytest.approx(1.0 + 500 / as_if)


@pytest.mark.parametrize(
    ("standing", "tokens", "window", "excluded"),
    [
        (Standing(), 1000, 1064, None),
        (Standing(), 1000, 1063, Exclusion.CONTEXT_WINDOW),
        (Standing(more_input=1), 1000, 1064, Exclusion.CONTEXT_WINDOW),
        (Standing(), 10**9, None, None),
        (Standing(wait_s=30.0), 1000, None, None),
        (Standing(wait_s=30.1), 1000, None, Exclusion.RATE_LIMITED),
    ],
)
def test_a_context_and_a_wait_hold_up_to_their_bounds(
    standing: Standing, tokens: int, window: int | None, excluded: Exclusion | None
) -> None:
    only = replace(CHEAP, context_window=window)
    decision = decided(registry=Registry.of([only]), prompt=profile(input_tokens=tokens), cheap=standing)
    assert exclusions(decision) == ({} if excluded is None else {"a/cheap": excluded})


@pytest.mark.parametrize(
    ("more", "ability", "words"),
    [
        ({"tools": (Tool("weather"),)}, Ability.TOOLS, "cannot call tools"),
        ({"shape": Shape()}, Ability.STRUCTURED_OUTPUT, "cannot be held to JSON"),
    ],
)
def test_who_cannot_do_what_is_asked_is_out(more: dict[str, Any], ability: Ability, words: str) -> None:
    able = replace(DEAR, abilities=frozenset({ability}))
    decision = decided(request(**more), Registry.of([CHEAP, able]))
    assert decision.chain == ("b/dear",)
    assert {c.model: (c.excluded_by, c.excluded) for c in decision.candidates} == {
        "a/cheap": (Exclusion.MISSING_ABILITY, words),
        "b/dear": (None, None),
    }


@pytest.mark.parametrize(
    ("asked", "more", "tokens"),
    [
        (None, {}, 4096),
        (50, {}, 50),
        (None, {"max_output": 700}, 700),
        (50, {"max_output": 700}, 50),
        (None, {"context_window": 4500}, 3500),
        (None, {"context_window": 5096}, 4096),
        (None, {"context_window": 5095}, 4095),
        (None, {"context_window": 900}, 1),
        (None, {"context_window": None}, 4096),
    ],
)
def test_the_output_that_is_asked_for_fits_the_model_whatever_it_costs(
    asked: int | None, more: dict[str, Any], tokens: int
) -> None:
    only = replace(CHEAP, **more)
    assert asked_output(request(max_tokens=asked), 1000, only, Policy()) == tokens
    (weighed,) = weigh(request(max_tokens=asked), profile(), Registry.of([only]), Circumstances({}), Policy())
    assert weighed.max_tokens == tokens


@pytest.mark.parametrize("tools", [(), (Tool("weather"),)])
def test_one_model_alone_answers_who_asks_several_with_tools(tools: tuple[Tool, ...]) -> None:
    registry = Registry.of([replace(one, abilities=frozenset({Ability.TOOLS})) for one in (CHEAP, DEAR, LOCAL)])
    decision = decided(request(strategy=Strategy.ENSEMBLE, tools=tools), registry)
    assert decision.strategy is (Strategy.BALANCED if tools else Strategy.ENSEMBLE)
    assert decision.reason.startswith("one model, since it may call tools: ") == bool(tools)


def test_the_output_asked_for_fits_the_model() -> None:
    small = replace(CHEAP, max_output=700)
    tight = replace(CHEAP, context_window=1300)
    assert decided(registry=Registry.of([small])).chosen.max_tokens == 700  # type: ignore[union-attr]
    assert decided(registry=Registry.of([tight])).chosen.max_tokens == 300  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "policy",
    [
        Policy(),
        Policy(quality_threshold=0.95, confidence_threshold=0.9, max_attempts=1),
        Policy(strategy=Strategy.QUALITY, weights=Weights(quality=0.1, cost=2.0), local_max_complexity=9),
        Policy(prefer_local=True, exploration=1.0),
        Policy(lean_to="b/dear", exploration=1.0, on_exhausted=alone(WayOut.LOCAL)),
    ],
)
@pytest.mark.parametrize("strategy", list(Strategy))
def test_under_another_strategy_and_policy_it_comes_out_as_if_it_had_been_decided_so(
    strategy: Strategy, policy: Policy
) -> None:
    live = {"cheap": Standing(wins=2.0, losses=1.0), "dear": Standing(wins=1.0, losses=2.0)}
    first = decided(policy=Policy(strategy=Strategy.CHEAPEST), **live)
    assert replay(first, strategy, policy) == decided(request(strategy=strategy), policy=policy, **live)


@pytest.mark.parametrize(
    ("continues", "asked", "goes_on"),
    [
        (False, {}, False),
        (True, {}, False),
        (True, {"chain": ("a/cheap", "b/dear")}, True),
        (True, {"model": "a/cheap"}, True),
        (True, {"chain": ("a/cheap", "b/dear"), "model": "a/cheap"}, True),
        (False, {"chain": ("a/cheap", "b/dear"), "model": "a/cheap"}, False),
    ],
)
def test_an_answer_is_gone_on_with_by_whoever_is_named(continues: bool, asked: dict[str, Any], goes_on: bool) -> None:
    assert decided(request(continues=continues, **asked)).asked.goes_on is goes_on


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("way", list(WayOut))
def test_the_margin_of_an_ensemble_is_that_of_its_first_two_also_beyond_its_members(size: int, way: WayOut) -> None:
    policy = Policy(strategy=Strategy.ENSEMBLE, on_exhausted=alone(way))
    decision = decided(request(ensemble_size=size), Registry.of([CHEAP, DEAR]), policy)
    first, second = decision.candidates
    assert decision.chain == tuple(c.model for c in decision.candidates[:size])
    assert decision.margin == first.score - second.score
    assert decided(request(ensemble_size=size), Registry.of([CHEAP]), policy).margin is None


KIN = Registry.of(
    [
        model("a/one", ability=0.9, family="x"),
        model("a/two", ability=0.89, family="x"),
        model("a/three", ability=0.88, family="x"),
        model("b/four", ability=0.8, family="y"),
        model("b/five", ability=0.79, family="y"),
        model("c/six", ability=0.7, family="z"),
    ]
)


@pytest.mark.parametrize("way", list(WayOut))
@pytest.mark.parametrize(
    ("size", "members"),
    [
        (1, "a/one"),
        (2, "a/one b/four"),
        (3, "a/one b/four c/six"),
        (4, "a/one b/four c/six a/two"),
        (5, "a/one b/four c/six a/two b/five"),
    ],
)
def test_so_many_are_asked_side_by_side_as_are_wanted_kin_last(way: WayOut, size: int, members: str) -> None:
    policy = Policy(strategy=Strategy.ENSEMBLE, on_exhausted=alone(way))
    assert decided(request(ensemble_size=size), KIN, policy).chain == tuple(members.split())


@pytest.mark.parametrize(
    ("usd", "answers", "noted"),
    [
        ("9", "b/dear", False),
        # An answer of the expected length fits: it may be shorter, and is still the one that was wanted.
        ("0.1", "b/dear", False),
        ("0.01", "a/cheap", True),
    ],
)
def test_another_one_is_only_asked_where_no_answer_of_the_one_that_was_wanted_fits(
    usd: str, answers: str, noted: bool
) -> None:
    policy = Policy(strategy=Strategy.QUALITY, on_exhausted=(WayOut.FEWER_TOKENS, WayOut.CHEAPEST, WayOut.REFUSE))
    decision = decided(registry=Registry.of([CHEAP, DEAR]), policy=policy, dear=room(usd))
    assert decision.model == answers
    assert ("; b/dear would be chosen but could cost" in decision.reason) is noted
    assert ("tokens at most" in decision.reason) is (usd == "0.1")
    assert set(decision.chain) == ({"a/cheap"} if noted else {"a/cheap", "b/dear"})


@pytest.mark.parametrize("usual", list(Method))
@pytest.mark.parametrize("asked", [None, *Method])
def test_how_an_ensemble_is_to_be_settled_is_in_its_decision(usual: Method, asked: Method | None) -> None:
    decision = decided(request(verdict=asked, strategy=Strategy.ENSEMBLE), policy=Policy(verdict=usual))
    assert decision.asked.policy == Policy(verdict=asked or usual)
