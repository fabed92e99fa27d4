"""Events and what they carry as plain JSON values: what `--events`, `--json` and the gateway print.

Money becomes a number of US dollars here, at the edge; an unknown amount is null.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, assert_never

from .budget import BudgetState
from .decision import Candidate, Decision, Division
from .errors import TurnError
from .events import (
    Attempt,
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Budget,
    Checked,
    Completed,
    Decided,
    Escalated,
    Event,
    Failed,
    Finding,
    Onward,
    PartEnded,
    Recalled,
    Reserved,
    Text,
    Thinking,
    ToolCalled,
    Verdict,
    Waiting,
)
from .explanation import margin_in_words, novelty_in_words, push, score_of, weights
from .money import Cost, Money, Usage
from .profile import Profile
from .telling import took_s

Json = dict[str, Any]


def usd(amount: Money | None) -> float | None:
    """A JSON number, since JSON has no other, which most readers take for a double. Read back at twelve decimals it is
    exact to the picodollar below $8,192; from there on neighbouring doubles lie more than a picodollar apart."""
    return None if amount is None else float(amount.usd)


def event_json(event: Event) -> Json:
    """One event as `--events` prints it: `type`, `request_id`, `at`, then what it carries."""
    name, body = _body(event)
    return {"type": name, "request_id": event.request_id, "at": event.at.isoformat(), **body}


def _body(event: Event) -> tuple[str, Json]:
    match event:
        case Decided():
            return "decision", decision_json(event.decision)
        case Reserved():
            budgets = [budget_json(state) for state in event.budgets]
            return "reserved", {"attempt": event.attempt, "amount_usd": usd(event.amount), "budgets": budgets}
        case AttemptStarted():
            return "attempt_started", {
                "attempt": event.attempt,
                "model": event.model,
                "provider": event.provider,
                "cause": event.cause.value,
                **({"part": event.part} if event.part else {}),
            }
        case PartEnded():
            return "part_ended", {
                "part": event.part,
                "of": event.of,
                "attempt": event.attempt or None,
                "model": event.model,
                "ended": event.ended,
                **_cost(event.cost),
                "missing": event.missing or None,
            }
        case Thinking():
            return "thinking", {"attempt": event.attempt, "text": event.text}
        case Text():
            return "text", {"attempt": event.attempt, "text": event.text}
        case ToolCalled():
            told = {"attempt": event.attempt, "index": event.index, "arguments": event.arguments}
            named = {"id": event.id, "name": event.name, "signature": event.signature}
            return "tool_called", {**told, **{key: value for key, value in named.items() if value}}
        case AttemptFinished():
            return "attempt_finished", _finished(event)
        case AttemptFailed():
            return "attempt_failed", _attempt_failed(event)
        case Waiting():
            return "waiting", {"attempt": event.attempt, "seconds": _round(event.seconds), "why": event.why}
        case Checked():
            return "checked", {
                "attempt": event.attempt,
                "model": event.model,
                "finding": finding_json(event.finding),
                "confidence": _round(event.confidence.value),
                "confidence_reasons": list(event.confidence.reasons),
            }
        case Escalated():
            return "escalated", {
                "from": event.from_model,
                "to": event.to_model,
                "cause": event.cause.value,
                "detail": event.detail,
                "expected": onward_json(event.onward),
            }
        case Verdict():
            return "verdict", _verdict(event)
        case Budget():
            return "budget", {**budget_json(event.state), "forecast": event.forecast}
        case Completed():
            return "completed", completed_json(event)
        case Failed():
            return "failed", {
                "error": {**error_json(event.error), "hint": event.error.hint},
                "note": event.note,
                **_cost(event.cost),
                "partial": event.partial,
                "latency_s": _round(event.latency_s),
                "attempts": [attempt_json(attempt) for attempt in event.attempts],
            }
    assert_never(event)


def _finished(event: AttemptFinished) -> Json:
    return {
        "attempt": event.attempt,
        "model": event.model,
        "usage": usage_json(event.usage),
        **_cost(event.cost),
        "first_token_s": _round(event.first_token_s),
        "latency_s": _round(event.latency_s),
        "tokens_per_s": _round(event.tokens_per_s),
        "confidence": None if event.confidence is None else _round(event.confidence.value),
        "confidence_reasons": [] if event.confidence is None else list(event.confidence.reasons),
        "finish_reason": event.finish_reason.value,
        "from_cache": event.from_cache,
        **_recalled(event.recalled, event.saved),
    }


def _recalled(recalled: Recalled | None, saved: Money | None) -> Json:
    """Of a cache hit: when its answer was given for real, and what was asked then where that was other than now."""
    if recalled is None:
        return {}
    return {
        "recalled": {
            "stored": recalled.stored.isoformat(),
            "earlier_prompt": recalled.prompt or None,
            "similarity": _round(recalled.similarity),
        },
        "saved_usd": usd(saved),
    }


def _attempt_failed(event: AttemptFailed) -> Json:
    return {
        "attempt": event.attempt,
        "model": event.model,
        "error": error_json(event.error),
        "usage": usage_json(event.usage),
        **_cost(event.cost),
        "latency_s": _round(event.latency_s),
        "next": event.next.value,
    }


def decision_json(decision: Decision) -> Json:
    return {
        "strategy": decision.strategy_name,
        "model": decision.model,
        "reason": decision.reason,
        "weights": weights(decision),
        "chain": list(decision.chain),
        "profile": profile_json(decision.profile),
        "candidates": [candidate_json(candidate, decision) for candidate in decision.candidates],
        "margin": _round(decision.margin),
        "margin_reason": margin_in_words(decision),
        "pinned": decision.pinned,
        "rule": decision.rule,
        "experiment": {"name": tried.name, "arm": tried.side} if (tried := decision.experiment) else None,
        "explored": decision.explored,
        "division": None if decision.division is None else division_json(decision.division),
    }


def division_json(division: Division) -> Json:
    """How a prompt that is too long for every model is answered in parts."""
    return {
        "parts": division.parts,
        "part_tokens": division.part_tokens,
        "reader": division.reader,
        "writer": division.writer,
        "estimated_cost_usd": usd(division.cost),
        "most_cost_usd": usd(division.ceiling),
    }


def profile_json(profile: Profile) -> Json:
    return {
        "task_type": profile.task_type.value,
        "task_probabilities": {task.value: _round(p) for task, p in profile.task_probabilities.items()},
        "difficulty": _round(profile.difficulty),
        "complexity": profile.complexity,
        "level": profile.level.value,
        "input_tokens": profile.input_tokens,
        "output_tokens": profile.output_tokens,
        "needs": sorted(need.value for need in profile.needs),
        "evidence": [{"feature": e.feature, "effect": _round(e.effect), "pushes": push(e)} for e in profile.evidence],
        "novelty": _round(profile.novelty),
        "novelty_reason": novelty_in_words(profile),
    }


def candidate_json(candidate: Candidate, decision: Decision) -> Json:
    """`terms` are what the decision's strategy weighed of it: weight × value."""
    return {
        "model": candidate.model,
        "success_probability": _round(candidate.success_probability),
        "input_tokens": candidate.input_tokens,
        "estimated_cost_usd": usd(candidate.estimated_cost),
        "most_cost_usd": usd(candidate.cost_ceiling),
        "estimated_latency_s": _round(candidate.estimated_latency_s),
        "score": _round(candidate.score),
        "terms": [
            {"name": term.name, "weight": _round(term.weight), "value": _round(term.value)}
            for term in score_of(decision, candidate)
        ],
        "learned": _round(candidate.ability_shift),
        "excluded": candidate.excluded,
    }


