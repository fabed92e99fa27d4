"""No cap is ever passed: fewer tokens, another model or a refusal, checked before every call."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tui_orchestrator.demo import Reply, Say, Script
from tui_orchestrator.routing.budget import Budgets, Cap, Hold, WayOut, WaysOut, alone, input_bound, listed
from tui_orchestrator.routing.decision import Exclusion, Policy
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import (
    AttemptFailed,
    Budget,
    Cause,
    Completed,
    Decided,
    Escalated,
    Event,
    Failed,
    Outcome,
    Reserved,
)
from tui_orchestrator.routing.money import ZERO, CostState, Money, Usage
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.services.runtime import Runtime

from .conftest import ask, events_of, running
from .grammar import check
from .reading import asked, completed, failed, most_tokens, only, reserved, walked

LOCAL, DASH = "demo-local/pebble-3b", "demo-gemini/lumen-dash"
PRO, MAX = "demo-openai/rush-pro", "demo-anthropic/tern-max"
USD = Money.from_usd


@pytest.mark.parametrize("model", [DASH, PRO, MAX])
async def test_what_a_tight_budget_leaves_is_what_the_provider_is_asked_for(tmp_path: Path, model: str) -> None:
    async with running(tmp_path / "plain.db") as (runtime, servers):
        await events_of(runtime, ask(model=model))
        chosen = runtime.preview(ask(model=model)).chosen
        assert chosen is not None
        assert chosen.cost_ceiling is not None
        name = model.split("/")[1]
        assert most_tokens(asked(servers, name)[0]) == 4096
        third = Money(chosen.cost_ceiling.picodollars // 3)
    async with running(tmp_path / "tight.db", budgets=Budgets(daily=third)) as (runtime, servers):
        events = await events_of(runtime, ask(model=model))
        sent = most_tokens(asked(servers, name)[0])
        (held,) = only(events, Reserved)
    assert 600 <= sent < 4096 // 3 + 10
    assert third.picodollars * 0.99 < held.amount.picodollars <= third.picodollars
    spent = completed(events).cost.amount
    assert spent is not None
    assert spent <= third


async def test_who_has_no_cap_of_its_own_falls_under_the_days_when_it_is_decided(tmp_path: Path) -> None:
    budgets = Budgets(daily=USD("0.0001"), models={DASH: (USD(5), None)})
    async with running(tmp_path / "s.db", budgets=budgets) as (runtime, _):
        decision = runtime.preview(ask(strategy=Strategy.QUALITY))
        over = {c.model: c.excluded or "" for c in decision.candidates if c.excluded_by is Exclusion.OVER_BUDGET}
    assert set(over) == {model.id for model in runtime.registry if model.price is not None and not model.price.free}
    assert all(said.endswith(", the day's cap has $0.00010 left") for said in over.values())


async def test_every_sum_with_a_cap_is_known_beforehand(tmp_path: Path) -> None:
    budgets = Budgets(
        session=USD(1),
        daily=USD(3),
        monthly=USD(20),
        models={DASH: (USD(1), None), MAX: (None, USD(4))},
        providers={"demo-openai": (None, USD(2))},
    )
    async with running(tmp_path / "s.db", budgets=budgets) as (runtime, _):
        caps = runtime.router.caps(date(2026, 11, 21), ask())
    assert {(cap.scope, cap.period): cap.limit for cap in caps if cap.limit is not None} == {
        ("session", "s"): USD(1),
        ("day", "2026-11-21"): USD(3),
        ("month", "2026-11"): USD(20),
        (f"day model:{DASH}", "2026-11-21"): USD(1),
        (f"month model:{MAX}", "2026-11"): USD(4),
        ("month provider:demo-openai", "2026-11"): USD(2),
    }
    assert {cap.scope for cap in caps if cap.limit is None} == {"request"}


@pytest.mark.parametrize(
    ("budgets", "max_cost", "scope"),
    [
        (Budgets(daily=USD("0.0001")), None, "the day's cap"),
        (Budgets(monthly=USD("0.0001")), None, "the month's cap"),
        (Budgets(session=USD("0.0001")), None, "the session's cap"),
        (Budgets(per_request=USD("0.0001")), None, "this request may cost"),
        (Budgets(providers={"demo-gemini": (USD("0.0001"), None)}), None, "the day's cap on demo-gemini"),
        (Budgets(models={DASH: (None, USD("0.0001"))}), None, f"the month's cap on {DASH}"),
        (Budgets(), USD("0.0001"), "this request may cost"),
    ],
)
async def test_a_call_that_does_not_fit_is_refused_before_it_is_made(
    tmp_path: Path, budgets: Budgets, max_cost: Money | None, scope: str
) -> None:
    async with running(tmp_path / "s.db", budgets=budgets) as (runtime, servers):
        events = await events_of(runtime, ask(model=DASH, max_cost=max_cost))
        check(events)
        assert servers.exchanges == []
        assert await reserved(runtime) == 0
    error = failed(events).error
    assert error.kind is ErrorKind.BUDGET_EXCEEDED
    assert scope in error.message
    assert failed(events).cost.amount == ZERO


async def test_what_was_spent_counts_towards_the_next_call(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", budgets=Budgets(session=USD("0.0020"))) as (runtime, _):
        first = completed(await events_of(runtime, ask(model=DASH, id="1")))
        refused = failed(await events_of(runtime, ask(model=DASH, id="2")))
        other = await events_of(runtime, ask(model=DASH, id="3", session="other"))
    assert first.cost.amount
    assert refused.error.kind is ErrorKind.BUDGET_EXCEEDED
    assert isinstance(other[-1], Completed)


@pytest.mark.parametrize(
    ("on_exhausted", "answers"),
    [(alone(WayOut.REFUSE), None), (alone(WayOut.LOCAL), LOCAL), (alone(WayOut.CHEAPEST), DASH)],
)
async def test_on_exhausted_decides_who_answers_in_place_of_a_model_too_dear(
    tmp_path: Path, on_exhausted: WaysOut, answers: str | None
) -> None:
    budgets = Budgets(daily=USD("0.004"), on_exhausted=on_exhausted)
    async with running(tmp_path / "s.db", budgets=budgets, policy=Policy(confidence_threshold=0)) as (runtime, _):
        end = (await events_of(runtime, ask(strategy=Strategy.QUALITY)))[-1]
    assert (end.model if isinstance(end, Completed) else None) == answers


async def test_fifty_turns_at_once_never_pass_a_cap_that_has_room_for_few(tmp_path: Path) -> None:
    # Each answer uses all the output it may, so that a reservation is nearly what the call costs.
    script = Script().always(Say(text="word " * 700), "lumen-dash")
    cap = USD("0.005")
    async with running(tmp_path / "s.db", script, budgets=Budgets(daily=cap)) as (runtime, servers):
        turns = [events_of(runtime, ask(model=DASH, max_tokens=600, id=str(n))) for n in range(50)]
        ends = [events[-1] for events in await asyncio.gather(*turns)]
        good = [end for end in ends if isinstance(end, Completed)]
        (state,) = [state for state in await runtime.budget_states("s") if state.scope == "day"]
        assert await reserved(runtime) == 0
        assert len(asked(servers, "lumen-dash")) == len(good) == 3
    assert state.spent <= cap
    assert state.spent == sum((end.cost.amount or ZERO for end in good), ZERO)
    assert {end.error.kind for end in only(ends, Failed)} == {ErrorKind.BUDGET_EXCEEDED}
    assert len(only(ends, Failed)) == 47


async def test_the_cap_of_a_request_holds_for_all_its_attempts_together(tmp_path: Path) -> None:
    doubt = Say(text="I'm not sure. I might be wrong, perhaps it could be this, I don't really know, maybe. " * 30)
    script = Script().always(doubt)
    most = USD("0.0065")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await events_of(runtime, ask(chain=(DASH, PRO, LOCAL), max_cost=most, max_tokens=600))
        check(events)
        rows = await runtime.reports.attempts(events[0].request_id)
    assert sum((row.cost.amount or ZERO for row in rows), ZERO) <= most
    assert walked(events)[0] == "first lumen-dash"
    assert PRO not in {row.model for row in rows}
    assert "does not fit" in completed(events).note


async def test_a_cap_of_nothing_asks_for_free_models_whatever_else_is_to_be_done(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", budgets=Budgets(daily=ZERO, on_exhausted=listed([]))) as (runtime, _):
        events = await events_of(runtime, ask(strategy=Strategy.QUALITY))
    assert (completed(events).model, completed(events).cost.amount) == (LOCAL, ZERO)


async def test_after_a_free_model_that_failed_a_paid_one_is_checked_too(tmp_path: Path) -> None:
    script = Script().always(Reply(404), "pebble-3b")
    async with running(tmp_path / "s.db", script, budgets=Budgets(daily=ZERO)) as (runtime, servers):
        events = await events_of(runtime, ask(chain=(LOCAL, DASH)))
        check(events)
        assert walked(events) == ["first pebble-3b"]
        assert asked(servers, "lumen-dash") == []
        failed(events)
        candidate = runtime.preview(ask()).candidate(DASH)
        assert candidate is not None
        assert candidate.excluded_by is Exclusion.OVER_BUDGET


class _TakesTheRoom:
    """Another copy of the program, which reserves what is left while this turn's first attempt fails."""

    def __init__(self, runtime: Runtime, amount: Money, when: type[Event] = AttemptFailed) -> None:
        self._runtime = runtime
        self._amount = amount
        self._when = when

    def record(self, event: Event) -> Coroutine[Any, Any, None] | None:
        return self._take() if isinstance(event, self._when) else None

    async def _take(self) -> None:
        today = self._runtime.clock.today().isoformat()
        cap = Cap("day", today, self._runtime.router.budgets.daily)
        await self._runtime.router.caller.ledger.reserve(Hold("other", 1, "p", "m", self._amount, (cap,)))


