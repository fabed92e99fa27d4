"""Attempts, and the closed union of events that one turn is told in.

The grammar every reader may rely on, per turn:

    turn     = Decision (step | PartEnded)* Verdict? (Completed | Failed)
    step     = attempt (check* Checked)* Escalated?
    attempt  = Reserved? AttemptStarted (Waiting | Thinking | Text | ToolCalled)* (AttemptFinished | AttemptFailed)
               Budget*
    check    = an attempt whose cause is second_opinion, sample or judge

Exactly one terminal event, always last. Every event of an attempt carries its number, so the members of an ensemble
and the samples of one check overlap while the grammar holds for each number by itself; their Escalated comes after the
last of them. So do the parts of a prompt that is too long for every model: each is told as a turn of its own between
the first and the last event, its attempts with the `part` they are about, and ends with a PartEnded. A cancelled turn
ends its running attempts with AttemptFailed of kind cancelled, then Failed of kind cancelled. Expected trouble arrives
as an event; only bugs and cancellation are raised.

What a check says is never the turn's answer, whatever it says; with one exception, which an Escalated to its model
tells: a second opinion that the turn would have gone on to next is there already, and is not asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .budget import BudgetState
from .causes import CHECKS as CHECKS
from .causes import Cause as Cause
from .causes import EscalationCause as EscalationCause
from .causes import FinishReason as FinishReason
from .causes import Outcome as Outcome
from .decision import Decision
from .errors import ErrorKind, TurnError
from .money import Cost, Money, Price, Usage
from .tools import ToolCall


@dataclass(frozen=True, slots=True)
class Confidence:
    """How far to trust an answer, 0–1, with the reasons in words, the weightiest first."""

    value: float
    reasons: tuple[str, ...] = ()
    cause: EscalationCause | None = None
    """Set where a hard check failed: refusal, empty, truncated."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found of a finished answer."""

    how: Cause
    """second_opinion, sample or judge."""
    model: str
    """Who was asked."""
    attempts: tuple[int, ...]
    """Those made for it."""
    before: float
    """Confidence in the answer, before and after."""
    after: float
    agrees: bool | None = None
    """None: it could not tell, or the calls failed."""
    failed: bool = False
    """None of the calls gave an answer."""


@dataclass(frozen=True, slots=True)
class Onward:
    """What going on from a weak answer to another model was weighed to bring. `routing.escalation` has the formulas."""

    model: str
    gain: float
    """Expected rise of the chance that the turn ends with a good answer."""
    cost: Money | None
    """Expected; None: no price known; zero for an answer that is there already."""
    seconds: float
    worth: float
    """In the user's utility: the gain less what money and time weigh. Below zero it is not worth it."""
    taken: bool = False
    """Whether the turn went there."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """Where an answer from the cache comes from."""

    stored: datetime
    """When it was given for real."""
    prompt: str = ""
    """The beginning of the earlier prompt it answered; empty: the very same question."""
    similarity: float | None = None
    """Of that prompt and this one, as a cosine; None for the very same question."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to one model: the ledger's row, written for failed and cancelled calls too."""

    request_id: str
    number: int
    """From 1 within the request."""
    session: str
    model: str
    provider: str
    strategy: str
    task_type: str
    cause: Cause
    started: datetime
    """UTC."""
    day: str
    """The user's local date when the call's money was set aside, ISO: what the day's and month's sums go by."""
    outcome: Outcome
    usage: Usage
    cost: Cost
    price: Price | None
    """As it was used for `cost`; a later change of price alters no past cost."""
    latency_s: float
    first_token_s: float | None = None
    tokens_per_s: float | None = None
    """Output tokens per second after the first token; None where too little came to tell."""
    confidence: float | None = None
    """In its answer, as revised by what checked it; None for a failed attempt and for a judge's."""
    finish_reason: FinishReason | None = None
    error_kind: ErrorKind | None = None
    error_message: str = ""
    error_status: int | None = None
    """Of HTTP, where the provider answered with one."""
    from_cache: bool = False
    saved: Money | None = None
    """What a cache hit would have cost."""
    reasons: tuple[str, ...] = ()
    """Of the confidence, the weightiest first."""
    findings: tuple[Finding, ...] = ()
    """Of the checks made of its answer, in order."""
    onward: Onward | None = None
    """The best way on from its answer, where that was weak and there was one."""
    recalled: Recalled | None = None
    """Of a cache hit."""


@dataclass(frozen=True, slots=True)
class _Event:
    request_id: str
    at: datetime
    """UTC."""


@dataclass(frozen=True, slots=True)
class Decided(_Event):
    decision: Decision


@dataclass(frozen=True, slots=True)
class Reserved(_Event):
    attempt: int
    amount: Money
    budgets: tuple[BudgetState, ...]


@dataclass(frozen=True, slots=True)
class AttemptStarted(_Event):
    attempt: int
    model: str
    provider: str
    cause: Cause
    part: str = ""
    """Of a prompt that is answered in parts: '3 of 12', or '1–4 of 12' where the answers to these are put together
    first. Empty: it is about the whole."""


