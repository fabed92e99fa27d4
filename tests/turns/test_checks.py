"""Second opinions, judges and samples: what they make of an answer, what they cost, and that they are never it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.demo.roster import ROSTER
from tui_orchestrator.routing.decision import Policy, Weights
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import (
    AttemptFinished,
    AttemptStarted,
    Cause,
    Checked,
    Completed,
    Escalated,
    Event,
    Outcome,
    Text,
)
from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.routing.request import Check, Request, Strategy
from tui_orchestrator.services.chat import Chat, Options
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import ModelSettings, Settings

from .conftest import ask, events_of, running
from .grammar import check
from .reading import asked, completed, failed, most_tokens, only, reserved, text_of, walked

DASH, DEEP, PRO = "demo-gemini/lumen-dash", "demo-gemini/lumen-deep", "demo-openai/rush-pro"
LITE, MAX, MINI = "demo-anthropic/tern-lite", "demo-anthropic/tern-max", "demo-openai/rush-mini"
QUESTION = "What is the capital of Australia?"
CANBERRA = Say(text="The capital of Australia is Canberra.")
SYDNEY = Say(text="The capital of Australia is Sydney.")
REFUSES = Say(text="I'm sorry, but I can't help with that.")


async def turn(runtime: Runtime, request: Request) -> list[Event]:
    events = await events_of(runtime, request)
    check(events)
    return events


def question(*chain: str, **wanted: object) -> Request:
    return ask(QUESTION, chain=chain, **wanted)


async def trust(path: Path, answer: Say, model: str) -> float:
    """The confidence in a model's answer before anybody checks it."""
    async with running(path / "trust.db", Script().always(answer)) as (runtime, _):
        return completed(await turn(runtime, question(model, check=Check.OFF))).confidence.value


def doubting(threshold: float, **more: object) -> Policy:
    return replace(Policy(confidence_threshold=threshold), **more)  # type: ignore[arg-type]


async def test_a_second_answer_that_agrees_raises_the_confidence_and_is_not_the_answer(tmp_path: Path) -> None:
    own, other = CANBERRA, Say(text=f"**{CANBERRA.text}**")
    async with running(tmp_path / "s.db", Script().then(own, "lumen-dash").then(other, "rush-pro")) as (runtime, _):
        events = await turn(runtime, question(DASH, PRO, check=Check.SECOND_ANSWER))
        rows = await runtime.reports.attempts(events[0].request_id)
    assert walked(events) == ["first lumen-dash", "second_opinion rush-pro"]
    (checked,) = only(events, Checked)
    finding, end = checked.finding, completed(events)
    assert (checked.attempt, finding.how, finding.model, finding.attempts) == (1, Cause.SECOND_OPINION, PRO, (2,))
    assert finding.agrees
    assert finding.after > finding.before == only(events, AttemptFinished)[0].confidence.value  # type: ignore[union-attr]
    assert (end.model, end.attempt, end.response) == (DASH, 1, own.text)
    assert end.confidence.value == finding.after
    assert end.cost.amount == sum((row.cost.amount or ZERO for row in rows), ZERO) > (rows[0].cost.amount or ZERO)
    assert tuple(rows) == end.attempts
    assert (rows[0].confidence, rows[0].findings) == (finding.after, (finding,))
    assert rows[0].reasons == end.confidence.reasons


async def test_after_a_second_answer_that_differs_the_turn_goes_on_with_less_confidence(tmp_path: Path) -> None:
    threshold = await trust(tmp_path, CANBERRA, DASH)
    script = Script().always(CANBERRA).always(SYDNEY, "rush-pro")
    policy = doubting(threshold, check=Check.SECOND_ANSWER, max_attempts=2)
    async with running(tmp_path / "s.db", script, policy=policy) as (runtime, _):
        events = await turn(runtime, question(DASH, DEEP, PRO))
    # The stranger is asked, not the next of the same family; and asking it is not one of the two attempts.
    assert walked(events)[:3] == ["first lumen-dash", "second_opinion rush-pro", "escalation lumen-deep"]
    first = only(events, Checked)[0].finding
    assert first.agrees is False
    (escalated,) = only(events, Escalated)
    assert escalated.detail.startswith(f"{first.after:.2f} < {threshold:.2f}: ")
    assert escalated.onward is not None
    assert escalated.onward.taken
    assert completed(events).attempts[0].onward == escalated.onward
    assert completed(events).model == DEEP


