"""The entries of a transcript as rows: which line stands where, measured where one looks and estimated elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter

from textual.geometry import Offset
from textual.selection import Selection

from .drawing import Drawn, Piece
from .entries import Entry, request_of
from .extents import Extents
from .lines import Line
from .look import Look
from .selected import copied
from .unmade import Unmade

READ_S = 0.012
"""For so long new text is split into blocks in one go; the rest waits for the next."""
KEPT_LINES = 1000
"""More than any screen has. What was looked at longest ago is laid out again when needed."""


@dataclass(frozen=True, slots=True)
class Place:
    """A row by what stands in it, so that it is found again when heights above it have changed."""

    key: str
    """Of the entry."""
    piece: int
    row: int
    height: int
    """Of the piece, then: at another width the row moves in proportion."""


@dataclass(frozen=True, slots=True)
class Found:
    entry: Entry
    piece: Piece
    line: Line | None
    """None where the row is blank."""
    number: int = 0
    """Of the line within its piece; negative in the blank rows before it."""
    before: bool = False
    """Whether the row is the blank one that keeps the entry apart from the one before it."""


class Rows:
    def __init__(self, look: Look) -> None:
        self.width = 0
        self.look = look
        self.unread: set[int] = set()
        """Entries whose newest text or state is not in the rows yet."""
        self._drawn: list[Drawn] = []
        self._unmade: list[Unmade] = []
        """Those among what is drawn, in order."""
        self._places: dict[str, int] | None = {}
        """By key; None after those of many have changed."""
        self._extents = Extents()
        self._kept: dict[Piece, int] = {}
        """With how many lines each is kept, the one that was looked at longest ago first."""
        self._kept_lines = 0

    @property
    def total(self) -> int:
        return self._extents.total

    @property
    def entries(self) -> list[Entry]:
        while self.make_some():
            pass
        return self.made

    @property
    def made(self) -> list[Entry]:
        """Without those that are not made yet."""
        return [drawn.entry for drawn in self._drawn if not isinstance(drawn, Unmade)]

    def latest(self) -> Iterator[Entry]:
        """The last one first."""
        return self._onward(len(self._drawn) - 1, -1)

    def beside(self, key: str, step: int) -> Iterator[Entry]:
        """All that way from an entry, the nearest first: down for 1, up for -1."""
        return self._onward(self._index(key) + step, step)

    def _onward(self, index: int, step: int) -> Iterator[Entry]:
        while 0 <= index < len(self._drawn):
            drawn, before = self._drawn[index], len(self._drawn)
            if isinstance(drawn, Unmade):
                self._make(drawn)
                index += len(self._drawn) - before if step < 0 else 0
            else:
                yield drawn.entry
                index += step

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._find(key) is not None

    def entry(self, key: str) -> Entry:
        return self._drawn[self._index(key)].entry

    def top(self, key: str) -> int:
        return self._extents.top(self._index(key))

    def bottom(self, key: str) -> int:
        """The row after its last one."""
        index = self._index(key)
        return self._extents.top(index) + self._extents[index]

    def _index(self, key: str) -> int:
        if (index := self._find(key)) is None:
            raise KeyError(key)
        return index

    def _find(self, key: str) -> int | None:
        if self._places is None:
            self._places = {drawn.entry.key: index for index, drawn in enumerate(self._drawn)}
        index = self._places.get(key)
        if index is None and self._unmade and (request_id := request_of(key)) != key:
            for one in self._unmade:
                if request_id in one.requests:
                    self._make(one)
                    return self._find(key)
        return index

    def make_some(self) -> bool:
        """The lowest stretch that is not made yet. Whether there was any."""
        if self._unmade:
            self._make(self._unmade[-1])
            return True
        return False

    def _make(self, stretch: Unmade) -> None:
        """All that stands above and below keeps its row."""
        index = self._drawn.index(stretch)
        made = [Drawn(entry) for entry in stretch.entries()]
        heights = [drawn.estimate(self.width) for drawn in made]
        more = self._extents[index] - sum(heights)
        for at, height in enumerate(heights):
            if more and height:
                heights[at] = max(1, height + more)
                more -= heights[at] - height
        self._drawn[index : index + 1] = made
        self._extents.put(index, heights)
        self.unread = {one + len(made) - 1 if one > index else one for one in self.unread}
        self._unmade.remove(stretch)
        self._places = None

    def load(self, entries: Iterable[Entry], above: Iterable[Unmade] = ()) -> None:
        self._unmade = list(above)
        self._drawn = [*self._unmade, *map(Drawn, entries)]
        self._places = None
        self._extents = Extents(drawn.estimate(self.width) for drawn in self._drawn)
        self.unread = {index for index, drawn in enumerate(self._drawn) if drawn.entry.growing}
        self._forget()

    def add(self, entry: Entry) -> None:
        index = len(self._drawn)
        if self._places is not None:
            self._places[entry.key] = index
        self._drawn.append(Drawn(entry))
        self._extents.append(self._drawn[-1].estimate(self.width))
        self.unread.add(index)

    def drop(self, key: str) -> None:
        index = self._index(key)
        del self._drawn[index]
        self._extents.put(index, ())
        self.unread = {one - (one > index) for one in self.unread if one != index}
        self._places = None

    def touch(self, key: str) -> None:
        """Something of it has changed. What nobody has looked at yet stays estimated until somebody does."""
        index = self._index(key)
        drawn = self._drawn[index]
        if drawn.pieces or drawn.entry.growing:
            self.unread.add(index)
        elif index not in self.unread:
            self._extents.set(index, drawn.estimate(self.width))

    def set_width(self, width: int) -> None:
        if width != self.width:
            self.width = width
            self._extents.replace(drawn.estimate(width) for drawn in self._drawn)

    def set_look(self, look: Look) -> None:
        self.look = look
        self._forget()
        for drawn in self._drawn:
            drawn.forget_lines()

    def read(self) -> None:
        """Takes in what has changed, for a bounded time; `unread` holds what is left."""
        until = perf_counter() + READ_S
        for index in sorted(self.unread):
            self._refresh(index, until)
            if perf_counter() >= until:
                break

    def _refresh(self, index: int, until: float) -> None:
        drawn = self._drawn[index]
        drawn.refresh(self.width, until)
        self._extents.set(index, drawn.extents.total)
        (self.unread.add if drawn.entry.unread else self.unread.discard)(index)

    def measure(self, top: int, bottom: int) -> None:
        """Lays out what stands from `top` to `bottom`; rows above `top` keep their places."""
        row = max(0, top)
        while row < bottom and row < self.total:
            index = self._extents.find(row)
            drawn = self._drawn[index]
            if isinstance(drawn, Unmade):
                self._make(drawn)
                continue
            if not drawn.pieces:
                self._refresh(index, perf_counter() + READ_S)
                if not drawn.pieces:
                    continue
            start = self._extents.top(index)
            number = drawn.extents.find(row - start)
            self._lay_out(index, number)
            row = max(row + 1, start + drawn.extents.top(number) + drawn.extents[number])

    def place(self, row: int) -> Place | None:
        if not 0 <= row < self.total:
            return None
        while isinstance(drawn := self._drawn[index := self._extents.find(row)], Unmade):
            self._make(drawn)
        key, extents, within = drawn.entry.key, drawn.extents, row - self._extents.top(index)
        if not len(extents):
            return Place(key, 0, within, self._extents[index])
        number = extents.find(within)
        return Place(key, number, within - extents.top(number), extents[number])

    def row_of(self, place: Place) -> int:
        index = self._index(place.key)
        top, extents = self._extents.top(index), self._drawn[index].extents
        if place.piece >= len(extents):
            return top + min(place.row, self._extents[index])
        now = extents[place.piece]
        row = place.row if now == place.height else place.row * now // max(1, place.height)
        return top + extents.top(place.piece) + row

    def find(self, row: int) -> Found | None:
        """What `measure` has laid out there, if anything."""
        return self.window(row, row + 1)[0]

    def window(self, top: int, bottom: int) -> list[Found | None]:
        """As `find`, for each row from `top` to `bottom`."""
        found: list[Found | None] = []
        while (row := top + len(found)) < bottom:
            if not (self.width and 0 <= row < self.total):
                found.append(None)
                continue
            index = self._extents.find(row)
            drawn = self._drawn[index]
            if not drawn.pieces:
                found.append(None)
                continue
            within = row - self._extents.top(index)
            number = drawn.extents.find(within)
            lines = self._lay_out(index, number)
            piece = drawn.pieces[number]
            at = within - drawn.extents.top(number) - piece.gap
            for number_, line in _from(lines, at, bottom - row):
                found.append(Found(drawn.entry, piece, line, number_, before=number == 0 and number_ < 0))
        return found

    def laid_out(self, key: str) -> Iterator[tuple[Piece, list[Line]]]:
        """All of an entry in order, however long it is; each piece is laid out when it is asked for."""
        index = self._index(key)
        drawn = self._drawn[index]
        while not drawn.pieces or drawn.entry.unread:
            self._refresh(index, perf_counter() + READ_S)
        for number, piece in enumerate(tuple(drawn.pieces)):
            yield piece, self._lay_out(self._index(key), number)

    def place_in(self, key: str, number: int, line: int) -> Place:
        """Of a line of the entry's piece of that number, which is laid out."""
        piece = self._drawn[self._index(key)].pieces[number]
        return Place(key, number, piece.gap + line, piece.height)

    def _lay_out(self, index: int, number: int) -> list[Line]:
        drawn = self._drawn[index]
        piece = drawn.pieces[number]
        lines = drawn.measure(number, self.width, self.look)
        self._extents.set(index, drawn.extents.total)
        self._kept_lines += len(lines) - self._kept.pop(piece, 0)
        self._kept[piece] = len(lines)
        while self._kept_lines > KEPT_LINES and len(self._kept) > 1:
            oldest = next(iter(self._kept))
            self._kept_lines -= self._kept.pop(oldest)
            oldest.lines = None
        return lines

    def _forget(self) -> None:
        self._kept.clear()
        self._kept_lines = 0

    def text(self, selection: Selection) -> str:
        """Without bars, padding and labels, with wrapped lines whole again and tables as Markdown."""
        if selection.start is None and selection.end is None:
            return "\n\n".join(entry.source for entry in self.entries)
        first = selection.start.y if selection.start else 0
        last = min(selection.end.y if selection.end else self.total - 1, self.total - 1)
        # What lies between may never have been looked at; once it is measured, the end lies elsewhere.
        end_place = self.place(last)
        self.measure(first, last + 1)
        while end_place is not None and (moved := self.row_of(end_place)) != last:
            last = moved
            self.measure(first, last + 1)
        if selection.end is not None:
            selection = Selection(selection.start, Offset(selection.end.x, last))
        spans = ((self.find(row), selection.get_span(row)) for row in range(first, last + 1))
        return copied((found.line, *span) for found, span in spans if found is not None and span is not None)


def _from(lines: list[Line], at: int, most: int) -> list[tuple[int, Line | None]]:
    """Up to so many, at least one; blank before the first, and after the last where it begins there."""
    end = max(at + 1, min(len(lines), at + most))
    return [(number, lines[number] if 0 <= number < len(lines) else None) for number in range(at, end)]
