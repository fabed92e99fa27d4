from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.budget import BudgetState, Cap
from tui_orchestrator.routing.decide import decide
from tui_orchestrator.routing.decision import Circumstances, Division, Policy
from tui_orchestrator.routing.errors import ErrorKind, RateLimited
from tui_orchestrator.routing.event_json import attempt_json, completed_json, decision_json, event_json, usd
from tui_orchestrator.routing.events import (
    Attempt,
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Budget,
    Cause,
    Checked,
    Completed,
    Confidence,
    Decided,
    Escalated,
    EscalationCause,
    Event,
    Failed,
    Finding,
    FinishReason,
    Next,
    Onward,
    Outcome,
    PartEnded,
    Point,
    Recalled,
    Reserved,
    Score,
    Text,
    Thinking,
    ToolCalled,
    Verdict,
    Waiting,
)
from tui_orchestrator.routing.experiment import Assignment
from tui_orchestrator.routing.explanation import margin_in_words, novelty_in_words, push, score_of, weights
from tui_orchestrator.routing.model import Registry
from tui_orchestrator.routing.money import Cost, CostState, Money, Usage
from tui_orchestrator.routing.parts import Part
from tui_orchestrator.routing.profile import Ability, Evidence, TaskType
from tui_orchestrator.routing.tools import ToolCall

from .samples import model, price, profile, request

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
HEAD: tuple[str, datetime] = ("r", AT)
STATE = BudgetState(Cap("day", "2026-11-21", None), Money.from_usd("0.25"), Money.from_usd("0.05"))
COST = Cost(Money.from_usd("0.0031"), CostState.COMPUTED)
UNKNOWN = Cost(None, CostState.UNKNOWN)
ERROR = RateLimited("slow down", status=429, retry_after_s=7.0)
DECISION = decide(request(), profile(), Registry.of([model("a/x")]), Circumstances(), Policy())


WAY = Onward("a/2", 0.31, Money.from_usd("0.004"), 2.5, 0.2, taken=True)


def attempt(number: int, cause: Cause = Cause.FIRST, **more: Any) -> Attempt:
    known: dict[str, Any] = {
        "request_id": "r",
        "number": number,
        "session": "s",
        "model": f"a/{number}",
        "provider": "a",
        "strategy": "balanced",
        "task_type": "code",
        "cause": cause,
        "started": AT,
        "day": "2026-11-21",
        "outcome": Outcome.FINISHED,
        "usage": Usage(10, 5),
        "cost": COST,
        "price": None,
        "latency_s": 1.0,
        "confidence": 0.7,
    }
    return Attempt(**(known | more))


def completed(*attempts: Attempt, cost: Cost = COST) -> Completed:
    usage = Usage(10, 5, source="estimated")
    return Completed(
        *HEAD, 1, "a/1", "Hi.", "balanced", cost, usage, 1.5, Confidence(0.7, ("short",)), attempts, "note"
    )


