"""Why an attempt is made, and how it may end, each in one word."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """Why an attempt was made."""

    FIRST = "first"
    RETRY = "retry"
    FALLBACK = "fallback"
    ESCALATION = "escalation"
    ENSEMBLE = "ensemble"
    SYNTHESIS = "synthesis"
    PART = "part"
    """The prompt is too long for every model, and this is about one part of it."""
    SECOND_OPINION = "second_opinion"
    """The prompt put to another cheap model, to see whether it comes to the same."""
    SAMPLE = "sample"
    """The prompt put to the same model again, for the same end."""
    JUDGE = "judge"
    """A cheap model asked whether the answer is right."""


CHECKS = frozenset({Cause.SECOND_OPINION, Cause.SAMPLE, Cause.JUDGE})
"""Attempts made to learn how far another one's answer can be trusted."""


class EscalationCause(StrEnum):
    ERROR = "error"
    LOW_CONFIDENCE = "low_confidence"
    REFUSAL = "refusal"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    CONTEXT_WINDOW = "context_window"
    TIMEOUT = "timeout"


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    CONTENT_FILTER = "content_filter"
    TOOL_CALLS = "tool_calls"
    OTHER = "other"


class Outcome(StrEnum):
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