def budget_json(state: BudgetState) -> Json:
    return {
        "scope": state.scope,
        "spent_usd": usd(state.spent),
        "reserved_usd": usd(state.reserved),
        "limit_usd": usd(state.limit),
        "state": state.condition.value,
    }


def error_json(error: TurnError) -> Json:
    return {
        "kind": error.kind.value,
        "message": error.message,
        "status": error.status,
        "retry_after_s": error.retry_after_s,
    }


def usage_json(usage: Usage) -> Json:
    return {
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "cached_input_tokens": usage.cached_input,
        "cache_write_tokens": usage.cache_write,
        "reasoning_tokens": usage.reasoning,
        **{f"{part.value}_tokens": count for part, count in usage.parts},
        "estimated": usage.source == "estimated",
    }


def attempt_json(attempt: Attempt) -> Json:
    return {
        "attempt": attempt.number,
        "model": attempt.model,
        "provider": attempt.provider,
        "cause": attempt.cause.value,
        "outcome": attempt.outcome.value,
        "started": attempt.started.isoformat(),
        "usage": usage_json(attempt.usage),
        **_cost(attempt.cost),
        "first_token_s": _round(attempt.first_token_s),
        "latency_s": _round(took_s(attempt)),
        "tokens_per_s": _round(attempt.tokens_per_s),
        "confidence": _round(attempt.confidence),
        "confidence_reasons": list(attempt.reasons),
        "finish_reason": attempt.finish_reason.value if attempt.finish_reason else None,
        "error": None
        if attempt.error_kind is None
        else {"kind": attempt.error_kind.value, "message": attempt.error_message},
        "from_cache": attempt.from_cache,
        **_recalled(attempt.recalled, attempt.saved),
        "checks": [finding_json(finding) for finding in attempt.findings],
        "going_on": onward_json(attempt.onward),
    }


