"""The ensemble that answered the last prompt of a resumed conversation, told again from what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..routing.decision import Decision
from ..routing.ensemble import Answer, weighted
from ..routing.errors import TurnError
from ..routing.events import (
    Attempt,
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Cause,
    Completed,
    Confidence,
    Decided,
    Event,
    FinishReason,
    Next,
    Outcome,
    Text,
    Verdict,
)
from ..routing.money import Cost, Usage
from ..routing.request import Method, Strategy
from ..routing.telling import verdict
from ..storage.answers import answers, last_turn, that_stands
from ..storage.messages import StoredMessage
from .chat import Chat
from .closing import NO_VERDICT
from .feedback import Given
from .runtime import Runtime

KEPT = "kept"
"""Method of a verdict that names the answer that stands where its own scores name another one: that of a judge."""
PICKED = "picked"
"""Method of a verdict that names the answer the user chose, whatever was weighed."""


@dataclass(frozen=True, slots=True)
class Recalled:
    request_id: str
    events: tuple[Event, ...]
    """All its attempts with what they said, those that failed too, what was written from all (with the verdict or
    afterwards), and the verdict weighed anew, since that is not kept."""
    untold: bool
    """Its user was to pick the best answer before seeing whose it is, and has not. Then its end is among the events."""


async def last_ensemble(runtime: Runtime, talk: Chat) -> Recalled | None:
    """Of a conversation that was just resumed. None where its last turn did not ask several side by side, or what they
    said is not kept. Raises StoreError."""
    turn = answers(last_turn(talk.stored))
    given = turn[0][1] if turn else []
    parts, merged = that_stands(given), None
    if len(parts) != 1 or (answer := parts[0]).attempt is None:
        return None
    request_id, standing = answer.request_id, answer.attempt
    attempts = await runtime.reports.attempts(request_id)
    if attempts and all(one.cause is Cause.SYNTHESIS for one in attempts):
        # Written from the answers of the turn before it.
        merged, parts = answer, that_stands(given[: given.index(parts)])
        if len(parts) != 1 or (answer := parts[0]).attempt is None:
            return None
        request_id, standing = answer.request_id, answer.attempt
        writer, attempts = attempts[-1], await runtime.reports.attempts(request_id)
    members = [one for one in attempts if one.cause is Cause.ENSEMBLE]
    texts = _texts(talk, (request_id, standing), answer.text)
    said = {one.number for one in members if one.outcome is Outcome.FINISHED and one.usage.output}
    if not members or not said <= texts.keys():
        return None
    decision = await runtime.reports.decision(request_id)
    if decision is None or decision.strategy is not Strategy.ENSEMBLE or len(decision.chain) < 2:
        return None
    told: list[Event] = [Decided(request_id, members[0].started, decision)]
    for attempt in members:
        told += _said(attempt, texts.get(attempt.number, ""))
    for attempt in attempts:
        if attempt.number == standing and attempt.cause is Cause.SYNTHESIS:
            told += _said(attempt, answer.text)
    if merged is not None:
        told += _said(replace(writer, request_id=request_id, number=len(attempts) + 1), merged.text)
    made = _members(attempts, texts)
    votes_among = decision.asked.policy.verdict is Method.VOTE and len(made) > 1
    if not made or answer.state != "complete" or (answer.note == NO_VERDICT and not votes_among):
        return Recalled(request_id, tuple(told), untold=False)
    # Comparing long answers point by point takes a while.
    weighed = await asyncio.to_thread(_verdict, decision, made, texts, standing)
    votes = await runtime.feedback.votes(talk.id)
    by = next((one.model for one in members if one.number == standing), "")
    if _was_picked(talk, decision, (request_id, standing), by, votes):
        weighed = replace(weighed, method=PICKED)
    if merged is not None or standing not in {one.number for one in members}:
        weighed = replace(weighed, method=Method.FUSE.value)
    told.append(weighed)
    untold = (
        merged is None and decision.asked.policy.verdict is Method.VOTE and all(of != request_id for of, _ in votes)
    )
    if untold:
        told.append(_end(answer, decision, attempts))
    return Recalled(request_id, tuple(told), untold)


def went_on_with(model: str) -> str:
    """Why an ensemble's other answer is discarded, once the user went on with that of this model."""
    return f"you went on with that of {model.partition('/')[2]}"


