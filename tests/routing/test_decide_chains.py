"""Chains, pins and rules: what is asked for by name."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from tui_orchestrator.routing.budget import WayOut, alone
from tui_orchestrator.routing.decide import replay
from tui_orchestrator.routing.decision import (
    Division,
    Exclusion,
    Policy,
    Standing,
)
from tui_orchestrator.routing.errors import AllOut
from tui_orchestrator.routing.model import Registry
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.patterns import compile_pattern
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.routing.rules import Rule
from tui_orchestrator.routing.telling import no_model

from .deciding import REGISTRY, decided, exclusions, room
from .samples import request


def test_a_named_chain_is_walked_in_its_order_and_the_others_are_out_of_it() -> None:
    decision = decided(request(chain=("b/dear", "a/cheap")))
    assert decision.strategy is Strategy.FALLBACK
    assert decision.chain == ("b/dear", "a/cheap")
    assert exclusions(decision) == {"here/small": Exclusion.NOT_IN_CHAIN, "c/unknown": Exclusion.NOT_IN_CHAIN}


def test_where_a_rule_cannot_be_told_to_match_nobody_is_asked_nor_given_what_it_wishes() -> None:
    rule = Rule("slow", pattern=compile_pattern("(a|aa)+!"), primary="b/dear", max_tokens=7, strategy=Strategy.QUALITY)
    decision = decided(request("a" * 5_000), rules=(rule,))
    assert (decision.model, decision.rule, decision.strategy) == (None, None, Strategy.BALANCED)
    assert {*exclusions(decision).values()} == {Exclusion.RULE_IN_DOUBT}
    (said,) = {c.excluded for c in decision.candidates}
    assert decision.reason == f"nobody is asked: {said}"
    assert said == "whether rule slow is for it is not known: pattern (a|aa)+! takes too long on this prompt"
    assert replay(decision).reason == decision.reason
    assert decided(request("a" * 5_000, model="b/dear"), rules=(rule,)).model == "b/dear"


def test_a_chain_under_another_strategy_only_narrows_the_choice() -> None:
    decision = decided(request(chain=("b/dear", "a/cheap"), strategy=Strategy.BALANCED))
    assert decision.chain == ("a/cheap", "b/dear")


def test_a_chain_of_nobody_known_is_refused_with_reasons() -> None:
    decision = decided(request(chain=("x/gone",)))
    assert decision.model is None
    assert "not in the chain" in decision.reason


def test_a_model_outside_the_chain_does_not_refuse_it_for_being_too_dear() -> None:
    sent = request(chain=("a/cheap",), strategy=Strategy.QUALITY)
    assert decided(sent, policy=Policy(on_exhausted=alone(WayOut.REFUSE)), dear=room("0")).model == "a/cheap"


def test_a_built_chain_says_what_it_may_cost_how_it_ends_and_when_it_escalates() -> None:
    decision = decided(request(strategy=Strategy.FALLBACK))
    assert decision.chain[:2] == ("a/cheap", "b/dear")
    assert "first of 2 steps; expected $0.014 over the walk, at worst $0.053, ends well with p 0.93" in decision.reason
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
        (room("0.001"), "the day's cap", Exclusion.OVER_BUDGET),
        (room("0.001", "request"), "this request may cost", Exclusion.OVER_MAX_COST),
    ],
)
def test_a_pinned_model_that_is_out_is_refused_with_its_reason(
    standing: Standing, words: str, refused: Exclusion | None
) -> None:
    decision = decided(request(model="b/dear"), policy=Policy(on_exhausted=alone(WayOut.CHEAPEST)), dear=standing)
    assert decision.model is None
    assert "b/dear is pinned, but" in decision.reason
    assert words in decision.reason
    assert decision.refused is refused


def test_where_nothing_can_be_tried_the_hint_is_about_the_models_that_were_asked_for() -> None:
    cooling = Standing(out=(Exclusion.COOLING_DOWN, "cooling down"))
    out = {"dear": cooling, "cheap": Standing(out=(Exclusion.UNHEALTHY, "is down")), "small": cooling}
    pinned = no_model(decided(request(model="b/dear"), **out))
    assert isinstance(pinned, AllOut)
    assert pinned.models == ("b/dear",)
    assert pinned.hint.startswith("Wait, or choose another model")
    anyone = no_model(decided(**out, unknown=cooling))
    assert isinstance(anyone, AllOut)
    assert set(anyone.models) == {"a/cheap", "b/dear", "here/small", "c/unknown"}
    assert anyone.hint.startswith("Wait, or choose another model")


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


@pytest.mark.parametrize(
    ("more", "goes_on", "name"),
    [
        ({}, False, "balanced"),
        ({"continues": True}, False, "balanced"),
        ({"continues": True, "model": "a/cheap"}, True, "continue"),
        ({"continues": True, "chain": ("a/cheap", "b/dear")}, True, "continue"),
        ({"continues": True, "chain": ("a/cheap",), "strategy": Strategy.BALANCED}, True, "balanced"),
        ({"model": "a/cheap"}, False, "balanced"),
        ({"chain": ("a/cheap",)}, False, "fallback"),
    ],
)
def test_who_goes_on_from_an_answer_that_was_cut_off_is_who_was_named(
    more: dict[str, Any], goes_on: bool, name: str
) -> None:
    decision = decided(request(**more))
    assert (decision.asked.goes_on, decision.strategy_name) == (goes_on, name)
    said = "a/cheap is pinned and continues the answer that was cut off; no other model is tried"
    assert (decision.reason == said) is (goes_on and "model" in more)
    free = decision.asked.unpinned()
    assert (free.model, free.goes_on) == (None, goes_on and "chain" in more)


def test_a_decision_draws_by_its_requests_id_and_says_with_which_seed() -> None:
    assert decided(request(id="r1")).seed == 219_023_793
    assert decided(request(id="r2")).seed != decided(request(id="r1")).seed


def test_where_no_provider_could_be_asked_for_its_models_the_reason_says_so() -> None:
    nobody = Registry(unlisted={"a": "connection refused", "b": "401"})
    reason = decided(registry=nobody).reason
    assert reason.startswith("no model of a is known (connection refused); no model of b is known (401), so ")
    some = replace(REGISTRY, unlisted={"a": "connection refused"})
    assert "is known" not in decided(registry=some).reason


@pytest.mark.parametrize(
    ("more", "whose", "cost"),
    [
        ({}, "any model's", "about $1.00, at most $2.00"),
        ({"pinned": True}, "a/x's", "about $1.00, at most $2.00"),
        ({"cost": None}, "any model's", "at unknown cost"),
    ],
)
def test_a_division_is_said_in_words(more: dict[str, Any], whose: str, cost: str) -> None:
    plan = Division(3, 1000, 500, "a/x", "b/y", 4000, 1, Money.from_usd(1), Money.from_usd(2))
    parts = "3 parts with a/x, then put together by b/y"
    assert replace(plan, **more).in_words == f"longer than {whose} context: {parts}: {cost}"