async def test_a_second_answer_of_the_next_model_is_paid_for_once(tmp_path: Path) -> None:
    threshold = await trust(tmp_path, CANBERRA, DASH)
    script = Script().always(CANBERRA, "lumen-dash").always(SYDNEY, "rush-pro")
    policy = doubting(threshold, check=Check.SECOND_ANSWER)
    async with running(tmp_path / "s.db", script, policy=policy) as (runtime, servers):
        events = await turn(runtime, question(DASH, PRO))
        assert len(asked(servers, "rush-pro")) == 1
    assert walked(events) == ["first lumen-dash", "second_opinion rush-pro"]
    (escalated,) = only(events, Escalated)
    assert (escalated.from_model, escalated.to_model) == (DASH, PRO)
    assert escalated.onward is not None
    assert (escalated.onward.cost, escalated.onward.seconds) == (ZERO, 0.0)
    end = completed(events)
    assert len(end.attempts) == 2
    assert end.response == text_of(events, end.attempt)
    # Each spoke against the other.
    assert [finding.finding.agrees for finding in only(events, Checked)] == [False, False]
    assert end.note.startswith("best of 2 attempts; confidence 0.")


async def test_the_better_of_two_that_differ_is_the_answer(tmp_path: Path) -> None:
    weak, sure = Say(text="Perhaps Sydney, I am not certain; I might be wrong, maybe."), CANBERRA
    threshold = await trust(tmp_path, weak, DASH)
    script = Script().always(weak, "lumen-dash").always(sure, "rush-pro")
    policy = doubting(threshold + 0.001, check=Check.SECOND_ANSWER)
    async with running(tmp_path / "s.db", script, policy=policy) as (runtime, _):
        events = await turn(runtime, question(DASH, PRO))
    assert (completed(events).model, completed(events).response) == (PRO, sure.text)


async def test_a_turn_that_may_ask_nobody_else_is_not_checked_by_itself(tmp_path: Path) -> None:
    answer = Say(text="Perhaps Sydney, I am not certain; I might be wrong, maybe.")
    policy = doubting(await trust(tmp_path, answer, DASH) + 0.05, max_attempts=1)
    async with running(tmp_path / "s.db", Script().always(answer), policy=policy) as (runtime, _):
        events = await turn(runtime, question(strategy=Strategy.QUALITY))
    assert len(walked(events)) == 1
    assert completed(events).response == answer.text


@pytest.mark.parametrize(("off", "follows"), [(-0.3, [Cause.ESCALATION]), (0.05, [Cause.SECOND_OPINION]), (0.3, [])])
async def test_by_itself_a_second_opinion_is_asked_only_near_the_threshold(
    tmp_path: Path, off: float, follows: list[Cause]
) -> None:
    answer = Say(text="Perhaps Sydney, I am not certain; I might be wrong, maybe.")
    confidence = await trust(tmp_path, answer, DASH)
    # Money and time do not count, so that the grey zone alone decides.
    policy = doubting(min(1.0, confidence - off), weights=Weights(cost=0.0, latency=0.0))
    async with running(tmp_path / "s.db", Script().always(answer), policy=policy) as (runtime, _):
        events = await turn(runtime, question(DASH, MAX, LITE))
    # What comes right after the first answer; another model's may lie nearer.
    assert [event.cause for event in only(events, AttemptStarted)[1:2]] == follows


async def test_by_itself_a_second_opinion_is_asked_once_a_turn(tmp_path: Path) -> None:
    answer = Say(text="Perhaps Sydney, I am not certain; I might be wrong, maybe.")
    policy = doubting(await trust(tmp_path, answer, DASH) - 0.05, weights=Weights(cost=0.0, latency=0.0))
    async with running(tmp_path / "s.db", Script().always(answer), policy=policy) as (runtime, _):
        events = await turn(runtime, question(DASH, PRO, LITE, MAX, DEEP))
    assert [step.split()[0] for step in walked(events)].count("second_opinion") == 1


async def test_where_it_is_not_worth_its_cost_nobody_is_asked(tmp_path: Path) -> None:
    confidence = await trust(tmp_path, CANBERRA, DASH)
    policy = doubting(confidence - 0.05, weights=Weights(cost=100.0))
    async with running(tmp_path / "s.db", Script().always(CANBERRA), policy=policy) as (runtime, _):
        events = await turn(runtime, question(DASH, MAX, LITE))
    assert walked(events) == ["first lumen-dash"]


