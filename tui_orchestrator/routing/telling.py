"""What a turn says of its attempts, and how it ends: from results to events. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from .decision import Decision, Exclusion, Policy
from .errors import AllOut, BudgetExceeded, Cancelled, ErrorKind, NoCandidate, NotKept, TooLong, TurnError
from .escalation import in_words, kept_in_words
from .events import (
    Attempt,
    AttemptFailed,
    AttemptFinished,
    Budget,
    Cause,
    Completed,
    Confidence,
    EscalationCause,
    Event,
    Failed,
    Finding,
    FinishReason,
    Next,
    Onward,
    Recalled,
    Verdict,
)
from .money import Cost, Usage

if TYPE_CHECKING:
    from .budget import Refusal
    from .calling import Tried
    from .decision import Candidate
    from .ensemble import Judgement

KILLED = "the program was killed before the answer ended"
"""Error of an attempt that another copy of the program booked in its place."""


def took_s(attempt: Attempt) -> float | None:
    """Seconds; None where the program was killed meanwhile, so that nobody knows them."""
    return None if attempt.error_message == KILLED else attempt.latency_s


_CAUSES = {ErrorKind.TIMEOUT: EscalationCause.TIMEOUT, ErrorKind.CONTEXT_WINDOW: EscalationCause.CONTEXT_WINDOW}


def ended(tried: Tried, following: Next, at: datetime) -> list[Event]:
    """The end of an attempt, and the budgets after it."""
    attempt = tried.attempt
    event: Event
    if tried.error is not None:
        event = AttemptFailed(
            attempt.request_id,
            at,
            attempt.number,
            attempt.model,
            tried.error,
            attempt.usage,
            attempt.cost,
            attempt.latency_s,
            following,
        )
    else:
        event = AttemptFinished(
            attempt.request_id,
            at,
            attempt.number,
            attempt.model,
            attempt.usage,
            attempt.cost,
            attempt.first_token_s,
            attempt.latency_s,
            attempt.tokens_per_s,
            tried.confidence,
            attempt.finish_reason or FinishReason.OTHER,
            attempt.from_cache,
            attempt.recalled,
            attempt.saved,
            tried.served_by,
        )
    return [event, *(Budget(attempt.request_id, at, state) for state in tried.states)]


def why_escalated(tried: Tried, threshold: float, way: Onward | None) -> tuple[EscalationCause, str]:
    """The cause, and a sentence with what going on is expected to bring, where that was weighed."""
    if tried.error is not None:
        return _CAUSES.get(tried.error.kind, EscalationCause.ERROR), tried.error.message
    confidence = tried.confidence or Confidence(0.0)
    reasons = "; ".join(confidence.reasons[:2])
    detail = f"{confidence.value:.2f} < {threshold:.2f}" + (f": {reasons}" if reasons else "")
    if way is not None:
        detail += f"; {in_words(way)}"
    return confidence.cause or EscalationCause.LOW_CONFIDENCE, detail


_CHECK_NAMES = {Cause.SECOND_OPINION: "second opinion", Cause.SAMPLE: "more samples", Cause.JUDGE: "judge"}
_SAID = {
    Cause.SECOND_OPINION: ("agrees", "disagrees"),
    Cause.SAMPLE: ("agree", "disagree"),
    Cause.JUDGE: ("says right", "says wrong"),
}


def check_name(how: Cause) -> str:
    return _CHECK_NAMES[how]


def said(finding: Finding) -> str:
    """'agrees', 'says wrong', 'disagree' …"""
    if finding.agrees is None:
        return "failed" if finding.failed else "could not tell"
    return _SAID[finding.how][0 if finding.agrees else 1]


def found(finding: Finding) -> str:
    """'second opinion agrees: 0.52 → 0.81'."""
    moved = "" if finding.agrees is None else f": {finding.before:.2f} → {finding.after:.2f}"
    return f"{check_name(finding.how)} {said(finding)}{moved}"


def recalled_in_words(recalled: Recalled) -> str:
    """'from the cache', or '≈ from an earlier answer to: «…» (0.97)'."""
    if recalled.similarity is None:
        return "from the cache"
    return f"≈ from an earlier answer to: «{recalled.prompt}» ({recalled.similarity:.2f})"


def saved_in_words(attempt: Attempt) -> str:
    """'saved $0.0012' of a cache hit; with ~ where the answer was to other words; '' where nothing is known of it."""
    if not attempt.saved:
        return ""
    nearly = attempt.recalled is not None and attempt.recalled.similarity is not None
    return f"saved {'~' if nearly else ''}{attempt.saved}"


def wants_tools(end: Completed) -> str:
    """'the model asked for the tool search and gave no text', for who offers none; '' where it did not."""
    if not end.calls:
        return ""
    names = tuple(dict.fromkeys(call.name or "without a name" for call in end.calls))
    tools = f"tool{'s' * (len(names) > 1)} {', '.join(names)}"
    return f"the model asked for the {tools}" + ("" if end.response.strip() else " and gave no text")


def verdict(request_id: str, at: datetime, judgement: Judgement) -> Verdict:
    return Verdict(
        request_id,
        at,
        "weighted",
        judgement.scores,
        judgement.winner,
        judgement.agreement,
        judgement.dissent,
        judgement.points,
    )


def completed(
    decision: Decision, tried: Tried, everything: Sequence[Tried], at: datetime, latency_s: float, note: str = ""
) -> Completed:
    attempts = in_order(everything)
    return Completed(
        decision.request_id,
        at,
        tried.attempt.number,
        tried.attempt.model,
        tried.text,
        decision.strategy_name,
        Cost.sum(attempt.cost for attempt in attempts),
        sum((attempt.usage for attempt in attempts), Usage()),
        latency_s,
        tried.confidence or Confidence(0.0),
        attempts,
        _noted(note, everything),
        calls=tried.calls,
    )


def failed(
    request_id: str,
    error: TurnError,
    answers: Sequence[Tried],
    checks: Sequence[Tried],
    at: datetime,
    latency_s: float,
) -> Failed:
    everything = [*answers, *checks]
    attempts = in_order(everything)
    partial = answers[-1].text if answers else ""
    cost = Cost.sum(attempt.cost for attempt in attempts)
    return Failed(request_id, at, error, cost, attempts, partial, _noted("", everything), latency_s)


def _noted(note: str, everything: Sequence[Tried]) -> str:
    """With what the user should know of each attempt's usage, once."""
    told = dict.fromkeys(tried.told for tried in everything if tried.told and tried.told not in note)
    return "; ".join(filter(None, (note, *told)))