@dataclass(frozen=True, slots=True)
class PartEnded(_Event):
    """A part of a prompt that is answered in parts has its answer, or is not to get one."""

    part: int
    """From 1."""
    of: int
    attempt: int
    """Whose answer it is; 0: there is none."""
    model: str
    ended: int
    """Parts that have ended so far, this one included."""
    cost: Cost
    """Of the turn so far."""
    missing: str = ""
    """Why it has no answer."""


@dataclass(frozen=True, slots=True)
class Thinking(_Event):
    attempt: int
    text: str


@dataclass(frozen=True, slots=True)
class Text(_Event):
    attempt: int
    text: str


@dataclass(frozen=True, slots=True)
class ToolCalled(_Event):
    """A piece of a call of a tool, as in CallPiece, cleaned. Its first one has an id always."""

    attempt: int
    index: int
    arguments: str
    id: str = ""
    name: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class AttemptFinished(_Event):
    attempt: int
    model: str
    usage: Usage
    cost: Cost
    first_token_s: float | None
    latency_s: float
    tokens_per_s: float | None
    confidence: Confidence | None
    """As far as the answer itself tells: a Checked may follow. None for a judge's."""
    finish_reason: FinishReason
    from_cache: bool = False
    recalled: Recalled | None = None
    """Of a cache hit."""
    saved: Money | None = None
    """What a cache hit would have cost; of nearly the same prompt: an estimate."""
    served_by: str = ""
    """The model that actually answered, where the provider names it."""


class Next(StrEnum):
    """What follows a failed attempt."""

    RETRY = "retry"
    FALLBACK = "fallback"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class AttemptFailed(_Event):
    attempt: int
    model: str
    error: TurnError
    usage: Usage
    """Of what had streamed."""
    cost: Cost
    latency_s: float
    next: Next


@dataclass(frozen=True, slots=True)
class Waiting(_Event):
    attempt: int
    seconds: float
    why: str
    """'rate limit', 'back-off', 'cooldown'; 'budget' for the user to raise a cap and 'money of other calls', both of
    which may come before the decision and between attempts, and whose `attempt` has not begun."""


@dataclass(frozen=True, slots=True)
class Checked(_Event):
    """A check of a finished answer is over: what it found, and the confidence from now on."""

    attempt: int
    """Whose answer was checked."""
    model: str
    finding: Finding
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Escalated(_Event):
    from_model: str
    to_model: str
    cause: EscalationCause
    detail: str
    """In words: '0.41 < 0.60: hedges twice; claude-sonnet-5.5 is likelier by 0.31 for about $0.004'."""
    onward: Onward | None = None
    """None after a failure, where nothing is weighed."""


@dataclass(frozen=True, slots=True)
class Score:
    """One ensemble member's answer as the verdict weighed it; each part 0–1, the total up to 1.1 with the bonus."""

    attempt: int
    model: str
    confidence: float
    capability: float
    completeness: float
    consensus: float
    total: float


@dataclass(frozen=True, slots=True)
class Point:
    """What some of an ensemble's answers say."""

    text: str
    attempts: tuple[int, ...]
    """The numbers of those that say it."""


@dataclass(frozen=True, slots=True)
class Verdict(_Event):
    method: str
    """weighted, judge, fuse, or vote: as weighed, until the user has picked."""
    scores: tuple[Score, ...]
    """Best first."""
    winner: int
    """The attempt's number; of `fuse` that of the answer that was written from all."""
    agreement: tuple[str, ...]
    """Key points that most answers share."""
    dissent: tuple[str, ...]
    """Points that one answer makes alone, 'MODEL: point'."""
    points: tuple[Point, ...] = ()
    """Every point once, the most widely shared first."""
    reason: str = ""
    """Why it won, in the judge's words."""


@dataclass(frozen=True, slots=True)
class Budget(_Event):
    state: BudgetState
    forecast: str | None = None


@dataclass(frozen=True, slots=True)
class Completed(_Event):
    attempt: int
    """Whose answer this is; not always the last attempt."""
    model: str
    response: str
    strategy: str
    cost: Cost
    """All attempts of the turn together; unknown as soon as one of them is."""
    usage: Usage
    """All attempts together."""
    latency_s: float
    """From the request to its end."""
    confidence: Confidence
    attempts: tuple[Attempt, ...]
    note: str = ""
    """What the user should know of the answer: 'best of 3 attempts; none reached 0.60'."""
    metadata: Mapping[str, object] = field(default_factory=dict)
    calls: tuple[ToolCall, ...] = ()
    """Of tools, which whoever asked is to carry out; `response` may be empty then."""


@dataclass(frozen=True, slots=True)
class Failed(_Event):
    error: TurnError
    cost: Cost
    """What was spent all the same."""
    attempts: tuple[Attempt, ...]
    partial: str = ""
    """The text that had arrived in the last attempt."""
    note: str = ""
    """What else the user should know: what could not be stored."""
    latency_s: float = 0.0
    """From the beginning of the turn; not from its instants, between which the clock may have been set."""


Event = (
    Decided
    | Reserved
    | AttemptStarted
    | PartEnded
    | Thinking
    | Text
    | ToolCalled
    | AttemptFinished
    | AttemptFailed
    | Waiting
    | Checked
    | Escalated
    | Verdict
    | Budget
    | Completed
    | Failed
)
