"""An ensemble on the screen, and what a person does with its answers by keys and clicks."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.message import Message

from .commands import bindings
from .differences import difference
from .members import Heading, Member, OfMember, State, Tabs
from .side_by_side import SideBySide


class Columns(SideBySide):
    HELP = (
        "The answers of an ensemble. {ensemble.previous} and {ensemble.next} go from one to the next, {ensemble.zoom}"
        " or a click on a heading zooms one, {ensemble.pick1} to {ensemble.pick8} pick the best by its number, "
        "{ensemble.differences} shows in which words one differs from the winner, {ensemble.go_on} goes on with one "
        "model, {ensemble.merge} has one answer written from all, {ensemble.judge} asks a model which is the best, "
        "{ensemble.settle} ends those that are still at work."
    )
    DEFAULT_CSS = """
    Columns { height: 1fr; background: $background; }
    Columns > #members { height: 1fr; }
    Columns > #verdict { height: 40%; display: none; }
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
                column.show_answer()
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