def not_kept(end: Completed | Failed, fault: NotKept) -> Completed | Failed:
    """With a sentence on what could not be stored of it, once."""
    if str(fault) in end.note or (isinstance(end, Failed) and str(fault) in end.error.message):
        return end
    return replace(end, note="; ".join(filter(None, (end.note, f"could not be stored: {fault}"))))


def conclusion(
    decision: Decision,
    answers: Sequence[Tried],
    checks: Sequence[Tried],
    refusal: Refusal | None,
    policy: Policy,
    cancelled: bool,
    at: datetime,
    latency_s: float,
) -> Completed | Failed:
    """The end of a turn that has tried all it may: the best answer, or the last error."""
    errors = [tried.error for tried in answers if tried.error is not None]
    stop = next((error for error in errors if error.kind is ErrorKind.CANCELLED), None)
    if stop is not None or cancelled:
        return failed(decision.request_id, stop or Cancelled(), answers, checks, at, latency_s)
    finished = [tried for tried in answers if tried.error is None]
    if not finished:
        error = errors[-1] if errors else refused(refusal) if refusal else NoCandidate(decision.reason)
        return failed(decision.request_id, error, answers, checks, at, latency_s)
    best = max(finished, key=lambda tried: (_value(tried), tried.attempt.number))
    note = flaw(best)
    if _value(best) < policy.confidence_threshold:
        of = f"best of {len(answers)} attempts" if len(answers) > 1 else "the only attempt"
        because = f": {note}" if note else ""
        note = f"{of}; confidence {_value(best):.2f} is below {policy.confidence_threshold:.2f}{because}"
        if refusal is not None:
            note += f", and a surer model does not fit: {refused(refusal).message}"
        declined = answers[-1].attempt.onward
        if declined is not None and not declined.taken:
            note += f"; {kept_in_words(declined)}"
    return completed(decision, best, [*answers, *checks], at, latency_s, note)