USAGE_KEYS = "input_tokens output_tokens cached_input_tokens cache_write_tokens reasoning_tokens estimated"
BUDGET_KEYS = "scope spent_usd reserved_usd limit_usd state"
EVENTS: list[tuple[Event, str, str]] = [
    (Decided(*HEAD, DECISION), "decision", "strategy model reason chain profile candidates"),
    (Reserved(*HEAD, 1, Money(5), (STATE,)), "reserved", "attempt amount_usd budgets"),
    (AttemptStarted(*HEAD, 1, "a/1", "a", Cause.RETRY), "attempt_started", "attempt model provider cause"),
    (Thinking(*HEAD, 1, "hm"), "thinking", "attempt text"),
    (Text(*HEAD, 1, "hi"), "text", "attempt text"),
    (ToolCalled(*HEAD, 1, 0, "{", "call_1", "look"), "tool_called", "attempt index arguments id name"),
    (
        AttemptFinished(
            *HEAD, 1, "a/1", Usage(1, 2), COST, 0.1, 0.2, 9.0, Confidence(0.5), FinishReason.LENGTH, from_cache=True
        ),
        "attempt_finished",
        "attempt model usage cost_usd cost_state first_token_s latency_s tokens_per_s confidence finish_reason",
    ),
    (
        AttemptFailed(*HEAD, 1, "a/1", ERROR, Usage(), UNKNOWN, 0.2, Next.FALLBACK),
        "attempt_failed",
        "attempt model error usage cost_usd next",
    ),
    (
        PartEnded(*HEAD, 3, 12, 4, "a/1", 2, COST),
        "part_ended",
        "part of attempt model ended cost_usd cost_state missing",
    ),
    (Waiting(*HEAD, 1, 2.5, "rate limit"), "waiting", "attempt seconds why"),
    (
        Checked(*HEAD, 1, "a/1", Finding(Cause.SECOND_OPINION, "a/2", (2,), 0.5, 0.7, True), Confidence(0.7)),
        "checked",
        "attempt model finding confidence confidence_reasons",
    ),
    (
        Escalated(*HEAD, "a/1", "a/2", EscalationCause.LOW_CONFIDENCE, "0.41 < 0.60", WAY),
        "escalated",
        "from to cause detail expected",
    ),
    (
        Verdict(*HEAD, "weighted", (Score(1, "a/1", 0.1, 0.2, 0.3, 0.4, 0.5),), 1, ("both",), ("a/1: one",)),
        "verdict",
        "method scores winner agreement dissent",
    ),
    (Budget(*HEAD, STATE, "reached at 18:00"), "budget", f"{BUDGET_KEYS} forecast"),
    (completed(attempt(1)), "completed", "response model_used cost latency confidence metadata timestamp"),
    (Failed(*HEAD, ERROR, COST, (attempt(1),), "half"), "failed", "error cost_usd partial latency_s attempts"),
]


@pytest.mark.parametrize(("event", "name", "keys"), EVENTS, ids=[name for _, name, _ in EVENTS])
def test_every_event_is_one_json_object_with_its_type_request_and_time(event: Event, name: str, keys: str) -> None:
    said = json.loads(json.dumps(event_json(event), allow_nan=False))
    assert (said["type"], said["request_id"], said["at"]) == (name, "r", "2026-11-21T12:00:00+00:00")
    assert set(keys.split()) <= said.keys()


def test_the_table_names_every_event_there_is() -> None:
    assert {type(event) for event, _, _ in EVENTS} == set(Event.__args__)


def test_what_is_inside_has_its_promised_keys() -> None:
    said = {name: event_json(event) for event, name, _ in EVENTS}
    decision = said["decision"]
    assert {
        "task_type",
        "task_probabilities",
        "difficulty",
        "complexity",
        "level",
        "input_tokens",
        "needs",
    } <= decision["profile"].keys()
    candidate = "model success_probability estimated_cost_usd estimated_latency_s score excluded"
    assert set(candidate.split()) <= decision["candidates"][0].keys()
    assert set(BUDGET_KEYS.split()) == said["reserved"]["budgets"][0].keys()
    assert set(USAGE_KEYS.split()) == said["attempt_finished"]["usage"].keys()
    assert said["attempt_failed"]["error"] == {
        "kind": "rate_limited",
        "message": "slow down",
        "status": 429,
        "retry_after_s": 7.0,
    }
    assert said["failed"]["error"]["hint"]
    finding = "how model attempts agrees failed confidence_before confidence_after"
    assert set(finding.split()) == said["checked"]["finding"].keys()
    assert said["escalated"]["expected"] == {
        "model": "a/2",
        "gain": 0.31,
        "cost_usd": 0.004,
        "seconds": 2.5,
        "worth": 0.2,
        "taken": True,
    }
    score = "model confidence capability completeness consensus total"
    assert set(score.split()) <= said["verdict"]["scores"][0].keys()


