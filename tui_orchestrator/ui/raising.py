"""A turn that a budget has stopped waits while this is open: raise the cap with one key, or refuse the call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from tui_orchestrator.routing.budget import GoOn, Shortage
from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.routing.money import Money
from tui_orchestrator.services import caps
from tui_orchestrator.services.caps import for_now, round_above

from . import words
from .dialogs import Dialog, keys_line
from .words import BAD, MONEY, MUTED, STRONG

if TYPE_CHECKING:
    from .desk import Desk

_BAR = 30


@dataclass(frozen=True, slots=True)
class Raised:
    limit: Money
    keep: bool
    """For good, and not only for the period it is about."""


_KEYS = {"Enter": "enter", "k": "k", "f": "f", "g": "g", "Esc": "escape"}


class Answer(Horizontal):
    """A key with what it does; a click does the same."""

    def __init__(self, key: str, does: Content) -> None:
        shown = Static(key, classes="key", markup=False), Static(does, classes="does", markup=False)
        super().__init__(*shown, classes="row")
        self._key = _KEYS.get(key)

    def on_click(self) -> None:
        if self._key is not None:
            self.app.simulate_key(self._key)


class Amount(Input):
    """Takes figures alone: letters are keys of the dialog."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return character is not None and character in "0123456789.$"


class Raising(Dialog[Raised | GoOn | None]):
    """Which cap, what of it is spent, set aside and left, and what the call needs, or all those of an ensemble
    together. Answers with None to refuse."""

    HELP = (
        "A cap is in the way of a call, and the turn waits. Enter raises it to the amount in the field for now, K for "
        "good in your own file. Esc refuses: nothing is called."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Refuse"),
        # Before the field for the amount, which would swallow it.
        Binding("k", "keep", "For good", priority=True),
        Binding("f", "whole", "Whole call", priority=True),
        Binding("g", "go_on", "Those that fit", priority=True),
    ]

    def __init__(self, shortage: Shortage, keeps: str, kept_nowhere: str = "") -> None:
        """`keeps`: what a cap raised for good is written to; empty where it cannot be, as `kept_nowhere` says."""
        super().__init__()
        self._shortage = shortage
        if self._whole is not None:
            self.HELP += " F fills in what the call can cost at most."  # type: ignore[misc]  # of this one
        if shortage.without_raising:
            self.HELP += " G goes on with the members of an ensemble that fit as it is."  # type: ignore[misc]
        self._keeps = keeps
        self._kept_nowhere = kept_nowhere
        least = round_above(shortage.least_limit).usd.normalize()
        self._amount = Amount(f"{least:f}", id="amount", compact=True, restrict=r"[$]?[0-9]*[.]?[0-9]*")
        self._problem = Static(id="problem", markup=False)

    def compose(self) -> ComposeResult:
        state = self._shortage.state
        with VerticalScroll(classes="dialog raising", can_focus=False) as dialog:
            dialog.border_title = Content(f"{state.cap.name[:1].upper()}{state.cap.name[1:]} has too little left")
            dialog.border_subtitle = keys_line(f"Esc refuses {'them all' if self._shortage.members else 'the call'}")
            yield Static(_figures(self._shortage), markup=False)
            with Horizontal(id="raise"):
                yield Static(Content.assemble(("Raise it to $", STRONG)), id="raise-to")
                yield self._amount
            yield self._problem
            for key, does in self._keys():
                yield Answer(key, does)

    def on_mount(self) -> None:
        self._problem.display = False
        self._amount.focus()
        self._amount.select_all()

    @property
    def _whole(self) -> Money | None:
        """The cap that the longest answer would need; None where the one offered already does."""
        whole = round_above(self._shortage.limit)
        return whole if whole > round_above(self._shortage.least_limit) else None

    def action_whole(self) -> None:
        if (whole := self._whole) is not None:
            self._amount.value = f"{whole.usd.normalize():f}"
            self._amount.select_all()

    def action_go_on(self) -> None:
        self.dismiss(GoOn.WITH_THOSE_THAT_FIT)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        match action:
            case "go_on":
                return bool(self._shortage.without_raising)
            case "whole":
                return self._whole is not None
        return True

    def _keys(self) -> Iterator[tuple[str, Content]]:
        """Each with what it does."""
        now = for_now(self._shortage.state.scope)
        yield "Enter", Content(f"for {now}, in this copy of the program alone; the turn goes on")
        if self._keeps:
            yield "k", Content(f"for good: {self._keeps}")
        elif self._kept_nowhere:
            yield "", Content.styled(self._kept_nowhere, MUTED)
        together = bool(self._shortage.members)
        if self._whole:
            longer = "for longer answers" if together else "for the whole call with all its tokens"
            yield "f", Content(f"fill in {self._whole}, {longer}")
        yield "0–9", Content("another amount")
        if fits := self._shortage.without_raising:
            yield "g", Content(f"not: go on with {_named(fits)}, which fit{'s' if len(fits) == 1 else ''} as it is")
        then = "nobody is asked" if together else "nothing is called"
        yield "Esc", Content(f"not at all: {then}, the prompt stays in the history")

    @on(Input.Submitted)
    def _for_now(self) -> None:
        self._raise(keep=False)

    def action_keep(self) -> None:
        if self._keeps:
            self._raise(keep=True)
        else:
            self._say(f"It cannot be kept: {self._kept_nowhere}.")

    def _raise(self, keep: bool) -> None:
        least = self._shortage.least_limit
        try:
            limit = Money.from_usd(self._amount.value.strip().removeprefix("$"))
        except ValueError:
            self._say("Give US dollars, such as 2.50.")
            return
        if limit < least:
            whose = "Together they need" if self._shortage.members else "The call needs"
            self._say(f"{whose} a cap of at least ${least.usd.normalize():f}.")
            return
        self.dismiss(Raised(limit, keep))

    def _say(self, problem: str) -> None:
        self._problem.update(Content.styled(f"✗ {problem}", BAD))
        self._problem.display = True


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
            while screen in app.screen_stack:
                await app.pop_screen()


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
