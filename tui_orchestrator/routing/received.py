"""What has come of one call so far, and what it amounts to: usage, cost, speed, and the ledger's row."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from .budget import Cap
from .decision import Candidate, Decision
from .errors import ErrorKind, TurnError
from .events import Attempt, Cause, Confidence, FinishReason, Outcome
from .features import estimate_tokens
from .model import Model
from .money import NOTHING, Cost, Money, Usage
from .ports import CachedAnswer, Done
from .profile import Profile
from .request import Request

FEW_TOKENS = 8
"""Below this a speed says nothing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an attempt is to do, settled before it starts."""

    request: Request
    decision: Decision
    model: Model
    candidate: Candidate
    number: int
    cause: Cause
    caps: tuple[Cap, ...]
    pause_s: float = 0.0
    """Back-off before the call."""


@dataclass(slots=True)
class Received:
    """Pieces of a stream, cleaned. Times are of the monotonic clock."""

    text_pieces: list[str] = field(default_factory=list)
    thinking_pieces: list[str] = field(default_factory=list)
    reported: Usage | None = None
    done: Done | None = None
    sent: float | None = None
    """When the request went out; None: it never did."""
    first: float | None = None
    last: float | None = None
    most: int | None = None
    """Output tokens that were asked for at most."""

    @property
    def text(self) -> str:
        return "".join(self.text_pieces)

    @property
    def thinking(self) -> str:
        return "".join(self.thinking_pieces)

    def take(self, text: str, pieces: list[str], now: float) -> None:
        pieces.append(text)
        self.last = now
        if self.first is None:
            self.first = now

    def usage(self, profile: Profile, error: TurnError | None) -> Usage:
        """What is paid for: the provider's own figures where they are whole; else what streamed, never less, and
        never more than was asked for: an estimate must not pass what was reserved."""
        if self.done is not None and self.reported is not None:
            return self.reported
        seen = estimate_tokens(self.text) + estimate_tokens(self.thinking)
        if self.most is not None:
            seen = min(seen, self.most)
        if self.reported is not None:
            return replace(self.reported, output=max(self.reported.output, seen), source="estimated")
        nothing_came = self.first is None and self.done is None
        if nothing_came and (self.sent is None or not _was_taken_in(error)):
            return Usage()
        return Usage(profile.input_tokens, seen, source="estimated")

    def tokens_per_s(self, usage: Usage) -> float | None:
        if self.first is None or self.last is None or usage.output < FEW_TOKENS or self.last <= self.first:
            return None
        return usage.output / (self.last - self.first)

    def outcome(self, error: TurnError | None) -> Outcome:
        if error is not None and error.kind is ErrorKind.CANCELLED:
            return Outcome.CANCELLED
        return Outcome.FINISHED if error is None and self.done is not None else Outcome.FAILED


def _was_taken_in(error: TurnError | None) -> bool:
    """Whether a provider that failed without a word had taken the request in, and so may bill its input."""
    return error is None or error.kind in (ErrorKind.TIMEOUT, ErrorKind.STREAM_BROKEN, ErrorKind.CANCELLED)


def cost_of(received: Received, usage: Usage, model: Model) -> Cost:
    billed: Money | None = received.done.billed if received.done else None
    if usage == Usage() and billed is None:
        return NOTHING
    return Cost.of(usage, model.price, billed)


def row(
    plan: Plan,
    received: Received,
    error: TurnError | None,
    confidence: Confidence | None,
    started: datetime,
    day: str,
    latency_s: float,
) -> Attempt:
    """The attempt as it is booked."""
    usage = received.usage(plan.decision.profile, error)
    return Attempt(
        request_id=plan.request.id,
        number=plan.number,
        session=plan.request.session,
        model=plan.model.id,
        provider=plan.model.provider,
        strategy=plan.decision.strategy.value,
        task_type=plan.decision.profile.task_type.value,
        cause=plan.cause,
        started=started,
        day=day,
        outcome=received.outcome(error),
        usage=usage,
        cost=cost_of(received, usage, plan.model),
        price=plan.model.price,
        latency_s=latency_s,
        first_token_s=None if received.first is None or received.sent is None else received.first - received.sent,
        tokens_per_s=received.tokens_per_s(usage),
        confidence=None if confidence is None else confidence.value,
        finish_reason=received.done.finish_reason if received.done else None,
        error_kind=error.kind if error else None,
        error_message=error.message if error else "",
        reasons=() if confidence is None else confidence.reasons,
    )


def from_cache(hit: CachedAnswer) -> Received:
    """A cached answer as if it had streamed: at no cost."""
    return Received([hit.text], [hit.thinking] if hit.thinking else [], Usage(), Done(hit.finish_reason, Usage()))


def to_cache(model: Model, received: Received, attempt: Attempt, stored: datetime) -> CachedAnswer:
    return CachedAnswer(
        model.id,
        received.text,
        received.thinking,
        attempt.usage,
        attempt.cost.amount,
        attempt.finish_reason or FinishReason.STOP,
        stored,
    )
