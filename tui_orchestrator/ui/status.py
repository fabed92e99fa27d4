"""The line under an answer: who gave it, how, and what it took."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tui_orchestrator.routing.events import Attempt, Confidence
from tui_orchestrator.routing.money import Cost, Usage
from tui_orchestrator.routing.telling import recalled_in_words, saved_in_words

from . import words
from .look import Mark

AGAIN_KEY = "Alt+R"
"""As the console ships it; /again does the same under any key."""
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
    """Under each answer: model · provider · strategy · ↑in ↓out · seconds · tok/s · $ · confidence. Under one from the
    cache comes `recalled_line` instead."""
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
    return joined([*parts, *_trust(confidence)])


def recalled_line(attempt: Attempt, confidence: Confidence | None, at: datetime) -> list[Mark]:
    """Under an answer from the cache: whose question it answered and when, what that saved, and what asks for real.
    What a call takes is left out, since none was made."""
    assert attempt.recalled is not None
    age = words.ago(max(0.0, (at - attempt.recalled.stored).total_seconds()))
    nearly = attempt.recalled.similarity is not None
    parts: list[Mark] = [
        (recalled_in_words(attempt.recalled) if nearly else f"◇ {recalled_in_words(attempt.recalled)}", "accent"),
        (age, "muted"),
        (f"{AGAIN_KEY} asks for real", "accent"),
        (words.short_name(attempt.model), "strong"),
        (", ".join(filter(None, (str(attempt.cost), saved_in_words(attempt)))), "money"),
    ]
    return joined([*parts, *_trust(confidence)])


def _trust(confidence: Confidence | None) -> list[Mark]:
    if confidence is None:
        return []
    return [(f"confidence {confidence.value:.2f}", "success" if confidence.value >= 0.6 else "warning")]


def joined(parts: Sequence[Mark]) -> list[Mark]:
    marks: list[Mark] = []
    for part in parts:
        marks += [SEPARATOR, part] if marks else [part]
    return marks


def stored_status(attempt: Attempt) -> list[Mark]:
    confidence = None if attempt.confidence is None else Confidence(attempt.confidence)
    if attempt.recalled is not None:
        return recalled_line(attempt, confidence, attempt.started)
    return status_line(
        attempt.model,
        attempt.strategy,
        attempt.usage,
        attempt.cost,
        confidence,
        attempt.latency_s,
        attempt.tokens_per_s,
    )
