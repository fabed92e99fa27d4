from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.budget import OnExhausted
from tui_orchestrator.routing.decide import choose, decide, replay
from tui_orchestrator.routing.decision import (
    Asked,
    Candidate,
    Circumstances,
    Decision,
    Exclusion,
    Policy,
    Standing,
)
from tui_orchestrator.routing.model import Model, Registry
from tui_orchestrator.routing.money import Money, Price, Rates
from tui_orchestrator.routing.profile import Ability, Profile
from tui_orchestrator.routing.request import Image, Message, Request, Strategy
from tui_orchestrator.routing.rules import Rule
from tui_orchestrator.storage.decisions import decision_from_json, decision_to_json

from .samples import candidate, model, price, profile, request, too_dear

CHEAP = model("a/cheap", price=price("0.1", "0.5"), ability=0.6)
DEAR = model("b/dear", price=price("15", "75"), ability=0.95)
LOCAL = model("here/small", price=Price(Rates(0, 0)), ability=0.35, local=True)
UNPRICED = model("c/unknown", price=None, ability=0.9)
REGISTRY = Registry.of([CHEAP, DEAR, LOCAL, UNPRICED])


def decided(
    asked: Request | None = None,
    registry: Registry = REGISTRY,
    policy: Policy | None = None,
    rules: tuple[Rule, ...] = (),
    prompt: Profile | None = None,
    **standings: Standing,
) -> Decision:
    by_name = {m.name: m.id for m in registry}
    live = Circumstances({by_name[name]: standing for name, standing in standings.items()})
    return decide(asked or request(), prompt or profile(), registry, live, policy or Policy(), rules)


def exclusions(decision: Decision) -> dict[str, Exclusion]:
    return {c.model: c.excluded_by for c in decision.candidates if c.excluded_by is not None}


def room(usd: str, scope: str = "day") -> Standing:
    return Standing(room=Money.from_usd(usd), room_scope=scope)


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


