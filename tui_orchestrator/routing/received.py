"""What has come of one call so far, and what it amounts to: usage, cost, speed, and the ledger's row."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from .budget import Cap, Lost
from .deadline import Deadline
from .decision import Candidate, Decision
from .errors import ErrorKind, TurnError
from .events import Attempt, Cause, Confidence, FinishReason, Outcome, Recalled, ToolCalled
from .features import estimate_tokens
from .model import Model
from .money import NOTHING, ZERO, Cost, CostState, Money, Price, Usage
from .ports import CachedAnswer, CallPiece, Done, TextPiece, ThinkingPiece, UsageSoFar
from .profile import Profile
from .reports import LARGEST_WINDOW, LEAST_WINDOW, MOST_TIMES, input_of, output_of
from .request import Request
from .text import Cleaning, clean_line
from .tools import LONGEST_NAME, Calling, ToolCall, clean_json

LONGEST_PROMPT = 160
"""Characters of an earlier prompt that are told."""
_LONGEST_ID = 256
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
    deadline: Deadline
    """The turn's."""
    pause_s: float = 0.0
    """Back-off before the call."""
    fewer_tokens: bool = True
    """Whether it may be asked for fewer output tokens where only that fits into a budget."""

    @property
    def day(self) -> str:
        """The user's local date when its money is set aside: what it counts towards, whenever it ends."""
        return next(cap.period for cap in self.caps if cap.scope == "day")