def test_what_is_not_known_is_null_and_never_zero() -> None:
    failed = event_json(EVENTS[7][0])
    assert (failed["cost_usd"], failed["cost_state"]) == (None, "unknown")
    assert event_json(EVENTS[1][0])["budgets"][0]["limit_usd"] is None
    assert completed_json(completed(attempt(1), cost=UNKNOWN))["cost"] is None


@given(st.integers(0, 8_192 * 10**12 - 1))
def test_money_in_json_reads_back_to_the_picodollar(amount: int) -> None:
    assert Money.from_usd(repr(usd(Money(amount)))) == Money(amount)


def test_from_8192_dollars_on_two_sums_may_be_one_number() -> None:
    sums = [8_192 * 10**12 + more for more in range(8)]
    assert len({usd(Money(amount)) for amount in sums}) < len(sums)


def test_the_one_object_has_exactly_the_promised_keys() -> None:
    said = completed_json(completed(attempt(1)), DECISION)
    keys = "response model_used cost latency confidence input_tokens output_tokens strategy ensemble_models"
    assert set(said) == {*keys.split(), "metadata", "timestamp"}
    assert said["ensemble_models"] == []
    assert "ensemble_size" not in said["metadata"]
    assert said["metadata"]["decision"]["model"] == "a/x"
    assert len(said["metadata"]["attempts"]) == 1
    assert said["metadata"]["usage_estimated"] is True


def test_an_ensemble_names_its_members_with_their_confidences() -> None:
    failed = attempt(2, Cause.ENSEMBLE, outcome=Outcome.FAILED, confidence=None, error_kind=ErrorKind.SERVER)
    said = completed_json(completed(attempt(1, Cause.ENSEMBLE), failed))
    assert said["ensemble_models"] == ["a/1", "a/2"]
    assert said["metadata"]["ensemble_size"] == 2
    assert said["metadata"]["all_confidences"] == {"1:a/1": 0.7, "2:a/2": None}


def test_a_failed_attempt_carries_its_error() -> None:
    failed = attempt(1, outcome=Outcome.FAILED, error_kind=ErrorKind.SERVER, error_message="down")
    assert attempt_json(failed)["error"] == {"kind": "server", "message": "down"}
    assert attempt_json(attempt(1))["error"] is None


def test_of_an_unknown_sum_the_known_part_is_told_beside_it_and_never_in_its_place() -> None:
    known = Cost.sum([UNKNOWN, COST])
    failed = event_json(Failed(*HEAD, ERROR, known, (attempt(1),), ""))
    assert failed["cost_usd"] is None
    assert (failed["cost_state"], failed["cost_at_least_usd"]) == ("unknown", 0.0031)
    whole = completed_json(completed(attempt(1), cost=known))
    assert whole["cost"] is None
    assert (whole["metadata"]["cost_state"], whole["metadata"]["cost_at_least_usd"]) == ("unknown", 0.0031)
    assert "cost_at_least_usd" not in completed_json(completed(attempt(1)))["metadata"]


def test_tokens_of_a_price_of_their_own_are_told_where_there_are_any() -> None:
    usage = Usage(10, 5, cache_write=4, parts=((Part.CACHE_WRITE_1H, 3),))
    told = completed_json(completed(attempt(1, usage=usage)))["metadata"]["attempts"][0]["usage"]
    assert told["cache_write_1h_tokens"] == 3
    assert "audio_input_tokens" not in told