async def test_room_that_is_gone_at_the_moment_of_a_fallback_is_noticed(tmp_path: Path) -> None:
    script = Script().always(Reply(404), "pebble-3b")
    async with running(tmp_path / "s.db", script, budgets=Budgets(daily=USD("0.02"))) as (runtime, servers):
        greedy = _TakesTheRoom(runtime, USD("0.0199"))
        async with runtime.stream(ask(chain=(LOCAL, DASH)), greedy.record) as turn:
            events = [event async for event in turn]
        check(events)
        assert walked(events) == ["first pebble-3b"]
        assert only(events, Escalated) == [], "nothing is said to go on to a model that never began"
        assert asked(servers, "lumen-dash") == []
        failed(events)


async def test_less_room_at_the_moment_of_a_fallback_means_fewer_tokens(tmp_path: Path) -> None:
    script = Script().always(Reply(404), "pebble-3b")
    async with running(tmp_path / "s.db", script, budgets=Budgets(daily=USD("0.02"))) as (runtime, servers):
        greedy = _TakesTheRoom(runtime, USD("0.017"))
        async with runtime.stream(ask(chain=(LOCAL, DASH)), greedy.record) as turn:
            events = [event async for event in turn]
        assert 600 <= most_tokens(asked(servers, "lumen-dash")[0]) < 1300
    assert walked(events) == ["first pebble-3b", "fallback lumen-dash"]


