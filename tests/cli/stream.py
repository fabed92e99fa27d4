"""The lines of `ask --events`: their grammar, and the fields each must carry."""

from __future__ import annotations

from datetime import datetime
from typing import Any

_USAGE = {
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "estimated",
}
_BUDGET = {"scope", "spent_usd", "reserved_usd", "limit_usd", "state"}
_RESULT = [
    "response",
    "model_used",
    "cost",
    "latency",
    "confidence",
    "input_tokens",
    "output_tokens",
    "strategy",
    "ensemble_models",
    "metadata",
    "timestamp",
]
FIELDS: dict[str, set[str]] = {
    "decision": {"strategy", "model", "reason", "chain", "profile", "candidates"},
    "reserved": {"attempt", "amount_usd", "budgets"},
    "attempt_started": {"attempt", "model", "provider", "cause"},
    "thinking": {"attempt", "text"},
    "text": {"attempt", "text"},
    "attempt_finished": {
        "attempt",
        "model",
        "usage",
        "cost_usd",
        "cost_state",
        "first_token_s",
        "latency_s",
        "tokens_per_s",
        "confidence",
        "finish_reason",
    },
    "attempt_failed": {"attempt", "model", "error", "usage", "cost_usd", "cost_state", "next"},
    "waiting": {"attempt", "seconds", "why"},
    "checked": {"attempt", "model", "finding", "confidence", "confidence_reasons"},
    "escalated": {"from", "to", "cause", "detail"},
    "verdict": {"method", "scores", "winner", "agreement", "dissent"},
    "budget": {*_BUDGET, "forecast"},
    "completed": set(_RESULT),
    "failed": {"error", "cost_usd", "cost_state"},
}
_INSIDE: dict[tuple[str, str], set[str]] = {
    ("decision", "profile"): {
        "task_type",
        "task_probabilities",
        "difficulty",
        "complexity",
        "level",
        "input_tokens",
        "needs",
    },
    ("decision", "candidates"): {
        "model",
        "success_probability",
        "estimated_cost_usd",
        "estimated_latency_s",
        "score",
        "excluded",
    },
    ("reserved", "budgets"): _BUDGET,
    ("attempt_finished", "usage"): _USAGE,
    ("attempt_failed", "usage"): _USAGE,
    ("attempt_failed", "error"): {"kind", "message", "status", "retry_after_s"},
    ("verdict", "scores"): {"model", "confidence", "capability", "completeness", "consensus", "total"},
    ("failed", "error"): {"kind", "message", "hint"},
}
RESULT = tuple(_RESULT)


def check(events: list[dict[str, Any]]) -> None:
    """Raises AssertionError where the lines are no turn."""
    for event in events:
        _check_fields(event)
    types = [event["type"] for event in events]
    assert types[0] == "decision"
    assert types[-1] in ("completed", "failed")
    assert not {"decision", "completed", "failed"} & set(types[1:-1])
    assert len({event["request_id"] for event in events}) == 1
    running: set[int] = set()
    over: set[int] = set()
    for event in events[1:-1]:
        number = event.get("attempt")
        match event["type"]:
            case "reserved":
                assert number not in running | over
            case "attempt_started":
                assert number not in running | over
                running.add(number)
            case "text" | "thinking" | "waiting":
                assert number in running
            case "attempt_finished" | "attempt_failed":
                running.remove(number)
                over.add(number)
            case "checked":
                assert number in over
                assert set(event["finding"]["attempts"]) <= over
            case "escalated" | "verdict":
                assert over
                assert not running
    assert not running, "every attempt ends"
    assert over == set(range(1, len(over) + 1))


def _check_fields(event: dict[str, Any]) -> None:
    kind = event["type"]
    assert list(event)[:3] == ["type", "request_id", "at"]
    assert datetime.fromisoformat(event["at"]).utcoffset() is not None
    assert FIELDS[kind] <= event.keys(), kind
    for (of, name), wanted in _INSIDE.items():
        if of == kind:
            for inner in event[name] if isinstance(event[name], list) else [event[name]]:
                assert wanted <= inner.keys(), (kind, name)
