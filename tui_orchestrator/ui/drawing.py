"""An entry of the transcript as pieces of known or estimated height, each laid out when it comes near the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial

from . import markdown
from .blocks import MAX_CHARACTERS, MAX_LINES, Block
from .blocks import Kind as BlockKind
from .entries import PROMPT_CHARACTERS, PROMPT_LINES, Entry, Kind, Part, estimate_tokens
from .extents import Extents
from .lines import Line, tidy, wrap
from .look import Caption, Look
from .markdown import tidy_lines

SLICE = 2000
"""Characters of plain text in one piece."""
MANY = 1000
"""Blocks of one answer that are a piece each; of what comes after them, so many of a few words share one that the time
to look through all pieces stays bounded."""
SHARING = 40

_VOTES = {True: ("▲ ", "success"), False: ("▼ ", "error")}
"""Told by shape as well as by colour."""
_SEVERITIES = {"information": ("·", "muted"), "warning": ("!", "warning"), "error": ("✗", "error")}


@dataclass(slots=True, eq=False)
class Piece:
    part: Part
    draw: Callable[[int, Look], list[Line]]
    size: int = 0
    """Characters, for the estimate of its height."""
    rows: int = 1
    """Newlines in its source plus one."""
    gap: int = 0
    compact: bool = True
    lines: list[Line] | None = None
    before: list[Line] | None = None
    """What stood in its place until now: lines that still look the same are kept, and need not be drawn again."""
    width: int = 0
    """That `height` was measured at; 0: estimated."""
    height: int = 0

    def estimate(self, width: int) -> None:
        if self.width != width:
            self.lines, self.width = None, 0
            self.height = self.gap + max(self.rows, self.size // max(1, width))

    def measure(self, width: int, look: Look) -> list[Line]:
        if self.lines is None or self.width != width:
            self.lines = self.draw(width, look)
            for at, (old, new) in enumerate(zip(self.before or (), self.lines, strict=False)):
                if old == new:
                    self.lines[at] = old
            self.before = None
            self.width, self.height = width, self.gap + len(self.lines)
        return self.lines


class Drawn:
    """One entry at one width. `refresh` brings it in line with its entry; heights before that are estimates."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.pieces: list[Piece] = []
        self._body: list[Piece] = []
        self._before: list[Piece] = []
        """The body as it was last refreshed."""
        self._fresh_from = 0
        """From here on pieces of the body may be other ones than before."""
        self._settled = 0
        """How many blocks are in the body."""
        self._last: list[Block] = []
        """Those of its last piece."""
        self._head: list[Piece] = []
        self._foot: list[Piece] = []
        self._width = 0

    @cached_property
    def extents(self) -> Extents:
        """Of the pieces. Of ten thousand messages most are never drawn."""
        return Extents()

    def estimate(self, width: int) -> int:
        """Rows, the blank one before it included; exact for what is measured at this width."""
        if not self.pieces:
            entry = self.entry
            if entry.folded:
                return 2
            if entry.kind is Kind.TRAIL and not entry.caption:
                return 0
            lines = 0 if entry.kind is Kind.TRAIL else entry.text.count("\n")
            return 2 + max(lines, entry.size // max(1, width)) + bool(entry.caption) + bool(entry.status)
        if width != self._width:
            self._width = width
            for piece in self.pieces:
                piece.estimate(width)
            self.extents.replace(piece.height for piece in self.pieces)
        return self.extents.total

    def refresh(self, width: int, until: float) -> None:
        """Takes in what is new, until `time.perf_counter()` passes `until`."""
        entry = self.entry
        if entry.restarted:
            entry.restarted, self._body, self._last = False, [], []
            self._settled = self._fresh_from = 0
        if entry.kind is Kind.ANSWER and entry.discarded is None:
            entry.split(until)
            self._take_in(entry.settled(self._settled))
        if entry.changed or not self.pieces:
            entry.changed = False
            self._head, self._foot = _head(entry), _foot(entry)
        body: list[Piece] = []
        if entry.kind is Kind.ANSWER and entry.discarded is None:
            tail = [] if entry.unread else entry.tail()
            body = [*self._body, *(_body_piece([block]) for block in tail)]
            if entry.growing:
                body = _with_caret(body)
            self._take_over(body)
        self.pieces = [*self._head, *body, *self._foot]
        if body:
            # A paragraph stands close to the answer's heading; anything bulkier wants air.
            body[0].gap = 0 if len(self._head) and body[0].compact else 1
        if self.pieces:
            self.pieces[0].gap = 0 if entry.discarded is not None else 1
        for piece in self.pieces:
            piece.estimate(width)
        self._width = width
        self.extents.replace(piece.height for piece in self.pieces)

    def _take_over(self, body: list[Piece]) -> None:
        """The newest pieces stand where the newest of before stood."""
        for at in range(self._fresh_from, min(len(body), len(self._before))):
            if body[at] is not (old := self._before[at]):
                body[at].before = old.lines or old.before
        self._before, self._fresh_from = body, max(0, len(self._body) - 1)

    def _take_in(self, blocks: list[Block]) -> None:
        self._settled += len(blocks)
        for block in blocks:
            together = [*self._last, block]
            if len(self._body) > MANY and len(together) <= SHARING and _small(together):
                self._last = together
                self._body.pop()
            else:
                self._last = [block]
            self._body.append(_body_piece(self._last))

    def measure(self, index: int, width: int, look: Look) -> list[Line]:
        piece = self.pieces[index]
        lines = piece.measure(width, look)
        self.extents.set(index, piece.height)
        return lines

    def forget_lines(self) -> None:
        """Colours have changed; heights have not."""
        for piece in (*self.pieces, *self._body):
            piece.lines = piece.before = None


def _body_piece(blocks: list[Block]) -> Piece:
    first = blocks[0]
    draw = partial(markdown.lay_out, first) if len(blocks) == 1 else partial(_one_after_another, tuple(blocks))
    return Piece(
        Part.BODY,
        draw,
        sum(len(block.text) for block in blocks),
        sum(block.gap + block.text.count("\n") + 1 for block in blocks) - first.gap,
        first.gap,
        first.kind in (BlockKind.TEXT, BlockKind.PLAIN),
    )


def _small(blocks: list[Block]) -> bool:
    """No more than one block may be, in characters and in lines: one of a letter costs as much as one of many words."""
    lines = sum(block.text.count("\n") + 1 for block in blocks)
    return lines <= MAX_LINES and sum(len(block.text) for block in blocks) <= MAX_CHARACTERS


def _one_after_another(blocks: tuple[Block, ...], width: int, look: Look) -> list[Line]:
    lines = markdown.lay_out(blocks[0], width, look)
    for block in blocks[1:]:
        lines += [Line([]) for _ in range(block.gap)] + markdown.lay_out(block, width, look)
    return lines


def _with_caret(body: list[Piece]) -> list[Piece]:
    """A mark behind the last word shows that more is coming."""
    if not body:
        return [Piece(Part.BODY, lambda width, look: [Line([("▍", look.style("caret"))], quiet=True)])]
    *rest, last = body

    def draw(width: int, look: Look) -> list[Line]:
        *above, line = last.draw(width, look) or [Line([])]
        return [*above, replace(line, runs=[*line.runs, ("▍", look.style("caret"))], tail=1)]

    return [*rest, Piece(last.part, draw, last.size, last.rows, last.gap, last.compact)]


def _caption(
    part: Part, caption: Caption, gap: int = 0, role: str = "muted", lead: str = "", parts: bool = False
) -> Piece:
    def draw(width: int, look: Look) -> list[Line]:
        runs = [(tidy(text), style) for text, style in look.runs(caption, role)]
        space = " " * len(lead)
        lines = wrap(runs, max(markdown.MIN_WIDTH, width - len(lead)), parts=parts)
        mark = look.style(role)
        return [line.with_lead([(space if index else lead, mark)]) for index, line in enumerate(lines)]

    size = len(caption) if isinstance(caption, str) else sum(len(text) for text, _ in caption)
    return Piece(part, draw, size, gap=gap)


def _plain(part: Part, text: str, role: str, lead: str = "", lead_role: str = "", user: bool = False) -> list[Piece]:
    """Text as it stands, in slices that are laid out one by one."""

    def draw(source: str, width: int, look: Look) -> list[Line]:
        room = max(markdown.MIN_WIDTH, width - len(lead) - user)
        lines = wrap([(tidy_lines(source), look.style(role))], room)
        if lead:
            lines = [line.with_lead([(lead, look.style(lead_role or role))]) for line in lines]
        for line in lines:
            line.fill = look.user if user else None
        return lines

    sources = [text[start:end] for start, end in _slices(text)]
    return [Piece(part, partial(draw, source), len(source), source.count("\n") + 1) for source in sources]


def _slices(text: str) -> list[tuple[int, int]]:
    slices = []
    start = 0
    while len(text) - start > SLICE:
        newline = text.rfind("\n", start + 1, start + SLICE)
        end = newline if newline > 0 else start + SLICE
        slices.append((start, end))
        start = end + 1 if newline > 0 else end
    return [*slices, (start, len(text))]


def _head(entry: Entry) -> list[Piece]:
    match entry.kind:
        case Kind.PROMPT:
            return _prompt(entry)
        case Kind.NOTICE:
            mark, role = _SEVERITIES[entry.severity]
            text_role = "text" if entry.severity != "information" else "muted"
            pieces = _plain(Part.NOTICE, entry.text, text_role, "  ")
            pieces[0].draw = partial(_marked, pieces[0].draw, f"{mark} ", role)
        case Kind.TRAIL:
            pieces = [_caption(Part.TRAIL, entry.caption)] if entry.caption else []
        case Kind.ANSWER:
            pieces = _discarded(entry) if entry.discarded is not None else _answer(entry)
    return pieces


def _marked(draw: Callable[[int, Look], list[Line]], mark: str, role: str, width: int, look: Look) -> list[Line]:
    """With the mark in place of the first line's margin."""
    first, *rest = draw(width, look)
    return [replace(first, runs=[(mark, look.style(role)), *first.runs[1:]]), *rest]


def _prompt(entry: Entry) -> list[Piece]:
    text = entry.text
    unfolded = Part.PROMPT in entry.unfolded
    shown = text
    if entry.long_prompt and not unfolded:
        shown = "\n".join(text[:PROMPT_CHARACTERS].split("\n")[:PROMPT_LINES])
    pieces = _plain(Part.PROMPT, shown, "text", "▌ ", "user", user=True)
    if entry.long_prompt:
        hidden = text.count("\n", len(shown))
        more = f"{hidden:,} more lines" if hidden else f"{len(text) - len(shown):,} more characters"
        pieces += _plain(Part.PROMPT, "▾ fold" if unfolded else f"▸ {more}", "muted", "▌ ", "user", user=True)
    for name in entry.attachments:
        pieces += _plain(Part.PROMPT, f"⊕ {tidy(name)}", "accent", "▌ ", "user", user=True)
    if entry.branch is not None:
        which, of = entry.branch
        pieces += _plain(Part.BRANCH, f"↳ branch {which} of {of} · ← →", "accent", "▌ ", "user", user=True)
    return pieces


def _answer(entry: Entry) -> list[Piece]:
    pieces = [_caption(Part.HEADING, entry.caption, role="strong")] if entry.caption else []
    if entry.thinking:
        pieces += _thinking(entry)
    return pieces


def _thinking(entry: Entry) -> list[Piece]:
    tokens = estimate_tokens(entry.thinking)
    open_ = Part.THINKING in entry.unfolded
    label = f"{'▾' if open_ else '▸'} thinking · ~{tokens:,} tokens"
    pieces = [_caption(Part.THINKING, label, role="thinking")]
    if open_:
        pieces += _plain(Part.THINKING, entry.thinking.strip("\n"), "thinking", "│ ", "border")
    return pieces


def _discarded(entry: Entry) -> list[Piece]:
    open_ = Part.DISCARDED in entry.unfolded
    caption = entry.discarded or ""
    marks = [(caption, "discarded")] if isinstance(caption, str) else list(caption)
    if entry.vote is not None:
        marks = [_VOTES[entry.vote], *marks]
    pieces = [_caption(Part.DISCARDED, [("▾ " if open_ else "▸ ", "discarded"), *marks], role="discarded")]
    if open_:
        pieces += _plain(Part.DISCARDED, entry.source.strip("\n"), "discarded", "│ ", "border")
    return pieces


def _foot(entry: Entry) -> list[Piece]:
    if entry.kind is Kind.ANSWER and entry.status and not entry.discarded:
        status = entry.status
        if entry.vote is not None:
            marks = [(status, "muted")] if isinstance(status, str) else status
            status = [_VOTES[entry.vote], *marks]
        return [_caption(Part.STATUS, status, gap=1, parts=True)]
    return []
