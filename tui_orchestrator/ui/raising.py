"""A turn that a budget has stopped waits while this is open: refuse the call, or raise the cap."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from tui_orchestrator.routing.budget import GoOn, Shortage
from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.routing.money import Money
from tui_orchestrator.services import caps
from tui_orchestrator.services.caps import for_now, round_above

from . import words
from .question import Question, Way
from .words import BAD, MONEY, MUTED, STRONG

if TYPE_CHECKING:
    from .desk import Desk

_BAR = 30


@dataclass(frozen=True, slots=True)
class Raised:
    limit: Money
    keep: bool
    """For good, and not only for the period it is about."""


class Amount(Input):
    """Takes figures alone, and nothing unless a way that raises the cap is marked."""

    def __init__(self, value: str) -> None:
        super().__init__(value, id="amount", compact=True, restrict=r"[$]?[0-9]*[.]?[0-9]*", disabled=True)

    def use(self, used: bool) -> None:
        if used and self.disabled:
            self.disabled = False
            self.focus(scroll_visible=False)
            self.select_all()
        elif not used:
            self.disabled = True


class Do(StrEnum):
    REFUSE = "refuse"
    GO_ON = "go on"
    FOR_NOW = "for now"
    FOR_GOOD = "for good"
    WHOLE = "whole"


class Raising(Question[Raised | GoOn | None]):
    """Which cap, what of it is spent, set aside and left, and what the call needs, or all those of an ensemble
    together. Answers with None to refuse."""

    HELP = (
        "A cap is in the way of a call, and the turn waits. ↑↓ or a click mark what to do, Enter does it. Refusing is "
        "marked at first, and no letter does anything, so that what was typed ahead raises no cap. While a row that "
        "raises it is marked, another amount can be typed. Esc refuses: nothing is called."
    )

    def __init__(self, shortage: Shortage, keeps: str, kept_nowhere: str = "") -> None:
        """`keeps`: what a cap raised for good is written to; empty where it cannot be, as `kept_nowhere` says."""
        self._shortage = shortage
        self._keeps = keeps
        self._kept_nowhere = kept_nowhere
        self._amount = Amount(_figure(round_above(shortage.least_limit)))
        self._hint = Static("or type another amount", id="raise-hint", markup=False)
        self._problem = Static(id="problem", markup=False)
        name = shortage.state.cap.name
        refuses = f"refuses {'them all' if shortage.members else 'the call'}"
        ways = list(self._ways(refuses))
        super().__init__(f"{name[:1].upper()}{name[1:]} has too little left", ways, refuses=refuses)

    def compose_above(self) -> Iterator[Widget]:
        yield Static(_figures(self._shortage), markup=False)
        raise_to = Static(Content.styled("Raise it to $", STRONG), id="raise-to")
        yield Horizontal(raise_to, self._amount, self._hint, id="raise")
        yield self._problem

    def compose_below(self) -> Iterator[Widget]:
        if self._kept_nowhere:
            yield Static(Content.styled(f"  not for good: {self._kept_nowhere}", MUTED), markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self._problem.display = False

    @property
    def _whole(self) -> Money | None:
        """The cap that the longest answer would need; None where the one offered already does."""
        whole = round_above(self._shortage.limit)
        return whole if whole > round_above(self._shortage.least_limit) else None

    def _ways(self, refuses: str) -> Iterator[Way]:
        together = bool(self._shortage.members)
        then = "nobody is asked" if together else "nothing is called"
        yield Way(Do.REFUSE, "not at all", f"{then}, the prompt stays in the history", refuses)
        if fits := self._shortage.without_raising:
            fit = f"fit{'s' if len(fits) == 1 else ''} as it is"
            yield Way(Do.GO_ON, "not", f"go on with {_named(fits)}, which {fit}", "goes on without the rest")
        now = for_now(self._shortage.state.scope)
        yield Way(
            Do.FOR_NOW, f"for {now}", "in this copy of the program alone; the turn goes on", f"raises it for {now}"
        )
        if self._keeps:
            yield Way(Do.FOR_GOOD, "for good", self._keeps, "raises it for good")
        if self._whole:
            longer = "for longer answers" if together else "for the whole call with all its tokens"
            yield Way(Do.WHOLE, f"to {self._whole}", f"fill that in, {longer}", "fills that in")

    def mark(self, way: str) -> None:
        super().mark(way)
        raises = way in (Do.FOR_NOW, Do.FOR_GOOD)
        self._amount.use(raises)
        self._hint.visible = raises

    def take(self, way: str) -> None:
        match way:
            case Do.REFUSE:
                self.dismiss(None)
            case Do.GO_ON:
                self.dismiss(GoOn.WITH_THOSE_THAT_FIT)
            case Do.WHOLE:
                assert self._whole is not None
                self._amount.value = _figure(self._whole)
                self.mark(Do.FOR_NOW)
            case _:
                self._raise(keep=way == Do.FOR_GOOD)

    def _raise(self, keep: bool) -> None:
        least = self._shortage.least_limit
        try:
            limit = Money.from_usd(self._amount.value.strip().removeprefix("$"))
        except ValueError:
            self._say("Give US dollars, such as 2.50.")
            return
        if limit < least:
            whose = "Together they need" if self._shortage.members else "The call needs"
            self._say(f"{whose} a cap of at least ${_figure(least)}.")
            return
        self.dismiss(Raised(limit, keep))

    def _say(self, problem: str) -> None:
        self._problem.update(Content.styled(f"✗ {problem}", BAD))
        self._problem.display = True


def _figure(amount: Money) -> str:
    return f"{amount.usd.normalize():f}"


def _named(models: Sequence[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    *rest, last = (words.short_name(model) for model in models)
    return f"{', '.join(rest)} and {last}" if rest else last


def _figures(shortage: Shortage) -> Content:
    state = shortage.state
    assert state.limit is not None
    assert state.left is not None
    whose = _named(shortage.members) if shortage.members else words.short_name(shortage.model)
    together = " together" if len(shortage.members) > 1 else ""
    asked = Content.assemble((whose, STRONG), " could cost up to ", (str(shortage.needs), MONEY), together)
    if shortage.least is not None and shortage.least < shortage.needs:
        asked += Content.assemble(", cut to the length that is expected ", (str(shortage.least), MONEY))
    held = f" · {state.reserved} reserved" if state.reserved else ""
    return words.lines(
        [
            asked,
            "",
            Content.assemble(words.budget_bar(state, _BAR), (f" of {state.limit}", MUTED)),
            Content.assemble(f"{state.spent} spent{held} · ", (f"{state.left} left", BAD)),
            "",
        ]
    )


async def ask(app: App[Any], screen: Raising) -> Raised | GoOn | None:
    """Waits for the answer, outside of any worker. Cancelling closes the dialog."""
    answer: asyncio.Future[Raised | GoOn | None] = asyncio.get_running_loop().create_future()

    def settle(raised: Raised | GoOn | None) -> None:
        if not answer.done():
            answer.set_result(raised)

    app.push_screen(screen, settle)
    try:
        return await answer
    finally:
        if not answer.done() or answer.cancelled():
            screen.dismiss(None)


async def make_room(desk: Desk, shortage: Shortage) -> Money | GoOn | None:
    """As `Router.ask_for_room`: the turn waits, cancelling it closes the question."""
    assert desk.runtime is not None
    cap = shortage.state.cap
    file = caps.file_of(desk.runtime, cap.scope)
    keeps, nowhere = (f"{caps.setting_of(cap.scope)} in {file}", "") if isinstance(file, Path) else ("", file)
    raised = await ask(desk, Raising(shortage, keeps, nowhere))
    if not isinstance(raised, Raised):
        return raised
    holds = f"{cap.name} is {raised.limit}"
    if not raised.keep:
        desk.say(f"{holds} for {caps.for_now(cap.scope)}, in this copy of the program alone")
        return raised.limit
    try:
        desk.say(f"{holds} from now on, as {await caps.keep(desk.runtime, cap, raised.limit)} says")
    except (OrchestratorError, OSError, ValueError) as error:
        desk.say(f"{holds} for {caps.for_now(cap.scope)} only: {error}", "warning")
    return raised.limit