ESTIMATED = Usage(10, 5, 4, 3, 2, "estimated")
USAGE = {
    "input_tokens": 10,
    "output_tokens": 5,
    "cached_input_tokens": 4,
    "cache_write_tokens": 3,
    "reasoning_tokens": 2,
    "estimated": True,
}
NO_USAGE = {**dict.fromkeys(USAGE, 0), "estimated": False}
PAID = {"cost_usd": 0.0031, "cost_state": "computed"}
UNPAID = {"cost_usd": None, "cost_state": "unknown", "cost_at_least_usd": 0.0}
RECALLED = Recalled(AT, "Why not?", 0.87654321)
FROM_CACHE = {
    "recalled": {"stored": "2026-11-21T12:00:00+00:00", "earlier_prompt": "Why not?", "similarity": 0.876543},
    "saved_usd": 0.0031,
}
FINDING = Finding(Cause.JUDGE, "a/2", (2, 3), 0.51234567, 0.71234567, True, False)
FOUND = {
    "how": "judge",
    "model": "a/2",
    "attempts": [2, 3],
    "agrees": True,
    "failed": False,
    "confidence_before": 0.512346,
    "confidence_after": 0.712346,
}
SILENT = Finding(Cause.SAMPLE, "a/2", (2,), 0.5, 0.5, None, True)
UNHEARD = {
    "how": "sample",
    "model": "a/2",
    "attempts": [2],
    "agrees": None,
    "failed": True,
    "confidence_before": 0.5,
    "confidence_after": 0.5,
}
ONWARD = {"model": "a/2", "gain": 0.31, "cost_usd": 0.004, "seconds": 2.5, "worth": 0.2, "taken": True}
CAP = {"scope": "day", "spent_usd": 0.25, "reserved_usd": 0.05}
CAPPED = BudgetState(
    Cap("day", "2026-11-21", Money.from_usd("0.3")), Money.from_usd("0.25"), Money.from_usd("0.05"), (0.8,)
)
DONE = attempt(
    1,
    usage=ESTIMATED,
    first_token_s=0.12345678,
    latency_s=2.12345678,
    tokens_per_s=9.12345678,
    confidence=0.71234567,
    reasons=("short", "sure"),
    finish_reason=FinishReason.STOP,
    findings=(FINDING,),
    onward=WAY,
)
DONE_SAID = {
    "attempt": 1,
    "model": "a/1",
    "provider": "a",
    "cause": "first",
    "outcome": "finished",
    "started": "2026-11-21T12:00:00+00:00",
    "usage": USAGE,
    **PAID,
    "first_token_s": 0.123457,
    "latency_s": 2.123457,
    "tokens_per_s": 9.123457,
    "confidence": 0.712346,
    "confidence_reasons": ["short", "sure"],
    "finish_reason": "stop",
    "error": None,
    "from_cache": False,
    "checks": [FOUND],
    "going_on": ONWARD,
}
BROKEN = attempt(
    2,
    Cause.FALLBACK,
    outcome=Outcome.FAILED,
    usage=Usage(),
    cost=UNKNOWN,
    confidence=None,
    error_kind=ErrorKind.SERVER,
    error_message="down",
)
BROKEN_SAID = {
    "attempt": 2,
    "model": "a/2",
    "provider": "a",
    "cause": "fallback",
    "outcome": "failed",
    "started": "2026-11-21T12:00:00+00:00",
    "usage": NO_USAGE,
    **UNPAID,
    "first_token_s": None,
    "latency_s": 1.0,
    "tokens_per_s": None,
    "confidence": None,
    "confidence_reasons": [],
    "finish_reason": None,
    "error": {"kind": "server", "message": "down"},
    "from_cache": False,
    "checks": [],
    "going_on": None,
}
TOLD: list[tuple[Event, dict[str, Any]]] = [
    (
        Reserved(*HEAD, 1, Money.from_usd("0.5"), (CAPPED, STATE)),
        {
            "attempt": 1,
            "amount_usd": 0.5,
            "budgets": [CAP | {"limit_usd": 0.3, "state": "alert"}, CAP | {"limit_usd": None, "state": "ok"}],
        },
    ),
    (
        AttemptStarted(*HEAD, 1, "a/1", "a", Cause.RETRY),
        {"attempt": 1, "model": "a/1", "provider": "a", "cause": "retry"},
    ),
    (
        AttemptStarted(*HEAD, 1, "a/1", "a", Cause.PART, "3 of 12"),
        {"attempt": 1, "model": "a/1", "provider": "a", "cause": "part", "part": "3 of 12"},
    ),
    (
        PartEnded(*HEAD, 3, 12, 4, "a/1", 2, COST),
        {"part": 3, "of": 12, "attempt": 4, "model": "a/1", "ended": 2, **PAID, "missing": None},
    ),
    (
        PartEnded(*HEAD, 3, 12, 0, "a/1", 2, UNKNOWN, "no answer"),
        {"part": 3, "of": 12, "attempt": None, "model": "a/1", "ended": 2, **UNPAID, "missing": "no answer"},
    ),
    (Thinking(*HEAD, 1, "hm"), {"attempt": 1, "text": "hm"}),
    (Text(*HEAD, 1, "hi"), {"attempt": 1, "text": "hi"}),
    (ToolCalled(*HEAD, 1, 0, "{"), {"attempt": 1, "index": 0, "arguments": "{"}),
    (
        ToolCalled(*HEAD, 1, 2, "{}", "call_1", "look", "signed"),
        {"attempt": 1, "index": 2, "arguments": "{}", "id": "call_1", "name": "look", "signature": "signed"},
    ),
    (
        AttemptFinished(
            *(*HEAD, 1, "a/1", ESTIMATED, COST, 0.12345678, 0.22345678, 9.12345678),
            *(Confidence(0.51234567, ("short",)), FinishReason.LENGTH, True, RECALLED, COST.amount),
        ),
        {
            "attempt": 1,
            "model": "a/1",
            "usage": USAGE,
            **PAID,
            "first_token_s": 0.123457,
            "latency_s": 0.223457,
            "tokens_per_s": 9.123457,
            "confidence": 0.512346,
            "confidence_reasons": ["short"],
            "finish_reason": "length",
            "from_cache": True,
            **FROM_CACHE,
        },
    ),
    (
        AttemptFinished(*(*HEAD, 1, "a/1", Usage(), UNKNOWN, None, 0.2, None, None, FinishReason.STOP)),
        {
            "attempt": 1,
            "model": "a/1",
            "usage": NO_USAGE,
            **UNPAID,
            "first_token_s": None,
            "latency_s": 0.2,
            "tokens_per_s": None,
            "confidence": None,
            "confidence_reasons": [],
            "finish_reason": "stop",
            "from_cache": False,
        },
    ),
    (
        AttemptFailed(*HEAD, 1, "a/1", ERROR, ESTIMATED, COST, 0.22345678, Next.FALLBACK),
        {
            "attempt": 1,
            "model": "a/1",
            "error": {"kind": "rate_limited", "message": "slow down", "status": 429, "retry_after_s": 7.0},
            "usage": USAGE,
            **PAID,
            "latency_s": 0.223457,
            "next": "fallback",
        },
    ),
    (Waiting(*HEAD, 1, 2.12345678, "rate limit"), {"attempt": 1, "seconds": 2.123457, "why": "rate limit"}),
    (
        Checked(*HEAD, 1, "a/1", FINDING, Confidence(0.71234567, ("judged",))),
        {
            "attempt": 1,
            "model": "a/1",
            "finding": FOUND,
            "confidence": 0.712346,
            "confidence_reasons": ["judged"],
        },
    ),
    (
        Checked(*HEAD, 1, "a/1", SILENT, Confidence(0.5)),
        {"attempt": 1, "model": "a/1", "finding": UNHEARD, "confidence": 0.5, "confidence_reasons": []},
    ),
    (
        Escalated(*HEAD, "a/1", "a/2", EscalationCause.LOW_CONFIDENCE, "0.41 < 0.60", WAY),
        {"from": "a/1", "to": "a/2", "cause": "low_confidence", "detail": "0.41 < 0.60", "expected": ONWARD},
    ),
    (
        Escalated(*HEAD, "a/1", "a/2", EscalationCause.EMPTY, "nothing came"),
        {"from": "a/1", "to": "a/2", "cause": "empty", "detail": "nothing came", "expected": None},
    ),
    (
        Verdict(
            *(*HEAD, "judge", (Score(1, "a/1", 0.11111111, 0.2, 0.3, 0.4, 0.5),), 1, ("both",), ("a/1: one",)),
            *((Point("Four.", (1, 2)),), "a/3: whole"),
        ),
        {
            "method": "judge",
            "scores": [
                {
                    "attempt": 1,
                    "model": "a/1",
                    "confidence": 0.111111,
                    "capability": 0.2,
                    "completeness": 0.3,
                    "consensus": 0.4,
                    "total": 0.5,
                }
            ],
            "winner": 1,
            "agreement": ["both"],
            "dissent": ["a/1: one"],
            "points": [{"text": "Four.", "attempts": [1, 2]}],
            "reason": "a/3: whole",
        },
    ),
    (
        Verdict(*HEAD, "weighted", (), 2, (), ()),
        {
            "method": "weighted",
            "scores": [],
            "winner": 2,
            "agreement": [],
            "dissent": [],
            "points": [],
            "reason": None,
        },
    ),
    (
        Budget(*HEAD, CAPPED, "reached at 18:00"),
        CAP | {"limit_usd": 0.3, "state": "alert", "forecast": "reached at 18:00"},
    ),
    (
        Failed(*HEAD, ERROR, COST, (DONE, BROKEN), "half", "once more", 1.12345678),
        {
            "error": {
                "kind": "rate_limited",
                "message": "slow down",
                "status": 429,
                "retry_after_s": 7.0,
                "hint": ERROR.hint,
            },
            "note": "once more",
            **PAID,
            "partial": "half",
            "latency_s": 1.123457,
            "attempts": [DONE_SAID, BROKEN_SAID],
        },
    ),
]


