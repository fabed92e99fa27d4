"""A turn that a budget stops waits for somebody to raise the cap, where there is somebody."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tui_orchestrator.demo import Reply, Script
from tui_orchestrator.routing.budget import Budgets, Cap, Hold, Shortage, input_bound, least_output
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import AttemptFailed, AttemptStarted, Completed, Decided, Event, Failed, Waiting
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.services.caps import round_above
from tui_orchestrator.services.changes import raised
from tui_orchestrator.services.chat import Chat
from tui_orchestrator.services.preferences import take_effect
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings.shape import split

from .conftest import ask, events_of, running
from .grammar import check
from .reading import asked, completed, failed, most_tokens, only, reserved, walked

LOCAL, DASH = "demo-local/pebble-3b", "demo-gemini/lumen-dash"
PRO = "demo-openai/rush-pro"
USD = Money.from_usd


@dataclass
class Somebody:
    """Who raises each cap to what fits, or does not."""

    willing: bool = True
    asked: list[Shortage] = field(default_factory=list)

    async def ask_for_room(self, shortage: Shortage) -> Money | None:
        self.asked.append(shortage)
        return shortage.limit if self.willing else None


def at_the_desk(runtime: Runtime, willing: bool = True) -> Somebody:
    somebody = Somebody(willing)
    runtime.router.ask_for_room = somebody.ask_for_room
    return somebody


async def test_a_raised_cap_lets_the_waiting_turn_go_on(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", budgets=Budgets(daily=USD("0.0001"))) as (runtime, servers):
        somebody = at_the_desk(runtime)
        events = await events_of(runtime, ask(model=DASH))
        check(events)
        (shortage,) = somebody.asked
        (day,) = [state for state in await runtime.budget_states("s") if state.scope == "day"]
        assert await reserved(runtime) == 0
        assert len(asked(servers, "lumen-dash")) == 1
    assert [type(event) for event in events[:2]] == [Waiting, Decided], "it waits, and then it is decided once"
    assert (shortage.model, shortage.state.scope, shortage.state.left) == (DASH, "day", USD("0.0001"))
    assert shortage.request_id == events[0].request_id
    assert day.limit == shortage.limit == shortage.needs
    spent = completed(events).cost.amount
    assert spent is not None
    assert ZERO < spent <= day.limit


async def test_who_does_not_raise_it_gets_the_refusal_with_its_reason(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", budgets=Budgets(daily=USD("0.0001"))) as (runtime, servers):
        somebody = at_the_desk(runtime, willing=False)
        events = await events_of(runtime, ask(model=DASH))
        check(events)
        assert servers.exchanges == []
    assert len(somebody.asked) == 1
    assert failed(events).error.kind is ErrorKind.BUDGET_EXCEEDED


async def test_each_cap_in_the_way_is_asked_for_in_its_turn(tmp_path: Path) -> None:
    budgets = Budgets(daily=USD("0.0001"), session=USD("0.0002"), models={DASH: (None, USD("0.0003"))})
    async with running(tmp_path / "s.db", budgets=budgets) as (runtime, _):
        somebody = at_the_desk(runtime)
        completed(await events_of(runtime, ask(model=DASH)))
    assert [shortage.state.scope for shortage in somebody.asked] == ["day", "session", f"month model:{DASH}"]


async def test_a_cap_is_raised_for_its_day_and_no_longer(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", budgets=Budgets(daily=USD("0.0001"))) as (runtime, _):
        somebody = at_the_desk(runtime)
        completed(await events_of(runtime, ask(model=DASH)))
        somebody.willing = False
        runtime.clock.advance(86_400)  # type: ignore[attr-defined]
        failed(await events_of(runtime, ask(model=DASH)))
    assert somebody.asked[-1].state.limit == USD("0.0001")


async def test_a_cap_that_is_set_anew_goes_before_what_it_was_raised_to(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", budgets=Budgets(daily=USD("0.0001"))) as (runtime, _):
        somebody = at_the_desk(runtime)
        completed(await events_of(runtime, ask(model=DASH)))
        somebody.willing = False
        before = replace(runtime.settings, budgets=Budgets(daily=USD("0.0001")))
        after = replace(before, budgets=Budgets(daily=USD("0.00005")))
        assert take_effect(runtime, before, after, "budgets.daily_usd")
        failed(await events_of(runtime, ask(model=DASH)))
        assert somebody.asked[-1].state.limit == USD("0.00005")


@pytest.mark.parametrize(
    ("key", "scope"),
    [
        ("per_request_usd", "request"),
        ("monthly_usd", "month"),
        ("providers.openai.daily_usd", "day provider:openai"),
        ('models."a/b.c".monthly_usd', "month model:a/b.c"),
    ],
)
def test_advice_to_raise_a_cap_goes_before_what_it_was_raised_to_for_now(key: str, scope: str) -> None:
    tight = Budgets().with_limit(scope, USD("1")).with_cap_raised(Cap(scope, "now", USD("1")), USD("2"))
    place = split(f"budgets.{key}")[1:]
    wider = raised(tight, place, USD("3"))
    assert wider.limits == {scope: USD("3")}
    assert not wider.raised


async def test_a_cap_asked_for_with_one_turn_is_raised_for_that_turn_alone(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        somebody = at_the_desk(runtime)
        completed(await events_of(runtime, ask(model=DASH, max_cost=USD("0.0001"), id="1")))
        completed(await events_of(runtime, ask(model=DASH, max_cost=USD("0.0001"), id="2")))
    assert [(shortage.state.scope, shortage.state.cap.period) for shortage in somebody.asked] == [
        ("request", "1"),
        ("request", "2"),
    ]


class _TakesTheRoom:
    """Another copy of the program, which reserves what is left just before this turn's next call."""

    def __init__(self, runtime: Runtime, when: type[Event], amount: str) -> None:
        self._runtime = runtime
        self._when = when
        self._amount = USD(amount)

    def record(self, event: Event) -> Coroutine[Any, Any, None] | None:
        return self._take() if isinstance(event, self._when) else None

    async def _take(self) -> None:
        cap = Cap("day", self._runtime.clock.today().isoformat(), USD("0.02"))
        await self._runtime.router.caller.ledger.reserve(Hold("other", 1, "p", "m", self._amount, (cap,)))