@pytest.mark.parametrize(
    "request_", [ask(QUESTION, model=DASH), ask(QUESTION, strategy=Strategy.ENSEMBLE)], ids=["pinned", "ensemble"]
)
@pytest.mark.parametrize("how", [Check.SECOND_ANSWER, Check.JUDGE])
async def test_a_pinned_model_and_an_ensemble_are_checked_by_nobody(
    tmp_path: Path, request_: Request, how: Check
) -> None:
    async with running(tmp_path / "s.db", Script().always(CANBERRA)) as (runtime, _):
        events = await turn(runtime, replace(request_, check=how, id=f"r-{how}"))
    assert not only(events, Checked)


async def test_an_answer_with_a_hard_flaw_is_gone_on_from_without_a_check(tmp_path: Path) -> None:
    script = Script().then(REFUSES, "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, question(DASH, PRO, check=Check.SECOND_ANSWER))
    assert walked(events)[:2] == ["first lumen-dash", "escalation rush-pro"]


async def test_a_refusal_says_nothing_of_another_models_answer(tmp_path: Path) -> None:
    script = Script().always(CANBERRA, "lumen-dash").always(REFUSES, "rush-pro")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, question(DASH, PRO, check=Check.SECOND_ANSWER))
    (finding,) = (event.finding for event in only(events, Checked))
    assert (finding.agrees, finding.failed, finding.after) == (None, False, finding.before)
    assert completed(events).model == DASH


async def test_a_second_opinion_that_fails_leaves_the_answer_and_is_booked(tmp_path: Path) -> None:
    script = Script().always(CANBERRA, "lumen-dash").always(Reply(500), "rush-pro")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, question(DASH, PRO, check=Check.SECOND_ANSWER))
        rows = await runtime.reports.attempts(events[0].request_id)
    assert walked(events) == ["first lumen-dash", "second_opinion rush-pro"]
    assert [row.outcome for row in rows] == [Outcome.FINISHED, Outcome.FAILED]
    finding = only(events, Checked)[0].finding
    assert (finding.agrees, finding.failed, finding.after) == (None, True, finding.before)
    assert completed(events).model == DASH


async def test_what_does_not_fit_the_cap_is_not_asked(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(CANBERRA)) as (runtime, _):
        chain = question(DASH, MAX, check=Check.SECOND_ANSWER, max_tokens=300)
        ceiling = runtime.preview(chain).candidate(DASH).cost_ceiling  # type: ignore[union-attr]
        assert ceiling is not None
        events = await turn(runtime, replace(chain, max_cost=Money(ceiling.picodollars + 1)))
        assert await reserved(runtime) == 0
    assert walked(events) == ["first lumen-dash"]
    assert completed(events).note == ""


async def test_a_model_whose_limit_is_used_up_is_not_waited_for_to_check(tmp_path: Path) -> None:
    limited = Settings(models=(ModelSettings("demo-openai", "rush-pro", requests_per_minute=1),))
    async with running(tmp_path / "s.db", Script().always(CANBERRA), base=limited) as (runtime, _):
        await turn(runtime, ask(QUESTION, model=PRO, id="1"))
        events = await turn(runtime, question(DASH, PRO, check=Check.SECOND_ANSWER, id="2"))
    assert walked(events) == ["first lumen-dash"]


async def test_a_model_without_a_known_price_is_not_asked_to_check(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().always(CANBERRA)) as (runtime, _):
        unpriced = replace(runtime.registry[PRO], price=None)
        runtime.router.registry = replace(runtime.registry, models={**runtime.registry.models, PRO: unpriced})
        events = await turn(runtime, question(DASH, PRO, check=Check.SECOND_ANSWER))
    assert walked(events) == ["first lumen-dash"]


# Cancelling and keeping


async def test_cancelling_the_check_keeps_the_answer_that_was_checked(tmp_path: Path) -> None:
    script = Script().always(CANBERRA, "lumen-dash").always(Break("silence", Phase.MID_STREAM, SYDNEY), "rush-pro")
    async with running(tmp_path / "s.db", script) as (runtime, servers):
        chat = Chat.new(runtime)
        request = chat.request(QUESTION, options=Options(chain=(DASH, PRO), check=Check.SECOND_ANSWER))
        events: list[Event] = []
        async with chat.send(request) as running_turn:
            async for event in running_turn:
                events.append(event)
                if isinstance(event, Text) and event.attempt == 2:
                    running_turn.cancel()
        check(events)
        assert await asked(servers, "rush-pro")[0].ended() == "hung_up"
        assert await reserved(runtime) == 0
        kept = await runtime.conversations.get(chat.id)
    assert failed(events).error.kind is ErrorKind.CANCELLED
    assert failed(events).partial == CANBERRA.text
    assert [row.outcome for row in failed(events).attempts] == [Outcome.FINISHED, Outcome.CANCELLED]
    (answer,) = (message for message in kept.messages if message.role == "assistant")
    assert (answer.text, answer.model, answer.state) == (CANBERRA.text, DASH, "interrupted")


