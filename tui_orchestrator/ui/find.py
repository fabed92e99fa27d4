"""The line at the foot of the chat in which one finds words in the conversation."""

from __future__ import annotations

import asyncio
from itertools import accumulate
from time import perf_counter

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from .commands import bindings
from .dialogs import clickable
from .finding import Wanted
from .in_turn import typed_after
from .naming import key_named, key_to
from .reader import Reader
from .words import ACCENT, MUTED, WARN

SLICE_S = 0.006
"""For so long entries are looked through before everything else gets its turn."""

ROOM_FOR_KEYS = 50
"""Cells of a line that tells its keys. A narrower one leaves the room to the words."""


class FindInput(Input):
    BINDINGS = bindings("find")

    class Step(Message):
        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class Close(Message):
        pass

    def action_step(self, step: int) -> None:
        self.post_message(self.Step(step))

    def action_close(self) -> None:
        self.post_message(self.Close())


class FindLine(Horizontal):
    """Looks through everything that was said while one types, and goes from one place to the next."""

    HELP = (
        "Finds words in this conversation, in capitals or not. {find.next} goes to the next place, {find.previous} to"
        " the one before, {find.close} closes the line and stays there."
    )
    DEFAULT_CSS = """
    FindLine { height: 1; background: $surface; padding: 0 1; display: none; }
    FindLine FindInput { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
    FindLine Static { width: auto; height: 1; link-style: none; link-color: $muted; }
    """

    class Closed(Message):
        pass

    def __init__(self, reader: Reader) -> None:
        super().__init__(id="find")
        self._reader = reader
        self._input = FindInput(placeholder="words to find", compact=True, select_on_focus=True)
        self._count = Static("", markup=False)
        self._hits: list[tuple[str, int]] = []
        """Keys of entries that hold the words, in order, with how often."""
        self._looking = False
        """What was typed last was not looked for to its end."""
        self._place = 0
        """Which of all that was found is in view."""
        self._has_row = asyncio.Event()
        """What is in view depends on it."""
        self._from: str | None = None
        """Key of the entry that was at the top of the view when the line was opened."""

    def compose(self) -> ComposeResult:
        yield Static(Content.styled("find ", ACCENT))
        yield self._input
        yield self._count

    def open(self, typed: str = "") -> None:
        self._from = self._reader.first_in_view
        self.display = True
        if typed:
            self._input.value = typed
        self._input.focus()
        self._has_row.clear()
        self.call_after_refresh(self._has_row.set)
        self._search(self._input.value)

    def on_resize(self) -> None:
        if self._hits:
            self._tell(sum(count for _, count in self._hits))

    def close(self) -> None:
        """What was found stays in view."""
        self.workers.cancel_group(self, "find")
        self.display = False
        self._reader.look_for(None)

    def look_again(self) -> None:
        """More was said meanwhile; one stays where one is."""
        if self.display:
            if self._looking:
                self._search(self._input.value)
            else:
                self._search_again(self._input.value, self._place)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display:
            self._search(event.value)

    @on(FindInput.Step)
    def _stepped(self, event: FindInput.Step) -> None:
        event.stop()
        total = sum(count for _, count in self._hits)
        if total:
            self._go((self._place + event.step) % total)

    @on(FindInput.Close)
    def _leave(self, event: FindInput.Close) -> None:
        event.stop()
        self.close()
        self.post_message(self.Closed())

    @typed_after()
    @work(group="find", exclusive=True)
    async def _search(self, typed: str) -> None:
        await self._has_row.wait()
        await self._look(typed)

    @work(group="find", exclusive=True)
    async def _search_again(self, typed: str, place: int) -> None:
        await self._look(typed, place)

    async def _look(self, typed: str, place: int | None = None) -> None:
        """Shows the first place from where one was, or `place` again without moving."""
        wanted = Wanted(typed)
        if place is None:
            self._reader.look_for(wanted)
            self._hits, self._place, self._looking = [], 0, bool(wanted)
        if not wanted:
            self._count.update("")
            return
        hits: list[tuple[str, int]] = []
        total, first, until = 0, None, perf_counter() + SLICE_S
        below = self._from is None or not self._reader.holds(self._from)
        more = True
        while more:
            more = self._reader.make_some()
            await asyncio.sleep(0)
        for entry in self._reader.entries:
            below = below or entry.key == self._from
            if count := wanted.count(entry):
                if first is None and below:
                    first = total
                hits.append((entry.key, count))
                total += count
            if perf_counter() >= until:
                if place is None:
                    self._count.update(Content.styled(f"{total:,} …", MUTED))
                await asyncio.sleep(0)
                until = perf_counter() + SLICE_S
        self._hits, self._looking = hits, False
        if place is not None:
            self._place = min(place, max(0, total - 1))
            self._tell(total)
        elif total:
            self._go(total - 1 if first is None else first)
        else:
            self._tell(0)

    def _go(self, place: int) -> None:
        self._place = place
        ends = list(accumulate(count for _, count in self._hits))
        index = next(number for number, end in enumerate(ends) if end > place)
        key, count = self._hits[index]
        self._reader.show_found(key, place - (ends[index] - count))
        self._tell(ends[-1])

    def _tell(self, total: int) -> None:
        said = f"{self._place + 1:,} of {total:,}" if total else "not found"
        close = key_to(self.app, "find.close")
        closes = clickable(f"{close} closes", f"app.simulate_key('{key_named(close)}')")
        keys = Content.assemble(("  ↑↓ Enter · ", MUTED), closes) if self.size.width >= ROOM_FOR_KEYS else ""
        self._count.update(Content.assemble((said, MUTED if total else WARN), keys))