@dataclass(slots=True)
class Received:
    """Pieces of a stream, cleaned. Times are of the monotonic clock."""

    text_pieces: list[str] = field(default_factory=list)
    thinking_pieces: list[str] = field(default_factory=list)
    callings: list[Calling] = field(default_factory=list)
    reported: Usage | None = None
    billed: Money | None = None
    """What the provider has said it charged, up to here."""
    tier: str = ""
    """The service tier the provider has named."""
    done: Done | None = None
    sent: float | None = None
    """When the request went out; None: it never did."""
    first: float | None = None
    last: float | None = None
    heard: int = 0
    """How many times something new came: what says the same again, or nothing, is no sign of life."""
    most: int | None = None
    """Output tokens that were asked for at most."""
    window: int | None = None
    """Tokens the model can read and write together; None: not known."""
    doubts: list[str] = field(default_factory=list)
    """Counts the provider reported that cannot be: '100,000,000 output tokens'."""
    input_believed: bool = True
    """Every count of it that was reported can be true."""
    output_believed: bool = True
    input_tokens: int | None = None
    """What the model is likely to count for the prompt; None: what the profile estimates."""
    count: Callable[[str, str], int] = lambda text, thinking: estimate_tokens(text) + estimate_tokens(thinking)
    """Tokens the model is likely to bill for so much of an answer and its thinking."""

    _text: Cleaning = field(default_factory=Cleaning)
    _thinking: Cleaning = field(default_factory=Cleaning)

    @property
    def text(self) -> str:
        return "".join(self.text_pieces)

    @property
    def thinking(self) -> str:
        return "".join(self.thinking_pieces)

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(calling.call for calling in self.callings)

    @property
    def served_by(self) -> str:
        """One clean line; '' where the provider does not say it."""
        return "" if self.done is None else clean_line(self.done.served_by or "", 200)

    @property
    def written(self) -> str:
        """All that is billed as the answer: its text and the calls in it."""
        return self.text + "".join(f"{call.name}{call.arguments}" for call in self.calls)

    def call(self, piece: CallPiece, now: float) -> CallPiece:
        """The piece as it is told: cleaned, and its first one with an id, which some providers do not give. A piece
        beyond the last call begins one."""
        index = max(0, min(piece.index, len(self.callings)))
        told = CallPiece(index, clean_json(piece.arguments))
        if index == len(self.callings):
            id_ = clean_line(piece.id, _LONGEST_ID) or f"call_{uuid.uuid4().hex[:24]}"
            told = replace(told, id=id_, name=clean_line(piece.name, LONGEST_NAME), signature=piece.signature)
            self.callings.append(Calling(told.id, told.name, told.signature))
            self.heard += 1
        self.take(told.arguments, self.callings[index].pieces, now)
        return told

    def hear(self, piece: TextPiece | ThinkingPiece, now: float) -> str:
        """The piece as it is told: cleaned; '' where nothing is left of it."""
        is_text = isinstance(piece, TextPiece)
        text = (self._text if is_text else self._thinking).next(piece.text)
        if text:
            self.take(text, self.text_pieces if is_text else self.thinking_pieces, now)
        return text

    def end(self, done: Done, now: float) -> str:
        """What is still to be told of its text: a character of which half has come."""
        if self.callings and done.finish_reason in (FinishReason.STOP, FinishReason.OTHER):
            # Gemini and some of those that speak like OpenAI say of an answer that calls tools no more than its end.
            done = replace(done, finish_reason=FinishReason.TOOL_CALLS)
        self.done = done
        self.report(done)
        if rest := self._text.rest():
            self.take(rest, self.text_pieces, now)
        return rest

    def take(self, text: str, pieces: list[str], now: float) -> None:
        pieces.append(text)
        self.heard += bool(text)
        self.last = now
        if self.first is None:
            self.first = now

    def report(self, said: UsageSoFar | Done) -> None:
        if said.usage is not None:
            self._hear(said.usage)
        self.billed = said.billed if said.billed is not None else self.billed
        self.tier = said.tier or self.tier

    def _hear(self, said: Usage) -> None:
        """Replaces the last report, but for counts that are less than it said before or more than a call can have."""
        before, window = self.reported or Usage(), max(self.window or LARGEST_WINDOW, LEAST_WINDOW)
        if said.input > max(window, MOST_TIMES * (self.input_tokens or 0)):
            self._doubt(f"{said.input:,} input tokens")
            self.input_believed, said = False, input_of(before, said)
        elif said.input < before.input:
            self.input_believed, said = False, input_of(before, said)
        if said.output > max(window, self.most or 0) and said.output > MOST_TIMES * self._seen:
            self._doubt(f"{said.output:,} output tokens")
            self.output_believed, said = False, output_of(before, said)
        elif said.output < before.output:
            self.output_believed, said = False, output_of(before, said)
        self.heard += said != self.reported
        self.reported = said

    def _doubt(self, count: str) -> None:
        if count not in self.doubts:
            self.doubts.append(count)

    @property
    def _seen(self) -> int:
        return self.count(self.written, self.thinking)

    def usage(self, profile: Profile, error: TurnError | None) -> Usage:
        """What is paid for: the provider's own figures where they are whole and can be true; else what streamed, never
        less, and never more than was asked for: an estimate must not pass what was reserved."""
        seen = self._seen if self.most is None else min(self._seen, self.most)
        sent = profile.input_tokens if self.input_tokens is None else self.input_tokens
        if (reported := self.reported) is not None:
            if self.sent is None:  # from the cache
                return reported
            final = self.done is not None and self.done.usage is not None
            output = reported.output
            uncounted = self._uncounted(reported)
            if not final or not self.output_believed or uncounted:
                # Reasoning that was counted comes on top of words that were not.
                least = seen + reported.reasoning if uncounted else seen
                output = max(output, least if self.most is None else min(least, self.most))
            elif self.input_believed and reported.input and not self._past_the_limit(reported):
                return reported
            return replace(reported, input=reported.input or sent, output=output, source="estimated")
        nothing_came = self.first is None and self.done is None
        if nothing_came and (self.sent is None or not _was_taken_in(error)):
            return Usage()
        return Usage(sent, seen, source="estimated")

    def _past_the_limit(self, usage: Usage) -> bool:
        """More than was asked for at most: it may be billed, but no longer follows from what was agreed."""
        return self.most is not None and usage.output > self.most

    def _uncounted(self, reported: Usage) -> bool:
        """Nothing was counted for words that came."""
        if self.written.strip():
            return reported.output == reported.reasoning
        return bool(self.thinking.strip()) and not reported.output

    def told_of_usage(self, model_id: str, usage: Usage) -> str:
        """What the user should know of it, in a sentence without a full stop; '' for most calls."""
        if self.doubts:
            booked = f"booked with {usage.input:,} in and {usage.output:,} out, estimated from what came"
            return f"{model_id} reported {' and '.join(self.doubts)}, which cannot be: {booked}"
        if self._past_the_limit(usage):
            return f"{model_id} counted {usage.output:,} output tokens, and {self.most:,} were the most it was allowed"
        return ""

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


