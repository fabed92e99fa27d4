"""Telling a turn on the command line as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from ..aside import aside
from ..routing.decision import Decision
from ..routing.errors import ErrorKind, TurnError
from ..routing.event_json import completed_json, event_json
from ..routing.events import (
    CHECKS,
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Cause,
    Checked,
    Completed,
    Decided,
    Escalated,
    EscalationCause,
    Event,
    Failed,
    FinishReason,
    Next,
    PartEnded,
    Text,
    Thinking,
    Verdict,
    Waiting,
)
from ..routing.request import Strategy
from ..routing.telling import check_name, found, recalled_in_words, saved_in_words, wants_tools
from ..routing.text import full_stop, spoken
from .decisions import decision_lines
from .interrupting import interruptible
from .manners import INTERRUPTED, Stop, say, write_file
from .outlet import GRACE_S
from .printing import as_json, as_json_line
from .screen import Screen
from .streams import Unwritable, give_up, written

if TYPE_CHECKING:
    from pathlib import Path

    from ..routing.turn import Turn
    from ..services.keeping import CutOff


_GO_ON = "`ask --continue-answer` goes on where it stopped"


class Manner(Enum):
    TEXT = auto()
    OBJECT = auto()
    EVENTS = auto()


class Telling:
    """Reads the events of one turn. Text streams only where nothing can take it back unseen: to a terminal, from one
    model at a time. Into a pipe or a file goes the final answer alone."""

    def __init__(self, manner: Manner, verbose: bool, *, costs: bool = True, kept: bool = True) -> None:
        """`costs`: say what the answer cost. In JSON it stands in any case. `kept`: the conversation is, so that it can
        go on."""
        self.manner = manner
        self.costs = costs
        self.kept = kept
        self.verbose = verbose
        self.decision: Decision | None = None
        self.completed: Completed | None = None
        self.failure: TurnError | None = None
        self.told: Sequence[str] = ()
        """Why keys are not there, where that was said before the turn."""
        self.onto: CutOff | None = None
        """The answer that this one continues."""
        self._screen = Screen()
        self._streams = manner is Manner.TEXT and self._screen.streams
        self._shown = 0
        """The attempt whose text stands on the terminal and still holds; 0 for none."""
        self._last: AttemptFailed | None = None
        """A failure after which nothing else is tried: told with the end of the turn."""
        self._running: dict[int, str] = {}
        self._checks: dict[int, Cause] = {}
        """Attempts made to check an answer: none of what they say is shown."""
        self._parts: dict[int, str] = {}
        """Attempts about a part of the prompt: none of what they say is shown either."""
        self._ended = 0

    async def follow(self, turn: Turn, file: Path | None = None) -> Unwritable | BrokenPipeError | None:
        """To its end, cancelled by Ctrl+C. `file` is to have the answer, which is paid for, whatever becomes of stdout:
        nothing more is said there once it takes nothing, and why is returned. Raised otherwise, as is click.Abort where
        a signal ends the wait for who reads it; the turn itself waits for no reader. Raises Stop where the file has
        not got the answer."""
        unwritable = None
        interrupted = asyncio.Event()

        def end() -> None:
            interrupted.set()
            turn.cancel()

        with interruptible(end):
            async for event in turn:
                try:
                    self.tell(event)
                except (Unwritable, BrokenPipeError) as error:
                    if file is None:
                        raise
                    unwritable = error
                    give_up(1)
                    self.tell(event)
            if file is None:
                await written()
            elif self.completed is not None:
                await self._keep(file, interrupted)
        return unwritable

    async def _keep(self, file: Path, interrupted: asyncio.Event) -> None:
        """A signal gives up a pipe that nobody reads, but a file is written in less than the moment that is left."""
        text = as_json(self.object()) + "\n"
        writing = asyncio.ensure_future(aside(lambda: write_file(file, text), "a file for the answer"))
        signal = asyncio.ensure_future(interrupted.wait())
        await asyncio.wait((writing, signal), return_when=asyncio.FIRST_COMPLETED)
        signal.cancel()
        await asyncio.wait((writing,), timeout=GRACE_S)
        if not writing.done():
            kept = "; it is in the conversation: `sessions list`" if self.kept else ""
            raise Stop(f"Interrupted: {file} has not got the answer{kept}", INTERRUPTED)
        writing.result()

    def tell(self, event: Event) -> None:
        if isinstance(event, Completed):
            self.completed = event
        elif isinstance(event, Failed):
            self.failure = event.error
        elif isinstance(event, Decided):
            self.decision = event.decision
        if self.manner is Manner.EVENTS:
            say(as_json_line(event_json(event)))
        _TOLD.get(type(event), Telling._nothing)(self, event)

    def object(self) -> dict[str, Any]:
        assert self.completed is not None
        told, end = completed_json(self.completed, self.decision), self.completed
        if self.onto is None:
            return told
        return {**told, "whole_response": f"{self.onto.text}{self._seam(end.model)}{end.response}"}

    def _seam(self, model: str) -> str:
        """What stands before a continuation: that another model goes on."""
        from ..storage.answers import seam

        return "" if self.onto is None else seam(self.onto.model, model)

    @property
    def _side_by_side(self) -> bool:
        decision = self.decision
        return decision is not None and decision.strategy is Strategy.ENSEMBLE and not decision.pinned

    def _nothing(self, event: Event) -> None:
        """Reserved and Budget: what matters of the caps is told at the end of the command."""

    def _decided(self, event: Decided) -> None:
        decision = event.decision
        if decision.model is not None:
            dear = decision.left_out
            members = " + ".join(f"✗ {model}" if model in dear else model for model in decision.chain)
            models = members if self._side_by_side else decision.model
            self._screen.line(f"→ {models} · {spoken(decision.strategy_name)} · {decision.reason}", dim=True)
        self._streams = self._streams and not self._side_by_side
        if self.verbose:
            for line in decision_lines(decision):
                self._screen.line(f"  {line}", dim=True)

    def _started(self, event: AttemptStarted) -> None:
        self._running[event.attempt] = event.model
        if event.cause in CHECKS:
            self._checks[event.attempt] = event.cause
        if event.part:
            self._parts[event.attempt] = event.part
        if event.cause is Cause.RETRY:
            self._screen.line(f"↻ {event.model} again", dim=True)
        elif self.verbose:
            self._screen.line(f"  attempt {event.attempt}: {event.model} ({spoken(event.cause)})", dim=True)
        self._wait()

    def _wait(self) -> None:
        """Says who is waited for, until there is something to read."""
        if self._side_by_side and self._running and self.decision:
            members = len(self.decision.chain) - len(self.decision.left_out)
            models = ", ".join(self._running.values())
            self._screen.status(f"… {self._ended} of {members} have ended, waiting for {models}")
        elif self._running:
            number, model = next(iter(self._running.items()))
            why = f" ({check_name(self._checks[number])})" if number in self._checks else ""
            if parts := [self._parts[one] for one in self._running if one in self._parts]:
                model, why = f"part {', '.join(parts)}", ""
            self._screen.status(f"… waiting for {model}{why}")

    def _thinking(self, event: Thinking) -> None:
        if not (self._side_by_side or event.attempt in self._checks or event.attempt in self._parts):
            self._screen.status(f"… {self._running[event.attempt]} is thinking")

    def _text(self, event: Text) -> None:
        if self._streams and event.attempt not in self._checks and event.attempt not in self._parts:
            begins, self._shown = self._shown != event.attempt, event.attempt
            self._screen.text((self._seam(self._running[event.attempt]) if begins else "") + event.text)

    def _part_ended(self, event: PartEnded) -> None:
        so_far = f"{event.ended} of {event.of} have ended, {event.cost} so far"
        if event.missing:
            self._screen.line(f"✗ part {event.part} of {event.of} is missing: {event.missing} · {so_far}", fg="red")
        else:
            self._screen.line(f"  part {event.part} of {event.of} · {event.model} · {so_far}", dim=True)
        self._wait()

    def _waiting(self, event: Waiting) -> None:
        if event.why == "budget":
            return  # what is asked of the user says it
        if event.seconds >= 1 or self.verbose:
            self._screen.line(f"  waiting {event.seconds:.1f} s: {event.why}", dim=True)
            self._wait()

    def _finished(self, event: AttemptFinished) -> None:
        self._over(event.attempt)
        if self.verbose:
            trust = ""
            if event.confidence is not None:
                why = f" ({'; '.join(event.confidence.reasons)})" if event.confidence.reasons else ""
                trust = f"confidence {event.confidence.value:.2f}{why}, "
            cached = f", {recalled_in_words(event.recalled)}" if event.recalled else ""
            self._screen.line(
                f"  attempt {event.attempt}: {event.model} finished after {event.latency_s:.1f} s, "
                f"{trust}{event.cost}{cached}",
                dim=True,
            )
        self._wait()

    def _checked(self, event: Checked) -> None:
        finding = event.finding
        if event.attempt not in self._checks:
            self._screen.line(f"≟ {finding.model}: {found(finding)}", dim=True)

    def _over(self, attempt: int) -> None:
        self._running.pop(attempt, None)
        self._ended += 1

    def _attempt_failed(self, event: AttemptFailed) -> None:
        self._over(event.attempt)
        if event.next is Next.GIVE_UP and not (self._side_by_side or event.attempt in {*self._checks, *self._parts}):
            self._last = event
        else:
            self._tell_failure(event)
        self._wait()

    def _tell_failure(self, event: AttemptFailed) -> None:
        paid = f" · {event.cost}" if event.cost.amount is None or event.cost.amount else ""
        self._screen.line(f"✗ {fault(event)}{paid}{self._taken_back(event.attempt)}", fg="red")

    def _taken_back(self, attempt: int) -> str:
        if not attempt or self._shown != attempt:
            return ""
        self._shown = 0
        return " · the text above is discarded"

    def _escalated(self, event: Escalated) -> None:
        # Why a failed attempt failed stands on the line above already.
        why = "" if event.cause in _FAILED else f" · {spoken(event.cause)}: {event.detail}"
        self._screen.line(f"↑ {event.from_model} → {event.to_model}{why}{self._taken_back(self._shown)}", fg="yellow")

    def _verdict(self, event: Verdict) -> None:
        if event.winner not in {score.attempt for score in event.scores}:
            self._screen.line("✓ one answer written from all of these", fg="green")
        elif event.reason:
            self._screen.line(f"✓ named by {event.reason}", fg="green")
        for score in event.scores:
            won = score.attempt == event.winner
            self._screen.line(
                f"{'✓' if won else ' '} {score.total:.2f} {score.model} · confidence {score.confidence:.2f} · "
                f"capability {score.capability:.2f} · completeness {score.completeness:.2f} · "
                f"consensus {score.consensus:.2f}",
                **({"fg": "green"} if won else {"dim": True}),
            )
        for sign, points in (("=", event.agreement), ("≠", event.dissent)):
            for point in points if self.verbose else points[:3]:
                self._screen.line(f"  {sign} {point}", dim=True)

    def _completed(self, event: Completed) -> None:
        if self._last is not None:
            self._tell_failure(self._last)
        if self.manner is Manner.OBJECT:
            say(as_json(self.object()))
        elif self.manner is Manner.TEXT:
            if self._shown != event.attempt:
                self._screen.end_line()
                self._screen.text(self._seam(event.model) + event.response)
            self._screen.end_line()
        usage = event.usage
        about = "~" if usage.source == "estimated" else ""
        tried = f" · {len(event.attempts)} attempts" if len(event.attempts) > 1 else ""
        cost = f" · {event.cost}" if self.costs else ""
        self._screen.line(
            f"{event.model} · {spoken(event.strategy)} · {about}{usage.input} in {about}{usage.output} out · "
            f"{event.latency_s:.1f} s{cost}{tried} · confidence {event.confidence.value:.2f}",
            dim=True,
        )
        self._tell_recalled(event)
        if event.note:
            self._screen.line(f"  {event.note}", dim=True)
        if wanted := wants_tools(event):
            self._screen.line(f"  {wanted}; none was offered", fg="yellow")
        if self.kept and self._cut_off(event):
            self._screen.line(f"  cut off at the most tokens it may have; {_GO_ON}", fg="yellow")

    @staticmethod
    def _cut_off(event: Completed) -> bool:
        short = any(one.number == event.attempt and one.finish_reason is FinishReason.LENGTH for one in event.attempts)
        return short and bool(event.response.strip())

    def _tell_recalled(self, event: Completed) -> None:
        attempt = next((one for one in event.attempts if one.number == event.attempt), None)
        if attempt is not None and attempt.recalled is not None:
            saved = f", {saved_in_words(attempt)}" if self.costs and attempt.saved else ""
            said = f"{recalled_in_words(attempt.recalled)}{saved}; ask --again asks for real"
            self._screen.line(f"  {said}", fg="cyan")

    def _failed(self, event: Failed) -> None:
        last = self._last
        if event.error.kind is ErrorKind.CANCELLED:
            came = f"what had come is kept; {_GO_ON}" if event.partial else "nothing had come"
            said = came if self.kept else "nothing of it is kept"
            self._screen.line(f"✗ Cancelled: {said}.{_spent(event)}", fg="red")
            self._tell_note(event)
            return
        what = fault(last) if last is not None and last.error is event.error else event.error.message
        for why in self.told:
            what = what.replace(f"no key: {why}", "it has no key, as said above")
        self._screen.line(f"✗ {full_stop(what)} {event.error.hint}{_spent(event)}", fg="red")
        self._tell_note(event)

    def _tell_note(self, event: Failed) -> None:
        if event.note:
            self._screen.line(f"  {event.note}", fg="red")


def _spent(event: Failed) -> str:
    if event.cost.amount is None:
        used = any(attempt.usage.input or attempt.usage.output for attempt in event.attempts)
        known = f" but for {event.cost.at_least} of it" if event.cost.at_least else ""
        return f" What it cost is not known{known}." if used else ""
    return f" It cost {event.cost} all the same." if event.cost.amount else ""


_FAILED = frozenset({EscalationCause.ERROR, EscalationCause.TIMEOUT, EscalationCause.CONTEXT_WINDOW})

_TOLD: dict[type, Callable[[Telling, Any], None]] = {
    Decided: Telling._decided,
    AttemptStarted: Telling._started,
    PartEnded: Telling._part_ended,
    Waiting: Telling._waiting,
    Thinking: Telling._thinking,
    Text: Telling._text,
    AttemptFinished: Telling._finished,
    AttemptFailed: Telling._attempt_failed,
    Checked: Telling._checked,
    Escalated: Telling._escalated,
    Verdict: Telling._verdict,
    Completed: Telling._completed,
    Failed: Telling._failed,
}


def fault(event: AttemptFailed) -> str:
    """An attempt's failure in one line. The message begins with the provider's name, which the model's says already."""
    error = event.error
    status = f" {error.status}" if error.status else ""
    provider = event.model.partition("/")[0]
    message = error.message.removeprefix(f"{provider}: ")
    return f"{event.model}{status} {spoken(error.kind)} after {event.latency_s:.1f} s: {message}"
