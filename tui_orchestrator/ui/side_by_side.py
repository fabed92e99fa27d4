"""Answers side by side while they stream, then the verdict below them: what stands there and how it is drawn.

Members are known by the numbers of their attempts; a person knows them by their places from the left. Where columns
would be too narrow to read, or one is zoomed, that one is shown and the others wait behind tabs. A blind ensemble shows
its answers in an order drawn by lot, and nothing else of them, until `reveal`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.timer import Timer

from tui_orchestrator.routing.events import Verdict
from tui_orchestrator.routing.money import Cost, Money
from tui_orchestrator.routing.text import clean_line

from . import words
from .column import ANSWER, Column
from .entries import Severity
from .members import Member, State, Tabs
from .transcript import Transcript
from .verdicts import VerdictText

MIN_COLUMN = 36
TICK_S = 0.25


class SideBySide(Vertical):
    """Call `start` for every ensemble, then feed it by the members' numbers; an unknown number raises KeyError."""

    def __init__(
        self,
        *,
        id: str | None = None,
        classes: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        lot: Callable[[int], int] = random.randrange,
    ) -> None:
        """`lot` draws a place below a number, for the order of a blind ensemble."""
        super().__init__(id=id, classes=classes)
        self.blind = False
        self._clock = clock
        self._lot = lot
        self._columns: dict[int, Column] = {}
        """By number, in the order they stand in."""
        self._told: Verdict | None = None
        self._ticking: Timer | None = None
        self._tabs = Tabs()
        self._row = Horizontal(id="members")
        self._verdict = VerdictText(id="verdict")

    def compose(self) -> ComposeResult:
        yield self._tabs
        yield self._row
        yield self._verdict

    # -- what it is told

    def start(self, members: Sequence[tuple[str, str]] = (), *, blind: bool = False) -> None:
        """A view with a column for each member, by its name; with the reason for one that is not to be asked. `add`
        tells of each other one when it begins."""
        held = self.has_focus_within
        for column in self._columns.values():
            column.replaced = True
            column.remove()
        self._columns.clear()
        self._told, self.blind = None, blind
        self._verdict.load(())
        self.remove_class("-judged", "-zoomed", "-asks")
        self._fit()
        for place, (model, why_not) in enumerate(members):
            # Attempts are numbered from 1.
            self._stand(-1 - place, model)
            if why_not:
                self.fail(-1 - place, why_not)
        if held:
            self.call_after_refresh(self.focus_inside)

    def add(self, number: int, model: str, at_most: Money | None = None) -> None:
        name = clean_line(model, 80)
        awaited = next(
            (one for one in self._columns.values() if one.member.number < 0 and one.member.model == name), None
        )
        if awaited is None:
            self._stand(number, model, at_most)
            return
        member, before = awaited.member, awaited.member.number
        member.number, member.started, member.at_most = number, self._clock(), at_most
        member.state, member.figures = State.WAITING, ()
        self._columns = {column.member.number: column for column in self._columns.values()}
        if self._tabs.current == before:
            self.select(number)
        self._redraw(number)

    def none_left_to_begin(self) -> None:
        """Those that have not begun are not going to."""
        for number, column in self._columns.items():
            if number < 0 and column.member.running:
                self.fail(number, "was not asked: nothing was left for it")

    def _stand(self, number: int, model: str, at_most: Money | None = None) -> None:
        member = Member(number, clean_line(model, 80), self._clock(), at_most=at_most, hidden=self.blind)
        column = Column(member, self._clock)
        place = self._lot(len(self._columns) + 1) if self.blind else len(self._columns)
        order = list(self._columns.values())
        if place < len(order):
            self._row.mount(column, before=order[place])
        else:
            self._row.mount(column)
        order.insert(place, column)
        self._columns = {one.member.number: one for one in order}
        for at, one in enumerate(order):
            one.member.place = at + 1
            one.set_class(at > 0, "-divided")
        first = next((one for one in order if one.member.running), order[0])
        self.select(first.member.number)
        self._fit()
        if self._ticking is None and self.is_mounted:
            self._ticking = self.set_interval(TICK_S, self._tick)

    def append(self, number: int, text: str) -> None:
        self._receive(number, text)
        self._columns[number].answer.append(ANSWER, text)

    def append_thinking(self, number: int, text: str) -> None:
        self._receive(number, text)
        self._columns[number].answer.append_thinking(ANSWER, text)

    def finish(
        self,
        number: int,
        *,
        seconds: float,
        tokens: int,
        tokens_per_s: float | None,
        cost: Cost,
        confidence: float | None = None,
    ) -> None:
        """`tokens` are those it generated."""
        member = self._columns[number].member
        member.state = State.FINISHED
        speed = "?" if tokens_per_s is None else f"{tokens_per_s:.0f}"
        member.figures = (words.seconds(seconds), f"↓{words.tokens(tokens)}", f"{speed} tok/s")
        member.cost, member.confidence = str(cost), confidence
        self._close(number)
        self._redraw(number)

    def fail(self, number: int, why: str, cost: Cost | None = None, *, ended: bool = False) -> None:
        """What had come stays on the screen, under the reason. `ended`: the user did not want to wait for it."""
        column = self._columns[number]
        member = column.member
        member.state = State.ENDED if ended else State.FAILED
        member.figures = (clean_line(why, 120),)
        member.cost = str(cost) if cost else ""
        column.answer.finish(ANSWER)
        if not member.hidden:
            column.answer.notice(clean_line(why), "warning" if ended else "error")
        self._redraw(number)
        if self._tabs.current == number and not self.has_focus_within:
            self._leave_for_an_answer()

    def put_together(self, model: str) -> None:
        """One answer is being written from all; `append_together` brings it."""
        self._verdict.put_together(clean_line(model, 80))
        self.add_class("-judged")

    def append_together(self, text: str) -> None:
        self._verdict.append_together(text)

    def verdict(self, verdict: Verdict) -> None:
        """Marks the winner and tells below the columns how it was found; a blind one asks for the user's."""
        self._told = verdict
        self.none_left_to_begin()
        if self.blind:
            self._ask_for_vote()
            return
        for number, column in self._columns.items():
            if column.member.state is State.WINNER:
                column.member.state = State.FINISHED
                column.heading.remove_class("-winner")
                self._redraw(number)
        if verdict.winner in self._columns:
            column = self._columns[verdict.winner]
            column.member.state = State.WINNER
            column.heading.add_class("-winner")
            self._redraw(verdict.winner)
            self._offer(verdict.winner)
        self._verdict.tell(verdict, self.members)
        self.add_class("-judged")

    def reveal(self) -> None:
        """Who is who, and what was held back of a blind ensemble."""
        if not self.blind:
            return
        self.blind = False
        self.remove_class("-asks")
        for number, column in self._columns.items():
            member = column.member
            member.hidden = False
            if member.answered:
                self._close(number)
            elif not member.running and member.figures:
                column.answer.notice(member.figures[0], "warning" if member.state is State.ENDED else "error")
            self._redraw(number)
        self._fit()
        if self._told is not None:
            self._verdict.load(())
            self.verdict(self._told)

    def best(self, number: int | None) -> None:
        """Marks the member the user voted for, and no other; where one only is shown, it is that one."""
        for own, column in self._columns.items():
            column.member.best = own == number
            self._redraw(own)
        if number in self._columns:
            self._offer(number)

    # -- what it can be asked

    @property
    def told(self) -> Verdict | None:
        """The verdict that stands."""
        return self._told

    @property
    def members(self) -> list[Member]:
        """From the left."""
        return [column.member for column in self._columns.values()]

    @property
    def current(self) -> Member | None:
        """The one turned to last. The focus follows it with the next frame, and may be late."""
        column = self._columns.get(self._tabs.current)
        return None if column is None else column.member

    @property
    def answers(self) -> list[Member]:
        """Those that gave one."""
        return [member for member in self.members if member.answered]

    def source(self, number: int) -> str:
        """A member's answer as Markdown."""
        return self._columns[number].source

    def transcript(self, number: int) -> Transcript:
        """A member's, for copying from it or focusing it."""
        return self._columns[number].answer

    def focus_inside(self) -> None:
        if (column := self._columns.get(self._tabs.current)) is not None:
            column.focus_inside()

    def select(self, number: int) -> None:
        """The one that is shown where there is room for one only: the focus goes there with it."""
        left = self._columns.get(self._tabs.current)
        held = self.has_class("-single") and left is not None and left.has_focus_within
        for own, column in self._columns.items():
            column.set_class(own == number, "-current")
        self._tabs.current = number
        if held:
            self.focus_inside()
        self._tabs.members = self.members
        self._tabs.refresh()

    def _offer(self, number: int) -> None:
        """In front, unless the user reads another one that stands beside it."""
        if self.has_class("-single") or not self.has_focus_within:
            self.select(number)

    def notice(self, sentence: str, severity: Severity = "information") -> None:
        """Over the verdict; a zoomed answer makes room for it."""
        self.remove_class("-zoomed")
        self.add_class("-judged")
        self._fit()
        self._verdict.tell_first(sentence, severity)

    # -- how it is drawn

    def on_mount(self) -> None:
        if self._columns:
            self._ticking = self.set_interval(TICK_S, self._tick)

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        if self.size.width:
            narrow = self.size.width < MIN_COLUMN * len(self._columns)
            self.set_class(narrow or self.has_class("-zoomed"), "-single")
        self._tabs.members = self.members
        self._tabs.refresh()

    def _leave_for_an_answer(self) -> None:
        """From a member that gave none, where another one has or may still."""
        if self.current is not None and not self.current.running and not self.current.answered:
            others = sorted(
                (one for one in self.members if one.answered or one.running), key=lambda one: not one.answered
            )
            if others:
                self.select(others[0].number)

    def _ask_for_vote(self) -> None:
        self._leave_for_an_answer()
        self._verdict.ask(self.answers)
        self.add_class("-judged", "-asks")

    def _receive(self, number: int, text: str) -> None:
        member = self._columns[number].member
        member.received += len(text.encode(errors="replace"))
        if member.state is State.WAITING:
            member.state = State.STREAMING

    def _close(self, number: int) -> None:
        """The line under a whole answer."""
        column = self._columns[number]
        sure = column.member.confidence
        column.answer.finish(ANSWER, "" if sure is None or self.blind else f"confidence {sure:.2f}")

    def _redraw(self, number: int) -> None:
        self._columns[number].heading.refresh()
        self._tabs.refresh()

    def _tick(self) -> None:
        running = [member for member in self.members if member.running]
        for member in running:
            self._redraw(member.number)
        if not running and self._ticking is not None:
            self._ticking.stop()
            self._ticking = None
