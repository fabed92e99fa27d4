"""What caps do to a decision: fewer tokens, somebody to stand in, a refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui_orchestrator.routing.budget import WayOut, WaysOut, alone, listed
from tui_orchestrator.routing.decide import choose, decide
from tui_orchestrator.routing.decision import (
    Asked,
    Circumstances,
    Decision,
    Exclusion,
    Policy,
    Standing,
)
from tui_orchestrator.routing.model import Model, Registry
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.request import Strategy

from .deciding import CHEAP, DEAR, LOCAL, WAYS_OUT, WORDS, budgets, decided, room
from .samples import candidate, model, price, profile, request, too_dear


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
        (alone(WayOut.REFUSE), None, Exclusion.OVER_BUDGET),
        (alone(WayOut.CHEAPEST), "a/cheap", None),
        (alone(WayOut.LOCAL), "here/small", None),
    ],
)
def test_on_exhausted_says_who_may_stand_in(
    on_exhausted: WaysOut, chosen: str | None, refused: Exclusion | None
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
    assert "the day's cap has $0.010 left" in decision.reason


def test_with_nobody_to_stand_in_the_refusal_says_so() -> None:
    market = [candidate("a/cheap"), too_dear("b/dear", p=0.99)]
    local_only = Policy(strategy=Strategy.QUALITY, on_exhausted=alone(WayOut.LOCAL))
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


def _with_room(models: tuple[Model, ...], usd: str | None, policy: Policy, complexity: int) -> Decision:
    standing = Standing() if usd is None else room(usd)
    live = Circumstances({m.id: standing for m in models})
    return decide(request(), profile(complexity=complexity), Registry.of(models), live, policy)


@given(markets(), budgets, budgets, st.sampled_from(list(Strategy)), st.sampled_from(WORDS), st.integers(1, 10))
def test_more_budget_never_gives_a_choice_the_strategy_likes_less(
    models: tuple[Model, ...], less: str, more: str, strategy: Strategy, on_exhausted: WaysOut, complexity: int
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
        # The walk is planned anew from what can be paid: the surest it can come to is never less sure.
        assert _surest(loose) >= _surest(tight)


def _surest(decision: Decision) -> float:
    return max(c.success_probability for c in decision.candidates if c.model in decision.chain)


@given(markets(), budgets, budgets, st.sampled_from(WORDS))
def test_more_budget_never_lowers_the_success_probability_of_quality(
    models: tuple[Model, ...], less: str, more: str, on_exhausted: WaysOut
) -> None:
    less, more = sorted((less, more), key=float)
    policy = Policy(strategy=Strategy.QUALITY, on_exhausted=on_exhausted)
    tight, loose = (_with_room(models, usd, policy, 5).chosen for usd in (less, more))
    if tight is not None:
        assert loose is not None
        # Within a hundredth it is a tie, and ties go to the cheaper.
        if on_exhausted != alone(WayOut.LOCAL) or tight.local == loose.local:
            assert loose.success_probability >= tight.success_probability - 0.01


@pytest.mark.parametrize(
    ("words", "chosen", "tokens"),
    [
        # At $0.20 b/dear fits with fewer tokens, a/cheap and here/small with all of them.
        (["fewer_tokens", "cheapest"], "b/dear", "fewer"),
        (["cheapest", "fewer_tokens"], "a/cheap", "all"),
        (["local", "fewer_tokens", "cheapest"], "here/small", "all"),
        (["cheapest"], "a/cheap", "all"),
        (["local", "cheapest"], "here/small", "all"),
        (["refuse"], None, ""),
        (["fewer_tokens"], "b/dear", "fewer"),
    ],
)
def test_the_ways_out_are_tried_in_the_order_of_the_list(words: list[str], chosen: str | None, tokens: str) -> None:
    policy = Policy(strategy=Strategy.QUALITY, on_exhausted=listed([WayOut(word) for word in words]))
    tight = {name: room("0.20") for name in ("dear", "cheap", "small")}
    decision = decided(registry=Registry.of([CHEAP, DEAR, LOCAL]), policy=policy, **tight)
    assert decision.model == chosen
    assert "the day's cap has $0.200 left" in decision.reason
    if decision.chosen is None:
        assert (decision.refused, decision.wished) == (Exclusion.OVER_BUDGET, "b/dear")
    else:
        assert (decision.chosen.max_tokens < 4096) == (tokens == "fewer")
        assert bool(decision.chosen.fewer) == (tokens == "fewer")
        assert f"{decision.chosen.max_tokens:,} tokens at most" in decision.reason or tokens == "all"


def test_where_fewer_tokens_come_later_they_are_tried_for_all_who_were_let_in() -> None:
    # Nobody fits whole; a/cheap fits with fewer tokens, b/dear not even so.
    policy = Policy(strategy=Strategy.QUALITY, on_exhausted=listed([WayOut.CHEAPEST, WayOut.FEWER_TOKENS]))
    tight = {"dear": room("0.0015"), "cheap": room("0.0015")}
    decision = decided(registry=Registry.of([CHEAP, DEAR]), policy=policy, **tight)
    assert decision.chosen is not None
    assert decision.chosen.model == "a/cheap"
    assert decision.chosen.fewer


def test_nothing_comes_after_a_refusal() -> None:
    with pytest.raises(ValueError, match="nothing comes after 'refuse'"):
        listed([WayOut.REFUSE, WayOut.LOCAL])


@example((replace(LOCAL, local=False), DEAR), "0", Strategy.ENSEMBLE, alone(WayOut.REFUSE))
@given(markets(), budgets, st.sampled_from(list(Strategy)), st.sampled_from(WAYS_OUT))
def test_whoever_answers_was_let_in_by_a_word_of_the_list(
    models: tuple[Model, ...], usd: str, strategy: Strategy, ways: WaysOut
) -> None:
    policy = Policy(strategy=strategy, on_exhausted=ways, exploration=0.0)
    unbounded = _with_room(models, None, policy, 5)
    decision = _with_room(models, usd, policy, 5)
    if decision.chosen is None:
        assert decision.refused is Exclusion.OVER_BUDGET
        assert decision.wished == unbounded.model
        return
    chosen = decision.chosen
    assert chosen.cost_ceiling is not None
    assert chosen.cost_ceiling <= Money.from_usd(usd)
    assert not chosen.fewer or WayOut.FEWER_TOKENS in ways
    # Of an ensemble any member may answer, also where there is no money for the first.
    wished = unbounded.chain if strategy is Strategy.ENSEMBLE else unbounded.chain[:1]
    assert chosen.model in wished or WayOut.CHEAPEST in ways or (chosen.local and WayOut.LOCAL in ways)


@given(markets(), budgets, budgets, st.sampled_from(list(Strategy)))
def test_with_refuse_a_budget_changes_whether_and_never_who(
    models: tuple[Model, ...], less: str, more: str, strategy: Strategy
) -> None:
    policy = Policy(strategy=strategy, exploration=0.0)
    chosen = {_with_room(models, usd, policy, 5).model for usd in (less, more)} - {None}
    if strategy is Strategy.ENSEMBLE:
        # Of the same members, those are asked that there is money for.
        assert chosen <= set(_with_room(models, None, policy, 5).chain)
    else:
        assert len(chosen) <= 1


REFUSING = Policy(on_exhausted=listed([WayOut.REFUSE]))
DOWN = Standing(out=(Exclusion.UNHEALTHY, "is down"))
SHORT = "could cost $0.331, the day's cap has $0.00010 left"


def ensemble(**standings: Standing) -> Decision:
    return decided(request(strategy=Strategy.ENSEMBLE, ensemble_size=2), policy=REFUSING, **standings)


def test_a_member_there_is_no_money_for_stays_one_and_the_others_answer() -> None:
    decision = ensemble(dear=room("0.0001"))
    assert (decision.chain, decision.model) == (("c/unknown", "b/dear"), "c/unknown")
    assert decision.left_out == {"b/dear": SHORT}
    assert decision.reason.startswith("only c/unknown for code of difficulty 0.40: ")
    assert decision.reason.endswith(f"; b/dear is left out: {SHORT}")
    assert not decision.explored
    scores = {c.model: c.score for c in decision.candidates}
    assert [c.model for c in decision.candidates] == ["c/unknown", "a/cheap", "here/small", "b/dear"]
    assert decision.margin == pytest.approx(scores["c/unknown"] - scores["a/cheap"])


def test_members_that_fit_are_asked_and_nobody_is_left_out() -> None:
    decision = ensemble()
    assert (decision.chain, decision.left_out, decision.refused) == (("b/dear", "c/unknown"), {}, None)
    assert decision.margin == pytest.approx(decision.candidates[0].score - decision.candidates[1].score)
    assert "left out" not in decision.reason


def test_an_ensemble_none_of_whose_members_fits_is_refused_with_the_first_as_wished() -> None:
    decision = ensemble(dear=room("0.0001"), cheap=room("0"), small=DOWN, unknown=DOWN)
    assert (decision.model, decision.chain) == (None, ())
    assert (decision.refused, decision.wished) == (Exclusion.OVER_BUDGET, "b/dear")
    assert decision.reason == f"b/dear {SHORT}, so it is refused, as budgets.on_exhausted says"


@pytest.mark.parametrize("policy", [REFUSING, Policy(on_exhausted=alone(WayOut.CHEAPEST))])
def test_a_walk_goes_on_without_a_step_that_is_too_dear(policy: Policy) -> None:
    decision = decided(request(strategy=Strategy.FALLBACK), policy=policy, dear=room("0.0001"))
    assert decision.chain == ("a/cheap", "c/unknown", "here/small")
    assert [c.score for c in decision.candidates[:2]] == pytest.approx([1.0, -0.01])
    assert decision.margin == pytest.approx(1.01)
    assert [c.model for c in decision.candidates] == [*decision.chain, "b/dear"]
    assert "would be chosen" not in decision.reason


@pytest.mark.parametrize(
    ("policy", "model", "refused", "wished"),
    [
        (REFUSING, None, Exclusion.OVER_BUDGET, "a/cheap"),
        (Policy(on_exhausted=alone(WayOut.CHEAPEST)), "c/unknown", None, None),
    ],
)
def test_a_walk_whose_first_step_is_too_dear_is_planned_anew_or_refused(
    policy: Policy, model: str | None, refused: Exclusion | None, wished: str | None
) -> None:
    decision = decided(request(strategy=Strategy.FALLBACK), policy=policy, dear=room("0.0001"), cheap=room("0"))
    assert (decision.model, decision.refused, decision.wished) == (model, refused, wished)
    if model is not None:
        assert decision.chain == ("c/unknown", "here/small")
        assert decision.candidates[0].score == 1.0
        assert "; a/cheap would be chosen but could cost" in decision.reason


def test_of_two_the_margin_is_told_and_of_one_there_is_none() -> None:
    two, one = decided(registry=Registry.of([CHEAP, DEAR])), decided(registry=Registry.of([CHEAP]))
    assert two.margin == pytest.approx(two.candidates[0].score - two.candidates[1].score)
    assert (one.margin, one.explored) == (None, False)


def test_what_was_stored_of_candidates_is_not_written_into_when_it_is_chosen_from_again() -> None:
    decision = decided()
    before = [c.score for c in decision.candidates]
    choose(Strategy.CHEAPEST, decision.candidates, decision.profile, decision.asked)
    assert [c.score for c in decision.candidates] == before