def finding_json(finding: Finding) -> Json:
    """What a check found: who was asked, by which attempts, whether it agrees, and what that made of the confidence."""
    return {
        "how": finding.how.value,
        "model": finding.model,
        "attempts": list(finding.attempts),
        "agrees": finding.agrees,
        "failed": finding.failed,
        "confidence_before": _round(finding.before),
        "confidence_after": _round(finding.after),
    }


def onward_json(way: Onward | None) -> Json | None:
    """What going on was expected to bring, and whether it was done."""
    if way is None:
        return None
    return {
        "model": way.model,
        "gain": _round(way.gain),
        "cost_usd": usd(way.cost),
        "seconds": _round(way.seconds),
        "worth": _round(way.worth),
        "taken": way.taken,
    }


def completed_json(end: Completed, decision: Decision | None = None) -> Json:
    """The one object of `ask --json`. `metadata.decision` is there when the decision is given."""
    members = [attempt for attempt in end.attempts if attempt.cause.value == "ensemble"]
    metadata: Json = {
        "request_id": end.request_id,
        "attempt": end.attempt,
        "decision": None if decision is None else decision_json(decision),
        "attempts": [attempt_json(attempt) for attempt in end.attempts],
        "confidence_reasons": list(end.confidence.reasons),
        **_state(end.cost),
        "usage_estimated": end.usage.source == "estimated",
        "note": end.note,
        "from_cache": any(attempt.number == end.attempt and attempt.from_cache for attempt in end.attempts),
        **end.metadata,
    }
    if end.calls:
        metadata["tool_calls"] = [{"id": c.id, "name": c.name, "arguments": c.arguments} for c in end.calls]
    if members:
        metadata["ensemble_size"] = len(members)
        metadata["all_confidences"] = {f"{a.number}:{a.model}": _round(a.confidence) for a in members}
    return {
        "response": end.response,
        "model_used": end.model,
        "cost": usd(end.cost.amount),
        "latency": _round(end.latency_s),
        "confidence": _round(end.confidence.value),
        "input_tokens": end.usage.input,
        "output_tokens": end.usage.output,
        "strategy": end.strategy,
        "ensemble_models": [attempt.model for attempt in members],
        "metadata": metadata,
        "timestamp": end.at.isoformat(),
    }


def _verdict(event: Verdict) -> Json:
    scores = [
        {field.name: _round(value) if isinstance(value := getattr(score, field.name), float) else value
         for field in fields(score)}
        for score in event.scores
    ]  # fmt: skip
    return {
        "method": event.method,
        "scores": scores,
        "winner": event.winner,
        "agreement": list(event.agreement),
        "dissent": list(event.dissent),
        "points": [{"text": point.text, "attempts": list(point.attempts)} for point in event.points],
        "reason": event.reason or None,
    }


def _cost(cost: Cost) -> Json:
    """Of an unknown sum also what is known of it."""
    return {"cost_usd": usd(cost.amount), **_state(cost)}


def _state(cost: Cost) -> Json:
    state = {"cost_state": cost.state.value}
    return state if cost.amount is not None else {**state, "cost_at_least_usd": usd(cost.at_least)}


def _round(value: float | None) -> float | None:
    """Six places: more is noise to a reader, and no figure here is money."""
    return None if value is None else round(value, 6)
