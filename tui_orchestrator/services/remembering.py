"""The ensemble that answered the last prompt of a resumed conversation, told again from what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from ..routing.decision import Decision
from ..routing.ensemble import Answer, weighted
from ..routing.errors import TurnError
from ..routing.events import (
    Attempt,
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Cause,
    Confidence,
    Decided,
    Event,
    FinishReason,
    Next,
    Outcome,
    Text,
    Verdict,
)
from ..routing.request import Strategy
from ..routing.telling import verdict
from .chat import Chat
from .feedback import Given
from .runtime import Runtime

KEPT = "kept"
"""Method of a verdict that names the answer that stands where its own scores name another one: that of a judge, or the
user's."""


async def last_ensemble(runtime: Runtime, talk: Chat) -> list[Event]:
    """All its attempts with what they said, those that failed too, what was written from all, and the verdict weighed
    anew, since that is not kept. Empty where the last answer is not one of several side by side. Raises StoreError."""
    last = talk.last
    if last is None or last.answer is None:
        return []
    request_id, standing = last.answer
    texts = _texts(talk, last.answer, last.response)
    attempts = await runtime.reports.attempts(request_id)
    made = _members(attempts, texts)
    decision = await runtime.reports.decision(request_id) if len(made) > 1 else None
    if decision is None or decision.strategy is not Strategy.ENSEMBLE:
        return []
    told: list[Event] = [Decided(request_id, made[0].started, decision)]
    for attempt in attempts:
        if attempt.cause is Cause.ENSEMBLE:
            told += _said(attempt, texts.get(attempt.number, ""))
    for attempt in attempts:
        if attempt.number == standing and attempt.cause is Cause.SYNTHESIS:
            told += _said(attempt, last.response)
    # Comparing long answers point by point takes a while.
    return [*told, await asyncio.to_thread(_verdict, decision, made, texts, standing)]


async def verdicts(runtime: Runtime, talk: Chat, attempts: Mapping[str, Sequence[Attempt]]) -> AsyncIterator[Verdict]:
    """Of every ensemble in a resumed conversation, the last first; `attempts` are its turns' by request. Raises
    StoreError."""
    for message in reversed(talk.stored):
        if message.role != "assistant" or message.attempt is None:
            continue
        texts = _texts(talk, (message.request_id, message.attempt), message.text)
        made = _members(attempts.get(message.request_id, ()), texts)
        decision = await runtime.reports.decision(message.request_id) if len(made) > 1 else None
        if decision is not None and decision.strategy is Strategy.ENSEMBLE:
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
    answers = []
    for one in made:
        candidate = decision.candidate(one.model)
        capability = 0.0 if candidate is None else candidate.success_probability
        finish = one.finish_reason or FinishReason.OTHER
        answers.append(Answer(one.number, one.model, texts[one.number], one.confidence or 0.0, capability, finish))
    told = verdict(made[0].request_id, made[0].started, weighted(answers, decision.profile))
    return told if told.winner == standing else replace(told, winner=standing, method=KEPT)
