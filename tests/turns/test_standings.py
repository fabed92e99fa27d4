"""How each model stands when a turn is decided: what was seen of it, what its caps leave, how long its line is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.decision import Candidate, Exclusion, Policy
from tui_orchestrator.routing.errors import ErrorKind, NotFound
from tui_orchestrator.routing.events import Completed, Event, Reserved
from tui_orchestrator.routing.learning import Answer, voted
from tui_orchestrator.routing.money import Money
from tui_orchestrator.routing.profile import TaskType
from tui_orchestrator.services.runtime import Runtime

from .conftest import ask, events_of, running
from .reading import failed

DASH, DEEP, PRO = "demo-gemini/lumen-dash", "demo-gemini/lumen-deep", "demo-openai/rush-pro"
USD = Money.from_usd
AT = datetime(2026, 11, 21, 11, tzinfo=UTC)


def weighed(runtime: Runtime, model: str = DASH, **wanted: object) -> Candidate:
    found = runtime.preview(ask(**wanted)).candidate(model)
    assert found is not None
    return found


def vote(runtime: Runtime, number: int, liked: bool, task: TaskType) -> None:
    answer = Answer(f"r{number}", 1, DASH, task)
    runtime.router.experience.observe([voted(answer, liked, AT)])


async def test_what_was_seen_of_a_model_is_what_it_is_weighed_by(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", policy=Policy(discrimination=4.0)) as (runtime, _):
        fresh, other = weighed(runtime), weighed(runtime, DEEP)
        runtime.router.experience.remember(DASH, 3, 1, 7.5, 40.0)
        for number, (liked, task) in enumerate(
            [(True, TaskType.CODE), (True, TaskType.CODE), (False, TaskType.CODE), (False, TaskType.MATH)]
        ):
            vote(runtime, number, liked, task)
        prompt = runtime.preview(ask()).profile
        lesson = runtime.router.experience.lesson(DASH, runtime.router.caller.clock.now())
        seen = weighed(runtime)
        assert weighed(runtime, DEEP) == replace(other, score=weighed(runtime, DEEP).score)
    assert prompt.task_type is TaskType.CODE
    assert (fresh.wins, fresh.losses, fresh.wins_overall, fresh.losses_overall, fresh.ability_shift) == (0,) * 5
    # Each vote after another one of its task type takes a twentieth off it, each hour a little.
    assert (seen.wins, seen.losses) == pytest.approx((0.95 + 0.95**2, 1.0), rel=0.001)
    assert (seen.wins_overall, seen.losses_overall) == pytest.approx((0.95 + 0.95**2, 2.0), rel=0.001)
    assert seen.ability_shift == lesson.learned.shift(prompt, 4.0) != lesson.learned.shift(prompt, 8.0)
    assert seen.estimated_latency_s == pytest.approx(7.5 + prompt.output_tokens / 40)


@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize(
    ("budgets", "left"),
    [
        (Budgets(daily=USD("0.00001")), "the day's cap has $0.000010 left"),
        (Budgets(session=USD("0.00001")), "the session's cap has $0.000010 left"),
        (Budgets(models={DASH: (USD("0.00001"), None)}), f"the day's cap on {DASH} has $0.000010 left"),
        (Budgets(models={DASH: (None, USD("0.00001"))}), f"the month's cap on {DASH} has $0.000010 left"),
        (
            Budgets(providers={"demo-gemini": (USD("0.00001"), None)}),
            "the day's cap on demo-gemini has $0.000010 left",
        ),
        (
            Budgets(daily=USD("0.00001"), models={DASH: (USD(5), None)}),
            "the day's cap has $0.000010 left",
        ),
        (Budgets(per_request=USD("0.00001")), "this request may cost $0.000010"),
    ],
)
async def test_who_falls_under_which_cap_and_what_that_leaves(
    tmp_path: Path, budgets: Budgets, left: str, seen: bool
) -> None:
    """Whether anything was seen of the model or not."""
    async with running(tmp_path / "s.db", budgets=budgets) as (runtime, _):
        if seen:
            runtime.router.experience.remember(DASH, 3, 1, 7.5, 40.0)
        found = weighed(runtime)
        others = weighed(runtime, PRO)
    of_request = budgets.per_request is not None
    assert found.excluded_by is (Exclusion.OVER_MAX_COST if of_request else Exclusion.OVER_BUDGET)
    assert (found.excluded or "").endswith(left)
    own = budgets.models or budgets.providers
    assert (others.excluded is None) is (bool(own) and budgets.daily is None)


@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize(
    ("more", "out"),
    [
        ({}, True),
        ({"allow_unpriced": True}, False),
        ({"unpriced_models": frozenset({DASH})}, False),
        ({"unpriced_models": frozenset({PRO})}, True),
    ],
)
async def test_a_model_of_unknown_price_has_no_cap_where_it_may_be_called_under_one(
    tmp_path: Path, more: dict[str, object], out: bool, seen: bool
) -> None:
    budgets = Budgets(daily=USD("0.00001"), **more)  # type: ignore[arg-type]
    async with running(tmp_path / "s.db", budgets=budgets) as (runtime, _):
        if seen:
            runtime.router.experience.remember(DASH, 3, 1, 7.5, 40.0)
        models = {id_: replace(one, price=None) if id_ == DASH else one for id_, one in runtime.registry.models.items()}
        runtime.router.registry = replace(runtime.registry, models=models)
        assert weighed(runtime).excluded_by is (Exclusion.UNPRICED if out else None)
        assert weighed(runtime, PRO).excluded_by is Exclusion.OVER_BUDGET


async def test_what_is_set_aside_for_a_call_under_way_is_gone_for_the_next_until_it_has_ended(tmp_path: Path) -> None:
    left = []

    def look(event: Event) -> None:
        if isinstance(event, Reserved | Completed):
            left.append(weighed(runtime).excluded)

    async with running(tmp_path / "s.db") as (runtime, _):
        ceiling = weighed(runtime).cost_ceiling
        assert ceiling is not None
        runtime.router.budgets = Budgets(daily=Money(ceiling.picodollars * 5 // 4))
        runtime.router.policy = Policy(on_exhausted=(), confidence_threshold=0)
        assert weighed(runtime).excluded is None
        runtime.router.listeners.append(look)
        await events_of(runtime, ask(model=DASH))
    during, afterwards = left
    assert during is not None
    assert "the day's cap has" in during
    assert afterwards is None


async def test_who_is_limited_waits_as_long_as_its_line_is_and_nobody_else(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", policy=Policy(max_wait_s=100)) as (runtime, _):
        models = {
            id_: replace(one, requests_per_minute=1) if id_ == DASH else one
            for id_, one in runtime.registry.models.items()
        }
        runtime.router.registry = replace(runtime.registry, models=models)
        before, other = weighed(runtime).estimated_latency_s, weighed(runtime, DEEP).estimated_latency_s
        now = runtime.router.caller.clock.monotonic()
        runtime.router.caller.limits.claim(runtime.registry[DASH], 1, now)
        assert weighed(runtime).estimated_latency_s == pytest.approx(before + 60)
        assert weighed(runtime, DEEP).estimated_latency_s == pytest.approx(other)
        out = weighed(runtime, patience_s=59.0)
        assert (out.excluded_by, out.excluded) == (Exclusion.RATE_LIMITED, "its rate limit is used up for 60 s")
        assert weighed(runtime, patience_s=60.0).excluded is None


async def test_a_model_that_is_gone_is_out_for_the_next_turn(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        circuits = runtime.router.caller.circuits
        now = runtime.router.caller.clock.monotonic()
        circuits.failed(DASH, "demo-gemini", NotFound(status=404), now, circuits.begin(DASH))
        assert weighed(runtime).excluded_by is Exclusion.UNHEALTHY
        assert weighed(runtime, DEEP).excluded_by is None
        end = failed(await events_of(runtime, ask(model=DASH)))
    assert end.error.kind is ErrorKind.NO_CANDIDATE