def flaw(tried: Tried) -> str:
    """What a hard check found: that an answer is empty, refuses or was cut off. '' for one that passed."""
    confidence = tried.confidence
    return confidence.reasons[0] if confidence is not None and confidence.cause is not None else ""


def refused(refusal: Refusal) -> BudgetExceeded:
    blocking = refusal.blocking
    return BudgetExceeded(
        f"{refusal.hold.model} could cost {refusal.hold.amount}, "
        f"{blocking.cap.name} has {blocking.left} of {blocking.limit} left",
        of_request=blocking.scope == "request",
    )


def no_model(decision: Decision, left_s: Callable[[Candidate], float | None] = lambda candidate: None) -> TurnError:
    """Why nothing was tried at all. `left_s`: until one may be tried that is out for a time only, else None."""
    if decision.refused is not None:
        return BudgetExceeded(decision.reason, of_request=decision.refused is not Exclusion.OVER_BUDGET)
    if decision.division is not None:
        return TooLong(decision.reason, hint=_NOT_AGREED)
    asked = decision.asked
    named = {asked.model} if decision.pinned else set(asked.chain)
    wanted = [candidate for candidate in decision.candidates if not named or candidate.model in named]
    why = {candidate.excluded_by for candidate in wanted}
    if Exclusion.CONTEXT_WINDOW in why:
        return TooLong(decision.reason)
    hint = next((hint for out, hint in _HINTS.items() if out in why), None if decision.candidates else _NONE_AT_ALL)
    unwell = {*_UNWELL, Exclusion.NO_KEY} if named else _UNWELL
    ill = tuple(candidate.model for candidate in wanted if candidate.excluded_by in unwell)
    waits = [left for one in wanted if one.excluded_by in _FOR_A_TIME and (left := left_s(one)) is not None]
    wait_s = max(1.0, float(math.ceil(min(waits)))) if waits else None
    if ill:
        return AllOut(decision.reason, ill, retry_after_s=wait_s, hint=hint)
    return NoCandidate(decision.reason, retry_after_s=wait_s, hint=hint)


_UNWELL = {Exclusion.COOLING_DOWN, Exclusion.UNHEALTHY}
_FOR_A_TIME = {*_UNWELL, Exclusion.RATE_LIMITED}
_WAIT = "Wait, or choose another model; `models` shows how each one stands."
_NONE_AT_ALL = "`doctor` tells what is missing."
_NOT_AGREED = "Nothing was sent: agree to the cost to have it answered in parts, or shorten the prompt or its files."
# By what a user can do about it; the first that keeps any model out is told.
_HINTS = {
    Exclusion.COOLING_DOWN: _WAIT,
    Exclusion.RATE_LIMITED: _WAIT,
    Exclusion.MISSING_ABILITY: (
        "Leave out what they cannot do (images, tools, an answer in JSON), or set the key of a provider whose models "
        "can; of a model of your own say it under [[models]] with `abilities`."
    ),
    Exclusion.UNPRICED: (
        "Write its price into the configuration, input_usd and output_usd under [[models]] with its id, or "
        "allow_unpriced = true under [budgets], or under [budgets.models] for this model alone."
    ),
    Exclusion.RULE_IN_DOUBT: (
        "Make the rule's pattern simpler, or its repeats possessive, such as a++; a pinned model is asked past "
        "all rules."
    ),
    Exclusion.UNHEALTHY: "Check the network, base_url, the key, and that the server runs; `doctor` tries each one.",
}


def in_order(everything: Sequence[Tried]) -> tuple[Attempt, ...]:
    return tuple(sorted((tried.attempt for tried in everything), key=lambda attempt: attempt.number))


def _value(tried: Tried) -> float:
    return 0.0 if tried.confidence is None else tried.confidence.value
