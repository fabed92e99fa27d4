"""One decision, told four ways: JSON, the stored row, the card of the console, and the lines of `route`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.routing.deciding import REGISTRY, room
from tests.routing.samples import profile, request
from tui_orchestrator.cli.decisions import decision_lines, headline
from tui_orchestrator.routing.decide import decide
from tui_orchestrator.routing.decision import Circumstances, Decision, Policy, Standing
from tui_orchestrator.routing.event_json import decision_json, event_json
from tui_orchestrator.routing.events import Decided
from tui_orchestrator.routing.explanation import what_if
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.profile import Evidence, TaskType
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.storage.decisions import find, record
from tui_orchestrator.storage.migrations import migrate
from tui_orchestrator.ui.card import draw_decision

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
REQUEST = request("Prove it")


def made(strategy: Strategy) -> Decision:
    prompt = profile(
        task_type=TaskType.MATH,
        task_probabilities={TaskType.MATH: 0.71, TaskType.REASONING: 0.29},
        difficulty=0.437,
        complexity=6,
        novelty=0.72,
        evidence=(
            Evidence("asks for a proof", 0.213),
            Evidence("a short question", -0.094),
            Evidence("in German", 0.0),
        ),
    )
    live = {
        "a/cheap": Standing(ability_shift=0.0312, wins=3, wins_overall=4),
        "b/dear": Standing(ability_shift=-0.12, losses=2, losses_overall=2),
        "here/small": room("5"),
    }
    return decide(REQUEST, prompt, REGISTRY, Circumstances(live), Policy(strategy=strategy))


def told(decision: Decision) -> dict[str, str]:
    """As text without line breaks, so that a wrapped sentence is found."""
    card = draw_decision(decision, (), 110, otherwise=what_if(decision)).plain
    route = "\n".join([headline(decision), *decision_lines(decision)])
    return {"card": " ".join(card.split()), "route": " ".join(route.split())}


@pytest.mark.parametrize("strategy", list(Strategy))
def test_all_four_carry_the_same_figures(strategy: Strategy) -> None:
    decision = made(strategy)
    said: dict[str, Any] = decision_json(decision)
    with closing(sqlite3.connect(":memory:")) as store:
        migrate(store)
        record(store, decision, REQUEST, AT)
        stored = find(store, REQUEST.id)
    assert stored is not None
    assert decision_json(stored) == said
    assert told(stored) == told(decision)
    event = event_json(Decided(REQUEST.id, AT, decision))
    assert {name: event[name] for name in said} == said == json.loads(json.dumps(said))
    for where, text in told(decision).items():
        for sentence in (said["reason"], said["weights"], said["margin_reason"], said["profile"]["novelty_reason"]):
            assert sentence, "an empty sentence is in every text"
            assert sentence in text, (where, sentence)
        for figure in figures(said):
            assert figure in text, (where, figure)


def figures(said: dict[str, Any]) -> list[str]:
    prompt = said["profile"]
    found = [f"{p:.2f}" for p in prompt["task_probabilities"].values()]
    found += [f"{prompt['difficulty']:.2f}", f"{prompt['complexity']}/10 ", prompt["level"]]
    for evidence in prompt["evidence"]:
        found.append(evidence["feature"])
        if evidence["effect"]:
            found += [evidence["pushes"], f"{abs(evidence['effect']):.2f}"]
    for candidate in said["candidates"]:
        found += [candidate["model"].partition("/")[2], f"{candidate['success_probability']:.2f}"]
        found.append(f"{candidate['estimated_latency_s']:.0f}")
        if candidate["estimated_cost_usd"]:
            found.append(str(Money.from_usd(f"{candidate['estimated_cost_usd']:.12f}")))
        if candidate["learned"]:
            found.append(f"{candidate['learned']:+.2f} learned")
    chosen = next(candidate for candidate in said["candidates"] if candidate["model"] == said["model"])
    return found + [f"{term['name']} {term['weight'] * term['value']:+.2f}" for term in chosen["terms"]]


def test_the_card_says_what_the_other_strategies_would_have_done() -> None:
    decision = made(Strategy.BALANCED)
    card = draw_decision(decision, (), 60, otherwise=what_if(decision)).plain
    lines = card.partition("Other strategies")[2].splitlines()[1:]
    assert [line.split()[0] for line in lines] == [s.replace("_", " ").split()[0] for s in Strategy if s != "balanced"]
    quality = next(line for line in lines if line.startswith("quality"))
    best = what_if(decision)[Strategy.QUALITY].chosen
    assert best is not None
    assert best.model.partition("/")[2] in quality
    assert f"{best.success_probability:.2f}" in quality
    pinned = decide(request(model="a/cheap"), profile(), REGISTRY, Circumstances(), Policy())
    assert "balanced" in draw_decision(pinned, (), 60, otherwise=what_if(pinned)).plain.partition("Other")[2]