async def test_a_conversation_holds_the_answer_and_keeps_the_second_opinion_apart(tmp_path: Path) -> None:
    script = Script().always(CANBERRA, "lumen-dash").always(SYDNEY, "rush-pro")
    policy = Policy(confidence_threshold=0.0)
    async with running(tmp_path / "s.db", script, policy=policy) as (runtime, servers):
        chat = Chat.new(runtime)
        options = Options(chain=(DASH, PRO), check=Check.SECOND_ANSWER)
        for prompt in (QUESTION, "And of New Zealand?"):
            async with chat.send(chat.request(prompt, options=options)) as running_turn:
                check([event async for event in running_turn])
        kept = await runtime.conversations.get(chat.id)
        said = str(asked(servers, "lumen-dash")[1].body)
    assert [m.text for m in kept.messages if m.role == "assistant"] == [CANBERRA.text] * 2
    assert "Canberra" in said
    assert "Sydney" not in said
    first = kept.discarded[0]
    assert (first.model, first.text) == (PRO, SYDNEY.text)
    assert re.fullmatch(r"second opinion disagrees: 0\.\d\d → 0\.\d\d", first.why)


# A judge


async def judged(tmp_path: Path, said: str, **policy: object) -> Sequence[Event]:
    script = Script().always(CANBERRA, "lumen-dash").always(Say(text=said), "rush-pro")
    async with running(tmp_path / "s.db", script, policy=doubting(0.01, **policy)) as (runtime, servers):
        events = await turn(runtime, question(DASH, PRO, check=Check.JUDGE))
        (exchange,) = asked(servers, "rush-pro")
        assert most_tokens(exchange) <= 1024
        assert QUESTION in str(exchange.body)
        assert str(CANBERRA.text) in str(exchange.body)
        rows = await runtime.reports.attempts(events[0].request_id)
    assert walked(events) == ["first lumen-dash", "judge rush-pro"]
    assert (rows[1].cause, rows[1].confidence) == (Cause.JUDGE, None)
    assert rows[1].cost.amount
    assert completed(events).cost.amount == sum((row.cost.amount or ZERO for row in rows), ZERO)
    assert completed(events).response == CANBERRA.text
    return events


@pytest.mark.parametrize(("said", "agrees"), [("RIGHT: it is.", True), ("WRONG: it is Sydney.", False), ("Hm.", None)])
async def test_a_judge_moves_the_confidence_by_what_it_says_and_never_answers(
    tmp_path: Path, said: str, agrees: bool | None
) -> None:
    events = await judged(tmp_path, said)
    (finding,) = (event.finding for event in only(events, Checked))
    assert finding.agrees is agrees
    assert (finding.after > finding.before) is (agrees is True)
    assert (finding.after < finding.before) is (agrees is False)


async def test_the_judges_reason_is_told_and_commands_no_terminal(tmp_path: Path) -> None:
    events = await judged(tmp_path, "WRONG: it is\x1b[31m Sydney\u202e")
    assert completed(events).confidence.reasons[0] == "rush-pro judges it wrong: it is[31m Sydney"


async def test_an_answer_that_is_judged_wrong_is_gone_on_from(tmp_path: Path) -> None:
    threshold = await trust(tmp_path, CANBERRA, DASH)
    script = Script().always(CANBERRA, "lumen-dash").always(Say(text="WRONG: no."), "rush-pro").always(CANBERRA)
    policy = doubting(threshold, check=Check.JUDGE, max_attempts=2)
    async with running(tmp_path / "s.db", script, policy=policy) as (runtime, _):
        events = await turn(runtime, question(DASH, DEEP, PRO))
    assert walked(events)[:3] == ["first lumen-dash", "judge rush-pro", "escalation lumen-deep"]


# More samples of the same model