@pytest.mark.parametrize(("chain", "when"), [((DASH,), Decided), ((LOCAL, DASH), AttemptFailed)])
async def test_room_that_is_gone_at_the_last_moment_is_asked_for_too(
    tmp_path: Path, chain: tuple[str, ...], when: type[Event]
) -> None:
    script = Script().always(Reply(404), "pebble-3b")
    async with running(tmp_path / "s.db", script, budgets=Budgets(daily=USD("0.02"))) as (runtime, _):
        somebody = at_the_desk(runtime)
        greedy = _TakesTheRoom(runtime, when, "0.0199")
        async with runtime.stream(ask(chain=chain), greedy.record) as turn:
            events = [event async for event in turn]
        check(events)
    (shortage,) = somebody.asked
    assert (shortage.state.reserved, shortage.request_id) == (USD("0.0199"), events[0].request_id)
    (waited,) = only(events, Waiting)
    assert (waited.why, waited.attempt) == ("budget", len(chain))
    assert isinstance(events[-1], Completed)
    assert walked(events)[-1].endswith("lumen-dash")


@pytest.mark.parametrize("short_by", [0, 1])
async def test_a_call_is_made_with_the_fewest_tokens_it_is_worth_with_where_just_these_are_left(
    tmp_path: Path, short_by: int
) -> None:
    async with running(tmp_path / "s.db", budgets=Budgets(daily=USD("0.02"))) as (runtime, servers):
        request, price = ask(model=DASH), runtime.registry[DASH].price
        prompt = runtime.preview(request).profile
        least = least_output(4096, prompt.output_tokens)
        assert price is not None
        left = price.ceiling(input_bound(prompt.input_tokens), least) - Money(short_by)
        greedy = _TakesTheRoom(runtime, Decided, str((USD("0.02") - left).usd))
        async with runtime.stream(request, greedy.record) as turn:
            events = [event async for event in turn]
        sent = [most_tokens(exchange) for exchange in asked(servers, "lumen-dash")]
    assert sent == ([] if short_by else [least])
    assert isinstance(events[-1], Failed if short_by else Completed)


