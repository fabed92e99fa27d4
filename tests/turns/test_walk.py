"""Retries, fallbacks and escalations, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.clock import ManualClock
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.demo.behaviour import Behaviour
from tui_orchestrator.demo.roster import ROSTER
from tui_orchestrator.routing import router
from tui_orchestrator.routing.decision import Exclusion, Policy, Retries
from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import (
    AttemptFailed,
    Escalated,
    EscalationCause,
    Event,
    Next,
    Outcome,
    Text,
    Thinking,
    Waiting,
)
from tui_orchestrator.routing.features import estimate_tokens
from tui_orchestrator.routing.health import HealthState
from tui_orchestrator.routing.money import CostState, Usage
from tui_orchestrator.routing.ports import Call, Piece, TextPiece, Timeouts
from tui_orchestrator.routing.request import Check, Request, Strategy
from tui_orchestrator.routing.rules import Rule
from tui_orchestrator.routing.walk import Walk
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.settings import ModelSettings, Settings

from .conftest import ask, events_of, running
from .grammar import check
from .reading import asked, completed, failed, only, text_of, walked

LOCAL, MINI, PRO = "demo-local/pebble-3b", "demo-openai/rush-mini", "demo-openai/rush-pro"
LITE, MAX = "demo-anthropic/tern-lite", "demo-anthropic/tern-max"
DASH, DEEP = "demo-gemini/lumen-dash", "demo-gemini/lumen-deep"
DOUBT = Say(text="I'm not sure. I might be wrong, perhaps it could be this, I don't really know, maybe.")
BROKEN = Break(
    "close",
    Phase.MID_STREAM,
    Say(text="Two lists become one when their heads are compared in turn, until both are empty."),
)


async def turn(runtime: Runtime, request: Request) -> list[Event]:
    events = await events_of(runtime, request)
    check(events)
    return events


def clock_of(runtime: Runtime) -> ManualClock:
    assert isinstance(runtime.clock, ManualClock)
    return runtime.clock


async def test_a_weak_answer_goes_on_to_a_model_that_is_just_as_sure(tmp_path: Path) -> None:
    async with running(tmp_path / "store.db", Script().then(DOUBT)) as (runtime, _):
        request = ask("Hi", strategy=Strategy.QUALITY)
        p = {c.model: c.success_probability for c in runtime.preview(request).candidates}
        events = await turn(runtime, request)
        [escalated] = only(events, Escalated)
        gain = p[escalated.to_model] - p[escalated.from_model]
        assert 0 <= gain < 0.01, "so easy a prompt that hardly anybody is surer"
        assert escalated.cause is EscalationCause.LOW_CONFIDENCE


async def test_an_answer_exactly_as_sure_as_is_asked_for_is_good_enough(tmp_path: Path) -> None:
    asked_for = ask(chain=(PRO, DASH), check=Check.OFF)
    async with running(tmp_path / "1.db", Script().then(DOUBT), policy=Policy(confidence_threshold=0)) as (runtime, _):
        sure = completed(await turn(runtime, asked_for)).confidence.value
    assert sure > 0
    policy = Policy(confidence_threshold=sure)
    async with running(tmp_path / "2.db", Script().then(DOUBT), policy=policy) as (runtime, _):
        assert walked(await turn(runtime, asked_for)) == ["first rush-pro"]


async def test_before_any_text_the_next_model_takes_over_in_silence(tmp_path: Path) -> None:
    script = Script().then(Reply(404), "rush-pro")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, ask(chain=(PRO, DASH)))
    assert walked(events) == ["first rush-pro", "fallback lumen-dash"]
    assert text_of(events, 1) == ""
    assert completed(events).response == text_of(events, 2) != ""
    (escalated,) = only(events, Escalated)
    assert (escalated.from_model, escalated.to_model, escalated.cause) == (PRO, DASH, EscalationCause.ERROR)


async def test_a_stream_that_breaks_after_text_is_paid_for_shown_and_never_spliced(tmp_path: Path) -> None:
    script = Script().then(BROKEN, "rush-pro")
    async with running(tmp_path / "s.db", script) as (runtime, servers):
        events = await turn(runtime, ask(chain=(PRO, DASH)))
        broken, good = await runtime.reports.attempts(events[0].request_id)
        sent = asked(servers, "rush-pro")[0].text
    (failure,) = only(events, AttemptFailed)
    assert (failure.error.kind, failure.next) == (ErrorKind.STREAM_BROKEN, Next.FALLBACK)
    partial = text_of(events, 1)
    assert partial
    assert sent.startswith(partial)
    assert completed(events).response == text_of(events, 2)
    assert partial not in completed(events).response
    assert (broken.outcome, broken.usage.source) == (Outcome.FAILED, "estimated")
    assert broken.cost.state is CostState.ESTIMATED
    assert broken.usage.output > 0
    assert broken.cost.amount
    assert good.cost.amount
    total = completed(events).cost
    assert (total.amount, total.state) == (broken.cost.amount + good.cost.amount, CostState.ESTIMATED)


async def test_what_came_before_a_stream_broke_is_estimated_as_its_model_counts(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", Script().then(BROKEN, "rush-pro")) as (runtime, _):
        request, estimates, words = ask(chain=(PRO, DASH)), runtime.router.caller.estimates, "word " * 200
        for _ in range(50):
            counted = Usage(input=100, output=3 * estimate_tokens(words))
            estimates.learn(PRO, runtime.preview(request).profile, words, "", counted)
        events = await turn(runtime, request)
        broken, _ = await runtime.reports.attempts(events[0].request_id)
        came = text_of(events, 1)
        assert broken.usage.output == estimates.output(PRO, came, "") > 2 * estimate_tokens(came) > 0


@pytest.mark.parametrize("status", [429, 500, 503, 529])
async def test_what_may_pass_is_tried_again_on_the_same_model(tmp_path: Path, status: int) -> None:
    headers = {"retry-after": "0.4"} if status == 429 else {}
    script = Script().then(Reply(status, headers=headers), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, ask(chain=(DASH, PRO)))
    assert walked(events) == ["first lumen-dash", "retry lumen-dash"]
    assert only(events, AttemptFailed)[0].next is Next.RETRY
    assert not only(events, Escalated)
    assert completed(events).model == DASH


async def test_a_back_off_is_said_and_kept_and_never_longer_than_its_bound(tmp_path: Path) -> None:
    script = Script().always(Reply(500), "lumen-dash")
    policy = Policy(max_attempts=6, retries=Retries(base=4.0, cap=6.0, per_model=5, patience=100.0))
    async with running(tmp_path / "s.db", script, policy=policy) as (runtime, _):
        events = await turn(runtime, ask(model=DASH))
        slept = clock_of(runtime).slept
    waits = only(events, Waiting)
    assert [wait.seconds for wait in waits] == slept
    assert all(wait.why == "back-off" for wait in waits)
    # The third failure opens the circuit: it is not tried a fourth time.
    assert walked(events) == ["first lumen-dash", "retry lumen-dash", "retry lumen-dash"]
    assert all(0 <= seconds <= most for seconds, most in zip(slept, (4.0, 6.0), strict=True))


async def test_each_back_off_may_be_twice_as_long_as_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(router, "Walk", partial(Walk, jitter=lambda: 1.0))
    policy = Policy(max_attempts=6, retries=Retries(base=2.0, cap=100.0, per_model=5, patience=100.0))
    async with running(tmp_path / "s.db", Script().always(Reply(500), "lumen-dash"), policy=policy) as (runtime, _):
        await turn(runtime, ask(model=DASH))
        assert clock_of(runtime).slept == [2.0, 4.0]


@pytest.mark.parametrize(
    ("first", "walk"),
    [
        (BROKEN, ["first rush-pro"]),
        (DOUBT, ["first rush-pro"]),
        (Reply(404), ["first rush-pro", "fallback lumen-dash"]),
    ],
)
async def test_where_what_was_said_stands_nobody_begins_anew_after_a_word_of_it(
    tmp_path: Path, first: Behaviour, walk: list[str]
) -> None:
    async with running(tmp_path / "s.db", Script().always(first, "rush-pro")) as (runtime, _):
        events = await turn(runtime, ask(chain=(PRO, DASH), stands=True, check=Check.OFF))
    assert walked(events) == walk


@pytest.mark.parametrize("seconds", [12, 20])
async def test_the_time_a_provider_asks_for_is_waited_when_there_is_nobody_else(tmp_path: Path, seconds: int) -> None:
    script = Script().then(Reply(429, headers={"retry-after": str(seconds)}), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, ask(model=DASH))
    (wait,) = only(events, Waiting)
    assert (wait.seconds, wait.attempt) == (seconds, 2)
    assert completed(events).model == DASH


@pytest.mark.parametrize(
    ("retries", "seconds"),
    [
        (Retries(patience=2.0, base=1.0), 3.0),
        (Retries(patience=2.0, base=5.0), 5.0),
        (Retries(patience=2.0, base=5.0, cap=4.0), 4.0),
        (Retries(patience=0.0, base=1.0), 1.0),
    ],
)
async def test_a_rate_limit_without_a_word_of_when_lasts_longer_than_one_has_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retries: Retries, seconds: float
) -> None:
    monkeypatch.setattr(router, "Walk", partial(Walk, jitter=lambda: 1.0))
    script = Script().then(Reply(429, headers={}), "rush-pro")
    async with running(tmp_path / "s.db", script, policy=Policy(retries=retries)) as (runtime, _):
        await turn(runtime, ask(model=PRO))
        assert clock_of(runtime).slept == [seconds]


@pytest.mark.parametrize(("pause", "goes_on"), [(1.0, "retry lumen-dash"), (1.01, "fallback rush-pro")])
async def test_with_another_model_there_no_longer_is_waited_than_one_has_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pause: float, goes_on: str
) -> None:
    monkeypatch.setattr(router, "Walk", partial(Walk, jitter=lambda: 1.0))
    script, policy = Script().then(Reply(500), "lumen-dash"), Policy(retries=Retries(base=pause, patience=1.0))
    async with running(tmp_path / "s.db", script, policy=policy) as (runtime, _):
        events = await turn(runtime, ask(chain=(DASH, PRO)))
    assert walked(events) == ["first lumen-dash", goes_on]


@pytest.mark.parametrize("past_filters", [True, False])
async def test_a_prompt_that_a_filter_refuses_is_carried_on_only_if_the_user_wants_that(
    tmp_path: Path, past_filters: bool
) -> None:
    refused = Reply(400, body=b'{"error": {"code": "content_policy_violation", "message": "Not this."}}')
    policy = Policy(retries=Retries(past_filters=past_filters))
    async with running(tmp_path / "s.db", Script().always(refused, "lumen-dash"), policy=policy) as (runtime, _):
        events = await turn(runtime, ask(chain=(DASH, DEEP)))
    if past_filters:
        assert walked(events) == ["first lumen-dash", "fallback lumen-deep"]
    else:
        assert walked(events) == ["first lumen-dash"]
        assert failed(events).error.kind is ErrorKind.CONTENT_FILTER
        assert "Not this." in failed(events).error.message


async def test_who_may_be_asked_again_at_once_is(tmp_path: Path) -> None:
    script = Script().then(Reply(429, headers={"retry-after": "0"}), "rush-pro")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, ask(model=PRO))
        assert clock_of(runtime).slept == []
    assert walked(events) == ["first rush-pro", "retry rush-pro"]


@pytest.mark.parametrize("seconds", [21, 300, 3600])
async def test_a_wait_longer_than_its_bound_is_not_waited_for(tmp_path: Path, seconds: int) -> None:
    script = Script().then(Reply(429, headers={"retry-after": str(seconds)}), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, ask(model=DASH))
    assert walked(events) == ["first lumen-dash"]
    error = failed(events).error
    assert (error.kind, error.retry_after_s) == (ErrorKind.RATE_LIMITED, seconds)


@pytest.mark.parametrize("headers", [{"retry-after": "3"}, {}])
async def test_with_another_model_there_a_rate_limit_falls_back_at_once(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    script = Script().then(Reply(429, headers=headers), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, ask(chain=(DASH, PRO)))
        assert clock_of(runtime).slept == []
    assert walked(events) == ["first lumen-dash", "fallback rush-pro"]


@pytest.mark.parametrize(("status", "kind"), [(401, ErrorKind.AUTHENTICATION), (402, ErrorKind.PERMISSION)])
async def test_a_key_that_is_refused_sends_the_turn_to_another_provider(
    tmp_path: Path, status: int, kind: ErrorKind
) -> None:
    script = Script().then(Reply(status), "rush-pro")
    async with running(tmp_path / "s.db", script) as (runtime, servers):
        events = await turn(runtime, ask(chain=(PRO, MINI, DASH)))
        assert only(events, AttemptFailed)[0].error.kind is kind
        assert walked(events) == ["first rush-pro", "fallback lumen-dash"]
        assert asked(servers, "rush-mini") == []
        if status == 401:
            assert runtime.health(MINI).state is HealthState.UNAUTHORISED
            later = runtime.preview(ask())
            assert {c.model for c in later.candidates if c.excluded_by is Exclusion.UNHEALTHY} == {MINI, PRO}


@pytest.mark.parametrize(
    ("chain", "takes_over"),
    [((PRO, LITE, DASH), "lumen-dash"), ((MAX, DASH, DEEP), "lumen-deep")],
    ids=["a shorter one between", "one as long between"],
)
async def test_too_long_a_conversation_goes_to_a_model_that_reads_more(
    tmp_path: Path, chain: tuple[str, ...], takes_over: str
) -> None:
    first = chain[0].partition("/")[2]
    body = {"error": {"message": "maximum context length", "code": "context_length_exceeded"}}
    script = Script().then(Reply(400, body=json.dumps(body).encode()), first)
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, ask(chain=chain))
    assert walked(events) == [f"first {first}", f"fallback {takes_over}"]
    assert only(events, Escalated)[0].cause is EscalationCause.CONTEXT_WINDOW


@pytest.mark.parametrize(
    ("answer", "cause", "words"),
    [
        (DOUBT, EscalationCause.LOW_CONFIDENCE, "hedges"),
        (Say(text="I'm sorry, but I can't help with that."), EscalationCause.REFUSAL, "refuses"),
        (Say(text="It is", finish="length"), EscalationCause.TRUNCATED, "cut off"),
        (Say(text=""), EscalationCause.EMPTY, "empty"),
    ],
)
async def test_an_answer_that_is_not_good_enough_escalates_with_its_cause(
    tmp_path: Path, answer: Behaviour, cause: EscalationCause, words: str
) -> None:
    script = Script().then(answer, "rush-pro")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, ask(chain=(PRO, DASH)))
    assert walked(events) == ["first rush-pro", "escalation lumen-dash"]
    (escalated,) = only(events, Escalated)
    assert escalated.cause is cause
    assert "< 0.60" in escalated.detail
    assert words in escalated.detail
    assert completed(events).model == DASH
    assert completed(events).note == ""


async def test_a_built_chain_is_not_walked_to_where_nobody_is_expected_to_do_better(tmp_path: Path) -> None:
    script = Script().always(DOUBT)
    others = [model for provider in ROSTER for model in (demo.model for demo in provider.models) if model.id != MAX]
    hopeless = tuple(ModelSettings(model.provider, model.name, ability=0.0) for model in others)
    async with running(tmp_path / "s.db", script, base=Settings(models=hopeless)) as (runtime, _):
        events = await turn(runtime, ask(strategy=Strategy.QUALITY))
    assert walked(events) == ["first tern-max"]
    assert completed(events).note.startswith("the only attempt; confidence 0.")
    assert "kept: nobody left is likelier to do better (" in completed(events).note


async def test_the_chain_of_a_rule_is_walked_as_the_user_wrote_it(tmp_path: Path) -> None:
    script = Script().then(DOUBT, "tern-max")
    rule = Rule("mine", primary="tern-max", fallback=("rush-mini",))
    async with running(tmp_path / "s.db", script, base=Settings(rules=(rule,))) as (runtime, _):
        events = await turn(runtime, ask())
    assert walked(events) == ["first tern-max", "escalation rush-mini"]


async def test_what_a_rule_asks_for_is_sent(tmp_path: Path) -> None:
    rule = Rule("mine", primary="rush-pro", max_tokens=321, temperature=0.25, system="Answer as a pirate.")
    async with running(tmp_path / "s.db", base=Settings(rules=(rule,))) as (runtime, servers):
        await turn(runtime, ask())
        await turn(runtime, ask(max_tokens=123))
        body, fewer = (request.body for request in asked(servers, "rush-pro"))
    assert (body["max_tokens"], body["temperature"]) == (321, 0.25)
    assert fewer["max_tokens"] == 123, "no more than was asked for, and reserved"
    assert body["messages"][0] == {"role": "system", "content": "Answer as a pirate."}


async def test_there_are_at_most_max_attempts_over_all_models(tmp_path: Path) -> None:
    for most in (1, 2, 3, 4):
        script = Script().always(Reply(500))
        policy = Policy(max_attempts=most)
        async with running(tmp_path / f"{most}.db", script, policy=policy) as (runtime, servers):
            events = await turn(runtime, ask(chain=(PRO, DASH, LITE)))
            assert len(walked(events)) == most
            assert len([e for e in servers.exchanges if e.method == "POST"]) == most
        assert failed(events).error.kind is ErrorKind.SERVER
        assert only(events, AttemptFailed)[-1].next is Next.GIVE_UP


async def test_when_none_is_good_enough_the_best_so_far_is_the_answer_and_says_so(tmp_path: Path) -> None:
    weak = Say(text="It is", finish="length")
    script = Script().always(DOUBT, "rush-pro").always(weak, "lumen-dash").always(Say(text=""), "tern-max")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, ask(chain=(PRO, DASH, MAX)))
    end = completed(events)
    assert (end.model, end.attempt, end.response) == (DASH, 2, "It is")
    assert end.note.startswith("best of 3 attempts; confidence 0.")
    assert len(end.attempts) == 3


async def test_a_weak_answer_is_kept_when_the_escalation_fails(tmp_path: Path) -> None:
    script = Script().always(DOUBT, "rush-pro").always(Reply(404), "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, ask(chain=(PRO, DASH)))
    assert (completed(events).model, completed(events).attempt) == (PRO, 1)


async def test_a_pinned_model_is_tried_again_and_never_left(tmp_path: Path) -> None:
    script = Script().then(Reply(500), "lumen-dash").then(DOUBT, "lumen-dash")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, ask(model=DASH))
        assert walked(events) == ["first lumen-dash", "retry lumen-dash"]
        assert completed(events).note == ""
        script.then(Reply(404), "lumen-dash")
        assert failed(await turn(runtime, ask(model=DASH))).error.kind is ErrorKind.NOT_FOUND


@pytest.mark.parametrize(
    ("answer", "note"),
    [
        (Say(text=""), "the answer is empty"),
        (Say(text="I'm sorry, but I can't help with that."), "refuses to answer"),
        (Say(text="It is", finish="length"), "cut off at the length limit"),
    ],
)
async def test_a_pinned_answer_that_is_none_says_so(tmp_path: Path, answer: Say, note: str) -> None:
    async with running(tmp_path / "s.db", Script().always(answer)) as (runtime, _):
        assert completed(await turn(runtime, ask(model=DASH))).note == note
        others = completed(await turn(runtime, ask(chain=(DASH,))))
        assert others.note.startswith("the only attempt; confidence 0.")
        assert others.note.endswith(f" is below 0.60: {note}")


async def test_local_first_goes_to_the_cloud_after_two_local_failures(tmp_path: Path) -> None:
    script = Script().always(Reply(500), "pebble-3b")
    async with running(tmp_path / "s.db", script, policy=Policy(local_max_complexity=10)) as (runtime, _):
        events = await turn(runtime, ask(strategy=Strategy.LOCAL_FIRST))
    assert walked(events)[:2] == ["first pebble-3b", "retry pebble-3b"]
    assert len(walked(events)) == 3
    assert not completed(events).model.startswith("demo-local/")


async def test_a_second_local_model_is_passed_over_when_the_first_failed_twice(tmp_path: Path) -> None:
    script = Script().always(Reply(500), "pebble-3b")
    async with running(tmp_path / "s.db", script, policy=Policy(local_max_complexity=10)) as (runtime, _):
        twin = replace(runtime.registry[LOCAL], name="pebble-2b", ability=0.2)
        runtime.router.registry = replace(runtime.registry, models={**runtime.registry.models, twin.id: twin})
        events = await turn(runtime, ask(strategy=Strategy.LOCAL_FIRST))
        assert runtime.preview(ask(strategy=Strategy.LOCAL_FIRST)).chain[:2] == (LOCAL, twin.id)
    assert walked(events)[:2] == ["first pebble-3b", "retry pebble-3b"]
    assert not completed(events).model.startswith("demo-local/")


async def test_a_second_local_model_is_tried_when_the_first_failed_once(tmp_path: Path) -> None:
    script = Script().always(Reply(404), "pebble-3b")
    async with running(tmp_path / "s.db", script, policy=Policy(local_max_complexity=10)) as (runtime, _):
        twin = replace(runtime.registry[LOCAL], name="pebble-2b", ability=0.2)
        runtime.router.registry = replace(runtime.registry, models={**runtime.registry.models, twin.id: twin})
        events = await turn(runtime, ask(strategy=Strategy.LOCAL_FIRST))
    assert walked(events)[:2] == ["first pebble-3b", "fallback pebble-2b"]


@pytest.mark.parametrize("once", [True, False])
async def test_who_asks_once_gets_one_call(tmp_path: Path, once: bool) -> None:
    async with running(tmp_path / "s.db", Script().always(Reply(500), "rush-pro")) as (runtime, servers):
        events = await turn(runtime, ask(chain=(PRO, DASH), once=once))
        assert len(asked(servers, "rush-pro")) == (1 if once else 2)
    assert walked(events)[1:] == ([] if once else ["retry rush-pro", "fallback lumen-dash"])


async def test_a_stream_that_stands_still_is_left_and_the_next_model_answers(tmp_path: Path) -> None:
    script = Script().then(Break("silence", Phase.MID_STREAM), "rush-pro")
    timeouts = Timeouts(first_token=20, between_tokens=0.6)
    async with running(tmp_path / "s.db", script, timeouts=timeouts) as (runtime, servers):
        events = await turn(runtime, ask(chain=(PRO, DASH)))
        assert await asked(servers, "rush-pro")[0].ended() == "hung_up"
    assert walked(events) == ["first rush-pro", "fallback lumen-dash"]
    assert only(events, Escalated)[0].cause is EscalationCause.TIMEOUT


@pytest.mark.parametrize(
    ("timeouts", "phase", "words"),
    [
        (Timeouts(first_token=0.1, between_tokens=600), Phase.HEADERS, "Nothing came for 0.1 s."),
        (Timeouts(first_token=0.1, between_tokens=600), Phase.BEFORE_TEXT, "Nothing came for 0.1 s."),
        (Timeouts(first_token=600, between_tokens=0.1), Phase.MID_STREAM, "stood still for 0.1 s."),
        (Timeouts(first_token=600, between_tokens=600, total=0.3), Phase.MID_STREAM, "longer than 0.3 s in total."),
    ],
)
async def test_each_wait_has_its_own_deadline(tmp_path: Path, timeouts: Timeouts, phase: Phase, words: str) -> None:
    script = Script().always(Break("silence", phase), "lumen-dash")
    policy = Policy(max_attempts=1)
    async with running(tmp_path / "s.db", script, policy=policy, timeouts=timeouts) as (runtime, _):
        async with asyncio.timeout(60):  # another deadline than its own would be waited for
            error = failed(await turn(runtime, ask(model=DASH))).error
    assert error.kind is ErrorKind.TIMEOUT
    assert words in error.message


async def test_a_model_that_fails_turn_after_turn_cools_down_and_is_tried_again(tmp_path: Path) -> None:
    script = Script().then(Reply(500), "rush-pro", times=3)
    async with running(tmp_path / "s.db", script) as (runtime, _):
        chain = ask(chain=(PRO, DASH))
        one = await turn(runtime, replace(chain, id="1"))
        assert walked(one) == ["first rush-pro", "retry rush-pro", "fallback lumen-dash"]
        two = await turn(runtime, replace(chain, id="2"))
        assert walked(two) == ["first rush-pro", "fallback lumen-dash"]
        assert runtime.health(PRO).state is HealthState.COOLING_DOWN
        three = await turn(runtime, replace(chain, id="3"))
        assert walked(three) == ["first lumen-dash"]
        clock_of(runtime).advance(30)
        four = await turn(runtime, replace(chain, id="4"))
        assert walked(four) == ["first rush-pro"]
        assert runtime.health(PRO).state is not HealthState.COOLING_DOWN


async def test_waiting_in_line_is_visible(tmp_path: Path) -> None:
    limited = Settings(models=(ModelSettings("demo-gemini", "lumen-dash", requests_per_minute=1),))
    async with running(tmp_path / "s.db", base=limited) as (runtime, _):
        await turn(runtime, ask(model=DASH))
        refused = failed(await turn(runtime, ask(model=DASH, id="2")))
        assert "rate limit is used up for 60 s" in refused.error.message
        clock_of(runtime).advance(40)
        events = await turn(runtime, ask(model=DASH, id="3"))
        (wait,) = only(events, Waiting)
        assert (wait.why, wait.seconds) == ("rate limit", 20.0)
        assert completed(events).model == DASH


async def test_the_tokens_of_a_minute_count_what_an_answer_may_take(tmp_path: Path) -> None:
    limited = Settings(models=(ModelSettings("demo-gemini", "lumen-dash", tokens_per_minute=6_000),))
    async with running(tmp_path / "s.db", base=limited) as (runtime, _):
        await turn(runtime, ask(model=DASH))
        refused = failed(await turn(runtime, ask(model=DASH, id="2")))
        assert "rate limit is used up for 60 s" in refused.error.message
        assert walked(await turn(runtime, ask(model=DASH, id="3", max_tokens=500))) == ["first lumen-dash"]


async def test_an_empty_prompt_is_refused_without_a_call(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, servers):
        events = await turn(runtime, ask(" \n"))
        assert servers.exchanges == []
    assert failed(events).error.kind is ErrorKind.BAD_REQUEST
    assert failed(events).error.hint == "Type a question."


async def test_what_could_command_the_terminal_is_taken_out_of_an_answer(tmp_path: Path) -> None:
    script = Script().then(Say(text="safe \x1b]52;c;aGk=\x07and\u202e sound", thinking="hm\x9b31m"), "rush-pro")
    async with running(tmp_path / "s.db", script) as (runtime, _):
        events = await turn(runtime, ask(model=PRO))
    assert completed(events).response == "safe ]52;c;aGk=and sound"
    assert all("\x1b" not in event.text for event in only(events, Text))
    assert "".join(event.text for event in only(events, Thinking)) == "hm31m"


class _Ends:
    """A provider whose stream is over before it has said that it is."""

    name = "demo-openai"

    async def ready(self) -> None: ...

    async def stream(self, call: Call) -> AsyncIterator[Piece]:
        yield TextPiece("The first half")

    async def aclose(self) -> None: ...


async def test_a_stream_that_ends_without_its_end_is_broken(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db", policy=Policy(max_attempts=1)) as (runtime, _):
        runtime.router.caller.providers = lambda name: _Ends()
        events = await turn(runtime, ask(model=PRO))
    assert failed(events).error.kind is ErrorKind.STREAM_BROKEN
    assert failed(events).attempts[0].usage.output > 0


async def test_a_server_that_is_gone_from_the_settings_fails_its_attempt_alone(tmp_path: Path) -> None:
    async with running(tmp_path / "s.db") as (runtime, _):
        runtime.catalogue.providers.pop("demo-openai")  # type: ignore[attr-defined]
        events = await turn(runtime, ask(chain=(PRO, DASH)))
    assert walked(events) == ["first rush-pro", "fallback lumen-dash"]