async def test_samples_of_the_same_model_are_compared_with_its_answer(tmp_path: Path) -> None:
    script = Script().then(CANBERRA, "lumen-dash").always(SYDNEY, "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, ask(QUESTION, model=DASH, self_consistency=2))
        rows = await runtime.reports.attempts(events[0].request_id)
    assert walked(events) == ["first lumen-dash", "sample lumen-dash", "sample lumen-dash"]
    (finding,) = (event.finding for event in only(events, Checked))
    assert (finding.how, finding.attempts, finding.agrees) == (Cause.SAMPLE, (2, 3), False)
    assert completed(events).response == CANBERRA.text
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("samples", "silent", "said"),
    [
        ([CANBERRA, CANBERRA], False, True),
        ([SYDNEY, SYDNEY], False, False),
        ([CANBERRA, Reply(500)], False, True),
        ([Reply(500), SYDNEY], False, False),
        ([Reply(500), Reply(500)], True, None),
    ],
)
async def test_a_sample_that_failed_is_none_and_only_where_all_did_nothing_was_found(
    tmp_path: Path, samples: list[Say | Reply], silent: bool, said: bool | None
) -> None:
    script = Script().then(CANBERRA, "lumen-dash").then(samples[0], "lumen-dash").then(samples[1], "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, ask(QUESTION, model=DASH, self_consistency=2))
        assert isinstance(runtime.clock, ManualClock)
        assert runtime.clock.slept == [], "a check is made at once"
    assert walked(events) == ["first lumen-dash", "sample lumen-dash", "sample lumen-dash"]
    (finding,) = (event.finding for event in only(events, Checked))
    assert (finding.attempts, finding.failed, finding.agrees) == ((2, 3), silent, said)
    assert (finding.before == finding.after) is silent


async def test_at_temperature_zero_no_samples_are_taken(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", policy=Policy(self_consistency=3)) as (runtime, _):
        events = await turn(runtime, ask(QUESTION, model=DASH, temperature=0.0))
    assert walked(events) == ["first lumen-dash"]


# Going on, or not


def costly(model: str, usd: int, ability: float) -> Settings:
    """A second model at so many dollars per million tokens, and no others that could be gone on to."""
    from tui_orchestrator.routing.money import Price, Rates

    all_of_them = [demo.model for provider in ROSTER for demo in provider.models]
    others = (ModelSettings(m.provider, m.name, ability=0.0) for m in all_of_them if m.id not in (model, DASH))
    provider, name = model.split("/")
    dear = ModelSettings(provider, name, price=Price(Rates.from_usd(str(usd), str(usd))), ability=ability)
    return Settings(models=(dear, *others))


HEDGED = Say(text="I'm not sure. I might be wrong, perhaps it could be Canberra, I don't really know, maybe.")


@pytest.mark.parametrize(
    ("strategy", "goes"), [(Strategy.BALANCED, False), (Strategy.CHEAPEST, False), (Strategy.QUALITY, True)]
)
async def test_a_weak_answer_stands_where_better_is_too_dear_for_its_user(
    tmp_path: Path, strategy: Strategy, goes: bool
) -> None:
    policy = Policy(check=Check.OFF, weights=Weights(cost=0.9))
    base = costly(MAX, 1000, ability=0.59 if strategy is not Strategy.QUALITY else 0.57)
    async with running(tmp_path / "s.db", Script().always(HEDGED), policy=policy, base=base) as (runtime, _):
        events = await turn(runtime, ask(QUESTION, strategy=strategy))
    assert walked(events)[0] == "first lumen-dash"
    assert bool(only(events, Escalated)) is goes
    end = completed(events)
    if not goes:
        kept = r"; kept: going on to tern-max would cost about \$\d+\.\d+( and \d+ s)? for \+0\.\d\d$"
        assert re.search(kept, end.note), end.note
        assert end.attempts[0].onward is not None
        assert not end.attempts[0].onward.taken


async def test_what_going_on_is_expected_to_bring_is_said_and_kept(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().then(HEDGED), policy=Policy(check=Check.OFF)) as (runtime, _):
        events = await turn(runtime, ask(QUESTION))
        rows = await runtime.reports.attempts(events[0].request_id)
    (escalated,) = only(events, Escalated)
    way = escalated.onward
    assert way is not None
    name = way.model.split("/")[1]
    assert escalated.detail.endswith(f"; {name} is likelier by {way.gain:.2f} for about {way.cost}")
    assert rows[0].onward == way
    assert isinstance(events[-1], Completed)
