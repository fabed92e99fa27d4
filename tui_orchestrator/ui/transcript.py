"""The conversation on the screen: any number of messages, drawn line by line and laid out only where one looks.

Text that streams in is gathered and drawn on a timer; settled Markdown blocks are laid out once for a width. What is
far from the screen has an estimated height until it comes near.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.timer import Timer

from .entries import FOLDS, Entry, Part, Severity, estimate_tokens
from .lexers import drawings
from .look import Caption, Look
from .page import Page
from .rows import Place
from .terminal import LATEST_S, AtTerminal
from .unmade import Unmade

FLUSH_S = 1 / 12
SOONEST = 0.7
"""Part of that time after which what comes is drawn at once."""
DUTY = 5
"""A flush that took long is followed by a pause this many times as long, so drawing never starves the rest."""


class Transcript(Page, can_focus=True):
    """Texts and captions given to it are shown as they are: no markup in them is ever read."""

    ALLOW_SELECT = True
    DEFAULT_CSS = """
    Transcript {
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        padding: 0 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_rows(-1)", "Up", show=False),
        Binding("down", "scroll_rows(1)", "Down", show=False),
        Binding("pageup", "scroll_pages(-1)", "Page up", show=False),
        Binding("pagedown", "scroll_pages(1)", "Page down", show=False),
        Binding("home", "first_row", "Top", show=False),
        Binding("end", "follow", "End", show=False),
        Binding("enter", "toggle_fold", "Open or close the last fold in view", show=False),
    ]

    following: var[bool] = var(True)
    """Whether the view moves with the end. Ends when the user scrolls up, begins again at the end."""
    new_below: var[bool] = var(False)
    """Whether something has come below that the user has not seen: for a badge, whose click calls `follow`."""

    greeting = ""
    """Key of an entry whose end, where it does not fit, is no news."""

    class Clicked(Message):
        """A click on something that is not a fold; `part` says on what of the entry."""

        def __init__(self, key: str, part: Part) -> None:
            super().__init__()
            self.key = key
            self.part = part

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._flushing: Timer | None = None
        self._called = False
        """It is drawn as soon as what has come with it is taken in."""
        self._rests_until = self._flushed = 0.0
        self._settling = False
        self._came = False
        """What waits to be drawn is new, and not only told otherwise."""

    # What the conversation holds

    def add_prompt(self, text: str, attachments: Sequence[str] = (), key: str | None = None) -> str:
        """Also follows the end again: who sends a prompt wants to see its answer. Returns the entry's key."""
        self.following, self.new_below = True, False
        return self._add(Entry.prompt(text, attachments, key))

    def begin_answer(self, key: str, heading: Caption = "") -> None:
        self._add(Entry.answer(heading=heading, growing=True, key=key))

    def append(self, key: str, text: str) -> None:
        """Costs next to nothing; drawn with the next flush. Raises KeyError for an answer never begun."""
        self.entry(key).append(text)
        self._changed(key, new=True)

    def append_thinking(self, key: str, text: str) -> None:
        self.entry(key).append_thinking(text)
        self._changed(key, new=True)

    def reopen(self, key: str, text: str) -> None:
        """The answer grows again from this text, which takes the place of its own."""
        self.entry(key).rewrite(text)
        self._changed(key)

    def finish(self, key: str, status: Caption = "") -> None:
        """The answer is whole; `status` becomes the line under it. May be called again to change that line."""
        entry = self.entry(key)
        entry.growing, entry.status, entry.changed = False, status, True
        self._changed(key)

    def discard(self, key: str, model: str, why: str, tokens: int | None = None) -> None:
        """Folds the answer under one line. Without `tokens` they are estimated, and marked so."""
        count = f"~{estimate_tokens(self.entry(key).source):,}" if tokens is None else f"{tokens:,}"
        self.fold(key, f"discarded {count} tokens of {model}: {why}")

    def fold(self, key: str, label: Caption) -> None:
        """Folds an answer that is not the turn's, or not any more, under one line. May be called again to change that
        line."""
        entry = self.entry(key)
        entry.discarded, entry.growing, entry.changed = label, False, True
        self._changed(key)

    def vote(self, key: str, liked: bool | None) -> None:
        """Marks the answer as the user voted."""
        entry = self.entry(key)
        entry.vote, entry.changed = liked, True
        self._changed(key)

    def tell_branch(self, key: str, branch: tuple[int, int] | None) -> None:
        """Which of how many prompts beside one another this one is."""
        entry = self.entry(key)
        entry.branch, entry.changed = branch, True
        self._changed(key)

    def trail(self, key: str, caption: Caption) -> None:
        """A line that stays where it was first drawn, and is changed in place from then on."""
        if key not in self._rows:
            self._add(Entry.trail(caption, key))
            return
        entry = self.entry(key)
        entry.caption, entry.changed = caption, True
        self._changed(key)

    def reorder(self, keys: Sequence[str]) -> None:
        """These entries in this order, in the places that they have together."""
        entries, wanted = self.entries, iter([self.entry(key) for key in keys])
        arranged = [next(wanted) if entry.key in keys else entry for entry in entries]
        if arranged != entries:
            with self.staying():
                self._rows.load(arranged)
                self._schedule()

    def notice(self, text: str, severity: Severity = "information") -> str:
        return self._add(Entry.notice(text, severity))

    def load(self, entries: Iterable[Entry], above: Sequence[Unmade] = ()) -> None:
        """In place of all that is there, seen from its end. `above` them stands what becomes entries by and by."""
        self.following, self.new_below, self._came = True, False, False
        self._rows.load(entries, above)
        if above:
            self.make_rest()
        self._schedule()
        self._arrange()

    def show(self, key: str) -> None:
        """Brings the entry's first line to the top of the view."""
        self._go(self._rows.top(key))

    def hit(self, y: int) -> tuple[Entry, Part] | None:
        """What is drawn in the row `y` of the widget's content."""
        found = self._rows.find(self.scroll_offset.y + y)
        return (found.entry, found.piece.part) if found else None

    def in_view(self) -> list[Entry]:
        """What is drawn, the lowest first."""
        hits = (self.hit(y) for y in reversed(range(self._room.height)))
        return list(dict.fromkeys(hit[0] for hit in hits if hit is not None))

    def drop(self, keys: Iterable[str]) -> None:
        """Takes these out; seen from the end, as after `load`."""
        for key in keys:
            self._rows.drop(key)
        self.follow()

    def _add(self, entry: Entry) -> str:
        self._rows.add(entry)
        self._came = True
        self._schedule()
        return entry.key

    def _changed(self, key: str, *, new: bool = False) -> None:
        self._came |= new
        self._rows.touch(key)
        self._schedule()

    @contextmanager
    def staying(self) -> Iterator[None]:
        """What is in view stays there, whatever grows above it."""
        place = None if self.following else self._rows.place(self.scroll_offset.y)
        yield
        self._arrange(place)

    # From what it holds to the screen

    def _schedule(self) -> None:
        if self._flushing is None or self._called:
            return
        if perf_counter() >= self._rests_until:
            # What streams in comes a few times a second, for all columns at once: it is drawn as it comes.
            self._called = True
            self.call_next(self._flush)
        else:
            self._flushing.resume()

    def _flush(self) -> None:
        self._called = False
        started = perf_counter()
        if started < self._rests_until or self._gives_way(started):
            if self._flushing is not None:
                self._flushing.resume()
            return
        self._flushed = started
        if self._room.width and self._rows.unread:
            bottom = self.scroll_offset.y + self._room.height
            with self.staying():
                self._rows.set_width(self._room.width)
                self._rows.read()
            if self._came and not (self.following or self.new_below) and self._rows.total > bottom:
                self.new_below = next(self.latest()).key != self.greeting
            ended = perf_counter()
            self._rests_until = max(started + SOONEST * FLUSH_S, ended + DUTY * (ended - started))
            if self._rows.unread:
                return
            self._came = False
        if self._flushing is not None:
            self._flushing.pause()

    def _gives_way(self, now: float) -> bool:
        """To a key that waits to be drawn, but not for ever where one follows the other."""
        return isinstance(self.app, AtTerminal) and self.app.hurried and now - self._flushed < LATEST_S

    def _arrange(self, place: Place | None = None) -> None:
        """Lays out what is in view, keeps the end or `place` where it is on the screen, and repaints."""
        width, height = self._room
        if not (width and height and self.is_mounted):
            return
        self._rows.set_width(width)
        self._settling = True
        try:
            # What is measured may be taller than it was estimated, which moves the rows that are in view.
            for _ in range(8):
                target, total = self._target(place), self._rows.total
                self._rows.measure(target, target + height)
                if self._rows.total == total and self._target(place) == target:
                    break
            self._show_total()
            self._go(self._target(place))
        finally:
            self._settling = False
        self.repaint()
        if self._rows.unread:
            self._schedule()

    def _target(self, place: Place | None) -> int:
        end = max(0, self._rows.total - self._room.height)
        if self.following:
            return end
        return min(end, self._rows.row_of(place) if place else self.scroll_offset.y)

    def _show_total(self) -> None:
        size = Size(self._room.width, self._rows.total)
        if size != self.virtual_size:
            # Not by assignment, which would lay out the whole screen anew for every line that streams in.
            self.set_reactive(ScrollView.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = size.height

    def _go(self, row: int) -> None:
        self.scroll_to(y=row, animate=False, force=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.position = new_value
        old, new = round(old_value), round(new_value)
        if self._settling or old == new:
            return
        self.following = new >= self.max_scroll_y
        if self.following:
            self.new_below = False
        # What is scrolled to from nearby must join what was in view, however wrong its estimated height was.
        near = 0 < new < old <= new + 2 * self._room.height
        place = self._rows.place(old) if near else None
        self._settling = True
        try:
            self._rows.measure(new, new + self._room.height)
            self._show_total()
            if self.following:
                self._arrange()
            elif place is not None:
                self._rows.measure(self._rows.row_of(place) - (old - new), self._rows.row_of(place))
                self._go(max(0, self._rows.row_of(place) - (old - new)))
        finally:
            self._settling = False
        self.repaint()
        if self._rows.unread:
            self._schedule()

    # What Textual asks for

    def on_mount(self) -> None:
        # One that rests: a timer for each flush would cost as much as the flush.
        self._flushing = self.set_interval(FLUSH_S, self._flush, pause=True)
        self._take_look()
        drawings.add(self)
        self._schedule()

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        # The event about it comes when the new size has been drawn once already.
        place = None if self.following else self._rows.place(self.scroll_offset.y)
        if changed := super()._size_updated(size, virtual_size, container_size, layout):
            self._arrange(place)
        return changed

    def on_show(self) -> None:
        self._arrange(None if self.following else self._rows.place(self.scroll_offset.y))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._take_look()

    def _take_look(self) -> None:
        look = Look.of(self.app.theme_variables)
        if look != self._rows.look:
            self._wear(look)

    def _wear(self, look: Look) -> None:
        self.use_look(look)
        self._arrange(None if self.following else self._rows.place(self.scroll_offset.y))

    def colours_came(self) -> None:
        self.call_later(lambda: self._wear(self._rows.look))

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        place = self._rows.place(self.scroll_offset.y)
        text = self._rows.text(selection)
        self._arrange(place)
        return text, "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()

    # What the user does

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        hit = self.hit(offset.y) if offset is not None else None
        if hit is None or self.text_selection is not None:
            return
        entry, part = hit
        if not self._toggle(entry, part):
            self.post_message(self.Clicked(entry.key, part))

    def _toggle(self, entry: Entry, part: Part) -> bool:
        if part not in FOLDS or not entry.foldable(part):
            return False
        entry.toggle(part)
        self.following = False
        self._rows.touch(entry.key)
        self._rests_until = 0.0
        self._flush()
        return True

    def action_toggle_fold(self) -> None:
        for y in reversed(range(self._room.height)):
            if (hit := self.hit(y)) is not None and self._toggle(*hit):
                return

    def action_scroll_rows(self, rows: int) -> None:
        self._go(self.scroll_offset.y + rows)

    def action_scroll_pages(self, pages: int) -> None:
        self._go(self.scroll_offset.y + pages * max(1, self._room.height - 2))

    def action_first_row(self) -> None:
        self._go(0)

    def follow(self) -> None:
        """To the end, and along with it from now on."""
        self.following, self.new_below = True, False
        self._arrange()

    action_follow = follow
