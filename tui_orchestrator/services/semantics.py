"""A turn in the words of OpenTelemetry's semantic conventions for generative AI, as of November 2026 (in development).

Only what is listed here is told: models, kinds, tokens, dollars and times. Metrics have the names that
opentelemetry-semantic-conventions 0.66b has for them; what has none there begins with `tui_orchestrator.`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..routing.decision import Decision
from ..routing.events import Attempt, Cause, Completed, Failed, Outcome
from ..routing.money import Cost
from ..routing.request import Request
from ..settings import ProviderSettings, masked

DURATION = "gen_ai.client.operation.duration"
TIME_TO_FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk"
TOKEN_USAGE = "gen_ai.client.token.usage"
COST = "tui_orchestrator.cost"
TURNS = "tui_orchestrator.turns"
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = tuple(4.0**power for power in range(14))
"""Boundaries of histograms, as the conventions ask for them."""

_PROVIDERS = {"gemini": "gcp.gemini"}
"""Kinds that the conventions call otherwise."""
_FINISH = {"tool_calls": "tool_call"}

Value = str | int | float | bool | Sequence[str]
Attributes = dict[str, Value]


def operation(attempt: Attempt, provider: ProviderSettings | None, served_by: str) -> Attributes:
    """What a call's span and its measurements have in common."""
    kind = provider.kind if provider is not None else ""
    own_name = kind in ("", "openai-compatible", "plugin")
    told: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": attempt.provider if own_name else _PROVIDERS.get(kind, kind),
        "gen_ai.request.model": name_of(attempt),
    }
    if attempt.outcome is Outcome.FINISHED:
        told["gen_ai.response.model"] = served_by or name_of(attempt)
    if provider is not None and provider.base_url:
        address = urlsplit(provider.base_url)
        if address.hostname:
            told["server.address"] = address.hostname
            told["server.port"] = address.port or (443 if address.scheme == "https" else 80)
    if attempt.error_kind is not None:
        told["error.type"] = attempt.error_kind.value
    return told


def name_of(attempt: Attempt) -> str:
    return attempt.model.removeprefix(f"{attempt.provider}/")


def of_attempt(attempt: Attempt) -> Attributes:
    """What its span has beside the operation."""
    usage = attempt.usage
    told: Attributes = {
        "gen_ai.request.stream": True,
        "gen_ai.usage.input_tokens": usage.input,
        "gen_ai.usage.output_tokens": usage.output,
        "tui_orchestrator.attempt": attempt.number,
        "tui_orchestrator.cause": attempt.cause.value,
        "tui_orchestrator.outcome": attempt.outcome.value,
        "tui_orchestrator.from_cache": attempt.from_cache,
        "tui_orchestrator.usage_estimated": usage.source == "estimated",
        **_cost(attempt.cost),
    }
    if attempt.finish_reason is not None:
        reason = attempt.finish_reason.value
        told["gen_ai.response.finish_reasons"] = [_FINISH.get(reason, reason)]
    if attempt.first_token_s is not None:
        told["gen_ai.response.time_to_first_chunk"] = attempt.first_token_s
    if attempt.confidence is not None:
        told["tui_orchestrator.confidence"] = attempt.confidence
    # Those of the conventions that are a part of the two above.
    for name, tokens in (
        ("gen_ai.usage.cache_read.input_tokens", usage.cached_input),
        ("gen_ai.usage.cache_creation.input_tokens", usage.cache_write),
        ("gen_ai.usage.reasoning.output_tokens", usage.reasoning),
    ):
        if tokens:
            told[name] = tokens
    return told


def of_turn(end: Completed | Failed, decision: Decision | None) -> Attributes:
    told: Attributes = {
        "tui_orchestrator.request_id": end.request_id,
        "tui_orchestrator.attempts": len(end.attempts),
        "tui_orchestrator.outcome": "completed" if isinstance(end, Completed) else "failed",
        **_cost(end.cost),
    }
    if isinstance(end, Completed):
        told |= {"gen_ai.response.model": end.model, "tui_orchestrator.confidence": end.confidence.value}
    else:
        told["error.type"] = end.error.kind.value
    if decision is not None:
        told |= {
            "tui_orchestrator.strategy": decision.strategy_name,
            "tui_orchestrator.pinned": decision.pinned,
            "tui_orchestrator.task_type": decision.task_type.value,
            "tui_orchestrator.difficulty": decision.profile.difficulty,
            "tui_orchestrator.complexity": decision.profile.complexity,
        }
    session = next((attempt.session for attempt in end.attempts if attempt.session), "")
    return told | ({"gen_ai.conversation.id": session} if session else {})


def _cost(cost: Cost) -> Attributes:
    """In dollars to be drawn, and exactly; neither where it is not known."""
    told: Attributes = {"tui_orchestrator.cost_state": cost.state}
    if cost.amount is not None:
        told["tui_orchestrator.cost_usd"] = float(cost.amount.usd)
        told["tui_orchestrator.cost_picodollars"] = cost.amount.picodollars
    return told


def asked(request: Request) -> Attributes:
    """What was said, as the conventions write it: only where the user wants it told."""
    said = {"gen_ai.input.messages": _messages((one.role, one.text) for one in request.messages)}
    if request.system:
        said["gen_ai.system_instructions"] = json.dumps([_part(request.system)], ensure_ascii=False)
    return {**said}


def answered(text: str, finish_reason: str) -> Attributes:
    message = {"role": "assistant", "parts": [_part(text)], "finish_reason": finish_reason}
    return {"gen_ai.output.messages": json.dumps([message], ensure_ascii=False)}


def answers_the_prompt(cause: Cause, decision: Decision | None) -> bool:
    """Whether what was sent is what the user said: a judge, a writer and who reads a part are given another prompt."""
    in_parts = decision is not None and decision.division is not None
    return not in_parts and cause not in (Cause.JUDGE, Cause.SYNTHESIS)


def _messages(said: Iterable[tuple[str, str]]) -> str:
    return json.dumps([{"role": role, "parts": [_part(text)]} for role, text in said], ensure_ascii=False)


def _part(text: str) -> Mapping[str, Any]:
    return {"type": "text", "content": masked(text)}
