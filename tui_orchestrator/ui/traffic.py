"""What other programs ask through the gateway, as it happens: whichever copy of the program the gateway is."""

from __future__ import annotations

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets.option_list import Option

from tui_orchestrator.routing.errors import OrchestratorError
from tui_orchestrator.routing.ports import Clock
from tui_orchestrator.services.runtime import Runtime
from tui_orchestrator.storage.traffic import Day, Passed, Traffic, traffic

from . import words
from .dialogs import keys_line
from .in_turn import typed_after
from .turns import ENDS, Turns
from .words import ACCENT, BAD, GOOD, MONEY, MUTED, STRONG

LOOK_S = 0.5
"""Between two looks whether the store has changed, which costs no more than asking."""
SHOWN = 200
ONE_LINE = 110
"""Cells from which on a turn stands on one line."""
_WHEN, _CLIENT, _ASKED, _MODEL, _STATE, _TOKENS, _COST = 10, 22, 17, 22, 16, 8, 12
_STATES = {**ENDS, "under way": ("◐", ACCENT), "broken off": ("?", MUTED)}


class TrafficScreen(Turns):
    HELP = (
        "What other programs ask through the gateway (`tui-orchestrator serve`), the latest first, as it happens: "
        "when, which program, the model it named and the one that answers, how that stands, tokens, cost, and why that "
        "model. Enter shows the decision's card."
    )
    CSS = Turns.CSS

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self._version: int | None = None
        self._traffic: Traffic | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog", id="turns") as dialog:
            dialog.border_title = "Gateway"
            dialog.border_subtitle = keys_line("Esc closes")
            yield from self.listed()

    def on_mount(self) -> None:
        self.rows.focus()
        self._look()
        self.set_interval(LOOK_S, self._look)

    @typed_after()
    @work(group="traffic", exit_on_error=False)
    async def _look(self) -> None:
        """Reads again when anything was written since, by this copy of the program or another."""
        try:
            version = await self.runtime.database.version()
            if version == self._version:
                return
            self._version = version
            clock = self.runtime.clock
            self._traffic = await traffic(self.runtime.database, clock.midnight(clock.today()), SHOWN)
        except OrchestratorError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self.lay_out()

    def draw(self, width: int) -> None:
        if self._traffic is None:
            return
        rows, marked, at_top = self._traffic.latest, self.marked, self.rows.highlighted in (None, 0)
        self.fill(Option(draw_passed(row, width, self.runtime.clock), id=row.request_id) for row in rows)
        ids = [row.request_id for row in rows]
        keys = "Enter shows the card · Esc closes" if rows else "Esc closes"
        self.query_one("#turns").border_subtitle = keys_line(keys)
        if rows:
            # Whoever looks at the latest goes on to do so; whoever chose another one keeps it.
            self.rows.highlighted = 0 if at_top or marked not in ids else ids.index(marked)
        self.head.display = width >= ONE_LINE
        self.head.update(draw_head(width))
        self.above.update(draw_day(self._traffic.today))
        self.nothing.update(
            "No other program has asked yet. `tui-orchestrator serve` starts the gateway, which speaks as OpenAI does; "
            "what comes through it stands here as it happens, whichever copy of the program serves."
        )


def draw_day(day: Day) -> Content:
    parts = [
        Content.assemble(("◐ ", ACCENT), (f"{day.under_way:,}", STRONG), " under way"),
        Content.assemble(("✓ ", GOOD), (f"{day.answered:,}", STRONG), " answered today"),
        Content.assemble(("✗ ", BAD), (f"{day.failed:,}", STRONG), " not answered"),
        Content.assemble((words.tokens(day.tokens), STRONG), " tokens"),
        Content.styled(str(day.cost), MONEY),
    ]
    return Content("   ").join(parts)


def draw_head(width: int) -> Content:
    head = words.fit("  when", 2 + _WHEN) + words.fit("program", _CLIENT) + words.fit("asked for", _ASKED)
    head += words.fit("model", _MODEL) + words.fit("state", _STATE)
    head += words.fit("tokens", _TOKENS, right=True) + words.fit("cost", _COST, right=True) + "  why"
    return Content(words.fit(head, width))


def draw_passed(row: Passed, width: int, clock: Clock) -> Content:
    """On one line where there is room, else on two."""
    glyph, tone = _STATES[row.state]
    state = row.error.replace("_", " ") if row.state == "failed" and row.error else row.state
    if row.state == "answered" and row.seconds is not None:
        state = words.seconds(row.seconds)
    local = clock.local(row.at)
    when = words.fit(f"{local:%H:%M:%S}" if local.date() == clock.today() else f"{local.day} {local:%b}", _WHEN)
    model = words.short_name(row.model) if row.model else "no model"
    tokens = "…" if row.tokens is None else words.tokens(row.tokens)
    cost = "…" if row.cost is None else str(row.cost)
    client, asked = words.fit(row.client, _CLIENT - 2) + "  ", words.fit(row.asked_for, _ASKED - 2) + "  "
    shown = Content.assemble((f"{glyph} ", tone), (words.fit(state, _STATE - 2), tone))
    sums = Content.assemble(words.fit(tokens, _TOKENS, right=True), (words.fit(cost, _COST, right=True), MONEY))
    if width >= ONE_LINE:
        named = Content.assemble("  ", (when, MUTED), (client, ""), (asked, MUTED), words.fit(model, _MODEL - 2), "  ")
        room = max(0, width - 4 - _WHEN - _CLIENT - _ASKED - _MODEL - _STATE - _TOKENS - _COST)
        return Content.assemble(named, shown, sums, "  ", (words.fit(row.reason, room), MUTED))
    room = max(8, width - 2 - _WHEN - _STATE - _TOKENS - _COST)
    first = Content.assemble("  ", (when, MUTED), words.fit(model, room - 1), " ", shown, sums)
    about = f"{row.client} asked for {row.asked_for}: {row.reason}"
    indent = 2 + _WHEN
    return words.lines([first, Content(" " * indent) + Content.styled(words.fit(about, width - indent), MUTED)])
