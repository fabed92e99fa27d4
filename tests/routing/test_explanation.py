"""What is said of a decision, against sentences that can be checked by eye."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tui_orchestrator.routing.decision import Candidate, Decision
from tui_orchestrator.routing.explanation import (
    compared,
    differences,
    evidence_in_words,
    learned_in_words,
    margin_in_words,
    novelty_in_words,
    push,
    score_in_words,
    weights,
    what_if,
)
from tui_orchestrator.routing.profile import Evidence
from tui_orchestrator.routing.request import Strategy

from .deciding import DEAR, REGISTRY, decided, exclusions, room
from .samples import candidate, profile, request

SURE = candidate("a/sure", 0.95, "0.03", 9.0)
QUICK = candidate("b/quick", 0.80, "0.001", 2.0)


def between(one: Candidate, other: Candidate, strategy: Strategy = Strategy.BALANCED) -> str:
    ranked = (one.scored(0.7), other.scored(0.66))
    return margin_in_words(Decision("r", strategy, one.model, "why", (one.model, other.model), profile(), ranked))


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (SURE, QUICK, "just ahead of b/quick (+0.04): 0.15 surer, $0.029 dearer, 7.0 s slower"),
        (QUICK, SURE, "just ahead of a/sure (+0.04): 0.15 less sure, $0.029 cheaper, 7.0 s faster"),
        (SURE, replace(SURE, model="c/twin"), "just ahead of c/twin (+0.04): alike in p, cost and time"),
        (
            replace(SURE, estimated_cost=None),
            replace(SURE, model="c/twin"),
            "just ahead of c/twin (+0.04): its own cost unknown",
        ),
    ],
)
def test_the_margin_says_what_is_gained_and_what_it_costs(one: Candidate, other: Candidate, said: str) -> None:
    assert between(one, other) == said


def test_the_margin_of_a_walk_and_of_an_ensemble_is_no_lead() -> None:
    assert between(QUICK, SURE, Strategy.FALLBACK).startswith("goes before a/sure: 0.15 less sure")
    ranked = (SURE.scored(0.9), QUICK.scored(0.8), replace(QUICK, model="c/out").scored(0.1))
    members = Decision("r", Strategy.ENSEMBLE, "a/sure", "why", ("a/sure", "b/quick"), profile(), ranked)
    assert margin_in_words(members).startswith("c/out is the first left out; beside it the first member is: 0.15 surer")


def test_who_is_alone_pinned_or_missing_has_no_margin() -> None:
    assert margin_in_words(decided(request(model="b/dear"))) == ""
    assert margin_in_words(decided(request(model="x/gone"))) == ""
    alone = decided(request(chain=("b/dear",)))
    assert (alone.model, margin_in_words(alone)) == ("b/dear", "")


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (Evidence("asks for a proof", 0.2), "asks for a proof (harder, +0.20)"),
        (Evidence("a short question", -0.1), "a short question (easier, -0.10)"),
        (Evidence("'python' speaks for code", 0.0), "'python' speaks for code"),
    ],
)
def test_evidence_says_which_way_it_pushed(evidence: Evidence, said: str) -> None:
    assert evidence_in_words(evidence) == said


def test_an_unusual_prompt_is_told_with_what_the_estimate_leans_on() -> None:
    said = "unlike what it learned from (0.72): the estimate leans on the models' levels"
    assert novelty_in_words(profile(novelty=0.72)) == said
    assert novelty_in_words(profile(novelty=0.2)) == ""


def test_what_was_learned_is_told_where_it_is_not_nothing() -> None:
    assert learned_in_words(replace(SURE, ability_shift=0.034)) == "+0.03 learned"
    assert learned_in_words(replace(SURE, ability_shift=-0.1)) == "-0.10 learned"
    assert learned_in_words(replace(SURE, ability_shift=0.004)) == ""


def test_the_score_of_the_chosen_model_adds_up_from_its_terms() -> None:
    decision = decided()
    assert weights(decision) == "1 × p − 0.4 × cost − 0.15 × time"
    said = score_in_words(decision)
    assert decision.chosen is not None
    assert sum(float(term.split()[-1]) for term in said.split(", ")) == pytest.approx(decision.chosen.score, abs=0.02)
    pinned = decided(request(model="b/dear"))
    assert (weights(pinned), score_in_words(pinned)) == ("nothing is weighed: the model is pinned", "")


def test_what_if_asks_every_strategy_of_the_same_candidates_and_lifts_a_pin() -> None:
    pinned = decided(request(model="here/small"))
    others = what_if(pinned)
    assert [*others] == list(Strategy)
    assert others[Strategy.QUALITY].model == DEAR.id
    assert not any(other.pinned for other in others.values())
    free = decided()
    for strategy, other in what_if(free).items():
        assert other == decided(request(strategy=strategy)), strategy


def test_what_if_keeps_out_who_was_out() -> None:
    poor = decided(dear=room("0.0001"))
    for other in what_if(poor).values():
        assert exclusions(other) == exclusions(poor)
        assert other.model != "b/dear"
    assert len(REGISTRY) == len(what_if(poor)[Strategy.QUALITY].candidates)


LEVEL = replace(SURE, model="c/level")


@pytest.mark.parametrize(
    ("surer", "said"),
    [
        (0.006, "0.01 surer"),
        (0.004, ""),
        (0.0, ""),
        (-0.004, ""),
        (-0.006, "0.01 less sure"),
    ],
)
def test_a_difference_in_p_is_told_from_half_a_hundredth_on(surer: float, said: str) -> None:
    one = replace(LEVEL, success_probability=LEVEL.success_probability + surer)
    assert compared(one, LEVEL) == (said or "alike in p, cost and time")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.06, "0.1 s slower"), (0.04, ""), (-0.04, ""), (-0.06, "0.1 s faster")]
)
def test_a_difference_in_time_is_told_from_half_a_tenth_on(seconds: float, said: str) -> None:
    one = replace(LEVEL, estimated_latency_s=LEVEL.estimated_latency_s + seconds)
    assert compared(one, LEVEL) == (said or "alike in p, cost and time")


@pytest.mark.parametrize(
    ("own", "other", "said"),
    [
        ("0.03", "0.02", "$0.010 dearer"),
        ("0.02", "0.03", "$0.010 cheaper"),
        ("0.02", "0.02", ""),
        (None, "0.02", "its own cost unknown"),
        ("0.02", None, "the other cost unknown"),
        (None, None, ""),
    ],
)
def test_a_difference_in_cost_is_told_to_the_last_cent_there_is(own: str | None, other: str | None, said: str) -> None:
    one, two = (candidate(f"a/{name}", usd=usd) for name, usd in (("own", own), ("other", other)))
    assert compared(one, two) == (said or "alike in p, cost and time")


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (0.06, "clearly ahead of b/quick (+0.06)"),
        (0.04, "just ahead of b/quick (+0.04)"),
        (0.02, "just ahead of b/quick (+0.02)"),
        (0.009, "level with b/quick (+0.01)"),
        (0.0, "level with b/quick (+0.00)"),
        (-0.02, "chosen before b/quick (-0.02)"),
    ],
)
def test_a_lead_is_called_what_it_is(ahead: float, said: str) -> None:
    ranked = (SURE.scored(0.5 + ahead), QUICK.scored(0.5))
    decision = Decision("r", Strategy.BALANCED, "a/sure", "why", ("a/sure", "b/quick"), profile(), ranked)
    assert margin_in_words(decision).startswith(f"{said}: ")
    beside = replace(decision, strategy=Strategy.FALLBACK, chain=("a/sure",))
    assert margin_in_words(beside).startswith("b/quick stands by: ")


@pytest.mark.parametrize(("effect", "way"), [(0.01, "harder"), (-0.01, "easier"), (0.0, "task")])
def test_what_pushes_nowhere_speaks_for_the_task(effect: float, way: str) -> None:
    assert push(Evidence("a word", effect)) == way


@pytest.mark.parametrize(("novelty", "told"), [(0.5, True), (0.51, True), (0.49, False), (0.0, False)])
def test_a_prompt_is_unusual_from_a_half_on(novelty: float, told: bool) -> None:
    assert bool(novelty_in_words(profile(novelty=novelty))) is told


@pytest.mark.parametrize("shift", [0.005, -0.005])
def test_half_a_hundredth_of_what_was_learned_is_told(shift: float) -> None:
    assert learned_in_words(replace(SURE, ability_shift=shift)).endswith(" learned")


BEFORE = Decision(
    *("r", Strategy.BALANCED, "a/sure", "why", ("a/sure", "b/quick"), profile()),
    candidates=(SURE.scored(0.7), QUICK.scored(0.6)),
    margin=0.1,
)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, []),
        ({"model": "b/quick"}, ["the model: b/quick instead of a/sure"]),
        ({"model": None}, ["the model: none instead of a/sure"]),
        ({"chain": ("b/quick",)}, ["the walk: b/quick instead of a/sure → b/quick"]),
        ({"chain": ()}, ["the walk: nobody instead of a/sure → b/quick"]),
        ({"explored": True}, ["it explores"]),
        ({"candidates": (SURE.scored(0.7), QUICK.scored(0.5))}, ["the scores of 1 of 2 models"]),
        (
            {"candidates": (SURE.scored(0.7), QUICK.scored(0.6), candidate("c/new"))},
            ["the scores of 1 of 3 models"],
        ),
        ({"candidates": (QUICK.scored(0.6), SURE.scored(0.7))}, ["what else it asks for"]),
        ({"reason": "because"}, ["the reason: because"]),
        ({"margin": 0.25}, ["the margin: 0.250 instead of 0.100"]),
        ({"margin": None}, ["the margin: none instead of 0.100"]),
        ({"max_tokens": 5}, ["what else it asks for"]),
        (
            {"model": "b/quick", "reason": "because"},
            ["the model: b/quick instead of a/sure", "the reason: because"],
        ),
    ],
)
def test_what_came_out_otherwise_is_told_one_by_one(changed: dict[str, Any], said: list[str]) -> None:
    after = replace(BEFORE, **changed)
    assert differences(BEFORE, after) == said
    assert bool(differences(after, BEFORE)) is bool(said)


def test_one_that_explores_no_longer_is_told_too() -> None:
    assert differences(replace(BEFORE, explored=True), BEFORE) == ["it does not explore"]
    chosen_alone = replace(BEFORE, model=None, chain=(), candidates=())
    assert differences(chosen_alone, BEFORE)[:2] == [
        "the model: a/sure instead of none",
        "the walk: a/sure → b/quick instead of nobody",
    ]