@pytest.mark.parametrize(("event", "carried"), TOLD)
def test_what_each_event_carries_to_the_last_figure(event: Event, carried: dict[str, Any]) -> None:
    said = event_json(event)
    assert {key: said[key] for key in said.keys() - {"type", "request_id", "at"}} == carried


CALLS = (ToolCall("call_1", "look", "{}"), ToolCall("call_2", "walk", '{"to": 1}'))


def test_the_one_object_to_the_last_figure() -> None:
    end = completed(DONE, BROKEN)
    metadata = {
        "request_id": "r",
        "attempt": 1,
        "decision": None,
        "attempts": [DONE_SAID, BROKEN_SAID],
        "confidence_reasons": ["short"],
        "cost_state": "computed",
        "usage_estimated": True,
        "note": "note",
        "from_cache": False,
    }
    said = {
        "response": "Hi.",
        "model_used": "a/1",
        "cost": 0.0031,
        "latency": 1.5,
        "confidence": 0.7,
        "input_tokens": 10,
        "output_tokens": 5,
        "strategy": "balanced",
        "ensemble_models": [],
        "metadata": metadata,
        "timestamp": "2026-11-21T12:00:00+00:00",
    }
    assert completed_json(end) == said
    called = completed_json(replace(end, calls=CALLS, metadata={"tag": "x"}))["metadata"]
    assert called == metadata | {
        "tag": "x",
        "tool_calls": [
            {"id": "call_1", "name": "look", "arguments": "{}"},
            {"id": "call_2", "name": "walk", "arguments": '{"to": 1}'},
        ],
    }
    provided = completed_json(replace(end, usage=Usage(10, 5)))["metadata"]
    assert provided == metadata | {"usage_estimated": False}