def cost_of(received: Received, usage: Usage, model: Model, at: datetime) -> tuple[Cost, Price | None]:
    """With the price it was reckoned at: the one in force when the call began, at the service tier it was served in."""
    price = known = None
    if model.price is not None:
        known = model.price.applied(at, received.tier)
        price = known or model.price.applied(at)
    if usage == Usage() and received.billed is None:
        return NOTHING, price
    if received.done is not None:
        cost = Cost.of(usage, price, received.billed)
    else:
        cost = Cost.of(usage, price)
        if received.billed is not None:
            # What the provider said before the stream broke is the least it will charge.
            cost = Cost(max(received.billed, cost.amount or ZERO), CostState.ESTIMATED)
    if cost.state is CostState.COMPUTED and known is None and cost.amount:
        # A tier whose price nobody knows, reckoned at the usual one.
        cost = Cost(cost.amount, CostState.ESTIMATED)
    return cost, price


def row(
    plan: Plan,
    received: Received,
    error: TurnError | None,
    confidence: Confidence | None,
    started: datetime,
    latency_s: float,
) -> Attempt:
    """The attempt as it is booked."""
    usage = received.usage(plan.decision.profile, error)
    cost, price = cost_of(received, usage, plan.model, started)
    return Attempt(
        request_id=plan.request.id,
        number=plan.number,
        session=plan.request.session,
        model=plan.model.id,
        provider=plan.model.provider,
        strategy=plan.decision.strategy_name,
        task_type=plan.decision.profile.task_type.value,
        cause=plan.cause,
        started=started,
        day=plan.day,
        outcome=received.outcome(error),
        usage=usage,
        cost=cost,
        price=price,
        latency_s=latency_s,
        first_token_s=None if received.first is None or received.sent is None else received.first - received.sent,
        tokens_per_s=received.tokens_per_s(usage),
        confidence=None if confidence is None else confidence.value,
        finish_reason=received.done.finish_reason if received.done else None,
        error_kind=error.kind if error else None,
        error_message=error.message if error else "",
        error_status=error.status if error else None,
        reasons=() if confidence is None else confidence.reasons,
    )


def if_lost(plan: Plan, price: Price | None, input_tokens: int) -> Lost:
    """What is booked of a call whose process is no more."""
    prompt = plan.decision.profile
    return Lost(
        session=plan.request.session,
        strategy=plan.decision.strategy_name,
        task_type=prompt.task_type.value,
        cause=plan.cause.value,
        price=price,
        usage=Usage(input_tokens, prompt.output_tokens, source="estimated"),
    )


def called(plan: Plan, at: datetime, piece: CallPiece) -> ToolCalled:
    told = (piece.index, piece.arguments, piece.id, piece.name, piece.signature)
    return ToolCalled(plan.request.id, at, plan.number, *told)


def from_cache(hit: CachedAnswer) -> Received:
    """A cached answer as if it had streamed: at no cost."""
    done = Done(hit.finish_reason, Usage(), mean_logprob=hit.mean_logprob)
    return Received([hit.text], [hit.thinking] if hit.thinking else [], reported=Usage(), done=done)


def recalled(hit: CachedAnswer) -> Recalled:
    if hit.similarity is None:
        return Recalled(hit.stored)
    prompt = clean_line(" ".join(hit.prompt.split()), LONGEST_PROMPT)
    return Recalled(hit.stored, prompt, min(1.0, round(hit.similarity, 4)))


def to_cache(model: Model, received: Received, attempt: Attempt, stored: datetime) -> CachedAnswer:
    return CachedAnswer(
        model.id,
        received.text,
        received.thinking,
        attempt.usage,
        attempt.cost.amount,
        attempt.finish_reason or FinishReason.STOP,
        stored,
        received.done.mean_logprob if received.done else None,
    )