@pytest.mark.parametrize(
    ("standing", "asked", "prompt", "changed", "kind", "words"),
    [
        (Standing(out=(Exclusion.UNHEALTHY, "no answer")), {}, {}, {}, Exclusion.UNHEALTHY, "no answer"),
        (Standing(wait_s=31), {}, {}, {}, Exclusion.RATE_LIMITED, "31 s"),
        (Standing(), {}, {"input_tokens": 9_950}, {"context_window": 10_000}, Exclusion.CONTEXT_WINDOW, "10,000"),
        (Standing(), {"picture": True}, {}, {}, Exclusion.MISSING_ABILITY, "images"),
        (room("0.001"), {}, {}, {}, Exclusion.OVER_BUDGET, "budget per day has $0.0010 left"),
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


def test_when_nobody_is_left_the_reason_lists_every_candidate_with_its_own() -> None:
    out = Standing(out=(Exclusion.COOLING_DOWN, "cooling down after 503"))
    decision = decided(cheap=out, dear=out, small=out, unknown=out)
    assert decision.model is None
    for id in REGISTRY.models:
        assert f"{id}: cooling down after 503" in decision.reason
    assert "no model at all" in decided(registry=Registry()).reason


# Money


def test_a_tight_budget_first_means_fewer_tokens() -> None:
    enough = decided(registry=Registry.of([DEAR]), dear=room("0.20")).chosen
    assert enough is not None
    assert 512 <= enough.max_tokens < 4096
    assert enough.cost_ceiling is not None
    assert enough.cost_ceiling <= Money.from_usd("0.20")


def test_fewer_tokens_never_means_fewer_than_the_expected_answer_needs() -> None:
    long_answer = profile(output_tokens=2000)
    assert decided(registry=Registry.of([DEAR]), prompt=long_answer, dear=room("0.15")).model is None
    short = decided(request(max_tokens=100), Registry.of([DEAR]), prompt=long_answer, dear=room("0.05")).chosen
    assert short is not None
    assert short.max_tokens == 100


@pytest.mark.parametrize(
    ("on_exhausted", "chosen", "refused"),
    [
        (OnExhausted.REFUSE, None, Exclusion.OVER_BUDGET),
        (OnExhausted.CHEAPEST, "a/cheap", None),
        (OnExhausted.LOCAL, "here/small", None),
    ],
)
def test_on_exhausted_says_who_may_stand_in(
    on_exhausted: OnExhausted, chosen: str | None, refused: Exclusion | None
) -> None:
    policy = Policy(strategy=Strategy.QUALITY, on_exhausted=on_exhausted)
    decision = decided(
        registry=Registry.of([CHEAP, DEAR, LOCAL]),
        policy=policy,
        dear=room("0.01"),
        cheap=room("0.01"),
        small=room("0"),
    )
    assert decision.model == chosen
    assert decision.refused is refused
    assert "b/dear" in decision.reason
    assert "budget per day has $0.010 left" in decision.reason


def test_with_nobody_to_stand_in_the_refusal_says_so() -> None:
    market = [candidate("a/cheap"), too_dear("b/dear", p=0.99)]
    local_only = Policy(strategy=Strategy.QUALITY, on_exhausted=OnExhausted.LOCAL)
    choice = choose(Strategy.QUALITY, market, profile(), Asked(local_only))
    assert choice.ranked == ()
    assert choice.refused is Exclusion.OVER_BUDGET
    assert "no local model can stand in" in choice.reason


def test_max_cost_and_budgets_are_told_apart_when_they_refuse() -> None:
    for why in (Exclusion.OVER_MAX_COST, Exclusion.OVER_BUDGET):
        choice = choose(Strategy.QUALITY, [too_dear("b/dear", why)], profile(), Asked(Policy()))
        assert choice.refused is why
    unhealthy = candidate("b/dear", excluded_by=Exclusion.UNHEALTHY, excluded="no answer")
    assert choose(Strategy.QUALITY, [unhealthy], profile(), Asked(Policy())).refused is None


@st.composite
def markets(draw: st.DrawFn) -> tuple[Model, ...]:
    names = draw(st.lists(st.sampled_from("klmnopq"), min_size=1, max_size=5, unique=True))
    return tuple(
        model(
            f"{draw(st.sampled_from(['a', 'b']))}/{name}",
            price=price(draw(st.sampled_from(["0", "0.1", "2", "15"])), draw(st.sampled_from(["0", "0.4", "5", "75"]))),
            ability=draw(st.sampled_from([0.3, 0.5, 0.55, 0.7, 0.95])),
            local=draw(st.booleans()),
            first_token_s=draw(st.sampled_from([0.1, 2.0, 30.0])),
        )
        for name in names
    )


budgets = st.sampled_from(["0", "0.0001", "0.001", "0.01", "0.05", "0.2", "0.5", "5"])


def _with_room(models: tuple[Model, ...], usd: str | None, policy: Policy, complexity: int) -> Decision:
    standing = Standing() if usd is None else room(usd)
    live = Circumstances({m.id: standing for m in models})
    return decide(request(), profile(complexity=complexity), Registry.of(models), live, policy)


@given(
    markets(), budgets, budgets, st.sampled_from(list(Strategy)), st.sampled_from(list(OnExhausted)), st.integers(1, 10)
)
def test_more_budget_never_gives_a_choice_the_strategy_likes_less(
    models: tuple[Model, ...], less: str, more: str, strategy: Strategy, on_exhausted: OnExhausted, complexity: int
) -> None:
    """Success probability itself may fall: `cheapest` may then afford a model that is dear at most and cheap as a rule,
    `performance` a faster one. What never falls is the choice's place in the strategy's own order."""
    less, more = sorted((less, more), key=float)
    policy = Policy(strategy=strategy, on_exhausted=on_exhausted, exploration=0.0)
    tight, loose = (_with_room(models, usd, policy, complexity) for usd in (less, more))
    if tight.model is None:
        return
    assert loose.model is not None
    wished = _with_room(models, None, policy, complexity)
    places = {c.model: place for place, c in enumerate(wished.candidates)}
    if strategy is not Strategy.FALLBACK:
        assert places[loose.model] <= places[tight.model]
    else:
        # The chain is built anew from what can be paid: it begins with the cheapest of that.
        assert wished.candidate(loose.model).estimated_cost <= wished.candidate(tight.model).estimated_cost  # type: ignore[union-attr,operator]


@given(markets(), budgets, budgets, st.sampled_from(list(OnExhausted)))
def test_more_budget_never_lowers_the_success_probability_of_quality(
    models: tuple[Model, ...], less: str, more: str, on_exhausted: OnExhausted
) -> None:
    less, more = sorted((less, more), key=float)
    policy = Policy(strategy=Strategy.QUALITY, on_exhausted=on_exhausted)
    tight, loose = (_with_room(models, usd, policy, 5).chosen for usd in (less, more))
    if tight is not None:
        assert loose is not None
        # Within a hundredth it is a tie, and ties go to the cheaper.
        if on_exhausted is not OnExhausted.LOCAL or tight.local == loose.local:
            assert loose.success_probability >= tight.success_probability - 0.01


@given(markets(), budgets, budgets, st.sampled_from(list(Strategy)))
def test_with_refuse_a_budget_changes_whether_and_never_who(
    models: tuple[Model, ...], less: str, more: str, strategy: Strategy
) -> None:
    policy = Policy(strategy=strategy, exploration=0.0)
    chosen = {_with_room(models, usd, policy, 5).model for usd in (less, more)}
    assert len(chosen - {None}) <= 1


# Chains, pins, rules


def test_a_named_chain_is_walked_in_its_order_and_the_others_are_out_of_it() -> None:
    decision = decided(request(chain=("b/dear", "a/cheap")))
    assert decision.strategy is Strategy.FALLBACK
    assert decision.chain == ("b/dear", "a/cheap")
    assert exclusions(decision) == {"here/small": Exclusion.NOT_IN_CHAIN, "c/unknown": Exclusion.NOT_IN_CHAIN}


def test_a_chain_under_another_strategy_only_narrows_the_choice() -> None:
    decision = decided(request(chain=("b/dear", "a/cheap"), strategy=Strategy.BALANCED))
    assert decision.chain == ("a/cheap", "b/dear")


def test_a_chain_of_nobody_known_is_refused_with_reasons() -> None:
    decision = decided(request(chain=("x/gone",)))
    assert decision.model is None
    assert "not in the chain" in decision.reason


def test_a_model_outside_the_chain_does_not_refuse_it_for_being_too_dear() -> None:
    sent = request(chain=("a/cheap",), strategy=Strategy.QUALITY)
    assert decided(sent, policy=Policy(on_exhausted=OnExhausted.REFUSE), dear=room("0")).model == "a/cheap"


def test_a_built_chain_begins_with_the_cheapest_and_says_when_it_escalates() -> None:
    decision = decided(request(strategy=Strategy.FALLBACK))
    assert decision.chain[0] == "here/small"
    assert "confidence < 0.60" in decision.reason


def test_a_pinned_model_is_obeyed_and_the_decision_says_so() -> None:
    decision = decided(request(model="here/small", strategy=Strategy.QUALITY, chain=("b/dear",)))
    assert decision.chain == ("here/small",)
    assert decision.pinned
    assert "pinned" in decision.reason
    assert {c.model for c in decision.candidates} == set(REGISTRY.models)


@pytest.mark.parametrize(
    ("standing", "words", "refused"),
    [
        (Standing(out=(Exclusion.UNHEALTHY, "the key was not accepted")), "the key was not accepted", None),
        (room("0.001"), "budget per day", Exclusion.OVER_BUDGET),
        (room("0.001", "request"), "this request may cost", Exclusion.OVER_MAX_COST),
    ],
)
def test_a_pinned_model_that_is_out_is_refused_with_its_reason(
    standing: Standing, words: str, refused: Exclusion | None
) -> None:
    decision = decided(request(model="b/dear"), policy=Policy(on_exhausted=OnExhausted.CHEAPEST), dear=standing)
    assert decision.model is None
    assert "b/dear is pinned, but" in decision.reason
    assert words in decision.reason
    assert decision.refused is refused


def test_a_pinned_model_nobody_knows_is_refused() -> None:
    assert "does not hold it" in decided(request(model="x/gone")).reason


def test_a_rule_without_a_model_only_says_how() -> None:
    rule = Rule("brief", strategy=Strategy.QUALITY, max_tokens=300, temperature=0.2, system="Be brief.")
    decision = decided(rules=(rule,))
    assert decision.strategy is Strategy.QUALITY
    assert decision.model == "b/dear"
    assert (decision.rule, decision.max_tokens, decision.temperature) == ("brief", 300, 0.2)
    assert decision.system == "Be brief."
    assert decision.reason.startswith("rule brief (")
    assert decision.chosen is not None
    assert decision.chosen.max_tokens == 300


def test_a_rules_models_are_walked_in_the_rules_order() -> None:
    decision = decided(rules=(Rule("legal", primary="dear", fallback=("small", "nowhere")),))
    assert decision.strategy is Strategy.FALLBACK
    assert decision.chain == ("b/dear", "here/small")
    assert decision.asked.chain == ("b/dear", "here/small")


def test_a_rule_whose_models_are_all_out_does_not_decide() -> None:
    out = Standing(out=(Exclusion.UNHEALTHY, "no answer"))
    decision = decided(rules=(Rule("legal", primary="b/dear"),), dear=out)
    assert decision.model is not None
    assert decision.chain != ("b/dear",)
    assert decision.rule == "legal"


def test_what_the_user_says_for_this_request_goes_before_a_rule() -> None:
    rule = Rule("all", primary="b/dear", max_tokens=300)
    assert decided(request(max_tokens=77), rules=(rule,)).chosen.max_tokens == 77  # type: ignore[union-attr]
    assert decided(request(chain=("a/cheap",)), rules=(rule,)).model == "a/cheap"
    pinned = decided(request(model="here/small"), rules=(rule,))
    assert (pinned.model, pinned.rule) == ("here/small", None)


def test_only_the_first_rule_that_matches_counts() -> None:
    rules = (
        Rule("never", pattern=re.compile("zebra")),
        Rule("first", primary="a/cheap"),
        Rule("second", primary="b/dear"),
    )
    assert (decided(rules=rules).rule, decided(rules=rules).model) == ("first", "a/cheap")


def test_the_system_text_of_a_rule_is_paid_for_in_the_estimate() -> None:
    long = Rule("long", system="Mind every one of these words. " * 400)
    plain, ruled = decided(), decided(rules=(long,))
    assert ruled.profile.input_tokens > plain.profile.input_tokens + 2000
    own = decided(request(system="Mine."), rules=(long,))
    assert own.profile.input_tokens == plain.profile.input_tokens


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
    st.sampled_from(list(OnExhausted)),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.integers(1, 4),
    st.integers(0, 50),
)
def test_a_stored_decision_is_made_again_as_it_was(
    wanted: dict[str, Any],
    live: tuple[Standing, ...],
    on_exhausted: OnExhausted,
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


def test_the_output_asked_for_fits_the_model() -> None:
    small = replace(CHEAP, max_output=700)
    tight = replace(CHEAP, context_window=1300)
    assert decided(registry=Registry.of([small])).chosen.max_tokens == 700  # type: ignore[union-attr]
    assert decided(registry=Registry.of([tight])).chosen.max_tokens == 300  # type: ignore[union-attr]
