"""A prompt too long for every model: shown as parts and their price, read side by side, put together, within caps."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tui_orchestrator.demo import ROSTER, Reply, Say, Script, Servers
from tui_orchestrator.demo.openai import OpenAI
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.decide import replay
from tui_orchestrator.routing.decision import Decision, Division, Exclusion
from tui_orchestrator.routing.division import AT_ONCE
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import (
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Cause,
    Event,
    Outcome,
    PartEnded,
    Reserved,
    Text,
)
from tui_orchestrator.routing.money import ZERO, Cost, Money, Usage
from tui_orchestrator.routing.request import Request, Split, Strategy
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import ModelSettings, Settings
from tui_orchestrator.storage.decisions import decision_from_json, decision_to_json

from .conftest import ask, events_of, running
from .grammar import check
from .reading import asked, completed, failed, most_tokens, only, reserved
from .test_every_call_is_reserved import DAILY, OneStepBehind

PEBBLE, MINI, LITE = "demo-local/pebble-3b", "demo-openai/rush-mini", "demo-anthropic/tern-lite"
QUESTION = "Which rooms does this report name, and what was found in each?"
SMALL = 12_000
"""Context of every model here but of the local one, which has more."""


def report(paragraphs: int = 900) -> str:
    """About 34 tokens a paragraph, each with a number of its own."""
    line = "Room {n} was looked at by the third team, which wrote down {n} windows, two doors and a lamp in good order."
    return "\n\n".join(f"# Room {n}\n{line.format(n=n)}" for n in range(paragraphs))


def small(*, but: dict[str, int] | None = None) -> Settings:
    """All models of the roster with a small context."""
    models = [(provider.name, model.name) for provider in ROSTER for model in provider.models]
    windows = {f"{provider}/{name}": SMALL for provider, name in models} | (but or {})
    return Settings(models=tuple(ModelSettings(p, n, context_window=windows[f"{p}/{n}"]) for p, n in models))


def long(split: Split = Split.AGREED, paragraphs: int = 900, **wanted: object) -> Request:
    return ask(f"{QUESTION}\n\n{report(paragraphs)}", split=split, **wanted)


@asynccontextmanager
async def served(path: Path, script: Script | None = None, **how: object) -> AsyncIterator[tuple[Runtime, Servers]]:
    how = {"base": small(), **how}
    async with running(path / "s.db", script, **how) as both:  # type: ignore[arg-type]
        yield both
        assert not both[0].router.caller.room.awaited, "whatever was set aside is given back"


def division(decision: Decision) -> Division:
    assert decision.division is not None
    return decision.division


async def test_a_prompt_too_long_for_every_model_is_answered_in_parts_and_put_together(tmp_path: Path) -> None:
    script = Script().always(Say("The rooms of this part are in good order."))
    async with served(tmp_path, script) as (runtime, _):
        request = long()
        plan = division(runtime.preview(request))
        events = await events_of(runtime, request)
        check(events)
        end = completed(events)
        rows = await runtime.reports.attempts(request.id)
        kept = await runtime.reports.decision(request.id)
        assert await reserved(runtime) == 0
    started = only(events, AttemptStarted)
    parts = [one.part for one in started if one.cause is Cause.PART]
    assert sorted(parts) == sorted(f"{n} of {plan.parts}" for n in range(1, plan.parts + 1))
    assert [one.part for one in started if one.cause is Cause.SYNTHESIS] == [""]
    assert {one.part for one in only(events, PartEnded)} == set(range(1, plan.parts + 1))
    assert [one.ended for one in only(events, PartEnded)] == list(range(1, plan.parts + 1))
    assert len(rows) == len(end.attempts) >= plan.parts + 1
    assert {row.request_id for row in rows} == {request.id}
    assert end.cost.amount == sum((row.cost.amount or ZERO for row in rows), ZERO)
    assert plan.ceiling is not None
    assert end.cost.amount is not None
    assert end.cost.amount <= plan.ceiling
    reading = [row.cost for row in rows if row.cause is Cause.PART]
    assert only(events, PartEnded)[-1].cost == Cost.sum(reading)
    assert kept == runtime.preview(request) or (kept is not None and kept.division == plan)


async def test_every_paragraph_is_read_exactly_once_and_each_part_knows_the_question(tmp_path: Path) -> None:
    async with served(tmp_path, Script().always(Say("Good order."))) as (runtime, servers):
        events = await events_of(runtime, long())
        plan = only(events, PartEnded)[0].of
        sent = [json.dumps(exchange.body) for exchange in servers.exchanges if exchange.method == "POST"]
    reading = [body for body in sent if "<part number" in body]
    assert len(reading) == plan
    assert all(QUESTION in body for body in sent)
    for n in range(900):
        assert sum(f"# Room {n}\\n" in body for body in reading) == 1


@pytest.mark.parametrize("window", [2_000, 4_096, 8_192])
async def test_a_short_context_holds_a_part_and_a_short_answer_to_it(tmp_path: Path, window: int) -> None:
    """As local models are often run."""
    base = small(but=dict.fromkeys((PEBBLE, MINI, LITE), window))
    async with served(tmp_path, Script().always(Say("Good order.")), base=base) as (runtime, servers):
        request = long(model=MINI)
        plan = division(runtime.preview(request))
        end = completed(await events_of(runtime, request))
        sent = [json.dumps(exchange.body) for exchange in servers.exchanges if exchange.method == "POST"]
    assert 200 <= plan.part_output <= window / 4
    assert plan.part_tokens + plan.part_output < window
    assert plan.joint_tokens >= 2 * plan.part_output
    assert len(end.attempts) == len(sent) > plan.parts
    for n in range(900):
        assert sum(f"# Room {n}\\n" in body for body in sent if "<part number" in body) == 1


async def test_the_decision_shows_the_parts_and_their_price_and_nothing_is_sent_without_consent(tmp_path: Path) -> None:
    async with served(tmp_path) as (runtime, servers):
        decision = runtime.preview(long(Split.SHOWN))
        events = await events_of(runtime, long(Split.SHOWN))
        assert not [exchange for exchange in servers.exchanges if exchange.method == "POST"]
    plan = division(decision)
    assert decision.model == plan.reader
    assert decision.reason.startswith(f"longer than any model's context: {plan.parts} parts with {plan.reader}, then ")
    assert f"put together by {plan.writer}: about {plan.cost}, at most {plan.ceiling}" in decision.reason
    assert plan.cost is not None
    assert plan.ceiling is not None
    assert ZERO < plan.cost <= plan.ceiling
    end = failed(events)
    assert end.error.kind is ErrorKind.NO_CANDIDATE
    assert "agree to the cost" in end.error.hint
    assert end.attempts == ()


async def test_without_being_asked_for_it_is_the_error_it_was(tmp_path: Path) -> None:
    async with served(tmp_path) as (runtime, _):
        decision = runtime.preview(long(Split.NEVER))
    assert decision.model is None
    assert decision.division is None
    assert {c.excluded_by for c in decision.candidates} == {Exclusion.CONTEXT_WINDOW}


async def test_a_few_large_parts_are_weighed_against_many_small_ones(tmp_path: Path) -> None:
    large = {MINI: 90_000, LITE: 26_000}
    async with served(tmp_path, base=small(but=large)) as (runtime, _):
        by_model = {
            model: division(runtime.preview(long(Split.SHOWN, 3000, model=model))) for model in (MINI, LITE, PEBBLE)
        }
        cheapest = runtime.preview(long(Split.SHOWN, 3000, strategy=Strategy.CHEAPEST))
    assert by_model[MINI].parts < by_model[LITE].parts < by_model[PEBBLE].parts
    usable = [c for c in cheapest.candidates if c.excluded_by is None]
    enough = [c for c in usable if c.success_probability >= cheapest.asked.policy.quality_threshold]
    costs = [c.estimated_cost for c in enough if c.estimated_cost is not None]
    assert cheapest.chosen in usable
    assert not enough or (cheapest.chosen is not None and cheapest.chosen.estimated_cost == min(costs))


async def test_a_pinned_model_reads_what_is_longer_than_its_own_context(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(Say("Good order."))) as (runtime, _):
        request = long(model=PEBBLE)
        reason = runtime.preview(request).reason
        events = await events_of(runtime, request)
    check(events)
    assert f"longer than {PEBBLE}'s context" in reason
    assert {attempt.model for attempt in completed(events).attempts} == {PEBBLE}


def denser_where_it_is_sampled(size: int = 262_144, window: int = 4_096, signs: int = 1_000) -> str:
    """A prompt that is judged longer than it is: by sixteen stretches of it, each with more signs than the rest."""
    characters = list(f"{QUESTION}\n\n" + "room after room\n" * (size // 16 + 1))[:size]
    for n in range(16):
        start = max(len(QUESTION) + 2, n * (size - window) // 15 + 10)
        characters[start : start + signs] = "1;" * (signs // 2)
    return "".join(characters)


async def test_a_text_that_proves_shorter_than_it_was_judged_is_read_in_two_parts_all_the_same(tmp_path: Path) -> None:
    """Whole it is judged again, by the same samples, and no room would be left for its answer."""
    base = small(but={MINI: 87_000})
    async with served(tmp_path, Script().always(Say("Good order.")), base=base) as (runtime, servers):
        request = ask(denser_where_it_is_sampled(), split=Split.AGREED, model=MINI)
        plan = division(runtime.preview(request))
        events = await events_of(runtime, request)
        allowed = [most_tokens(exchange) for exchange in asked(servers, "rush-mini")]
        assert await reserved(runtime) == 0
    check(events)
    assert completed(events).response == "Good order."
    assert [one.part for one in only(events, AttemptStarted)] == ["1 of 2", "2 of 2", ""]
    assert allowed[:2] == [plan.part_output] * 2


async def test_a_part_that_cannot_be_had_is_named_in_the_answer(tmp_path: Path) -> None:
    script = Script().then(Reply(400, "the third team is unknown"), "pebble-3b").always(Say("Good order."))
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await events_of(runtime, long(model=PEBBLE))
    check(events)
    end = completed(events)
    (missing,) = [one for one in only(events, PartEnded) if one.missing]
    assert end.response.startswith(f"*Part {missing.part} of {missing.of} is missing from this answer: ")
    assert "the third team is unknown" in end.response
    assert end.response.endswith("Good order.")
    assert f"part {missing.part} is missing" in end.note
    told = "".join(one.text for one in only(events, Text) if one.attempt == end.attempt)
    assert told == end.response


async def test_several_parts_that_cannot_be_had_are_named_together(tmp_path: Path) -> None:
    refused = Reply(400, body=b'{"error": {"message": "not these"}}')
    script = Script().then(refused, "pebble-3b", 3).always(Say("Good order."))
    async with running(tmp_path / "s.db", script) as (runtime, _):
        request = long(model=PEBBLE)
        parts = division(runtime.preview(request)).parts
        assert parts > 3
        events = await events_of(runtime, request)
    check(events)
    first, second, third = sorted(one.part for one in only(events, PartEnded) if one.missing)
    end = completed(events)
    said = f"*Parts {first}, {second} and {third} of {parts} are missing from this answer: "
    assert end.response.startswith(said)
    assert end.response.endswith("*\n\nGood order.")
    assert [f"part {number} is missing: " in end.note for number in range(1, parts + 1)] == [
        number in (first, second, third) for number in range(1, parts + 1)
    ]


async def test_a_part_that_has_nothing_to_say_is_not_put_together_with_the_others(tmp_path: Path) -> None:
    script = Script().then(Say("*Nothing in this part.*"), "pebble-3b").always(Say("Good order."))
    async with running(tmp_path / "s.db", script) as (runtime, servers):
        request = long(model=PEBBLE)
        parts = division(runtime.preview(request)).parts
        events = await events_of(runtime, request)
        together = json.dumps(asked(servers, "pebble-3b")[-1].body)
    check(events)
    assert completed(events).response == "Good order."
    assert together.count("Good order.") == parts - 1
    assert "*Nothing in this part.*" not in together


async def test_where_no_part_says_anything_all_of_them_are_put_together(tmp_path: Path) -> None:
    script = Script().always(Say("*Nothing in this part.*"))
    async with running(tmp_path / "s.db", script) as (runtime, servers):
        request = long(model=PEBBLE)
        parts = division(runtime.preview(request)).parts
        events = await events_of(runtime, request)
        together = json.dumps(asked(servers, "pebble-3b")[-1].body)
    assert completed(events).response == "*Nothing in this part.*"
    assert together.count("*Nothing in this part.*") == parts


async def test_where_no_part_can_be_had_the_turn_fails_as_its_first_did(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(Reply(400, "not today"))) as (runtime, _):
        events = await events_of(runtime, long(model=PEBBLE))
        assert await reserved(runtime) == 0
    check(events)
    assert failed(events).error.kind is ErrorKind.BAD_REQUEST


async def test_what_cannot_be_put_together_stands_part_by_part(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(Say("Good order."))) as (runtime, servers):
        request = long(model=PEBBLE)
        parts = division(runtime.preview(request)).parts
        servers.script.then(Say("Good order."), "pebble-3b", parts).then(Reply(400, "too tired"), "pebble-3b")
        events = await events_of(runtime, request)
    check(events)
    end = completed(events)
    assert [f"**Part {n} of {parts}**" in end.response for n in range(1, parts + 1)] == [True] * parts
    assert "not put together: " in end.note
    assert "too tired" in end.note


async def test_the_whole_plan_is_set_aside_before_the_first_call_and_nothing_is_left(tmp_path: Path) -> None:
    async with served(tmp_path, Script().always(Say("Good order. " * 20, gap_s=0.02))) as (runtime, _):
        request = long(model=MINI)
        plan = division(runtime.preview(request))
        async with runtime.stream(request) as turn:
            async for event in turn:
                if isinstance(event, AttemptStarted) and event.attempt == 1:
                    held = await reserved(runtime)
                    (day,) = [state for state in await runtime.budget_states() if state.scope == "day"]
        assert await reserved(runtime) == 0
    sums_of_a_call = 8
    assert held == (plan.parts + plan.joins) * sums_of_a_call
    assert plan.ceiling is not None
    assert plan.ceiling.picodollars * 0.8 < day.reserved.picodollars <= plan.ceiling.picodollars


@pytest.mark.parametrize("spare", ["0.5", "0.99"])
async def test_a_plan_that_does_not_fit_a_cap_is_refused_before_anything_is_sent(tmp_path: Path, spare: str) -> None:
    async with served(tmp_path) as (runtime, _):
        plan = division(runtime.preview(long(model=MINI)))
    assert plan.ceiling is not None
    cap = Money(int(plan.ceiling.picodollars * float(spare)))
    async with served(tmp_path, budgets=Budgets(daily=cap)) as (runtime, servers):
        events = await events_of(runtime, long(model=MINI))
        assert not [exchange for exchange in servers.exchanges if exchange.method == "POST"]
    end = failed(events)
    assert end.error.kind is ErrorKind.BUDGET_EXCEEDED
    assert "in parts, the day's cap has" in end.error.message


@pytest.mark.parametrize("most", [None, "5"])
async def test_all_parts_together_may_cost_what_was_agreed_to_and_no_more(tmp_path: Path, most: str | None) -> None:
    wanted = None if most is None else Money.from_usd(most)
    async with served(tmp_path, Script().always(Say("Good order."))) as (runtime, _):
        request = long(model=MINI, max_cost=wanted)
        plan = division(runtime.preview(request))
        events = await events_of(runtime, request)
    limits = {state.limit for event in only(events, Reserved) for state in event.budgets if state.scope == "request"}
    assert limits == {plan.ceiling}


async def test_no_cap_is_passed_however_many_parts_run_at_once(tmp_path: Path) -> None:
    async with served(tmp_path) as (runtime, _):
        plan = division(runtime.preview(long(model=MINI)))
    assert plan.ceiling is not None
    async with served(tmp_path, Script().always(Say("Good order.")), budgets=Budgets(daily=plan.ceiling)) as (rt, _):
        events = await events_of(rt, long(model=MINI))
    for event in only(events, Reserved):
        for state in event.budgets:
            assert state.limit is None or state.spent + state.reserved <= state.limit
    assert completed(events).attempts[0].outcome is Outcome.FINISHED


async def test_a_provider_that_bills_too_much_ends_it_with_what_came(tmp_path: Path) -> None:
    async with served(tmp_path) as (runtime, _):
        plan = division(runtime.preview(long(model=MINI, paragraphs=2000)))
    assert plan.ceiling is not None
    dear = Say("Good order.", usage=Usage(120_000, 120_000))
    script = Script().then(dear, "rush-mini").always(Say("Good order."))
    async with served(tmp_path, script, budgets=Budgets(daily=plan.ceiling)) as (runtime, _):
        events = await events_of(runtime, long(model=MINI, paragraphs=2000))
    check(events)
    end = completed(events)
    stopped = [one.missing for one in only(events, PartEnded) if one.missing]
    assert stopped
    assert all("not asked, since the day's cap of" in one and "is used up" in one for one in stopped)
    assert "missing from this answer" in end.response


async def test_cancelling_ends_all_parts_at_once_and_pays_for_what_ran(tmp_path: Path) -> None:
    script = Script().always(Say("Word after word comes slowly here. " * 40, gap_s=0.02))
    async with served(tmp_path, script) as (runtime, servers):
        request, events = long(model=MINI, paragraphs=3000), list[Event]()
        parts = division(runtime.preview(request)).parts
        async with runtime.stream(request) as turn:
            async for event in turn:
                events.append(event)
                if isinstance(event, Text):
                    turn.cancel()
        assert await reserved(runtime) == 0
        rows = await runtime.reports.attempts(request.id)
        sent = len([exchange for exchange in servers.exchanges if exchange.method == "POST"])
    check(events)
    end = failed(events)
    assert end.error.kind is ErrorKind.CANCELLED
    assert sent <= 4 < parts
    assert len(rows) == len(end.attempts) <= 4
    assert {row.outcome for row in rows} == {Outcome.CANCELLED}


async def test_answers_that_do_not_fit_at_once_are_put_together_in_rounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenAI, "piece_tokens", 100)  # thirty thousand pieces of one are most of what this costs
    said = "In this room there were windows and doors and a lamp. " * 140
    async with served(tmp_path, Script().always(Say(said))) as (runtime, _):
        request = long(model=MINI, paragraphs=2400)
        plan = division(runtime.preview(request))
        events = await events_of(runtime, request)
        assert await reserved(runtime) == 0
    check(events)
    joins = [one.part for one in only(events, AttemptStarted) if one.cause is Cause.SYNTHESIS]
    assert 2 < len(joins) <= plan.joins
    assert joins[-1] == ""
    assert joins[0].startswith("1–")


async def test_only_so_many_parts_are_under_way_at_once(tmp_path: Path) -> None:
    async with served(tmp_path, Script().always(Say("Good order."))) as (runtime, _):
        events = await events_of(runtime, long(model=MINI, paragraphs=2400))
    running_now = most = 0
    for event in events:
        running_now += isinstance(event, AttemptStarted)
        running_now -= isinstance(event, AttemptFinished | AttemptFailed)
        most = max(most, running_now)
    assert 1 < most <= AT_ONCE


async def test_a_decision_about_parts_is_replayed_as_it_was(tmp_path: Path) -> None:
    async with served(tmp_path) as (runtime, _):
        decision = runtime.preview(long(Split.SHOWN))
    assert replay(decision) == decision
    assert decision_from_json(decision_to_json(decision)) == decision


@pytest.mark.parametrize("cause", [Cause.PART, Cause.SYNTHESIS])
async def test_where_another_copy_took_the_room_meanwhile_no_part_is_asked(tmp_path: Path, cause: Cause) -> None:
    async with served(tmp_path, budgets=Budgets(daily=DAILY)) as (runtime, servers):
        runtime.router.caller.ledger = OneStepBehind(runtime.router.caller.ledger, servers, cause)  # type: ignore[assignment]
        events = await events_of(runtime, long(model=MINI, session="t"))
        assert not [exchange for exchange in servers.exchanges if exchange.method == "POST"]
        (day,) = [state for state in await runtime.budget_states() if state.scope == "day"]
    check(events)
    assert failed(events).error.kind is ErrorKind.BUDGET_EXCEEDED
    assert day.spent == ZERO
    assert day.reserved <= DAILY


async def test_who_puts_together_is_asked_for_no_more_than_was_set_aside_though_it_was_less_than_planned(
    tmp_path: Path,
) -> None:
    async with served(tmp_path, budgets=Budgets(daily=DAILY)) as (runtime, servers):
        price = runtime.registry[MINI].price
        assert price is not None
        # Room for a thousand tokens of output beside the longest input there may be.
        caller, spared = runtime.router.caller, price.ceiling(SMALL, 1000)
        caller.ledger = OneStepBehind(caller.ledger, servers, Cause.SYNTHESIS, spared)  # type: ignore[assignment]
        events = await events_of(runtime, long(model=MINI, session="t", paragraphs=500))
        last = most_tokens(asked(servers, "rush-mini")[-1])
    check(events)
    completed(events)
    (number,) = [one.attempt for one in only(events, AttemptStarted) if one.cause is Cause.SYNTHESIS]
    (held,) = [one.amount for one in only(events, Reserved) if one.attempt == number]
    assert price.ceiling(0, last) < held <= spared
