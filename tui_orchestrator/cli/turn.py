"""Telling a turn on the command line as it happens."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

import click

from ..routing.budget import BudgetCondition
from ..routing.decision import Candidate, Decision
from ..routing.errors import TurnError
from ..routing.event_json import completed_json, event_json
from ..routing.events import (
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Budget,
    Cause,
    Completed,
    Decided,
    Escalated,
    EscalationCause,
    Event,
    Failed,
    Next,
    Text,
    Verdict,
    Waiting,
)
from ..routing.request import Strategy
from .manners import as_json, as_json_line


class Manner(Enum):
    TEXT = auto()
    OBJECT = auto()
    EVENTS = auto()


class Telling:
    """Reads the events of one turn. Text streams only where nothing can take it back unseen: to a terminal, from one
    model at a time. Into a pipe or a file goes the final answer alone."""

    def __init__(self, manner: Manner, verbose: bool) -> None:
        self.manner = manner
        self.verbose = verbose
        self.decision: Decision | None = None
        self.completed: Completed | None = None
        self.failure: TurnError | None = None
        self._shown = 0
        """The attempt whose text stands on the terminal, unfinished by a line break; 0 for none."""
        self._streams = manner is Manner.TEXT and sys.stdout.isatty()
        self._warned: set[tuple[str, str]] = set()

    def tell(self, event: Event) -> None:
        if isinstance(event, Completed):
            self.completed = event
        elif isinstance(event, Failed):
            self.failure = event.error
        elif isinstance(event, Decided):
            self.decision = event.decision
        if self.manner is Manner.EVENTS:
            click.echo(as_json_line(event_json(event)))
        told = _TOLD.get(type(event))
        if told is not None:
            told(self, event)

    def object(self) -> dict[str, Any]:
        assert self.completed is not None
        return completed_json(self.completed, self.decision)

    def _say(self, line: str) -> None:
        if self._shown:
            click.echo()
            self._shown = 0
        click.echo(line, err=True)

    def _decided(self, event: Decided) -> None:
        decision = event.decision
        if decision.strategy is Strategy.ENSEMBLE and not decision.pinned and decision.chain:
            self._say(f"→ {' + '.join(decision.chain)} · {decision.reason}")
        elif decision.model is not None:
            self._say(f"→ {decision.model} · {decision.strategy.value} · {decision.reason}")
        self._streams = self._streams and (decision.strategy is not Strategy.ENSEMBLE or decision.pinned)
        if self.verbose:
            for line in candidate_lines(decision):
                self._say(line)

    def _text(self, event: Text) -> None:
        if self._streams:
            self._shown = event.attempt
            click.echo(event.text, nl=False)

    def _started(self, event: AttemptStarted) -> None:
        if self.verbose or event.cause in (Cause.RETRY,):
            self._say(f"  attempt {event.attempt}: {event.model} ({event.cause.value})")

    def _waiting(self, event: Waiting) -> None:
        if event.seconds >= 1 or self.verbose:
            self._say(f"  waiting {event.seconds:.1f} s: {event.why}")

    def _finished(self, event: AttemptFinished) -> None:
        if self.verbose:
            why = f" ({'; '.join(event.confidence.reasons)})" if event.confidence.reasons else ""
            self._say(f"  attempt {event.attempt} finished: confidence {event.confidence.value:.2f}{why}, {event.cost}")

    def _attempt_failed(self, event: AttemptFailed) -> None:
        status = f" {event.error.status}" if event.error.status else ""
        paid = f" · {event.cost}" if event.cost.amount is None or event.cost.amount else ""
        taken_back = " · the text above is discarded" if self._shown and event.next is not Next.GIVE_UP else ""
        self._say(
            f"✗ {event.model}{status} {event.error.kind.value} after {event.latency_s:.1f} s: "
            f"{event.error.message}{paid}{taken_back}"
        )

    def _escalated(self, event: Escalated) -> None:
        taken_back = " · the text above is discarded" if self._shown else ""
        # Why a failed attempt failed stands on the line above already.
        why = "" if event.cause in _FAILED else f" · {event.cause.value}: {event.detail}"
        self._say(f"↑ {event.from_model} → {event.to_model}{why}{taken_back}")

    def _verdict(self, event: Verdict) -> None:
        for score in event.scores:
            mark = "✓" if score.attempt == event.winner else " "
            self._say(
                f"{mark} {score.total:.2f} {score.model} · confidence {score.confidence:.2f} · capability "
                f"{score.capability:.2f} · completeness {score.completeness:.2f} · consensus {score.consensus:.2f}"
            )
        for point in event.agreement[:5]:
            self._say(f"  = {point}")
        for point in event.dissent[:5]:
            self._say(f"  ≠ {point}")

    def _budget(self, event: Budget) -> None:
        state = event.state
        if state.condition is BudgetCondition.OK or (state.scope, state.cap.period) in self._warned:
            return
        self._warned.add((state.scope, state.cap.period))
        self._say(f"! budget per {state.scope}: {state.spent} of {state.limit} spent")

    def _completed(self, event: Completed) -> None:
        if self.manner is Manner.OBJECT:
            click.echo(as_json(self.object()))
        elif self.manner is Manner.TEXT:
            if self._shown != event.attempt:
                if self._shown:
                    self._say("")
                click.echo(event.response, nl=False)
            if not event.response.endswith("\n"):
                click.echo()
            self._shown = 0
        usage = event.usage
        about = "~" if usage.source == "estimated" else ""
        line = (
            f"{event.model} · {event.strategy} · {about}{usage.input} in {about}{usage.output} out · "
            f"{event.latency_s:.1f} s · {event.cost} · confidence {event.confidence.value:.2f}"
        )
        self._say(line)
        if event.note:
            self._say(f"  {event.note}")

    def _failed(self, event: Failed) -> None:
        self._say(f"✗ {event.error.message.rstrip('.')}. {event.error.hint}")
        if event.cost.amount is None or event.cost.amount:
            self._say(f"  spent all the same: {event.cost}")


_FAILED = frozenset({EscalationCause.ERROR, EscalationCause.TIMEOUT, EscalationCause.CONTEXT_WINDOW})

_TOLD: dict[type, Callable[[Telling, Any], None]] = {
    Decided: Telling._decided,
    Text: Telling._text,
    AttemptStarted: Telling._started,
    Waiting: Telling._waiting,
    AttemptFinished: Telling._finished,
    AttemptFailed: Telling._attempt_failed,
    Escalated: Telling._escalated,
    Verdict: Telling._verdict,
    Budget: Telling._budget,
    Completed: Telling._completed,
    Failed: Telling._failed,
}


def candidate_lines(decision: Decision) -> list[str]:
    """The decision for people: profile, evidence, every candidate with its figures or why it is out."""
    profile = decision.profile
    likely = sorted(profile.task_probabilities.items(), key=lambda pair: -pair[1])[:3]
    tasks = ", ".join(f"{task.value} {p:.2f}" for task, p in likely)
    lines = [
        f"  {tasks} · difficulty {profile.difficulty:.2f}, {profile.complexity}/10 {profile.level.value} · "
        f"≈{profile.input_tokens} tok in, ≈{profile.output_tokens} out"
    ]
    signs = ", ".join(f"{e.feature} ({e.effect:+.2f})" if e.effect else e.feature for e in profile.evidence[:5])
    if signs:
        lines.append(f"  because: {signs}")
    width = max((len(c.model) for c in decision.candidates), default=0)
    lines += [candidate_line(c, width, c.model == decision.model) for c in decision.candidates]
    return lines


def candidate_line(candidate: Candidate, width: int, chosen: bool) -> str:
    mark = "→" if chosen else "✗" if candidate.excluded else " "
    if candidate.excluded:
        return f"{mark} {candidate.model:<{width}}  out: {candidate.excluded}"
    cost = "$?" if candidate.estimated_cost is None else f"~{candidate.estimated_cost}"
    return (
        f"{mark} {candidate.model:<{width}}  p {candidate.success_probability:.2f}  {cost:>10}  "
        f"{candidate.estimated_latency_s:5.1f} s  score {candidate.score:+.3f}"
    )
