from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.budget import BudgetState, Cap
from tui_orchestrator.routing.decide import decide
from tui_orchestrator.routing.decision import Circumstances, Policy
from tui_orchestrator.routing.errors import ErrorKind, RateLimited
from tui_orchestrator.routing.event_json import attempt_json, completed_json, event_json, usd
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
    Reserved,
    Score,
    Text,
    Thinking,
    ToolCalled,
    Verdict,
    Waiting,
)
from tui_orchestrator.routing.model import Registry
from tui_orchestrator.routing.money import Cost, CostState, Money, Usage
from tui_orchestrator.routing.parts import Part

from .samples import model, profile, request

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
