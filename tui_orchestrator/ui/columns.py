"""An ensemble on the screen: its members' answers side by side while they stream, then the verdict below them.

Members are known by the numbers of their attempts. Where columns would be too narrow to read, one is shown and the
others wait behind tabs.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from tui_orchestrator.routing.events import Score
from tui_orchestrator.routing.money import Cost
from tui_orchestrator.routing.text import clean_line

from . import words
from .entries import BYTES_PER_TOKEN
from .look import Caption, Look
from .transcript import Transcript

MIN_COLUMN = 36
TICK_S = 0.25
_ANSWER = "answer"
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


class State(StrEnum):
    """With its glyph, so that state is seen by shape too."""

    WAITING = "◌"
    STREAMING = "●"
    FINISHED = "✓"
    FAILED = "✗"
    WINNER = "★"


_ROLES = {
    State.WAITING: "muted",
    State.STREAMING: "accent",
    State.FINISHED: "success",
    State.FAILED: "error",
    State.WINNER: "warning",
}


@dataclass(slots=True)
class _Member:
    number: int
    model: str
    started: float
    state: State = State.WAITING
    received: int = 0
    """Bytes, for an estimate of tokens until they are known."""
    figures: tuple[str, ...] = ()
    cost: str = ""
    best: bool = False
    """The user's own winner."""

    def line(self, now: float, width: int) -> Caption:
        """Cost, seconds, tokens and speed, closer together where it is narrow; marked as estimates while it streams."""
        if self.figures or self.state is State.WAITING:
            # The cost stands first: in a narrow column the end of the line is cut off.
            parts = [part for part in (self.cost, *self.figures) if part]
            for separator in (" · ", " "):
                if cell_len(separator.join(parts)) <= width:
                    break
            rest = separator.join(parts[1:] if self.cost else parts)
            return [(self.cost, "money"), (separator if self.cost and rest else "", "muted"), (rest, "muted")]
        seconds = max(0.01, now - self.started)
        tokens = self.received // BYTES_PER_TOKEN
        return [(f"{seconds:.1f} s · ~{tokens:,} tok · ~{tokens / seconds:.0f} tok/s", "muted")]


class _Header(Widget):
    """Two rows over a column: who it is and how it stands, and its figures."""

    DEFAULT_CSS = """
    _Header { height: 2; padding: 0 1; background: $surface; }
    _Header.-winner { background: $panel; }
    """

    def __init__(self, member: _Member, clock: Callable[[], float]) -> None:
        super().__init__()
        self.member = member
        self.clock = clock

    def render(self) -> Text:
        look = Look.of(self.app.theme_variables)
        member = self.member
        name = Text.assemble(
            (f"{member.state} ", look.style(_ROLES[member.state])),
            ("▲ " if member.best else "", look.style("success")),
            (member.model, look.style("strong")),
        )
        figures = Text.assemble(*look.runs(member.line(self.clock(), self.size.width)))
        for row in (name, figures):
            row.truncate(self.size.width, overflow="ellipsis")
        return Text("\n").join([name, figures])


