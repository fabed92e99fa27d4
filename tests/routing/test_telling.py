"""How a turn is told: its ends, its notes, and what stands in words beside them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.storage.samples import ATTEMPT, DECISION, FAILED, hold
from tui_orchestrator.routing.budget import BudgetState, Cap, Refusal
from tui_orchestrator.routing.calling import Tried
from tui_orchestrator.routing.decision import Decision, Division, Exclusion, Policy
from tui_orchestrator.routing.ensemble import Judgement
from tui_orchestrator.routing.errors import (
    AllOut,
    BudgetExceeded,
    Cancelled,
    ContextWindow,
    ErrorKind,
    NoCandidate,
    NotKept,
    Overloaded,
    Server,
    Timeout,
    TooLong,
    TurnError,
)
from tui_orchestrator.routing.events import (
    AttemptFailed,
    AttemptFinished,
    Budget,
    Cause,
    Completed,
    Confidence,
    EscalationCause,
    Failed,
    Finding,
    FinishReason,
    Next,
    Onward,
    Point,
    Recalled,
    Score,
    Verdict,
)
from tui_orchestrator.routing.money import ZERO, Cost, CostState, Money, Usage
from tui_orchestrator.routing.telling import (
    KILLED,
    completed,
    conclusion,
    ended,
    failed,
    flaw,
    found,
    no_model,
    not_kept,
    recalled_in_words,
    refused,
    said,
    saved_in_words,
    took_s,
    verdict,
    wants_tools,
    why_escalated,
)
from tui_orchestrator.routing.tools import ToolCall

from .samples import candidate

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
STATE = BudgetState(Cap("day", "2026-11-21", Money.from_usd(1)), Money.from_usd("0.25"), ZERO)
SURE = Confidence(0.8, ("complete, without hedging",))
WEAK = Confidence(0.4, ("hedges once", "very short", "breaks off"))
REFUSAL = Confidence(0.1, ("refuses to answer",), EscalationCause.REFUSAL)
SHORT = Refusal(hold(2 * 10**12), (STATE,), STATE)
NO_ROOM = "openai/small could cost $2.00, the day's cap has $0.750 of $1.00 left"


def tried(number: int = 1, confidence: Confidence | None = SURE, text: str = "Four.", **more: Any) -> Tried:
    of_attempt = {key: more.pop(key) for key in ("model", "onward", "usage", "cost") if key in more}
    attempt = replace(ATTEMPT, number=number, **of_attempt)
    return Tried(attempt, text, confidence, None, (STATE,), **more)


def broken(number: int = 1, error: TurnError | None = None, text: str = "Fo") -> Tried:
    return Tried(replace(FAILED, number=number), text, None, error or Overloaded(), (STATE,))


def concluded(
    *answers: Tried, checks: tuple[Tried, ...] = (), refusal: Refusal | None = None, cancelled: bool = False
) -> Completed | Failed:
    return conclusion(DECISION, answers, checks, refusal, Policy(), cancelled, AT, 7.5)


def test_an_attempt_ends_with_all_that_is_known_of_it_and_the_sums_it_counts_towards() -> None:
    recalled = Recalled(AT)
    hit = replace(ATTEMPT, number=2, from_cache=True, recalled=recalled, saved=Money(9))
    whole = Tried(hit, "Four.", SURE, None, (STATE,), served_by="small-2026")
    assert ended(whole, Next.GIVE_UP, AT) == [
        AttemptFinished(
            *("r1", AT, 2, "openai/small", ATTEMPT.usage, ATTEMPT.cost, 0.5, 3.25, 123.6, SURE, FinishReason.STOP),
            *(True, recalled, Money(9), "small-2026"),
        ),
        Budget("r1", AT, STATE),
    ]
    unsaid = replace(whole, attempt=replace(hit, finish_reason=None), states=())
    (end,) = ended(unsaid, Next.GIVE_UP, AT)
    assert isinstance(end, AttemptFinished)
    assert end.finish_reason is FinishReason.OTHER
    assert end.confidence == SURE


def test_a_failed_attempt_says_what_follows() -> None:
    one = broken(2)
    assert one.error is not None
    assert ended(one, Next.RETRY, AT) == [
        AttemptFailed("r1", AT, 2, "openai/small", one.error, FAILED.usage, FAILED.cost, 3.25, Next.RETRY),
        Budget("r1", AT, STATE),
    ]


def test_nobody_knows_how_long_a_killed_attempt_took() -> None:
    assert took_s(ATTEMPT) == 3.25
    assert took_s(replace(FAILED, error_message=KILLED)) is None


WAY = Onward("b/next", 0.25, ZERO, 0.0, 0.1)


@pytest.mark.parametrize(
    ("before", "way", "cause", "detail"),
    [
        (broken(error=Timeout("Nothing came.")), None, EscalationCause.TIMEOUT, "Nothing came."),
        (broken(error=ContextWindow("Too long.")), WAY, EscalationCause.CONTEXT_WINDOW, "Too long."),
        (broken(error=Server("Oh.")), None, EscalationCause.ERROR, "Oh."),
        (tried(confidence=WEAK), None, EscalationCause.LOW_CONFIDENCE, "0.40 < 0.60: hedges once; very short"),
        (tried(confidence=REFUSAL), None, EscalationCause.REFUSAL, "0.10 < 0.60: refuses to answer"),
        (
            *(tried(confidence=WEAK), WAY, EscalationCause.LOW_CONFIDENCE),
            "0.40 < 0.60: hedges once; very short; next is likelier by 0.25 at no further cost",
        ),
        (tried(confidence=None), None, EscalationCause.LOW_CONFIDENCE, "0.00 < 0.60"),
    ],
)
def test_why_a_turn_goes_on_is_said(before: Tried, way: Onward | None, cause: EscalationCause, detail: str) -> None:
    assert why_escalated(before, 0.6, way) == (cause, detail)


@pytest.mark.parametrize(
    ("how", "agrees", "silent", "words"),
    [
        (Cause.SECOND_OPINION, True, False, "second opinion agrees: 0.50 → 0.80"),
        (Cause.SECOND_OPINION, False, False, "second opinion disagrees: 0.50 → 0.80"),
        (Cause.SAMPLE, True, False, "more samples agree: 0.50 → 0.80"),
        (Cause.SAMPLE, False, False, "more samples disagree: 0.50 → 0.80"),
        (Cause.JUDGE, True, False, "judge says right: 0.50 → 0.80"),
        (Cause.JUDGE, False, False, "judge says wrong: 0.50 → 0.80"),
        (Cause.JUDGE, None, False, "judge could not tell"),
        (Cause.JUDGE, None, True, "judge failed"),
    ],
)
def test_what_a_check_found_is_said(how: Cause, agrees: bool | None, silent: bool, words: str) -> None:
    finding = Finding(how, "b/other", (2,), 0.5, 0.8, agrees, silent)
    assert found(finding) == words
    assert said(finding) in words


def test_where_a_cached_answer_is_from_and_what_it_saved_is_said() -> None:
    nearly = Recalled(AT, "What is 2 + 2?", 0.971)
    assert recalled_in_words(Recalled(AT)) == "from the cache"
    assert recalled_in_words(nearly) == "≈ from an earlier answer to: «What is 2 + 2?» (0.97)"
    saved = replace(ATTEMPT, saved=Money.from_usd("0.0012"))
    assert saved_in_words(ATTEMPT) == saved_in_words(replace(ATTEMPT, saved=ZERO)) == ""
    assert saved_in_words(saved) == saved_in_words(replace(saved, recalled=Recalled(AT))) == "saved $0.0012"
    assert saved_in_words(replace(saved, recalled=nearly)) == "saved ~$0.0012"


@pytest.mark.parametrize(
    ("names", "text", "words"),
    [
        ([], "", ""),
        (["look"], "", "the model asked for the tool look and gave no text"),
        (["look"], "So:", "the model asked for the tool look"),
        (["look", "find", "look"], " ", "the model asked for the tools look, find and gave no text"),
        ([""], "", "the model asked for the tool without a name and gave no text"),
    ],
)
def test_what_a_model_wants_of_who_offers_no_tools_is_said(names: list[str], text: str, words: str) -> None:
    calls = tuple(ToolCall(str(number), name) for number, name in enumerate(names))
    assert wants_tools(completed(DECISION, tried(text=text, calls=calls), [], AT, 1.0)) == words


def test_a_verdict_by_weights_tells_all_of_it() -> None:
    score = Score(2, "a/x", 0.5, 0.6, 0.7, 0.8, 0.9)
    judgement = Judgement((score,), ("shared",), ("a/x: apart",), (Point("shared", (2,)),))
    assert verdict("r1", AT, judgement) == Verdict(
        *("r1", AT, "weighted", (score,), 2, ("shared",), ("a/x: apart",), (Point("shared", (2,)),))
    )


def test_a_turn_is_completed_with_the_sums_of_all_its_attempts_in_their_order() -> None:
    dear = tried(2, usage=Usage(1, 2), cost=Cost(Money(5), CostState.BILLED), told="b counted much")
    first = tried(1, usage=Usage(10, 20), cost=Cost(Money(7), CostState.COMPUTED), calls=(ToolCall("1", "look"),))
    end = completed(DECISION, first, [dear, first], AT, 7.5, "read in 2 parts")
    assert end == Completed(
        *("r1", AT, 1, "openai/small", "Four.", "balanced", Cost(Money(12), CostState.COMPUTED), Usage(11, 22), 7.5),
        *(SURE, (first.attempt, dear.attempt), "read in 2 parts; b counted much"),
        calls=(ToolCall("1", "look"),),
    )
    judged = completed(DECISION, tried(confidence=None), [], AT, 7.5)
    assert (judged.confidence, judged.note, judged.cost) == (Confidence(0.0), "", Cost(ZERO, CostState.COMPUTED))


def test_what_a_provider_counted_is_noted_once() -> None:
    twice = [tried(1, told="b counted much"), tried(2, told="b counted much"), tried(3, told="c too")]
    assert completed(DECISION, twice[0], twice, AT, 1.0).note == "b counted much; c too"
    assert completed(DECISION, twice[0], twice, AT, 1.0, "so: b counted much").note == "so: b counted much; c too"


def test_a_failed_turn_has_what_came_last_and_what_it_cost() -> None:
    error, first, last, check = Server("Oh."), broken(1), broken(2, text="Four"), tried(3, told="b counted much")
    end = failed("r1", error, [first, last], [check], AT, 7.5)
    assert end == Failed(
        *("r1", AT, error, Cost.sum(one.attempt.cost for one in (first, last, check))),
        *((first.attempt, last.attempt, check.attempt), "Four", "b counted much", 7.5),
    )
    assert failed("r1", error, [], [check], AT, 7.5).partial == ""


def test_what_could_not_be_stored_is_said_once() -> None:
    fault = NotKept("The disk is full.")
    end = completed(DECISION, tried(), [], AT, 1.0, "read in 2 parts")
    told = not_kept(end, fault)
    assert told.note == f"read in 2 parts; could not be stored: {fault}"
    assert not_kept(told, fault) is told
    gone = failed("r1", Server(str(fault)), [], [], AT, 1.0)
    assert not_kept(gone, fault) is gone
    assert not_kept(failed("r1", Server(), [], [], AT, 1.0), fault).note == f"could not be stored: {fault}"


@pytest.mark.parametrize(
    ("answers", "attempt", "note"),
    [
        ([tried()], 1, ""),
        ([tried(confidence=replace(SURE, value=0.6))], 1, ""),
        ([tried(confidence=replace(SURE, value=0.59))], 1, "the only attempt; confidence 0.59 is below 0.60"),
        ([broken(1), tried(2)], 2, ""),
        ([tried(1, WEAK), tried(2)], 2, ""),
        ([tried(1), tried(2, WEAK)], 1, ""),
        ([tried(1), tried(2, None)], 1, ""),
        # Of two alike the later.
        ([tried(1, WEAK), tried(2, WEAK)], 2, "best of 2 attempts; confidence 0.40 is below 0.60"),
        ([broken(1), tried(2, WEAK)], 2, "best of 2 attempts; confidence 0.40 is below 0.60"),
        (
            *([tried(1, REFUSAL)], 1),
            "the only attempt; confidence 0.10 is below 0.60: refuses to answer",
        ),
        (
            *([tried(1, WEAK, onward=replace(WAY, gain=-0.1))], 1),
            "the only attempt; confidence 0.40 is below 0.60; kept: nobody left is likelier to do better (next -0.10)",
        ),
        ([tried(1, WEAK, onward=replace(WAY, taken=True))], 1, "the only attempt; confidence 0.40 is below 0.60"),
        ([tried(1, replace(REFUSAL, value=0.7))], 1, "refuses to answer"),
    ],
)
def test_the_surest_answer_is_the_turns_and_a_weak_one_is_called_so(
    answers: list[Tried], attempt: int, note: str
) -> None:
    end = concluded(*answers)
    assert isinstance(end, Completed)
    assert (end.attempt, end.note, end.latency_s) == (attempt, note, 7.5)
    assert len(end.attempts) == len(answers)


def test_a_surer_model_that_does_not_fit_is_named() -> None:
    end = concluded(tried(1, WEAK), refusal=SHORT)
    assert end.note.endswith(f"0.40 is below 0.60, and a surer model does not fit: {NO_ROOM}")
    assert concluded(tried(1), refusal=SHORT).note == ""


def test_without_an_answer_a_turn_fails_as_its_last_attempt_did_or_as_what_kept_it_from_any() -> None:
    ends = [
        concluded(broken(1, Server("Oh.")), broken(2, Timeout("Late."))),
        concluded(broken(1, Server("Oh.")), refusal=SHORT),
        concluded(refusal=SHORT),
        concluded(),
        concluded(broken(1, Cancelled()), tried(2)),
        concluded(tried(1), cancelled=True),
    ]
    errors = [end.error for end in ends if isinstance(end, Failed)]
    assert [error.kind for error in errors] == [
        *(ErrorKind.TIMEOUT, ErrorKind.SERVER, ErrorKind.BUDGET_EXCEEDED, ErrorKind.NO_CANDIDATE),
        *(ErrorKind.CANCELLED, ErrorKind.CANCELLED),
    ]
    assert [error.message for error in errors[:4]] == ["Late.", "Oh.", NO_ROOM, DECISION.reason]


def test_only_what_a_hard_check_found_is_a_flaw() -> None:
    assert flaw(tried(confidence=REFUSAL)) == "refuses to answer"
    assert flaw(tried(confidence=WEAK)) == flaw(tried(confidence=None)) == ""


def test_a_refusal_says_whether_it_is_this_requests_alone() -> None:
    own = replace(STATE, cap=Cap("request", "r1", Money.from_usd(1)))
    assert refused(SHORT).message == NO_ROOM
    assert not refused(SHORT).of_request
    assert refused(replace(SHORT, blocking=own)).of_request


def out(id: str, why: Exclusion) -> Any:
    return candidate(id, excluded_by=why, excluded="is out")


def nobody(*candidates: Any, **more: Any) -> Decision:
    return replace(DECISION, model=None, candidates=candidates, chain=(), **more)


@pytest.mark.parametrize(
    ("decision", "error", "models", "hint"),
    [
        (nobody(refused=Exclusion.OVER_BUDGET), BudgetExceeded, None, "Raise the cap"),
        (nobody(out("a/x", Exclusion.CONTEXT_WINDOW), out("a/y", Exclusion.UNHEALTHY)), TooLong, None, ""),
        (nobody(), NoCandidate, None, "`doctor` tells"),
        (nobody(out("a/x", Exclusion.MISSING_ABILITY)), NoCandidate, None, "Leave out what they cannot do"),
        (nobody(out("a/x", Exclusion.UNPRICED)), NoCandidate, None, "Write its price"),
        (nobody(out("a/x", Exclusion.UNHEALTHY)), AllOut, ("a/x",), "Check the network"),
        (
            *(nobody(out("a/x", Exclusion.COOLING_DOWN), out("a/y", Exclusion.NO_KEY)), AllOut, ("a/x",)),
            "Wait, or choose another model",
        ),
        (nobody(out("a/x", Exclusion.RATE_LIMITED)), NoCandidate, None, "Wait, or choose another model"),
        (
            *(nobody(out("a/x", Exclusion.UNHEALTHY), out("a/y", Exclusion.COOLING_DOWN)), AllOut, ("a/x", "a/y")),
            "Wait, or choose another model",
        ),
        (nobody(out("a/x", Exclusion.NO_KEY)), NoCandidate, None, NoCandidate.hint),
        # Of those that were asked for by name a missing key is what is wrong, and the others play no part.
        (
            *(
                nobody(
                    out("a/x", Exclusion.NO_KEY),
                    out("a/y", Exclusion.UNHEALTHY),
                    pinned=True,
                    asked=replace(DECISION.asked, model="a/x"),
                ),
                AllOut,
                ("a/x",),
            ),
            AllOut.hint,
        ),
        (
            *(
                nobody(
                    out("a/x", Exclusion.NO_KEY),
                    out("a/y", Exclusion.UNHEALTHY),
                    asked=replace(DECISION.asked, chain=("a/y",)),
                ),
                AllOut,
                ("a/y",),
            ),
            "Check the network",
        ),
    ],
)
def test_why_nobody_could_be_asked_is_said_with_what_to_do(
    decision: Decision, error: type[TurnError], models: tuple[str, ...] | None, hint: str
) -> None:
    fault = no_model(decision)
    assert type(fault) is error
    assert fault.message == DECISION.reason
    assert fault.hint.startswith(hint)
    if isinstance(fault, AllOut):
        assert fault.models == models
    if isinstance(fault, BudgetExceeded):
        assert not fault.of_request
        alone = no_model(replace(decision, refused=Exclusion.OVER_MAX_COST))
        assert isinstance(alone, BudgetExceeded)
        assert alone.of_request


LEFT = {"a/x": 6.2, "a/y": 30.0, "a/z": 0.0, "a/to-be-mended": None}


@pytest.mark.parametrize(
    ("why", "models", "pinned", "told_s"),
    [
        (Exclusion.COOLING_DOWN, ("a/x",), "", 7.0),
        (Exclusion.COOLING_DOWN, ("a/y", "a/x"), "", 7.0),
        (Exclusion.COOLING_DOWN, ("a/y", "a/x"), "a/y", 30.0),
        (Exclusion.COOLING_DOWN, ("a/y", "a/to-be-mended"), "", 30.0),
        (Exclusion.COOLING_DOWN, ("a/z",), "", 1.0),
        (Exclusion.UNHEALTHY, ("a/y",), "", 30.0),
        (Exclusion.UNHEALTHY, ("a/to-be-mended",), "", None),
        (Exclusion.RATE_LIMITED, ("a/y", "a/x"), "", 7.0),
        (Exclusion.NO_KEY, ("a/x",), "", None),
        (Exclusion.MISSING_ABILITY, ("a/x",), "", None),
        (Exclusion.CONTEXT_WINDOW, ("a/x",), "", None),
    ],
)
def test_where_time_alone_helps_it_is_said_how_much_in_whole_seconds(
    why: Exclusion, models: tuple[str, ...], pinned: str, told_s: float | None
) -> None:
    asked = replace(DECISION.asked, model=pinned or None)
    decision = nobody(*(out(model, why) for model in models), pinned=bool(pinned), asked=asked)
    assert no_model(decision, lambda one: LEFT[one.model]).retry_after_s == told_s


def test_a_prompt_in_parts_that_nobody_agreed_to_is_too_long() -> None:
    plan = Division(3, 1000, 500, "a/x", "a/x", 4000, 1, ZERO, ZERO)
    fault = no_model(replace(DECISION, division=plan))
    assert isinstance(fault, TooLong)
    assert fault.hint.startswith("Nothing was sent: agree to the cost")
