"""One turn as it is told: events become entries of the transcript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import (
    CHECKS,
    AttemptFailed,
    AttemptFinished,
    AttemptStarted,
    Cause,
    Checked,
    Completed,
    Decided,
    Escalated,
    Event,
    Failed,
    Next,
    PartEnded,
    Reserved,
    Text,
    Thinking,
    Verdict,
    Waiting,
)
from tui_orchestrator.routing.request import Method, Strategy
from tui_orchestrator.routing.telling import KILLED, check_name, found
from tui_orchestrator.services.closing import closing

from . import words
from .aside import Aside
from .continuing import Onto
from .entries import answer_key, trail_key
from .members import standing
from .parts import Parts
from .recounting import Recounting
from .status import SPOKEN, Keys
from .stored import cut_short
from .trail import Leg, mark, recalled_in_short, tell_check, trail, weighed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_orchestrator.routing.events import Attempt
    from tui_orchestrator.routing.money import Money
    from tui_orchestrator.services.feedback import Given

    from .columns import Columns

_ANSWERING = "the ensemble is answering"


class LiveTurn:
    def __init__(
        self,
        recounting: Recounting,
        columns: Columns,
        request_id: str,
        method: Method | None = None,
        keys: Keys = SPOKEN,
        onto: Onto | None = None,
    ) -> None:
        """`recounting`: of the transcript that it is told in; it has the last word. `method`: the verdict that was
        asked for; None: as configured. `onto`: the answer that is continued."""
        self.request_id = request_id
        self.onto = onto
        self.part: Given | None = None
        """The attempt that the continued answer has its end from, once that is over."""
        self._keys = keys
        self.blind = False
        """Nothing is told of an ensemble but its answers, until `reveal`."""
        self.keeps = True
        """What comes of an answer is the conversation's also where it does not come to its end."""
        self.merges = False
        """It is one answer from those in the columns, which tell it too."""
        self._method = method
        self._verdict: Verdict | None = None
        self._end: Completed | None = None
        """Held back while it is blind."""
        self._reserved: dict[int, Money] = {}
        self.side_by_side = False
        """An ensemble's answers go to the columns, its verdict and the winner to both."""
        self._asked = 0
        """Members of the ensemble that there is money for."""
        self.over = False
        self.activity = "deciding"
        """What it does now, in a few words."""
        self._transcript = recounting.transcript
        self._recounting = recounting
        self._columns = columns
        self._legs: dict[int, Leg] = {}
        self._aside = Aside(self._transcript, request_id, self._legs)
        self._parts = Parts()

    def tell(self, event: Event) -> None:
        match event:
            case Decided(decision=decision):
                self.side_by_side = decision.strategy is Strategy.ENSEMBLE and len(decision.chain) > 1
                method = decision.asked.policy.verdict if self._method is None else self._method
                self.blind = self.side_by_side and method is Method.VOTE
                if self.side_by_side:
                    members = standing(decision)
                    self._asked = sum(not why_not for _, why_not in members)
                    self._columns.start(members, blind=self.blind)
            case Reserved():
                self._reserved[event.attempt] = event.amount
            case AttemptStarted():
                self._started(event)
            case Thinking() | Text():
                self._grow(event)
            case Waiting():
                for_you = "waiting for you: it does not fit into a budget"
                waiting = f"waiting {words.seconds(event.seconds)}: {event.why}"
                self.activity = for_you if event.why == "budget" else waiting
            case AttemptFinished():
                self._finished(event)
            case AttemptFailed():
                self._failed_attempt(event)
            case PartEnded():
                self._part(event)
            case Checked():
                self._checked(event)
            case Escalated():
                self._escalated(event)
            case Verdict():
                self._judged(event)
            case Completed():
                self._completed(event)
            case Failed():
                self._failed(event)

    def abandon(self, why: str) -> None:
        """The turn broke without its last event."""
        if self.over:
            return
        self.over = True
        for leg in self._legs.values():
            if leg.glyph == "◐":
                leg.glyph, leg.role, leg.detail = "✗", "error", why
                if leg.has_text:
                    self._transcript.finish(self._key(leg.number), [(f"✗ {why}", "error")])
        self._draw_trail()

    def reveal(self) -> None:
        """Tells what was held back of a blind ensemble."""
        if not self.blind:
            return
        self.blind = False
        self._columns.reveal()
        if not self.over and self._verdict is not None:
            mark(self._legs, self._verdict)
        if not self.over:
            self._draw_trail()
        if self._end is not None:
            self._completed(self._end)

    def recalled(self, recounting: Recounting) -> None:
        """It was told from what is kept, and stands in this one's transcript already."""
        self.over, self._recounting = True, recounting

    def judge(self, verdict: Verdict) -> None:
        """Another verdict, once the turn is over, takes the place of its own."""
        self._judged(verdict)

    def model(self, attempt: int) -> str:
        """The id of the model that was asked. Raises KeyError."""
        return self._legs[attempt].model

    @property
    def answer(self) -> str | None:
        """Key of the newest answer that has text."""
        with_text = [leg.number for leg in self._legs.values() if leg.has_text and leg.is_answer]
        return self._key(with_text[-1]) if with_text else None

    def _key(self, attempt: int) -> str:
        return answer_key(self.request_id, attempt) if self.onto is None else self.onto.key

    def _begin(self, leg: Leg) -> None:
        if self.onto is None:
            self._transcript.begin_answer(self._key(leg.number))
        else:
            self.onto.begin(leg)

    def _discard(self, leg: Leg, why: str, tokens: int | None) -> None:
        if self.onto is None:
            self._transcript.discard(self._key(leg.number), words.short_name(leg.model), why, tokens)
        else:
            self.onto.discard(leg, answer_key(self.request_id, leg.number), why, tokens)

    def _started(self, event: AttemptStarted) -> None:
        name = words.short_name(event.model)
        if event.part:
            leg = Leg(event.attempt, event.model, event.cause, is_answer=False, part=event.part)
            leg.why = leg.about
            self._legs[event.attempt] = leg
            self._part(event)
            return
        if event.cause in CHECKS:
            self._check_started(event, name)
            return
        self._legs[event.attempt] = Leg(event.attempt, event.model, event.cause)
        self.activity = f"asking {name}"
        if event.cause is Cause.ENSEMBLE and self.side_by_side:
            self._legs[event.attempt].in_column = True
            self._columns.add(event.attempt, name, self._reserved.get(event.attempt))
            self.activity = _ANSWERING if self.blind else f"asking {self._asked} models"
        if event.cause is Cause.SYNTHESIS:
            self.activity = f"{name} writes one answer from all"
            if self.side_by_side:
                self._aside.fold_members()
            if self.side_by_side or self.merges:
                self._columns.put_together(name)
        self._draw_trail()

    def _part(self, event: AttemptStarted | PartEnded) -> None:
        self.activity = self._parts.tell(event)
        self._draw_trail()

    def _check_started(self, event: AttemptStarted, name: str) -> None:
        # A judge of several answers is asked about them all.
        checked = None if self.side_by_side else self._last_answer()
        judges = "which answer is the best" if self.side_by_side else "to judge the answer"
        self._legs[event.attempt] = Leg(event.attempt, event.model, event.cause, is_answer=False)
        self.activity = {
            Cause.SECOND_OPINION: f"asking {name} for a second opinion",
            Cause.SAMPLE: f"asking {name} again, to compare",
        }.get(event.cause, f"asking {name} {judges}")
        if checked is not None:
            checked.checked_by = check_name(event.cause) + ("" if event.cause is Cause.SAMPLE else f" {name}")
        self._draw_trail()

    def _last_answer(self) -> Leg | None:
        return next((leg for leg in reversed(self._legs.values()) if leg.is_answer), None)

    def _grow(self, event: Thinking | Text) -> None:
        leg, thinks = self._legs[event.attempt], isinstance(event, Thinking)
        if not leg.is_answer:
            (leg.thoughts if thinks else leg.text).append(event.text)
            return
        if leg.in_column:
            (leg.thoughts if thinks else leg.text).append(event.text)
            put = self._columns.append_thinking if thinks else self._columns.append
            put(event.attempt, event.text)
            self.activity = _ANSWERING
            return
        if leg.cause is Cause.SYNTHESIS and (self.side_by_side or self.merges) and not thinks:
            self._columns.append_together(event.text)
        key = self._key(event.attempt)
        if not leg.has_text:
            leg.has_text = True
            self._begin(leg)
        if thinks:
            self._transcript.append_thinking(key, event.text)
        else:
            if self.onto is not None:
                leg.text.append(event.text)
            self._transcript.append(key, event.text)
        self.activity = f"{words.short_name(leg.model)} is {'thinking' if thinks else 'answering'}"

    def _finished(self, event: AttemptFinished) -> None:
        leg = self._legs[event.attempt]
        leg.finished, leg.glyph, leg.role = event, "✓", "success"
        leg.detail = "" if event.recalled is None else recalled_in_short(event.recalled)
        if leg.in_column:
            self._columns.finish(
                event.attempt,
                seconds=event.latency_s,
                tokens=event.usage.output,
                tokens_per_s=event.tokens_per_s,
                cost=event.cost,
                confidence=event.confidence.value if event.confidence else 0.0,
            )
        if not leg.is_answer:
            self._aside.fold_checks()
            return
        if leg.has_text:
            self._transcript.finish(self._key(event.attempt))
        self._draw_trail()

    def _failed_attempt(self, event: AttemptFailed) -> None:
        leg = self._legs[event.attempt]
        cancelled, leg.why = event.error.kind is ErrorKind.CANCELLED, event.error.message
        leg.fail(cancelled, event.error.status, event.error.kind, event.latency_s)
        if not leg.is_answer:
            self._aside.fold_checks()
            self._draw_trail()
            return
        if leg.in_column:
            ended = cancelled or leg.why == KILLED
            self._columns.fail(event.attempt, leg.why, event.cost, ended=ended)
        self._draw_trail()
        if leg.has_text:
            if event.next is Next.GIVE_UP:
                self.part = (event.request_id, event.attempt)
                self._transcript.finish(self._key(event.attempt))
            else:
                self._discard(leg, event.error.message, event.usage.output)

    def _checked(self, event: Checked) -> None:
        finding, answer = event.finding, self._legs[event.attempt]
        if not answer.is_answer:
            # The second opinion becomes an answer of the turn: the next event says so.
            return
        for number in finding.attempts:
            self._legs[number].why = found(finding)
        self._aside.fold_checks()
        answer.checked_by = ""
        tell_check(answer, finding, self._legs)
        self._draw_trail()

    def _escalated(self, event: Escalated) -> None:
        for leg in reversed(self._legs.values()):
            if leg.model == event.from_model and leg.glyph == "✓" and leg.finished is not None and not leg.part:
                leg.glyph, leg.role = "~", "warning"
                leg.detail, leg.why = weighed(event.detail), event.detail
                if leg.has_text:
                    count = leg.finished.usage.output
                    self._transcript.discard(self._key(leg.number), words.short_name(leg.model), event.detail, count)
                break
        taken = next((leg for leg in self._legs.values() if leg.model == event.to_model and leg.is_check), None)
        if taken is not None:
            taken.is_answer = True
        self.activity = f"going on to {words.short_name(event.to_model)}"
        self._draw_trail()

    def _judged(self, event: Verdict) -> None:
        self._verdict = event
        if self.side_by_side:
            self._columns.verdict(event)
        if self.over:
            self._recounting.judge(event)
        elif not self.blind:
            mark(self._legs, event)
            self._draw_trail()

    def _draw_trail(self) -> None:
        # Of a continuation at the first attempt the line under the answer says all.
        shown = self.onto is None or len(self._legs) > 1 or any(leg.glyph in "✗■" for leg in self._legs.values())
        if shown and not self.blind and (marks := self._parts.before(trail(list(self._legs.values())))):
            self._transcript.trail(trail_key(self.request_id), marks)

    def _completed(self, event: Completed) -> None:
        self.over = True
        if self.blind:
            self._end = event
            return
        leg = self._legs.get(event.attempt)
        if self.onto is None:
            self._aside.fold_members()
            key = self._key(event.attempt)
            if not self._transcript.holds(key):
                self._transcript.begin_answer(key)
                self._transcript.append(key, event.response)
            elif self._transcript.entry(key).discarded is not None:
                # An earlier answer was the best after all, or there was nobody to put several together.
                self._transcript.entry(key).discarded = None
                self._transcript.reopen(key, event.response)
            self._transcript.finish(key)
        elif leg is not None and leg.has_text:
            self.part = (event.request_id, event.attempt)
        self._recount(event.attempts, event.attempt, whole=True)
        self._tell_end(event)

    def _recount(self, attempts: Sequence[Attempt], stands: int | None, *, whole: bool) -> None:
        """As it is when the session is opened again."""
        self._aside.arrange(stands)
        whys = self._aside.whys(stands)
        self._recounting.end(attempts, stands, whys, self._keys, whole=whole, goes_on=self.onto is not None)
        if self._verdict is not None:
            self._recounting.judge(self._verdict)

    def _tell_end(self, end: Completed | Failed) -> None:
        if (said := closing(end, onto=self.onto is not None, keeps=self.keeps)).note:
            self._transcript.notice(said.note, said.weight)

    def _failed(self, event: Failed) -> None:
        self.reveal()
        self.over = True
        self._columns.none_left_to_begin()
        self._aside.fold_members()
        self._aside.fold_checks()
        last = max((leg for leg in self._legs.values() if leg.is_answer), key=lambda leg: leg.number, default=None)
        key = "" if last is None else self._key(last.number)
        there = last is not None and self._transcript.holds(key)
        if there:
            if self.onto is None:
                self._transcript.entry(key).discarded = None
            self._transcript.finish(key)
        self._recount(event.attempts, None if last is None else last.number, whole=False)
        if last is not None and there and self.onto is None and not self.keeps:
            self._transcript.fold(key, cut_short(last.model))
        self._tell_end(event)
        if event.note:
            self._transcript.notice(event.note, "warning")
