"""An attempt as a row, and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import Attempt, Cause, Finding, FinishReason, Onward, Outcome, Recalled
from tui_orchestrator.routing.money import Cost, CostState, Money, Price, Usage
from tui_orchestrator.routing.parts import Part
from tui_orchestrator.routing.text import clean_line

from .checked import readable
from .codec import decode, encode

REASON_LENGTH = 400


def instant(moment: datetime) -> str:
    """UTC in ISO 8601 with microseconds, so that text sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def picodollars(amount: Money | None) -> int | None:
    return None if amount is None else amount.picodollars


def money(stored: int | None) -> Money | None:
    return None if stored is None else Money(stored)


_COLUMNS = (
    "request_id", "number", "session", "model", "provider", "strategy", "task_type", "cause", "started", "day",
    "outcome", "input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens", "reasoning_tokens",
    "usage_source", "cost", "cost_state", "price", "latency_s", "first_token_s", "tokens_per_s", "confidence",
    "finish_reason", "error_kind", "error_message", "error_status", "from_cache", "saved", "reasons", "findings",
    "onward", "recalled", "usage_parts",
)  # fmt: skip
INSERT_ATTEMPT = (
    f"INSERT INTO attempts ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)}) "
    "ON CONFLICT (request_id, number) DO NOTHING"
)
REVISE_ATTEMPT = (
    "UPDATE attempts SET confidence = :confidence, reasons = :reasons, findings = :findings, onward = :onward "
    "WHERE request_id = :request_id AND number = :number"
)
SELECT_ATTEMPTS = f"SELECT {', '.join(_COLUMNS)} FROM attempts"


def attempt_row(attempt: Attempt, day: str) -> dict[str, str | int | float | None]:
    """Parameters of INSERT_ATTEMPT, booked on `day`."""
    return {
        "session": attempt.session,
        "model": attempt.model,
        "provider": attempt.provider,
        "strategy": attempt.strategy,
        "task_type": attempt.task_type,
        "cause": attempt.cause,
        "started": instant(attempt.started),
        "day": day,
        "outcome": attempt.outcome,
        "input_tokens": attempt.usage.input,
        "output_tokens": attempt.usage.output,
        "cached_input_tokens": attempt.usage.cached_input,
        "cache_write_tokens": attempt.usage.cache_write,
        "reasoning_tokens": attempt.usage.reasoning,
        "usage_source": attempt.usage.source,
        "usage_parts": _json(dict(attempt.usage.parts)) if attempt.usage.parts else None,
        "cost": picodollars(attempt.cost.amount),
        "cost_state": attempt.cost.state,
        "price": json.dumps(attempt.price.to_json()) if attempt.price else None,
        "latency_s": attempt.latency_s,
        "first_token_s": attempt.first_token_s,
        "tokens_per_s": attempt.tokens_per_s,
        "finish_reason": attempt.finish_reason,
        "error_kind": attempt.error_kind,
        "error_message": clean_line(attempt.error_message),
        "error_status": attempt.error_status,
        "from_cache": attempt.from_cache,
        "saved": picodollars(attempt.saved),
        "recalled": _json(encode(attempt.recalled)) if attempt.recalled else None,
        **judgement_row(attempt),
    }


def judgement_row(attempt: Attempt) -> dict[str, str | int | float | None]:
    """Parameters of REVISE_ATTEMPT: what is thought of the answer, which a check may change after it was booked."""
    return {
        "request_id": attempt.request_id,
        "number": attempt.number,
        "confidence": attempt.confidence,
        "reasons": _json([clean_line(reason, REASON_LENGTH) for reason in attempt.reasons]),
        "findings": _json(encode(attempt.findings)),
        "onward": _json(encode(attempt.onward)) if attempt.onward else None,
    }


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


@readable("attempts")
def attempt_of(row: tuple[Any, ...]) -> Attempt:
    """From a row of SELECT_ATTEMPTS."""
    at = dict(zip(_COLUMNS, row, strict=True))
    usage = Usage(
        at["input_tokens"],
        at["output_tokens"],
        at["cached_input_tokens"],
        at["cache_write_tokens"],
        at["reasoning_tokens"],
        at["usage_source"],
        tuple((Part(name), count) for name, count in json.loads(at["usage_parts"] or "{}").items()),
    )
    return Attempt(
        request_id=at["request_id"],
        number=at["number"],
        session=at["session"],
        model=at["model"],
        provider=at["provider"],
        strategy=at["strategy"],
        task_type=at["task_type"],
        cause=Cause(at["cause"]),
        started=datetime.fromisoformat(at["started"]),
        day=at["day"],
        outcome=Outcome(at["outcome"]),
        usage=usage,
        cost=Cost(money(at["cost"]), CostState(at["cost_state"])),
        price=Price.from_json(json.loads(at["price"])) if at["price"] else None,
        latency_s=at["latency_s"],
        first_token_s=at["first_token_s"],
        tokens_per_s=at["tokens_per_s"],
        confidence=at["confidence"],
        finish_reason=FinishReason(at["finish_reason"]) if at["finish_reason"] else None,
        error_kind=ErrorKind(at["error_kind"]) if at["error_kind"] else None,
        error_message=at["error_message"],
        error_status=at["error_status"],
        from_cache=bool(at["from_cache"]),
        saved=money(at["saved"]),
        reasons=tuple(json.loads(at["reasons"])),
        findings=decode(tuple[Finding, ...], json.loads(at["findings"])),
        onward=decode(Onward, json.loads(at["onward"])) if at["onward"] else None,
        recalled=decode(Recalled, json.loads(at["recalled"])) if at["recalled"] else None,
    )