async def test_fewer_tokens_than_are_worth_having_are_not_bought(tmp_path: Path) -> None:
    script = Script().always(Reply(404), "pebble-3b")
    budgets = Budgets(daily=USD("0.02"))
    async with running(tmp_path / "s.db", script, budgets=budgets) as (runtime, servers):
        request = ask(chain=(LOCAL, DASH))
        price = runtime.registry[DASH].price
        assert price is not None
        few = price.ceiling(input_bound(runtime.preview(request).profile.input_tokens), 200)
        greedy = _TakesTheRoom(runtime, USD("0.02") - few)
        async with runtime.stream(request, greedy.record) as turn:
            events = [event async for event in turn]
        check(events)
        assert asked(servers, "lumen-dash") == []
        assert walked(events) == ["first pebble-3b"]


async def test_an_answer_that_was_cut_to_fit_is_not_kept_as_the_whole(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", budgets=Budgets(daily=USD("0.02"))) as (runtime, servers):
        cold = ask(model=DASH, temperature=0.0, id="1")
        whole = runtime.preview(cold).chosen
        assert whole is not None
        assert whole.cost_ceiling is not None
        greedy = _TakesTheRoom(runtime, USD("0.02") - Money(whole.cost_ceiling.picodollars // 3), Decided)
        async with runtime.stream(cold, greedy.record) as turn:
            check([event async for event in turn])
        runtime.router.budgets = Budgets()
        await events_of(runtime, replace(cold, id="2"))
        few, most = map(most_tokens, asked(servers, "lumen-dash"))
    assert few < most == whole.max_tokens


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        (["fewer_tokens", "cheapest"], ["first rush-pro"]),
        (["cheapest", "fewer_tokens"], ["first lumen-dash"]),
        (["local", "fewer_tokens"], ["first pebble-3b"]),
        (["refuse"], []),
    ],
)
async def test_room_that_is_gone_at_the_first_call_leaves_the_users_ways_out_in_their_order(
    tmp_path: Path, words: list[str], answers: list[str]
) -> None:
    """What is left holds rush-pro with fewer tokens, lumen-dash with all of its few, and whatever is free."""
    budgets = Budgets(daily=USD("0.2"), on_exhausted=listed([WayOut(word) for word in words]))
    policy = Policy(confidence_threshold=0)
    async with running(tmp_path / "s.db", budgets=budgets, policy=policy) as (runtime, _):
        request = ask(strategy=Strategy.QUALITY, chain=(PRO, DASH, LOCAL))
        decision = runtime.preview(request)
        assert decision.chain[0] == PRO
        whole = decision.candidate(PRO), decision.candidate(DASH)
        assert whole[0] is not None
        assert whole[1] is not None
        dear, cheap = whole[0].cost_ceiling, whole[1].cost_ceiling
        assert dear is not None
        assert cheap is not None
        assert cheap < dear
        greedy = _TakesTheRoom(runtime, USD("0.2") - Money((dear.picodollars + cheap.picodollars) // 2), Decided)
        async with runtime.stream(request, greedy.record) as turn:
            events = [event async for event in turn]
        check(events)
    assert walked(events) == answers


async def test_every_attempt_moves_the_budgets_before_and_after(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", budgets=Budgets(daily=USD("1"))) as (runtime, _):
        events = await events_of(runtime, ask(model=DASH))
    (held,) = only(events, Reserved)
    day_held = next(state for state in held.budgets if state.scope == "day")
    assert day_held.reserved == held.amount
    day_after = next(event.state for event in only(events, Budget) if event.state.scope == "day")
    assert (day_after.reserved, day_after.spent) == (ZERO, completed(events).cost.amount)


async def test_a_provider_that_bills_more_than_was_asked_for_is_booked_as_it_is(tmp_path: Path) -> None:
    script = Script().then(Say(text="Hi there.", usage=Usage(17, 9000)), "lumen-dash")
    async with running(tmp_path / "s.db", script, budgets=Budgets(daily=USD("0.011"))) as (runtime, _):
        events = await events_of(runtime, ask(model=DASH))
        (row,) = await runtime.reports.attempts(events[0].request_id)
        assert row.usage.output == 9000
        assert row.cost.amount is not None
        assert row.cost.amount > USD("0.011")
        assert failed(await events_of(runtime, ask(model=DASH))).error.kind is ErrorKind.BUDGET_EXCEEDED


async def test_a_failed_call_that_used_nothing_costs_nothing_whatever_its_price(tmp_path: Path) -> None:
    script = Script().always(Reply(404))
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await events_of(runtime, ask(model=DASH))
        (row,) = await runtime.reports.attempts(events[0].request_id)
    assert (row.outcome, row.cause, row.usage, row.cost.amount) == (Outcome.FAILED, Cause.FIRST, Usage(), ZERO)
    assert failed(events).cost.state is not CostState.UNKNOWN


async def test_without_caps_everything_is_summed_all_the_same(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        runtime.router.budgets = Budgets()
        cost = completed(await events_of(runtime, ask(model=DASH))).cost.amount
        spent = {state.scope: state.spent for state in await runtime.budget_states("s")}
    assert spent == {"session": cost, "day": cost, "month": cost}