@pytest.mark.parametrize(("cached", "told"), [((), False), ((1,), True), ((2,), False), ((1, 2), True)])
def test_the_answer_is_from_the_cache_where_its_own_attempt_is(cached: tuple[int, ...], told: bool) -> None:
    rows = [attempt(number, from_cache=number in cached) for number in (1, 2)]
    assert completed_json(completed(*rows))["metadata"]["from_cache"] is told


def test_a_recalled_row_says_what_was_asked_then_and_what_it_saved() -> None:
    row = attempt(1, from_cache=True, recalled=RECALLED, saved=COST.amount)
    assert {key: attempt_json(row)[key] for key in FROM_CACHE} == FROM_CACHE
    same = attempt_json(replace(row, recalled=Recalled(AT), saved=None))
    assert same["recalled"] == {
        "stored": "2026-11-21T12:00:00+00:00",
        "earlier_prompt": None,
        "similarity": same["recalled"]["similarity"],
    }
    assert same["saved_usd"] is None
    assert not FROM_CACHE.keys() & attempt_json(attempt(1)).keys()


def test_a_decision_to_the_last_figure() -> None:
    seen = profile(
        task_probabilities={TaskType.CODE: 0.71234567},
        difficulty=0.41234567,
        novelty=0.21234567,
        needs=frozenset({Ability.VISION, Ability.TOOLS}),
        evidence=(Evidence("a question", 0.31234567),),
    )
    registry = Registry.of([model("a/x"), model("a/y", price=price("2", "9"), ability=0.6), model("b/z", price=None)])
    decision = decide(request(), seen, registry, Circumstances(), Policy())
    decision = replace(
        decision,
        margin=0.12345678,
        rule="mine",
        explored=True,
        experiment=Assignment("e1", "thrift", "b", "s/1"),
        division=Division(3, 1000, 500, "a/x", "a/y", 4000, 1, COST.amount, Money.from_usd("0.5")),
        candidates=tuple(replace(one, ability_shift=0.01234567) for one in decision.candidates),
    )
    said = decision_json(decision)
    assert said.pop("profile") == {
        "task_type": "code",
        "task_probabilities": {"code": 0.712346},
        "difficulty": 0.412346,
        "complexity": 4,
        "level": seen.level.value,
        "input_tokens": 1000,
        "output_tokens": 500,
        "needs": ["tools", "vision"],
        "evidence": [{"feature": "a question", "effect": 0.312346, "pushes": push(seen.evidence[0])}],
        "novelty": 0.212346,
        "novelty_reason": novelty_in_words(seen),
    }
    for one, told in zip(decision.candidates, said.pop("candidates"), strict=True):
        assert told == {
            "model": one.model,
            "success_probability": round(one.success_probability, 6),
            "input_tokens": 1000,
            "estimated_cost_usd": usd(one.estimated_cost),
            "most_cost_usd": usd(one.cost_ceiling),
            "estimated_latency_s": round(one.estimated_latency_s, 6),
            "score": round(one.score, 6),
            "terms": [
                {"name": term.name, "weight": round(term.weight, 6), "value": round(term.value, 6)}
                for term in score_of(decision, one)
            ],
            "learned": 0.012346,
            "excluded": one.excluded,
        }
    assert said == {
        "strategy": "balanced",
        "model": decision.model,
        "reason": decision.reason,
        "weights": weights(decision),
        "chain": list(decision.chain),
        "margin": 0.123457,
        "margin_reason": margin_in_words(decision),
        "pinned": False,
        "rule": "mine",
        "experiment": {"name": "thrift", "arm": "b"},
        "explored": True,
        "division": {
            "parts": 3,
            "part_tokens": 1000,
            "reader": "a/x",
            "writer": "a/y",
            "estimated_cost_usd": 0.0031,
            "most_cost_usd": 0.5,
        },
    }
    plain = decision_json(replace(decision, experiment=None, division=None, margin=None))
    assert (plain["experiment"], plain["division"], plain["margin"]) == (None, None, None)
