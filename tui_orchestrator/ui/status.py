"""The line under an answer: who gave it, how, and what it took."""

from __future__ import annotations

from collections.abc import Sequence

from tui_orchestrator.routing.events import Attempt, Confidence
from tui_orchestrator.routing.money import Cost, Usage

from . import words
from .look import Mark

SEPARATOR: Mark = (" · ", "muted")


def status_line(
    model: str,
    strategy: str,
    usage: Usage,
    cost: Cost,
    confidence: Confidence | None,
    latency_s: float,
    tokens_per_s: float | None,
) -> list[Mark]:
    """Under each answer: model · provider · strategy · ↑in ↓out · seconds · tok/s · $ · confidence."""
    approximate = "~" if usage.source == "estimated" else ""
    figures = f"↑{approximate}{words.tokens(usage.input)} ↓{approximate}{words.tokens(usage.output)}"
    parts: list[Mark] = [
        (words.short_name(model), "strong"),
        (model.partition("/")[0], "muted"),
        (words.spoken(strategy), "muted"),
        (figures, "muted"),
        (words.seconds(latency_s), "muted"),
    ]
    if tokens_per_s:
        parts.append((f"{tokens_per_s:.0f} tok/s", "muted"))
    parts.append((str(cost), "money"))
    if confidence is not None:
        role = "success" if confidence.value >= 0.6 else "warning"
        parts.append((f"confidence {confidence.value:.2f}", role))
    return joined(parts)


def joined(parts: Sequence[Mark]) -> list[Mark]:
    marks: list[Mark] = []
    for part in parts:
        marks += [SEPARATOR, part] if marks else [part]
    return marks


def stored_status(attempt: Attempt) -> list[Mark]:
    confidence = None if attempt.confidence is None else Confidence(attempt.confidence)
    return status_line(
        attempt.model,
        attempt.strategy,
        attempt.usage,
        attempt.cost,
        confidence,
        attempt.latency_s,
        attempt.tokens_per_s,
    )