async def test_an_ensemble_none_of_whose_members_fits_waits_for_room(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", budgets=Budgets(daily=USD("0.02"))) as (runtime, _):
        somebody = at_the_desk(runtime)
        request = ask(strategy=Strategy.ENSEMBLE, ensemble_size=2, chain=(DASH, PRO))
        greedy = _TakesTheRoom(runtime, Decided, "0.0199")
        async with runtime.stream(request, greedy.record) as turn:
            events = [event async for event in turn]
        check(events)
    assert isinstance(events[-1], Completed)
    assert len(only(events, Waiting)) == len(somebody.asked) == 1
    assert only(events, AttemptStarted)


async def test_who_does_not_raise_it_for_an_ensemble_has_none_of_its_members_asked(tmp_path: Path) -> None:
    request = ask(strategy=Strategy.ENSEMBLE, ensemble_size=2, chain=(DASH, PRO), max_tokens=200)
    async with running(tmp_path / "plain.db") as (runtime, _):
        decision = runtime.preview(request)
        one, other = (c.cost_ceiling for m in decision.chain if (c := decision.candidate(m)) and c.cost_ceiling)
    # Each fits alone, both together do not.
    budgets = Budgets(daily=max(one, other))
    async with running(tmp_path / "s.db", budgets=budgets) as (runtime, servers):
        somebody = at_the_desk(runtime, willing=False)
        events = await events_of(runtime, request)
        check(events)
        assert servers.exchanges == []
    (shortage,) = somebody.asked
    assert set(shortage.members) == {DASH, PRO}
    assert shortage.request_id == request.id
    assert failed(events).error.kind is ErrorKind.BUDGET_EXCEEDED
    assert failed(events).error.message.endswith("so none was asked")


@pytest.mark.parametrize("before_deciding", [True, False])
async def test_a_turn_can_be_cancelled_while_it_waits(tmp_path: Path, before_deciding: bool) -> None:
    daily = "0.0001" if before_deciding else "0.02"
    async with running(tmp_path / "s.db", budgets=Budgets(daily=USD(daily))) as (runtime, servers):
        asking, gone = asyncio.Event(), asyncio.Event()

        async def nobody_answers(shortage: Shortage) -> Money | None:
            asking.set()
            try:
                await asyncio.Event().wait()
            finally:
                gone.set()
            return None

        runtime.router.ask_for_room = nobody_answers
        greedy = _TakesTheRoom(runtime, Decided, "0.0199")
        turn = runtime.stream(ask(model=DASH), greedy.record)
        await asking.wait()
        turn.cancel()
        events = [event async for event in turn]
        check(events)
        assert gone.is_set(), "whoever was asked is told that it is over"
        assert servers.exchanges == []
        assert only(events, AttemptStarted) == []
    end = events[-1]
    assert isinstance(end, Failed)
    assert end.error.kind is ErrorKind.CANCELLED


async def test_the_prompt_is_kept_while_its_turn_waits(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", budgets=Budgets(daily=USD("0.0001"))) as (runtime, _):
        chat = Chat.new(runtime)
        kept: list[str] = []

        async def look(shortage: Shortage) -> Money | None:
            kept.extend(await runtime.conversations.prompts())
            return shortage.limit

        runtime.router.ask_for_room = look
        async with chat.send(chat.request("What is DNS?")) as turn:
            events = [event async for event in turn]
        stored = await runtime.conversations.get(chat.id)
    assert isinstance(events[-1], Completed)
    assert kept == ["What is DNS?"]
    assert [message.role for message in stored.messages] == ["user", "assistant"], "and it is kept once"


@pytest.mark.parametrize(
    ("needed", "offered"),
    [("0.309", "0.35"), ("5.03", "5.5"), ("0.0041", "0.0045"), ("97", "100"), ("0.5", "0.5"), ("1.51", "2")],
)
def test_what_is_offered_is_the_least_round_amount_that_fits(needed: str, offered: str) -> None:
    assert round_above(USD(needed)) == USD(offered)
