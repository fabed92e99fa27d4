"""The ways an ensemble's answers come to one, and what becomes of those that are waited for no longer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.clock import ManualClock
from tui_orchestrator.demo import Behaviour, Break, Phase, Reply, Say, Servers
from tui_orchestrator.routing import synthesis
from tui_orchestrator.routing.decision import Policy
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import (
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Cause,
    Decided,
    Event,
    Outcome,
    Text,
    Verdict,
)
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.request import Method, Request, Strategy
from tui_orchestrator.services.runtime import Runtime

from .conftest import ask, events_of, running
from .grammar import check
from .reading import asked, completed, only, reserved, text_of


def together(method: Method | None = None, **wanted: Any) -> Request:
    return ask(strategy=Strategy.ENSEMBLE, verdict=method, **wanted)


def members(runtime: Runtime, servers: Servers, afterwards: Behaviour, size: int = 3) -> tuple[str, ...]:
    """Each member says one thing of its own; whoever is asked after them does as `afterwards`."""
    chain = runtime.preview(together(ensemble_size=size)).chain
    for place, model in enumerate(chain, 1):
        servers.script.then(Say(text=f"Member {place} says {'x' * place}."), model.split("/")[1])
    servers.script.always(afterwards)
    return chain


async def turn(runtime: Runtime, request: Request) -> list[Event]:
    events = await events_of(runtime, request)
    check(events)
    return events


async def test_a_judge_names_the_best_whatever_the_weights_say(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", policy=Policy(quality_threshold=0.1)) as (runtime, servers):
        first = completed(await turn(runtime, together())).attempt
        place = 1 if first != 1 else 2
        members(runtime, servers, Say(text=f"{place}: the most complete"))
        request = together(Method.JUDGE)
        events = await turn(runtime, request)
        rows = await runtime.reports.attempts(request.id)
    (verdict,), end = only(events, Verdict), completed(events)
    assert verdict.method == "judge"
    assert verdict.winner == end.attempt == place
    assert verdict.reason == f"{rows[-1].model}: the most complete"
    assert [row.cause for row in rows] == [Cause.ENSEMBLE] * 3 + [Cause.JUDGE]
    assert end.cost.amount == sum((row.cost.amount or ZERO for row in rows), ZERO)
    assert rows[-1].model not in {row.model for row in rows[:3]}, "nobody judges its own answer where another can"


async def test_where_nobody_else_is_good_enough_a_member_judges(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", policy=Policy(quality_threshold=1.0)) as (runtime, servers):
        members(runtime, servers, Say(text="1: the most complete"))
        request = together(Method.JUDGE)
        await turn(runtime, request)
        rows = await runtime.reports.attempts(request.id)
    assert rows[-1].cause is Cause.JUDGE
    assert rows[-1].model in {row.model for row in rows[:3]}


async def test_a_judge_is_not_told_whose_answers_it_reads(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        chain = members(runtime, servers, Say(text="1"))
        events = await turn(runtime, together(Method.JUDGE))
        judge = only(events, AttemptStarted)[-1].model.split("/")[1]
        question = str(asked(servers, judge)[-1].body)
    assert "Member 1 says x." in question
    assert "Member 3 says xxx." in question
    assert not any(model.split("/")[1] in question.replace(judge, "") for model in chain)


@pytest.mark.parametrize(
    ("size", "method", "ended_by", "calls"),
    [
        (1, Method.JUDGE, "weighted", []),
        (1, Method.FUSE, "weighted", []),
        (1, Method.VOTE, "vote", []),
        (1, Method.WEIGHTED, "weighted", []),
        (2, Method.JUDGE, "judge", [Cause.JUDGE]),
        (2, Method.FUSE, "fuse", [Cause.SYNTHESIS]),
        (2, Method.VOTE, "vote", []),
        (2, Method.WEIGHTED, "weighted", []),
    ],
)
@pytest.mark.parametrize("usual", [False, True])
async def test_two_answers_are_settled_as_asked_for_and_one_by_itself(
    tmp_path: Path, size: int, method: Method, ended_by: str, calls: list[Cause], usual: bool
) -> None:
    """As the turn or as the settings ask for."""
    policy = Policy(verdict=method) if usual else Policy()
    async with running(tmp_path / "s.db", policy=policy) as (runtime, servers):
        members(runtime, servers, Say(text="2: it is complete"), size)
        events = await turn(runtime, together(None if usual else method, ensemble_size=size))
        assert isinstance(runtime.clock, ManualClock)
        assert runtime.clock.slept == [], "nobody is waited for before a call"
    (verdict,), end = only(events, Verdict), completed(events)
    assert verdict.method == ended_by
    assert [one.cause for one in only(events, AttemptStarted)] == [Cause.ENSEMBLE] * size + calls
    assert verdict.winner == end.attempt == {"judge": 2, "fuse": size + 1}.get(ended_by, verdict.scores[0].attempt)
    assert end.note == ""


@pytest.mark.parametrize("trouble", [Say(text="They are all fine."), Reply(500)])
async def test_where_the_judge_names_none_the_weights_decide_and_the_note_says_so(
    tmp_path: Path, trouble: Behaviour
) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        members(runtime, servers, trouble)
        events = await turn(runtime, together(Method.JUDGE))
    (verdict,) = only(events, Verdict)
    assert verdict.method == "weighted"
    assert verdict.winner == verdict.scores[0].attempt
    assert completed(events).note.startswith("the judge, ")


async def test_one_model_writes_one_answer_from_all_and_is_booked_as_a_synthesis(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        members(runtime, servers, Say(text="All of it in one."))
        request = together(Method.FUSE)
        events = await turn(runtime, request)
        rows = await runtime.reports.attempts(request.id)
        writer = asked(servers, rows[-1].model.split("/")[1])[-1]
    (verdict,), end = only(events, Verdict), completed(events)
    assert [row.cause for row in rows] == [Cause.ENSEMBLE] * 3 + [Cause.SYNTHESIS]
    assert (end.attempt, end.response, end.model) == (4, "All of it in one.", rows[-1].model)
    assert verdict.method == "fuse"
    assert verdict.winner == 4
    assert {score.attempt for score in verdict.scores} == {1, 2, 3}
    assert all(f"Member {place} says" in str(writer.body) for place in (1, 2, 3))
    assert end.cost.amount == sum((row.cost.amount or ZERO for row in rows), ZERO)


async def test_of_members_as_likely_to_be_right_the_cheapest_writes(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        alike = {id_: replace(model, ability=0.9, task_abilities={}) for id_, model in runtime.registry.models.items()}
        runtime.router.registry = replace(runtime.registry, models=alike)
        chain = members(runtime, servers, Say(text="All of it in one."))
        events = await turn(runtime, together(Method.FUSE))
    decision = only(events, Decided)[0].decision
    found = {model: one for model in chain if (one := decision.candidate(model)) is not None}
    assert len({one.success_probability for one in found.values()}) == 1
    costs = {model: one.estimated_cost for model, one in found.items() if one.estimated_cost is not None}
    assert costs[completed(events).model] == min(costs.values()) < max(costs.values())


async def test_what_cannot_be_put_together_ends_in_the_best_member(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        members(runtime, servers, Reply(500))
        events = await turn(runtime, together(Method.FUSE))
        assert await reserved(runtime) == 0
    (verdict,), end = only(events, Verdict), completed(events)
    assert verdict.method == "weighted"
    assert end.attempt == verdict.winner <= 3
    assert end.note.startswith("not put together: ")


async def test_a_synthesis_that_does_not_fit_under_the_turns_cap_is_left_out(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        members(runtime, servers, Say(text="All of it in one."))
        free = {model.id for model in runtime.registry if model.local}
        decision = runtime.preview(together(max_tokens=100))
        ceilings = [c.cost_ceiling for m in decision.chain if (c := decision.candidate(m)) and c.cost_ceiling]
        assert len(ceilings) + len(free & set(decision.chain)) == 3
        cap = Money(sum(c.picodollars for c in ceilings))
        events = await turn(runtime, together(Method.FUSE, max_tokens=100, max_cost=cap))
    spent = completed(events).cost.amount
    assert spent is not None
    assert spent <= cap
    causes = [event.cause for event in only(events, AttemptStarted)]
    assert (Cause.SYNTHESIS in causes) == (completed(events).attempt == 4)


async def test_a_vote_is_as_weighed_until_the_user_has_picked(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        events = await turn(runtime, together(Method.VOTE))
    (verdict,) = only(events, Verdict)
    assert verdict.method == "vote"
    assert completed(events).attempt == verdict.winner == verdict.scores[0].attempt


async def test_every_point_is_told_once_with_who_makes_it(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        chain = runtime.preview(together()).chain
        for place, model in enumerate(chain, 1):
            alone = "" if place < 3 else " Cheese comes from the moon."
            servers.script.then(Say(text=f"The capital of France is Paris.{alone}"), model.split("/")[1])
        (verdict,) = only(await turn(runtime, together()), Verdict)
    assert [(point.text, point.attempts) for point in verdict.points] == [
        ("The capital of France is Paris.", (1, 2, 3)),
        ("Cheese comes from the moon.", (3,)),
    ]


async def test_settling_early_ends_and_books_those_still_at_work_and_judges_the_rest(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        slow = runtime.preview(together()).chain[0]
        servers.script.always(Break("silence", Phase.MID_STREAM), slow.split("/")[1])
        request, events = together(), list[Event]()
        async with runtime.stream(request) as stream:
            async for event in stream:
                events.append(event)
                slow_speaks = any(one.attempt == 1 for one in only(events, Text))
                if slow_speaks and len(only(events, AttemptFinished)) == 2:
                    stream.settle()
        check(events)
        rows = await runtime.reports.attempts(request.id)
        assert await reserved(runtime) == 0
        assert [await exchange.ended() for exchange in asked(servers, slow.split("/")[1])] == ["hung_up"]
    (failure,) = only(events, AttemptFailed)
    assert (failure.model, failure.error.kind) == (slow, ErrorKind.CANCELLED)
    assert [row.outcome for row in rows] == [Outcome.CANCELLED, Outcome.FINISHED, Outcome.FINISHED]
    assert rows[0].usage.output > 0
    assert {score.attempt for score in only(events, Verdict)[0].scores} == {2, 3}
    assert completed(events).note == "1 of 3 members gave no answer"


async def test_settling_before_anyone_has_answered_waits_for_the_first_answer(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        quick, *slow = runtime.preview(together()).chain
        for model in slow:
            servers.script.always(Break("silence", Phase.MID_STREAM), model.split("/")[1])
        events = list[Event]()
        async with runtime.stream(together()) as stream:
            stream.settle()
            async for event in stream:
                events.append(event)
    check(events)
    assert completed(events).model == quick
    assert completed(events).response == text_of(events, 1)
    assert {event.model for event in only(events, AttemptFailed)} == set(slow)


@pytest.mark.parametrize(
    ("said", "best"),
    [
        ("2: it is complete", (1, "it is complete")),
        ("**Answer 3** - names the source", (2, "names the source")),
        ("Let me think.\n1 is short.\nBest: 2", (1, "")),
        ("4", None),
        ("0: none of them is right", None),
        ("None of them.", None),
        ("", None),
    ],
)
def test_the_number_a_judge_says_is_read_and_nothing_else(said: str, best: tuple[int, str] | None) -> None:
    assert synthesis.best_of(said, 3) == best


def test_one_who_puts_together_is_asked_with_the_conversation_before_it() -> None:
    request = together(system="Be brief.")
    asked_for = synthesis.one_from_all(request, ["a" * 50_000, "second"])
    assert asked_for.system == "Be brief."
    assert asked_for.id == request.id
    assert len(asked_for.prompt) < 15_000
    assert "second" in asked_for.prompt
    assert request.prompt in asked_for.prompt
