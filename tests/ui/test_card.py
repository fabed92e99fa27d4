"""What panes draw, from values alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_orchestrator.routing.decision import Candidate, Decision, Exclusion
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.profile import Ability, Evidence, Profile, TaskType
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.ui import words
from tui_orchestrator.ui.card import Step, draw_decision
from tui_orchestrator.ui.composer import Outlook, draw_outlook


def candidate(model: str, p: float, cost: str | None, excluded: str | None = None) -> Candidate:
    amount = None if cost is None else Money.from_usd(cost)
    return Candidate(
        model=model,
        provider=model.partition("/")[0],
        local=False,
        success_probability=p,
        estimated_cost=amount,
        cost_ceiling=None if amount is None else amount * 4,
        estimated_latency_s=3.2,
        score=p - 0.1,
        max_tokens=4096,
        excluded_by=Exclusion.COOLING_DOWN if excluded else None,
        excluded=excluded,
    )


def decision(model: str | None = "anthropic/claude-haiku-5.5") -> Decision:
    return Decision(
        request_id="r1",
        strategy=Strategy.BALANCED,
        model=model,
        reason="best balance of quality, cost and time for code of difficulty 0.41",
        chain=("anthropic/claude-haiku-5.5", "openai/gpt-6-luna") if model else (),
        profile=Profile(
            TaskType.CODE,
            {TaskType.CODE: 0.86, TaskType.DEBUGGING: 0.09, TaskType.MATH: 0.05},
            0.41,
            4,
            812,
            600,
            frozenset({Ability.VISION}),
            (Evidence("asks for a proof", 0.2), Evidence("short question", -0.1), Evidence("says 'function'", 0.0)),
        ),
        candidates=(
            candidate("anthropic/claude-haiku-5.5", 0.93, "0.0012"),
            candidate("openai/gpt-6-luna", 0.88, None),
            candidate("openrouter/some/model", 0.5, "0.1", "cooling down after 3 failures, tried again in 12 s"),
        ),
        margin=0.05,
    )


def test_the_card_tells_the_choice_the_evidence_and_why_others_are_out() -> None:
    steps = (Step(1, "anthropic/claude-haiku-5.5", "first", "failed", "429: too many requests"),)
    card = draw_decision(decision(), steps, 58).plain
    for said in (
        "→ anthropic/claude-haiku-5.5",
        "chosen · balanced",
        "code               ",
        "0.86",
        "4/10",
        "+ asks for a proof harder 0.20",
        "− short question easier 0.10",
        "· says 'function'",
        "≈812 tok in",
        "needs vision",
        "Candidates 2/3",
        "+0.05 to the next",
        "▸ claude-haiku-5.5",
        "$0.0012",
        "$?",
        "✗ some/model",
        "cooling down after 3 failures",
        "claude-haiku-5.5 → gpt-6-luna",
        "429: too many requests",
    ):
        assert said in card, said


@pytest.mark.parametrize("width", [40, 58, 100])
def test_candidates_whose_names_begin_alike_are_told_apart(width: int) -> None:
    long = "box/mradermacher/Llama-3.3-70B-Instruct-Uncensored-Heretic-i1-GGUF"
    names = (f"{long}:IQ4_XS", f"{long}:Q4_K_M", f"{long.replace('70B', '8B')}:IQ4_XS")
    between = replace(decision(), candidates=tuple(candidate(name, 0.77, "0.1") for name in names))
    card = draw_decision(between, (), width).plain
    rows = [line.partition(" 0.77")[0] for line in card.splitlines() if " 0.77" in line]
    assert (len(rows), len(set(rows))) == (3, 3)


def test_of_a_pinned_model_the_card_says_that_nothing_was_weighed() -> None:
    pinned = replace(decision(), pinned=True)
    card = draw_decision(pinned, (), 58).plain
    assert "  nothing is weighed: the model is pinned\n" in card


def test_without_a_model_the_card_says_so_and_the_line_gives_the_reason() -> None:
    nothing = decision(model=None)
    assert "✗ no model can take this" in draw_decision(nothing, (), 50).plain
    line = draw_outlook(Outlook(nothing), 120).plain
    assert line.startswith("✗ best balance")


def test_the_line_above_the_prompt_reads_like_the_book() -> None:
    line = draw_outlook(Outlook(decision()), 120).plain
    assert line == "→ claude-haiku-5.5 · code 0.86 · difficulty 4/10 · ≈812 tok in · $0.0012–0.0048"


def test_a_narrow_line_keeps_the_model_the_task_and_the_cost() -> None:
    assert draw_outlook(Outlook(decision()), 60).plain == "→ claude-haiku-5.5 · code 0.86 · $0.0012–0.0048"


@pytest.mark.parametrize("width", [28, 34, 50, 58, 78, 120])
def test_nothing_is_drawn_wider_than_its_pane(width: int) -> None:
    steps = (Step(1, "anthropic/" + "x" * 90, "fallback", "finished", "confidence 0.41 " * 8),)
    drawn = [
        draw_decision(decision(), steps, width),
        draw_outlook(Outlook(decision()), width),
    ]
    for content in drawn:
        for line in content.plain.splitlines():
            assert cell_len(line) <= width, line


def test_an_unknown_cost_is_never_a_zero() -> None:
    assert words.cost_range(None, None) == "$?"
    assert words.cost_range(Money(0), Money(0)) == "free"
    assert words.price_pair(None) == "?"


@given(st.text(max_size=200), st.integers(2, 60), st.integers(0, 4))
def test_wrapped_text_fits_and_loses_no_word(text: str, width: int, indent: int) -> None:
    room = width + indent
    text = "".join(character for character in text if character.isprintable() and cell_len(character))
    lines = words.wrap(text, room, indent)
    assert all(cell_len(line) <= room for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(st.text(max_size=80), st.integers(1, 60))
def test_fitted_text_is_exactly_as_wide_as_asked(text: str, width: int) -> None:
    clean = "".join(character for character in text if character.isprintable())
    assert cell_len(words.fit(clean, width)) == width