def _was_picked(talk: Chat, decision: Decision, answer: Given, by: str, votes: Mapping[Given, bool]) -> bool:
    """Whether the user made it the conversation's, in place of another or blindly."""
    if decision.asked.policy.verdict is Method.VOTE:
        return votes.get(answer, False)
    before = [one.why for one in talk.discarded if one.request_id == answer[0]]
    return before[-1:] == [went_on_with(by)]


def _end(answer: StoredMessage, decision: Decision, attempts: Sequence[Attempt]) -> Completed:
    own = next((one for one in attempts if one.number == answer.attempt), attempts[-1])
    return Completed(
        answer.request_id,
        answer.created,
        own.number,
        own.model,
        answer.text,
        decision.strategy_name,
        Cost.sum(one.cost for one in attempts),
        sum((one.usage for one in attempts), Usage()),
        max(one.latency_s for one in attempts),
        Confidence(own.confidence or 0.0),
        tuple(attempts),
        "" if answer.note == NO_VERDICT else answer.note,
    )


async def verdicts(runtime: Runtime, talk: Chat, attempts: Mapping[str, Sequence[Attempt]]) -> AsyncIterator[Verdict]:
    """Of every ensemble in a resumed conversation, the last first; `attempts` are its turns' by request. Raises
    StoreError."""
    for message in reversed(talk.stored):
        if message.role != "assistant" or message.attempt is None:
            continue
        texts = _texts(talk, (message.request_id, message.attempt), message.text)
        made = _members(attempts.get(message.request_id, ()), texts)
        decision = await runtime.reports.decision(message.request_id) if made else None
        if decision is not None and decision.strategy is Strategy.ENSEMBLE and message.note != NO_VERDICT:
            yield await asyncio.to_thread(_verdict, decision, made, texts, message.attempt)


def _texts(talk: Chat, answer: Given, text: str) -> dict[int, str]:
    """What the members said, by their numbers: the answer that stands, and those that were discarded."""
    others = {one.attempt: one.text for one in talk.discarded if one.request_id == answer[0]}
    return {**others, answer[1]: text}


def _members(attempts: Sequence[Attempt], texts: Mapping[int, str]) -> list[Attempt]:
    """Those that answered."""
    return [
        attempt
        for attempt in attempts
        if attempt.cause is Cause.ENSEMBLE
        and attempt.outcome is Outcome.FINISHED
        and texts.get(attempt.number, "").strip()
    ]


def _said(attempt: Attempt, text: str) -> list[Event]:
    request_id, at, number = attempt.request_id, attempt.started, attempt.number
    begun: list[Event] = [AttemptStarted(request_id, at, number, attempt.model, attempt.provider, attempt.cause)]
    if text:
        begun.append(Text(request_id, at, number, text))
    if attempt.outcome is not Outcome.FINISHED:
        error, took = _error(attempt), attempt.latency_s
        end = AttemptFailed(
            request_id, at, number, attempt.model, error, attempt.usage, attempt.cost, took, Next.GIVE_UP
        )
        return [*begun, end]
    return [
        *begun,
        AttemptFinished(
            request_id,
            at,
            number,
            attempt.model,
            attempt.usage,
            attempt.cost,
            attempt.first_token_s,
            attempt.latency_s,
            attempt.tokens_per_s,
            None if attempt.confidence is None else Confidence(attempt.confidence),
            attempt.finish_reason or FinishReason.OTHER,
            attempt.from_cache,
            attempt.recalled,
            attempt.saved,
        ),
    ]


def _error(attempt: Attempt) -> TurnError:
    kinds = (kind for kind in TurnError.__subclasses__() if kind.kind is attempt.error_kind)
    return next(kinds, TurnError)(attempt.error_message, status=attempt.error_status)


def _verdict(decision: Decision, made: Sequence[Attempt], texts: dict[int, str], standing: int) -> Verdict:
    weighed = []
    for one in made:
        candidate = decision.candidate(one.model)
        capability = 0.0 if candidate is None else candidate.success_probability
        finish = one.finish_reason or FinishReason.OTHER
        weighed.append(Answer(one.number, one.model, texts[one.number], one.confidence or 0.0, capability, finish))
    told = verdict(made[0].request_id, made[0].started, weighted(weighed, decision.profile))
    return told if told.winner == standing else replace(told, winner=standing, method=KEPT)
