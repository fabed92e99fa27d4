"""What if: what is supposed above, whose picks would change and the difference in dollars below. Nothing is called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Literal, TypeVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_orchestrator.opening import opened
from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.routing.repricing import PriceTable
from tui_orchestrator.routing.request import Strategy
from tui_orchestrator.services.prompt_lines import prompts
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.services.whatif import (
    MOST_TURNS,
    Change,
    Comparison,
    compare,
    decide_prompts,
    price_of,
    unknown_names,
)
from tui_orchestrator.settings.price_table import price_table
from tui_orchestrator.storage.history import Turn

from . import words
from .asking import Ask
from .comparison import draw_comparison, sentence
from .dialogs import Choice, Dialog, Picker, keys_line
from .row_list import RowList
from .words import ACCENT, BAD, MUTED

T = TypeVar("T")
Of = Literal["turn", "session", "all", "file"]
_OF: dict[Of, str] = {
    "turn": "the decision on the card",
    "session": "this session",
    "all": "all sessions",
    "file": "a file of prompts",
}
_AS_IT_WAS = "as it was"
_THRESHOLD_STEP = 0.05
_LABEL = 12


@dataclass(frozen=True, slots=True)
class _Read:
    turns: tuple[Turn, ...]
    told: str
    """Which turns these are."""


class WhatIfScreen(Dialog[None]):
    HELP = (
        "Stored turns, decided again as you suppose. ↑↓ go from line to line, ← → change it, Enter chooses from a list "
        "or lets you write: a session or a file of prompts, a strategy, the quality threshold, prices. PgUp and PgDn "
        "scroll what comes out. Nothing is called, and p, time and who was out are as they were."
    )
    CSS = """
    WhatIfScreen #whatif { width: 96%; height: 94%; max-height: 94%; max-width: 130; }
    WhatIfScreen #supposed {
        height: 4; border: none; padding: 0; background: $surface; text-wrap: nowrap; text-overflow: ellipsis;
    }
    WhatIfScreen #supposed:focus { background-tint: transparent; }
    WhatIfScreen #outcome { height: 1fr; padding: 1 1 0 1; scrollbar-size-vertical: 1; }
    WhatIfScreen #comparison { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("left", "change(-1)", "Before", show=False, priority=True),
        Binding("right", "change(1)", "After", show=False, priority=True),
        Binding("space", "choose", "Choose", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False, priority=True),
        Binding("pageup", "page(-1)", "Page up", show=False, priority=True),
    ]

    def __init__(
        self,
        runtime: Runtime,
        session: str,
        turn: Turn | None,
        change: Change | None = None,
        blind: frozenset[str] = frozenset(),
    ) -> None:
        """`turn`: the one on the card, if any. `blind`: requests that are left out, as they would tell whose answers
        wait for a vote."""
        super().__init__()
        self._blind = blind
        self._runtime = runtime
        self._session = session
        self._turn = turn
        self._of: Of = "turn" if turn is not None else "session"
        self._file = ""
        self._change = change or Change()
        self._read: _Read | None = None
        self._comparison: Comparison | None = None
        self._problem = ""
        self._fields = RowList(id="supposed", markup=False)
        self._drawn = Static(id="comparison", markup=False)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="whatif") as dialog:
            dialog.border_title = "What if"
            dialog.border_subtitle = keys_line("↑↓ line · ←→ change · Enter chooses · PgDn scrolls · Esc closes")
            yield self._fields
            with VerticalScroll(id="outcome", can_focus=False):
                yield self._drawn

    def on_mount(self) -> None:
        self._draw_fields()
        self._fields.highlighted = 1
        self._fields.focus()
        self._gather()

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self._draw)

    # -- what is compared

    @work(group="what-if", exclusive=True, exit_on_error=False)
    async def _gather(self) -> None:
        """The turns, then what would become of them."""
        self._read = self._comparison = None
        self._draw()
        try:
            read = await self._asked()
            shown = tuple(turn for turn in read.turns if turn.decision.request_id not in self._blind)
            left = len(read.turns) - len(shown)
            self._read = replace(
                read, turns=shown, told=f"{read.told}, {left} left out until your vote" if left else read.told
            )
        except (OrchestratorError, ValueError) as error:
            self._problem = str(error)
            self._draw()
            return
        await self._compare()

    @work(group="what-if", exclusive=True, exit_on_error=False)
    async def _again(self) -> None:
        await self._compare()

    async def _compare(self) -> None:
        read, change = self._read, self._change
        if read is None:
            return
        self._problem = unknown_names(read.turns, change.prices)
        # A thousand turns take a third of a second.
        comparison = await asyncio.to_thread(compare, read.turns, change, price_of(self._runtime))
        self._comparison = comparison
        self._draw_fields()
        self._draw()

    async def _asked(self) -> _Read:
        history = self._runtime.history
        if self._of == "turn" and self._turn is not None:
            return _Read((self._turn,), "")
        if self._of == "file":
            return _Read(await decide_prompts(self._runtime, await asyncio.to_thread(_prompts, self._file)), "")
        session = self._session if self._of == "session" else None
        turns, count = await history.turns(MOST_TURNS, session), await history.count(session)
        return _Read(turns, f", the last {len(turns):,} of {count:,}" if count > len(turns) else "")

    # -- what is supposed

    def _draw_fields(self) -> None:
        marked = self._fields.highlighted
        change, read = self._change, self._read
        of = _OF[self._of] if self._of != "file" or not self._file else f"the prompts of {self._file}"
        if read is not None and self._of != "turn":
            of += f": {len(read.turns):,} decision{'' if len(read.turns) == 1 else 's'}{read.told}"
        strategy = words.spoken(change.strategy) if change.strategy else _AS_IT_WAS
        threshold = _AS_IT_WAS if change.threshold is None else f"{change.threshold:.2f}"
        if change.threshold is None and read is not None:
            were = {turn.decision.asked.policy.quality_threshold for turn in read.turns}
            threshold += f" ({next(iter(were)):.2f})" if len(were) == 1 else ""
        rows = (
            ("Decide again", of, self._of == "turn"),
            ("Strategy", strategy, change.strategy is None),
            ("Threshold", threshold, change.threshold is None),
            ("Prices", change.priced or "as they were", not change.priced),
        )
        self._fields.set_options(Option(_field(label, said, plain)) for label, said, plain in rows)
        self._fields.highlighted = 0 if marked is None else marked

    def _suppose(self, change: Change) -> None:
        self._change = change
        self._draw_fields()
        if self._read is None:
            self._gather()
        else:
            self._again()

    def _ask_of(self, of: Of) -> None:
        if of == "file":
            self._ask_file()
        elif of != self._of and (of != "turn" or self._turn is not None):
            self._of = of
            self._draw_fields()
            self._gather()

    def action_change(self, step: int) -> None:
        """The line's next value, or the one before."""
        match self._fields.highlighted:
            case 0:
                # A file is asked for with Enter: a question in the way of a key that only steps on would be a surprise.
                among: list[Of] = ["session", "all"] if self._turn is None else ["turn", "session", "all"]
                at = self._of if self._of in among else among[-1]
                self._ask_of(_beside(among, at, step))
            case 1:
                self._suppose(replace(self._change, strategy=_beside([None, *Strategy], self._change.strategy, step)))
            case 2:
                now = self._change.threshold
                if now is None:
                    now = self._threshold_was()
                moved = round(round((now + step * _THRESHOLD_STEP) / _THRESHOLD_STEP) * _THRESHOLD_STEP, 2)
                self._suppose(replace(self._change, threshold=min(1.0, max(0.0, moved))))
            case _:
                self._ask_prices()

    def _threshold_was(self) -> float:
        turns = self._read.turns if self._read else ()
        return turns[-1].decision.asked.policy.quality_threshold if turns else 0.8

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.action_choose()

    def action_choose(self) -> None:
        ways: tuple[Callable[[], object], ...] = (
            self._pick_of,
            self._pick_strategy,
            self._ask_threshold,
            self._ask_prices,
        )
        ways[self._fields.highlighted or 0]()

    def action_page(self, step: int) -> None:
        outcome = self.query_one("#outcome", VerticalScroll)
        if step > 0:
            outcome.scroll_page_down(animate=False)
        else:
            outcome.scroll_page_up(animate=False)

    @work
    async def _pick_of(self) -> None:
        choices = [
            Choice(of, ((name, "bold"),), marked=of == self._of)
            for of, name in _OF.items()
            if of != "turn" or self._turn is not None
        ]
        chosen = await self.app.push_screen_wait(Picker("Decide again", choices, empty="There is no such choice."))
        for of in _OF:
            if of == chosen:
                self._ask_of(of)

    @work
    async def _pick_strategy(self) -> None:
        current = self._change.strategy
        choices = [Choice("", ((_AS_IT_WAS, "bold"),), "each turn by its own", current is None)]
        choices += [Choice(one, ((words.spoken(one), "bold"),), words.picks(one), one is current) for one in Strategy]
        chosen = await self.app.push_screen_wait(Picker("Strategy", choices, empty="No strategy is called that."))
        if chosen is not None:
            self._suppose(replace(self._change, strategy=Strategy(chosen) if chosen else None))

    @work
    async def _ask_threshold(self) -> None:
        async def submit(written: str) -> str:
            text = written.strip()
            try:
                value = float(text) if text else None
            except ValueError:
                value = -1.0
            if value is not None and not 0 <= value <= 1:
                return "give a number from 0 to 1, such as 0.7; nothing for as it was"
            self._suppose(replace(self._change, threshold=value))
            return ""

        now = "" if self._change.threshold is None else f"{self._change.threshold:g}"
        note = "From which p on an answer counts as good enough, from 0 to 1. Nothing: as it was."
        await self.app.push_screen_wait(Ask("Quality threshold", now, submit, note=note, verb="Enter takes it"))

    @work
    async def _ask_prices(self) -> None:
        async def submit(written: str) -> str:
            if not written.strip():
                self._suppose(replace(self._change, prices=PriceTable(), priced=""))
                return ""
            try:
                table = await asyncio.to_thread(price_table, written)
            except ValueError as error:
                return str(error)
            if self._read is not None and (problem := unknown_names(self._read.turns, table)):
                return problem
            self._suppose(replace(self._change, prices=table, priced=written.strip()))
            return ""

        note = "Factors by provider or model, anthropic=0.5, openai/gpt-6=2, or a TOML file. Nothing: as they were."
        await self.app.push_screen_wait(Ask("Prices", self._change.priced, submit, note=note, verb="Enter takes them"))

    @work
    async def _ask_file(self) -> None:
        async def submit(written: str) -> str:
            try:
                found = await asyncio.to_thread(_prompts, written.strip())
            except ValueError as error:
                return str(error)
            if not found:
                return "the file holds no prompts"
            self._of, self._file = "file", written.strip()
            self._draw_fields()
            self._gather()
            return ""

        note = 'JSON lines, each {"id": …, "prompt": "…"}; decided as now, and as supposed.'
        await self.app.push_screen_wait(Ask("A file of prompts", self._file, submit, note=note, verb="Enter reads it"))

    # -- what comes out

    def _draw(self) -> None:
        if not self.is_attached:
            return
        # One cell for the scroll bar, whether it is there already or comes with the rows.
        width = max(20, self.query_one("#outcome").content_region.width - 1)
        if self._problem:
            self._drawn.update(words.lines(sentence(f"✗ {self._problem}", width, BAD)))
        elif self._comparison is None:
            self._drawn.update(Content.styled("◐ deciding again", ACCENT))
        else:
            self._drawn.update(words.lines(draw_comparison(self._comparison, width)))


def _field(label: str, said: str, plain: bool) -> Content:
    return Content.assemble(" ", (words.fit(label, _LABEL + 2), MUTED), (said, "" if plain else f"bold {ACCENT}"))


def _beside(among: Sequence[T], now: T, step: int) -> T:
    return among[(list(among).index(now) + step) % len(among)]


def _prompts(written: str) -> list[tuple[str, str]]:
    """Raises ValueError with a sentence."""
    path = Path(written).expanduser()
    try:
        with opened(path) as file:
            return [(str(line.said.get("id", line.number)), line.prompt) for line in prompts(file, path.name)]
    except OSError as error:
        raise ValueError(f"{written or 'nothing'} cannot be read: {error.strerror or error}") from None
