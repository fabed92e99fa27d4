"""Which answers are judged, and by what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.storage.samples import DECISION, REQUEST
from tui_orchestrator.routing.added import Given, Opinion
from tui_orchestrator.routing.deadline import Deadline
from tui_orchestrator.routing.events import Cause, EscalationCause, FinishReason
from tui_orchestrator.routing.ports import CallPiece, Done, TextPiece
from tui_orchestrator.routing.received import Plan, Received
from tui_orchestrator.routing.request import Message
from tui_orchestrator.routing.tools import Tool
from tui_orchestrator.routing.trusting import trust

from .samples import model

SAID = "```python\nmerged = sorted(a + b)\n```"
WHOLE = Done(FinishReason.STOP, None)


class Sources:
    name = "sources"

    def __init__(self, found: Opinion | None) -> None:
        self.found, self.given = found, list[Given]()

    async def look(self, given: Given) -> Opinion | None:
        self.given.append(given)
        return self.found


def plan(cause: Cause = Cause.FIRST, **more: Any) -> Plan:
    request = replace(REQUEST, **more)
    return Plan(request, DECISION, model("openai/small"), DECISION.candidates[0], 1, cause, (), Deadline(60.0))


def heard(text: str = SAID, done: Done | None = WHOLE, *, calls: bool = False) -> Received:
    received = Received()
    received.hear(TextPiece(text), 1.0)
    if calls:
        received.call(CallPiece(0, "{}", "1", "look"), 1.0)
    if done is not None:
        received.end(done, 2.0)
    return received


@pytest.mark.parametrize(
    ("cause", "more", "done"),
    [(Cause.FIRST, {}, None), (Cause.JUDGE, {}, WHOLE), (Cause.FIRST, {"judges": True}, WHOLE)],
)
async def test_what_is_no_answer_to_the_prompt_is_not_judged(
    cause: Cause, more: dict[str, Any], done: Done | None
) -> None:
    check = Sources(Opinion("names no source", -1.0))
    assert await trust(plan(cause, **more), heard(done=done), [check]) is None
    assert check.given == []


async def test_the_checks_of_plugins_see_the_answer_and_are_heard() -> None:
    silent, strict = Sources(None), Sources(Opinion("names no source", falls_short=True))
    plain = await trust(plan(), heard(), [])
    judged = await trust(plan(), heard(), [silent, strict])
    assert plain is not None
    assert judged is not None
    assert silent.given == strict.given == [Given("Merge two sorted lists", SAID, "openai/small", "code")]
    assert plain.value > judged.value == 0.3
    assert judged.reasons[0] == "names no source"
    assert await trust(plan(), heard(), [silent]) == plain


async def test_calls_and_empty_answers_are_not_shown_to_plugins() -> None:
    check = Sources(Opinion("names no source", falls_short=True))
    calling = await trust(plan(tools=(Tool("look"),)), heard(calls=True), [check])
    empty = await trust(plan(), heard(" "), [check])
    assert check.given == []
    assert calling is not None
    assert (calling.value, calling.reasons) == (0.9, ("calls look as offered",))
    assert empty is not None
    assert empty.cause is EscalationCause.EMPTY


async def test_an_answer_that_is_continued_is_judged_as_a_whole() -> None:
    begun = (*REQUEST.messages, Message("assistant", SAID[:20]), Message("user", "Go on."))
    check = Sources(None)
    whole = await trust(plan(), heard(), [])
    assert await trust(plan(messages=begun, continues=True), heard(SAID[20:]), [check]) == whole
    assert check.given[0].text == SAID
    asked = Message("user", "Answer in JSON: who?")
    half = await trust(plan(messages=(asked, Message("assistant", "A"), begun[-1]), continues=True), heard("da"), [])
    assert half is not None
    assert half.reasons[0] == "no valid JSON though JSON was asked for"
    nothing = await trust(plan(messages=begun, continues=True), heard(" "), [])
    assert nothing is not None
    assert nothing.cause is EscalationCause.EMPTY


async def test_how_it_ended_and_how_sure_its_model_was_of_its_words_count() -> None:
    plain = await trust(plan(), heard("Put both into one list and sort it."), [])
    unsure = await trust(
        *(plan(), heard("Put both into one list and sort it.", Done(FinishReason.STOP, None, mean_logprob=-3.0)), [])
    )
    cut = await trust(plan(), heard(done=Done(FinishReason.LENGTH, None)), [])
    assert plain is not None
    assert unsure is not None
    assert unsure.value < plain.value
    assert cut is not None
    assert cut.cause is EscalationCause.TRUNCATED
