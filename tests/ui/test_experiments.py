"""Experiments as a person sees them in the console."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tests.ui.conftest import Console, console
from tests.ui.test_snapshots import AT
from tui_orchestrator.routing.experiment import Arm, Assignment, Experiment, draw
from tui_orchestrator.routing.money import Cost, CostState, Money
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.routing.sequential import Outcome, drawn, paired
from tui_orchestrator.services.findings import ArmFigures, Findings
from tui_orchestrator.storage.experiments import Kept
from tui_orchestrator.ui.experiment_rows import draw_findings, draw_head, draw_row


async def start(seat: Console, *typed: str) -> None:
    """Through the form: name, A and B, and what else was typed."""
    await seat.pilot.press("n")
    await seat.sees("Start an experiment", "Enter starts it")
    for text in typed:
        for letter in text:
            await seat.pilot.press({"=": "equals_sign", "-": "minus", " ": "space"}.get(letter, letter))
        await seat.pilot.press("down")
    await seat.pilot.press("enter")


async def answer(seat: Console, prompt: str) -> str:
    """Asks, and returns the side the turn went to."""
    assert seat.app.runtime is not None
    await seat.send(prompt)
    await seat.ended()
    assert seat.app.talk is not None
    assert seat.app.talk.last is not None
    assert seat.app.talk.last.answer is not None
    decision = await seat.app.runtime.reports.decision(seat.app.talk.last.answer[0])
    assert decision is not None
    return decision.experiment.side if decision.experiment is not None else ""


async def test_one_is_started_from_the_form_seen_on_the_turn_and_stopped(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await seat.send("/experiment")
        await seat.sees("╭─ Experiments", "No experiment yet. n starts one")
        await start(seat, "thrift", "cheapst", "quality")
        await seat.sees("✗ 'cheapst' is no way to be answered; did you mean cheapest?")
        await seat.sees_no("cheapest?.")
        await seat.pilot.press("escape")
        await start(seat, "thrift", "cheapest", "quality")
        await seat.sees("thrift", "◐ running", "strategy=cheapest", "Nothing is known yet: no turn went to A.")
        await seat.pilot.press("n")
        await seat.sees("thrift runs already; stop it first (s).")
        await seat.pilot.press("escape")
        await seat.type("What is 2 + 2?")
        await seat.sees("(experiment ")
        await seat.pilot.press("enter")
        await seat.ended()
        await seat.sees("experiment thrift, ")
        await seat.send("/experiment thrift")
        await seat.sees("◐ running", "no turn went to")
        await seat.pilot.press("s")
        await seat.sees("■ stopped", "thrift is stopped.")
        await seat.pilot.press("s")
        await seat.sees("◐ running", "thrift goes on.")
        await seat.pilot.press("s")
        await seat.sees("■ stopped")
        await seat.pilot.press("escape")
        await seat.sees_no("╭─ Experiments")
        assert await answer(seat, "What is 3 + 3?") == ""


async def test_the_form_asks_for_what_is_missing_field_by_field(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await seat.pilot.press("f4", "x")
        await seat.sees("╭─ Experiments")
        await start(seat)
        await seat.sees("each of your turns goes one way")
        for letter in "mine":
            await seat.pilot.press(letter)
        await seat.pilot.press("enter")
        await seat.sees("What is A? strategy=cheapest, model=NAME")
        for letter in "quality":
            await seat.pilot.press(letter)
        await seat.pilot.press("enter")
        await seat.sees("What is B?")
        for letter in "default":
            await seat.pilot.press(letter)
        await seat.pilot.press("enter")
        await seat.sees("mine", "◐ running", "default")


async def test_that_it_is_decided_is_said_where_one_is(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        assert seat.app.runtime is not None
        experiments = seat.app.runtime.experiments
        kept = await experiments.start(
            "thrift", Arm("cheapest", strategy=Strategy.CHEAPEST), Arm("quality", strategy=Strategy.QUALITY)
        )
        now, store = seat.app.runtime.clock.now(), experiments.store
        for number in range(40):
            side = "b" if draw(kept.experiment.id, f"p{number}") < 0.5 else "a"
            at = now - timedelta(minutes=50 - number)
            await store.take(Assignment(kept.experiment.id, "thrift", side, f"p{number}"), f"r{number}", at)
            await store.told(kept.experiment.id, f"r{number}", side == "b", "judge", at)
        await answer(seat, "What is 2 + 2?")
        await seat.pilot.press("alt+u")
        await seat.sees("Experiment thrift: B is better by ", "(95 % sure)")
        await seat.send("/experiment")
        await seat.sees("✓ decided", "B is better")


async def test_a_narrow_screen_has_all_of_it(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 24)) as seat:
        assert seat.app.runtime is not None
        long = "system=Answer in one sentence, in the plainest of words, and say where it is written down."
        await seat.app.runtime.experiments.start("brief", Arm("default"), Arm(long, system=long[7:]))
        await answer(seat, "hello")
        await seat.send("/experiment")
        await seat.sees("brief", "◐ running", "A default", "evidence 1.0; 20 decides")
        await seat.sees("0 outcomes of 1 turn ", "0 outcomes of 0 turns ")


def figures(side: str, arm: Arm, turns: int, outcomes: int, good: int, usd: str, seconds: float | None) -> ArmFigures:
    cost = Cost(Money.from_usd(usd), CostState.COMPUTED)
    return ArmFigures(side, arm, turns, outcomes, good, cost, seconds)  # type: ignore[arg-type]


def findings() -> tuple[Findings, ...]:
    """One that is decided, one that is not, one that nothing is known of, and one on a file."""
    cheap, dear = Arm("strategy=cheapest"), Arm("strategy=balanced")
    long = Arm("system=Answer in one sentence, and say where it is written.")
    clear = [Outcome("b" if n % 2 else "a", bool(n % 2) or n % 3 == 0) for n in range(120)]
    even = [Outcome("b" if n % 2 else "a", n % 5 > 1) for n in range(40)]
    thrift = Experiment("e1", "thrift", cheap, dear, 0.5, "anthropic/claude-opus-5.5")
    one = Findings(
        Kept(thrift, "traffic", AT - timedelta(days=2)),
        figures("a", cheap, 66, 60, 20, "0.0191", 1.4),
        figures("b", dear, 63, 60, 60, "0.0712", 2.9),
        drawn(clear, 0.5),
        Cost(Money.from_usd("0.31"), CostState.COMPUTED),
        3,
    )
    brief = Experiment("e2", "brief-answers", Arm("default"), long, 0.2)
    two = Findings(
        Kept(brief, "traffic", AT - timedelta(days=9), AT - timedelta(days=4)),
        figures("a", Arm("default"), 80, 20, 12, "0.12", 4.0),
        figures("b", long, 20, 20, 12, "0.018", 1.1),
        drawn(even, 0.2),
    )
    three = replace(
        two,
        kept=Kept(replace(brief, id="e3", name="new", share=0.5), "traffic", AT),
        a=figures("a", Arm("default"), 0, 0, 0, "0", None),
        b=figures("b", long, 0, 0, 0, "0", None),
        reading=drawn([], 0.5),
    )
    luna, haiku = Arm("model=openai/gpt-6-luna"), Arm("model=anthropic/claude-haiku-5.5")
    four = Findings(
        Kept(Experiment("e4", "questions", luna, haiku), "file", AT - timedelta(days=3), AT - timedelta(days=3)),
        figures("a", luna, 24, 24, 14, "0.0096", 0.9),
        figures("b", haiku, 24, 24, 23, "0.0264", 1.6),
        paired([(n % 12 > 4, n != 3) for n in range(24)]),
    )
    return one, two, three, four


@pytest.mark.parametrize("width", [40, 60, 76, 103, 104, 150])
def test_nothing_is_wider_than_the_screen(width: int) -> None:
    assert draw_head(width).cell_length == width
    for found in findings():
        rows = [*draw_row(found, width).split("\n"), *draw_findings(found, width, ManualClock()).split("\n")]
        assert all(row.cell_length <= width for row in rows)


def test_a_model_s_or_a_user_s_text_is_drawn_as_text() -> None:
    bad = replace(findings()[0].experiment, a=Arm("system=[@click=app.quit]x[/] [/nope]"))
    found = replace(findings()[0], kept=replace(findings()[0].kept, experiment=bad))
    found = replace(found, a=replace(found.a, arm=bad.a))
    assert "[@click=app.quit]x[/]" in draw_row(found, 140).plain
    assert "[@click=app.quit]x[/]" in draw_findings(found, 140, ManualClock()).plain
