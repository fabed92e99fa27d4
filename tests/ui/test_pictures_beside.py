"""Pictures of what runs beside the conversation: a batch and a recipe, from the form to the end."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.ui.picturing import Console, in_turn, sees
from tui_orchestrator.batch import Estimate, Phase, Progress, Underway, Wanted
from tui_orchestrator.library.tasks import Task
from tui_orchestrator.recipes import Journal, Leftover, Leftovers, Plan, Shelf, Standing, shelf
from tui_orchestrator.recipes import Planned as PlannedStep
from tui_orchestrator.recipes import Underway as RecipeUnderway
from tui_orchestrator.routing.budget import BudgetState, Cap
from tui_orchestrator.routing.model import Registry
from tui_orchestrator.routing.money import ZERO, Cost, CostState, Money
from tui_orchestrator.ui.batches import BatchScreen, NewBatch
from tui_orchestrator.ui.recipes import Prepared, RecipeForm, RecipeScreen, RecipesScreen, beginning

MODELS = (("openai/gpt-6-luna", 212), ("anthropic/claude-haiku-5.5", 76))
CAP = BudgetState(Cap("day", "2026-11-20", Money.from_usd("1")), Money.from_usd("0.80"), ZERO)
SHELF = Shelf(shelf(Path("/nowhere")).recipes)
RUNTIME: Any = SimpleNamespace(
    registry=Registry(),
    settings=None,
    clock=SimpleNamespace(monotonic=lambda: 7.0),
    plugins=None,
    router=None,
    database=None,
)


def usd(amount: str) -> Cost:
    return Cost(Money.from_usd(amount), CostState.COMPUTED)


TIMING: Any = SimpleNamespace(seconds=70.0, held=None, limits_s=lambda left: 0.0)


def batch(phase: Phase) -> Underway:
    one = Underway(RUNTIME, Wanted(Path("questions.jsonl"), Path("questions.out.jsonl"), Task("?")))
    one.phase = phase
    one.estimate = Estimate(288, 288, Money.from_usd("0.42"), 0, 184, MODELS, 0)
    one.progress = Progress(300, 12)
    one.failures = {"fr-12": "rush-pro is pinned, but reads 16,384 tokens, the conversation has about 30,033"}
    if phase is not Phase.WEIGHED:
        one.progress = Progress(
            300, 12, 103, 2, usd("0.151"), 48_120, 21_034, Counter(dict(MODELS)), Counter({"rate_limited": 2})
        )
        one.progress.timing = TIMING
        one.failures |= {"41": "The provider says: too many requests.", "de-7": "The provider failed on its side."}
    return one


def recipe() -> Prepared:
    found = SHELF.recipes["problem-variations"]
    first = Estimate(1, 1, Money.from_usd("0.031"), 0, 14, (("anthropic/claude-opus-5.5", 1),), 0)
    second = Estimate(5, 5, Money.from_usd("0.0061"), 0, 6, (("openai/gpt-6-luna", 5),), 0)
    plan = Plan(found, tuple(PlannedStep(step, one) for step, one in zip(found.steps, (first, second), strict=True)))
    orchestrator: Any = SimpleNamespace(runtime=RUNTIME)
    said = {"topic": ["systems of two linear equations"], "count": ["5"]}
    return Prepared(RecipeUnderway(orchestrator, plan, said), CAP, said)


@in_turn(0)
def test_the_form_of_a_batch(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        pilot.app.push_screen(NewBatch(RUNTIME, "questions.jsonl"))
        await sees(pilot, "Ask many prompts from a file", "is not asked again")

    assert snap_compare(Console("ember"), terminal_size=size, run_before=show)


@in_turn(1)
def test_a_batch_that_would_pass_a_cap(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        one = batch(Phase.WEIGHED)
        one.cap = CAP
        pilot.app.push_screen(BatchScreen(RUNTIME, [one], lambda _: None))
        await sees(pilot, "Enter begins it", "Failed")
        await pilot.press("enter")
        await sees(pilot, "begin all the same", "not yet")

    assert snap_compare(Console("dusk" if size[0] > 100 else "paper"), terminal_size=size, run_before=show)


@in_turn(0)
def test_a_batch_under_way(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        pilot.app.push_screen(BatchScreen(RUNTIME, [batch(Phase.WEIGHED), batch(Phase.RUNNING)], lambda _: None))
        await sees(pilot, "117 of 300", "103 answered", "Failed")

    assert snap_compare(Console("dusk"), terminal_size=size, run_before=show)


@in_turn(1)
def test_the_recipes_there_are(snap_compare: Any, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_orchestrator.ui.recipes.recipes_dir", lambda: Path("/home/ada/recipes"))

    async def show(pilot: Pilot[Any]) -> None:
        found = SHELF.recipes["problem-variations"]
        journal = Journal(found.name, {"topic": ["two linear equations"], "count": ["12"]}, datetime(2026, 11, 21))
        journal.path = Path("/home/ada/unfinished/problem-variations.jsonl")
        steps = zip(found.steps, ((1, 1), (7, 12)), strict=True)
        left = Leftover(found, journal, tuple(Standing(step, *far) for step, far in steps))
        pilot.app.push_screen(RecipesScreen(SHELF, Leftovers((left,))))
        await sees(pilot, "compare", "1. problem", "7 of 12 done")
        if size[0] < 100:
            await pilot.press("down", "down", "down")
            await sees(pilot, "grade", "1. problem", "for each of count", "Enter fills it in")

    assert snap_compare(Console("dusk" if size[0] > 100 else "paper"), terminal_size=size, run_before=show)


@in_turn(0)
def test_the_form_of_a_recipe(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        pilot.app.push_screen(RecipeForm(RUNTIME, SHELF.recipes["summarize-long"], RUNTIME, None))
        await sees(pilot, "Recipe summarize-long", "Enter says what it costs")

    assert snap_compare(Console("contrast"), terminal_size=size, run_before=show)


@in_turn(1)
def test_the_plan_of_a_recipe(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        pilot.app.push_screen(beginning(recipe()))
        await sees(pilot, "variations", "not yet")

    assert snap_compare(Console("dusk"), terminal_size=size, run_before=show)


@in_turn(0)
def test_a_recipe_under_way(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        prepared = recipe()
        run = prepared.run
        first, second = run.stages
        first.began, first.took, first.state, first.ended, first.cost = 0.0, 4.2, "done", 1, usd("0.028")
        first.models["anthropic/claude-opus-5.5"] = 1
        second.began, second.state, second.ended, second.cost = 4.2, "running", 2, usd("0.0021")
        second.models["openai/gpt-6-luna"] = 2
        run.cost = usd("0.0301")
        run._task = SimpleNamespace(done=lambda: False)  # type: ignore[assignment]
        pilot.app.push_screen(RecipeScreen(prepared))
        await sees(pilot, "2 of 5", "3 answers")

    assert snap_compare(Console("ember"), terminal_size=size, run_before=show)
