"""A decision made yesterday, read back from the store, comes out the same."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.routing.deciding import REGISTRY, WAYS_OUT, budgets, room
from tests.routing.samples import profile, request
from tui_orchestrator.routing.decide import decide, replay
from tui_orchestrator.routing.decision import (
    Circumstances,
    Decision,
    Diversity,
    Exclusion,
    Leanings,
    Policy,
    Standing,
    Votes,
    Weights,
)
from tui_orchestrator.routing.explanation import differences, what_if
from tui_orchestrator.routing.profile import Evidence, TaskType
from tui_orchestrator.routing.request import Request, Strategy
from tui_orchestrator.routing.rules import Rule
from tui_orchestrator.storage.decisions import decision_from_json, find, find_by, record
from tui_orchestrator.storage.migrations import migrate

from .samples import DECISION, REQUEST

AT = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def store() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        migrate(connection)
        yield connection


shares = st.floats(0, 1)
weighing = st.builds(
    Weights,
    quality=st.floats(0, 3),
    cost=st.floats(0, 3),
    latency=st.floats(0, 3),
    leanings=st.builds(Leanings, shares, shares, shares),
    votes=st.builds(Votes, st.floats(1, 40), st.floats(1, 40)),
    diversity=st.builds(Diversity, shares, shares, shares),
)
policies = st.builds(
    Policy,
    strategy=st.sampled_from(Strategy),
    quality_threshold=shares,
    confidence_threshold=shares,
    max_attempts=st.integers(1, 6),
    prefer_local=st.booleans(),
    prefer_opensource=st.booleans(),
    local_max_complexity=st.integers(0, 10),
    weights=weighing,
    discrimination=st.floats(0.5, 20),
    exploration=st.sampled_from([0.0, 0.03, 0.5, 1.0]),
    on_exhausted=st.sampled_from(WAYS_OUT),
    lean_to=st.sampled_from([None, "a", "cheap", "b/dear"]),
)
profiles = st.builds(
    profile,
    difficulty=shares,
    complexity=st.integers(1, 10),
    novelty=shares,
    task_probabilities=st.sampled_from([{TaskType.CODE: 1.0}, {TaskType.CODE: 0.7, TaskType.MATH: 0.3}]),
    evidence=st.just((Evidence("asks for a proof", 0.2),)),
)
counts = st.integers(0, 30).map(float)
standings = st.one_of(
    st.just(Standing()),
    st.builds(room, budgets),
    st.just(Standing(out=(Exclusion.COOLING_DOWN, "cooling down"))),
    st.builds(
        Standing,
        wait_s=st.sampled_from([0.0, 2.0, 60.0]),
        ability_shift=st.floats(-0.25, 0.25),
        tokens_per_s=st.none() | st.floats(1, 300),
        wins=counts,
        losses=counts,
        wins_overall=counts,
        losses_overall=counts,
    ),
)
names = st.sampled_from([*REGISTRY.models, "x/gone"])
requests = st.builds(
    request,
    strategy=st.none() | st.sampled_from(Strategy),
    model=st.none() | st.none() | names,
    chain=st.just(()) | st.lists(names, max_size=4, unique=True).map(tuple),
    ensemble_size=st.integers(1, 4),
    id=st.integers(0, 99).map(lambda n: f"r{n}"),
)
rules = st.lists(
    st.builds(
        Rule,
        name=st.just("mine"),
        task_types=st.sampled_from([frozenset(), frozenset({TaskType.CODE}), frozenset({TaskType.MATH})]),
        primary=st.none() | names,
        fallback=st.lists(names, max_size=2).map(tuple),
        temperature=st.none() | shares,
        max_tokens=st.none() | st.integers(1, 5000),
        strategy=st.none() | st.sampled_from(Strategy),
        system=st.none() | st.just("Answer briefly."),
    ),
    max_size=2,
).map(tuple)


@settings(max_examples=100, deadline=None)
@given(requests, profiles, st.tuples(standings, standings, standings, standings), policies, rules)
def test_whatever_was_decided_is_decided_again_from_the_store(
    store: sqlite3.Connection,
    sent: Request,
    prompt: object,
    live: tuple[Standing, ...],
    policy: Policy,
    own: tuple[Rule, ...],
) -> None:
    circumstances = Circumstances(dict(zip(REGISTRY.models, live, strict=True)))
    decision = decide(sent, prompt, REGISTRY, circumstances, policy, own)  # type: ignore[arg-type]
    record(store, decision, sent, AT)
    stored = find(store, decision.request_id)
    assert stored == decision
    again = replay(stored)
    assert again == decision
    assert differences(stored, again) == []
    if not decision.pinned:
        assert what_if(stored)[decision.strategy] == decision


def changed(**values: object) -> Decision:
    return replace(DECISION, **values)  # type: ignore[arg-type]


def test_what_came_out_otherwise_is_named() -> None:
    moved = tuple(candidate.scored(0.1) for candidate in DECISION.candidates)
    assert differences(DECISION, changed(model="openai/large")) == ["the model: openai/large instead of openai/small"]
    assert differences(DECISION, changed(candidates=moved)) == ["the scores of 1 of 1 models"]
    assert differences(DECISION, changed(explored=True)) == ["it explores"]
    assert differences(DECISION, changed(reason="other")) == ["the reason: other"]
    assert differences(DECISION, changed(margin=0.5)) == ["the margin: 0.500 instead of none"]
    assert differences(DECISION, changed(chain=())) == ["the walk: nobody instead of openai/small → openai/large"]


def test_a_stored_decision_is_found_by_the_beginning_of_its_id_or_as_the_latest() -> None:
    with closing(sqlite3.connect(":memory:")) as store:
        migrate(store)
        with pytest.raises(LookupError, match="no decision is kept yet"):
            find_by(store, "latest", AT + timedelta(days=1))
        for hours, id in enumerate(("ab1", "ab2", "cd")):
            record(store, changed(request_id=id), REQUEST, AT + timedelta(hours=hours))
        assert find_by(store, "c", AT + timedelta(days=1)) == (changed(request_id="cd"), AT + timedelta(hours=2))
        assert find_by(store, "latest", AT + timedelta(days=1))[0].request_id == "cd"
        assert find_by(store, "AB2", AT + timedelta(days=1))[0].request_id == "ab2"
        with pytest.raises(LookupError, match="'ab' begins several requests: ab1, ab2"):
            find_by(store, "ab", AT + timedelta(days=1))
        for nothing in ("zz", "", "%"):
            with pytest.raises(LookupError, match="no decision of a request"):
                find_by(store, nothing, AT + timedelta(days=1))


def test_a_decision_of_the_first_version_can_be_looked_at_under_another_strategy() -> None:
    """What was not stored then takes its default."""
    old = (
        '{"request_id": "r0", "strategy": "cheapest", "model": "a/x", "reason": "cheapest", "chain": ["a/x"], '
        '"profile": {"task_type": "code", "task_probabilities": {"code": 1.0}, "difficulty": 0.4, "complexity": 4, '
        '"input_tokens": 10, "output_tokens": 20}, "candidates": [{"model": "a/x", "provider": "a", "local": false, '
        '"success_probability": 0.9, "estimated_cost": 1000, "cost_ceiling": 2000, "estimated_latency_s": 1.0, '
        '"score": 0.5, "max_tokens": 100}]}'
    )
    assert {decision.model for decision in what_if(decision_from_json(old)).values()} == {"a/x"}