class _Tabs(Widget):
    """One row with all members, where only one column fits."""

    DEFAULT_CSS = "_Tabs { height: 1; background: $panel; display: none; }"

    class Chosen(Message):
        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self) -> None:
        super().__init__()
        self.members: list[_Member] = []
        self.current = 0

    def labels(self) -> list[tuple[_Member, str]]:
        """Names are cut so that all fit."""
        room = max(3, self.size.width // max(1, len(self.members)) - 5)
        return [
            (member, member.model if cell_len(member.model) <= room else set_cell_size(member.model, room - 1) + "…")
            for member in self.members
        ]

    def render(self) -> Text:
        look = Look.of(self.app.theme_variables)
        line = Text(no_wrap=True, overflow="ellipsis")
        for member, label in self.labels():
            name = look.style("strong") + look.selection if member.number == self.current else look.style("muted")
            line.append(f" {member.state} ", look.style(_ROLES[member.state]))
            line.append(f"{label} ", name)
            line.append("│", look.style("border"))
        return line

    def on_click(self, event: events.Click) -> None:
        right = 0
        for member, label in self.labels():
            right += cell_len(label) + 5
            if event.x < right:
                self.post_message(self.Chosen(member.number))
                return


class Columns(Vertical):
    """Call `start` for every ensemble, then feed it by the members' numbers; an unknown number raises KeyError."""

    DEFAULT_CSS = """
    Columns { height: 1fr; background: $background; }
    Columns > #members { height: 1fr; }
    Columns .member { width: 1fr; height: 1fr; }
    Columns .member.-divided { border-left: vkey $border-blurred; }
    Columns > #verdict { height: 40%; display: none; border-top: hkey $border-blurred; }
    Columns.-judged > #verdict { display: block; }
    Columns.-narrow > _Tabs { display: block; }
    Columns.-narrow .member { display: none; border: none; }
    Columns.-narrow .member.-current { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "turn(-1)", "Previous member", show=False),
        Binding("right", "turn(1)", "Next member", show=False),
    ]

    def __init__(
        self, *, id: str | None = None, classes: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._clock = clock
        self._members: dict[int, _Member] = {}
        self._headers: dict[int, _Header] = {}
        self._answers: dict[int, Transcript] = {}
        self._boxes: dict[int, Vertical] = {}
        self._ticking: Timer | None = None
        self._tabs = _Tabs()
        self._row = Horizontal(id="members")
        self._verdict = Transcript(id="verdict")

    def compose(self) -> ComposeResult:
        yield self._tabs
        yield self._row
        yield self._verdict

    def start(self, members: Sequence[tuple[int, str]] = ()) -> None:
        """An empty view, or one with these (number, model)."""
        for box in self._boxes.values():
            box.remove()
        for held in (self._members, self._headers, self._answers, self._boxes):
            held.clear()
        self._verdict.clear()
        self.remove_class("-judged")
        for number, model in members:
            self.add(number, model)

    def add(self, number: int, model: str) -> None:
        member = _Member(number, clean_line(model, 80), self._clock())
        header, answer = _Header(member, self._clock), Transcript()
        answer.begin_answer(_ANSWER)
        box = Vertical(header, answer, classes="member -divided" if self._boxes else "member")
        self._members[number], self._headers[number] = member, header
        self._answers[number], self._boxes[number] = answer, box
        self._row.mount(box)
        if len(self._members) == 1:
            self.select(number)
        self._fit()
        if self._ticking is None and self.is_mounted:
            self._ticking = self.set_interval(TICK_S, self._tick)

    def append(self, number: int, text: str) -> None:
        self._receive(number, text)
        self._answers[number].append(_ANSWER, text)

    def append_thinking(self, number: int, text: str) -> None:
        self._receive(number, text)
        self._answers[number].append_thinking(_ANSWER, text)

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
        member = self._members[number]
        member.state = State.FINISHED
        speed = "?" if tokens_per_s is None else f"{tokens_per_s:.0f}"
        member.figures = (f"{seconds:.1f}s", f"↓{words.tokens(tokens)}", f"{speed} tok/s")
        member.cost = str(cost)
        sure = "" if confidence is None else f"confidence {confidence:.2f}"
        self._answers[number].finish(_ANSWER, sure)
        self._redraw(number)

    def fail(self, number: int, why: str, cost: Cost | None = None) -> None:
        """What had come stays on the screen, under the reason."""
        member = self._members[number]
        member.state = State.FAILED
        member.figures = (clean_line(why, 120),)
        member.cost = str(cost) if cost else ""
        self._answers[number].finish(_ANSWER)
        self._answers[number].notice(clean_line(why), "error")
        self._redraw(number)

    def verdict(
        self,
        scores: Sequence[Score],
        winner: int,
        agreement: Sequence[str],
        dissent: Sequence[str],
        method: str = "weighted",
    ) -> None:
        """Marks the winner and tells below the columns how it was found."""
        member = self._members[winner]
        member.state = State.WINNER
        self._headers[winner].add_class("-winner")
        self._redraw(winner)
        self.select(winner)
        self._verdict.clear()
        heading = [("★ ", "warning"), (member.model, "strong"), (f" is the answer · {method}", "muted")]
        self._verdict.begin_answer("verdict", heading)
        self._verdict.append("verdict", _report(scores, agreement, dissent))
        self._verdict.finish("verdict")
        self._verdict.following = False
        self.add_class("-judged")

    def best(self, number: int | None) -> None:
        """Marks the member the user voted for, and no other; where one only is shown, it is that one."""
        for own, member in self._members.items():
            member.best = own == number
            self._redraw(own)
        if number in self._members:
            self.select(number)

    def transcript(self, number: int) -> Transcript:
        """A member's, for copying from it or focusing it."""
        return self._answers[number]

    def select(self, number: int) -> None:
        """The one that is shown where there is room for one only."""
        for own, box in self._boxes.items():
            box.set_class(own == number, "-current")
        self._tabs.current = number
        self._tabs.members = list(self._members.values())
        self._tabs.refresh()

    def action_turn(self, step: int) -> None:
        numbers = list(self._members)
        if numbers:
            self.select(numbers[(numbers.index(self._tabs.current) + step) % len(numbers)])

    def on__tabs_chosen(self, message: _Tabs.Chosen) -> None:
        message.stop()
        self.select(message.number)

    def on_mount(self) -> None:
        if self._members:
            self._ticking = self.set_interval(TICK_S, self._tick)

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        if self.size.width:
            self.set_class(self.size.width < MIN_COLUMN * len(self._members), "-narrow")
        self._tabs.members = list(self._members.values())

    def _receive(self, number: int, text: str) -> None:
        member = self._members[number]
        member.received += len(text.encode(errors="replace"))
        if member.state is State.WAITING:
            member.state = State.STREAMING

    def _redraw(self, number: int) -> None:
        self._headers[number].refresh()
        self._tabs.refresh()

    def _tick(self) -> None:
        running = [m for m in self._members.values() if m.state in (State.WAITING, State.STREAMING)]
        for member in running:
            self._redraw(member.number)
        if not running and self._ticking is not None:
            self._ticking.stop()
            self._ticking = None


def _report(scores: Sequence[Score], agreement: Sequence[str], dissent: Sequence[str]) -> str:
    rows = [
        f"| {_plain(words.short_name(score.model))} | {score.total:.2f} | {score.confidence:.2f} "
        f"| {score.capability:.2f} | {score.completeness:.2f} | {score.consensus:.2f} |"
        for score in scores
    ]
    parts = [
        "| model | total | confidence | capable | complete | consensus |\n|:--|--:|--:|--:|--:|--:|",
        *rows,
    ]
    for title, points in (("They agree", agreement), ("They differ", dissent)):
        if points:
            parts += ["", f"### {title}", *(f"- {_plain(point)}" for point in points)]
    return "\n".join(parts)


def _plain(text: str) -> str:
    """As Markdown that shows exactly this."""
    return _PUNCTUATION.sub(r"\\\1", clean_line(text, 400))
