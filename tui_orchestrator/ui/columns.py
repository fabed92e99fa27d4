"""An ensemble on the screen: its members' answers side by side while they stream, then the verdict below them.

Members are known by the numbers of their attempts; a person knows them by their places from the left. Where columns
would be too narrow to read, or one is zoomed, that one is shown and the others wait behind tabs. A blind ensemble shows
its answers in an order drawn by lot, and nothing else of them, until `reveal`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer

from tui_orchestrator.routing.events import Verdict
from tui_orchestrator.routing.money import Cost, Money
from tui_orchestrator.routing.text import clean_line

from . import words
from .column import ANSWER, Column
from .commands import bindings
from .differences import difference
from .members import Heading, Member, OfMember, State, Tabs
from .transcript import Transcript
from .verdicts import VerdictText

MIN_COLUMN = 36
TICK_S = 0.25


class Columns(Vertical):
    """Call `start` for every ensemble, then feed it by the members' numbers; an unknown number raises KeyError."""

    HELP = (
        "The answers of an ensemble. ← → go from one to the next, Z or a click on a heading zooms one, 1 to 8 pick the "
        "best by its number, D shows in which words one differs from the winner, C goes on with one model, M has one "
        "answer written from all, J asks a model which is the best, E ends those that are still at work."
    )
    DEFAULT_CSS = """
    Columns { height: 1fr; background: $background; }
    Columns > #members { height: 1fr; }
    Columns > #verdict { height: 40%; display: none; border-top: hkey $border-blurred; }
    Columns.-judged > #verdict { display: block; }
    Columns.-single > Tabs { display: block; }
    Columns.-single Column { display: none; border: none; }
    Columns.-single Column.-current { display: block; }
    Columns.-zoomed > #verdict { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = bindings("ensemble")

    class Picked(OfMember):
        """The user's own winner."""

    class GoOn(OfMember):
        """The conversation is to go on with this one."""

    class Enough(Message):
        """Those that are still at work are not to be waited for."""

    class MergeWanted(Message):
        """One answer is to be written from all."""

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

    def start(self, *, blind: bool = False) -> None:
        """An empty view."""
        for column in self._columns.values():
            column.remove()
        self._columns.clear()
        self._told, self.blind = None, blind
        self._verdict.clear()
        self.remove_class("-judged", "-zoomed", "-asks")
        self._fit()

    def add(self, number: int, model: str, at_most: Money | None = None) -> None:
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
        self.select(order[0].member.number)
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
        member.figures = (f"{seconds:.1f}s", f"↓{words.tokens(tokens)}", f"{speed} tok/s")
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

    def put_together(self, model: str) -> None:
        """One answer is being written from all; `append_together` brings it."""
        self._verdict.put_together(clean_line(model, 80))
        self.add_class("-judged")

    def append_together(self, text: str) -> None:
        self._verdict.append_together(text)

    def verdict(self, verdict: Verdict) -> None:
        """Marks the winner and tells below the columns how it was found; a blind one asks for the user's."""
        self._told = verdict
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
            self.select(verdict.winner)
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
            self._verdict.clear()
            self.verdict(self._told)

    def best(self, number: int | None) -> None:
        """Marks the member the user voted for, and no other; where one only is shown, it is that one."""
        for own, column in self._columns.items():
            column.member.best = own == number
            self._redraw(own)
        if number in self._columns:
            self.select(number)

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
        """The one with the focus, else the one in front."""
        front = self._columns.get(self._tabs.current)
        focused = next((column for column in self._columns.values() if column.has_focus_within), front)
        return focused.member if focused is not None else None

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
        """The one that is shown where there is room for one only."""
        for own, column in self._columns.items():
            column.set_class(own == number, "-current")
        self._tabs.current = number
        self._tabs.members = self.members
        self._tabs.refresh()

    # -- what the user does

    def action_turn(self, step: int) -> None:
        if (member := self.current) is not None:
            numbers = list(self._columns)
            self.select(numbers[(numbers.index(member.number) + step) % len(numbers)])
            self.call_after_refresh(self.focus_inside)

    def action_zoom(self) -> None:
        if (member := self.current) is not None:
            self._zoom(member.number)

    def _zoom(self, number: int) -> None:
        self.select(number)
        self.toggle_class("-zoomed")
        self._fit()
        self.call_after_refresh(self.focus_inside)

    def action_pick(self, place: int) -> None:
        """By its number over the column; 0 is the current one."""
        member = self.current if place == 0 else next((m for m in self.members if m.place == place), None)
        if member is not None and self._is_answer(member):
            self.post_message(self.Picked(member.number))

    def action_go_on(self) -> None:
        if (member := self.current) is not None and self._is_answer(member):
            self.post_message(self.GoOn(member.number))

    def action_settle(self) -> None:
        self.post_message(self.Enough())

    def action_merge(self) -> None:
        self.post_message(self.MergeWanted())

    def _is_answer(self, member: Member) -> bool:
        if not member.answered:
            waits = "has not answered yet" if member.running else "gave no answer"
            self.app.notify(f"{member.name} {waits}.", severity="warning", markup=False)
        return member.answered

    def action_differences(self) -> None:
        """Of the current one from the winner, in place of its answer; once more brings the answer back. On the winner:
        of all others."""
        base, member = self._base(), self.current
        if member is None:
            return
        if self._columns[member.number].differs:
            for column in self._columns.values():
                column.remove_class("-differs")
            self.focus_inside()
        elif base is None:
            why = "pick one first" if self.blind else "there is no winner yet"
            self.app.notify(f"Answers are compared with the winner: {why}.", severity="warning", markup=False)
        else:
            others = [one for one in self.answers if one is not base] if member is base else [member]
            self.run_worker(self._compare(base, others), group="differences", exclusive=True)

    def _base(self) -> Member | None:
        """What answers are compared with: the user's own winner, else the verdict's."""
        if self.blind:
            return None
        picked = next((member for member in self.members if member.best), None)
        return picked or next((member for member in self.members if member.state is State.WINNER), None)

    async def _compare(self, base: Member, others: list[Member]) -> None:
        for member in others:
            column = self._columns[member.number]
            found = await asyncio.to_thread(difference, self.source(base.number), column.source)
            if self._columns.get(member.number) is not column:
                return  # another ensemble has begun
            column.show_difference(found, base.name)
        self.call_after_refresh(self.focus_inside)

    @on(Tabs.Chosen)
    def _chosen(self, message: Tabs.Chosen) -> None:
        message.stop()
        self.select(message.number)
        self.call_after_refresh(self.focus_inside)

    @on(Heading.Clicked)
    def _heading_clicked(self, message: Heading.Clicked) -> None:
        message.stop()
        self._zoom(message.number)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        # Where one only is shown, hiding it moves the focus, which is not what the user chose.
        if not self.has_class("-single"):
            for number, column in self._columns.items():
                if column in event.widget.ancestors:
                    self.select(number)

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

    def _ask_for_vote(self) -> None:
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
