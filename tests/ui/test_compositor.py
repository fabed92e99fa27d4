"""That what is drawn of a change makes the same screen as drawing all of it."""

from __future__ import annotations

import random
import re

import pytest
from rich.console import RenderableType
from textual._context import visible_screen_stack
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Region
from textual.pilot import Pilot
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from tui_orchestrator.ui.compositor import FrugalCompositor, FrugalModal, FrugalScreen
from tui_orchestrator.ui.transcript import Transcript

Cells = dict[tuple[int, int], tuple[str, str]]
"""What stands in a cell and in which colours, as written, by row and column."""
_PIECE = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[([\d;]*)m|(.)", re.DOTALL)
SIZE = (60, 20)


def put(cells: Cells, written: str) -> None:
    """As a terminal does."""
    row = column = 0
    style = ""
    for move_to, column_to, colours, letter in _PIECE.findall(written):
        if move_to:
            row, column = int(move_to) - 1, int(column_to) - 1
        elif letter == "\n":
            row, column = row + 1, 0
        elif letter:
            cells[row, column] = (letter, style)
            column += 1
        else:
            style = "" if colours == "0" else colours


class Desktop(App[None]):
    CSS = """
    Horizontal { height: 12; }
    #left { width: 1fr; border: round $accent; }
    #right { width: 1fr; background: $panel; padding: 1 2; }
    Transcript { height: 1fr; }
    #over { layer: above; dock: bottom; width: 30; height: 6; offset: 12 -4; background: $error; border: heavy; }
    Screen { layers: below above; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.cells: Cells = {}
        self.transcript = Transcript()

    def get_default_screen(self) -> Screen[None]:
        return FrugalScreen()

    def compose(self) -> ComposeResult:
        yield Horizontal(Static("left " * 40, id="left"), Static("right " * 30, id="right"))
        yield Vertical(self.transcript)
        yield Static("over " * 20, id="over")

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if renderable is not None:
            put(self.cells, renderable.render_segments(self.console))  # type: ignore[union-attr]
        super()._display(screen, renderable)


def whole(app: App[None]) -> Cells:
    cells: Cells = {}
    for y, strip in enumerate(app.screen._compositor.render_strips()):
        put(cells, f"\x1b[{y + 1};1H{strip.render(app.console)}")
    return cells


async def settle(pilot: Pilot[None]) -> None:
    transcript = pilot.app.query_one(Transcript)
    while transcript._rows.unread:
        await pilot.pause(0.01)
    await pilot.pause()
    pilot.app.screen._on_timer_update()


@pytest.mark.cells(0, 1)
@pytest.mark.parametrize("seed", range(4))
async def test_a_screen_drawn_change_by_change_looks_as_one_drawn_at_once(seed: int) -> None:
    app, chance = Desktop(), random.Random(seed)
    async with app.run_test(size=SIZE) as pilot:
        app.transcript.begin_answer("a", "model")
        await settle(pilot)
        # The first drawing is of everything.
        app.cells = whole(app)
        for step in range(12):
            change(app, chance, step)
            await settle(pilot)
            assert app.cells == whole(app)


def change(app: Desktop, chance: random.Random, step: int) -> None:
    """One or several of what happens on a screen."""
    for what in chance.sample(("text", "word", "part", "move", "hide"), chance.randint(1, 3)):
        match what:
            case "text":
                app.transcript.append("a", f"more of it {step}\n\n")
            case "word":
                word = chance.choice(("one", "two", "two three"))
                app.query_one(chance.choice(("#left", "#right", "#over")), Static).update(f"{step} {word} " * 15)
            case "part":
                widget = app.query_one(chance.choice(("#left", "#right", "#over")), Widget)
                widget.refresh(Region(chance.randint(0, 9), chance.randint(0, 3), chance.randint(1, 9), 2))
            case "move":
                app.query_one("#over").styles.offset = (chance.randint(0, 30), -chance.randint(0, 12))
            case "hide":
                over = app.query_one("#over")
                over.display = not over.display


async def test_a_notice_leaves_nothing_behind_where_places_are_asked_for_as_it_goes() -> None:
    app = Desktop()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        unseen = app.query_one("#right")
        unseen.display = False
        app.notify("~~~~~~~~")
        await settle(pilot)
        app.cells = whole(app)
        assert any(letter == "~" for letter, _ in app.cells.values())
        with app.batch_update():
            await app.screen.query_one("ToastHolder").remove()
            app.screen._compositor.update_widgets({unseen})
            assert not unseen.region
        await settle(pilot)
        assert app.cells == whole(app)


async def test_what_lies_behind_and_what_lies_beside_is_not_asked_for_its_rows() -> None:
    app = Desktop()
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        compositor = app.screen._compositor
        assert isinstance(compositor, FrugalCompositor)
        left = app.query_one("#left")
        drawn = [widget for widget, _, _ in compositor._seen([Region(2, 2, 5, 1)])]
        assert drawn == [left]
        [(_, _, part)] = compositor._seen([Region(2, 2, 5, 1)])
        assert (part.y, part.height) == (2, 1)


LOOK = """
    align: center middle; background: #102030 60%;
    & > Static { width: 20; height: 5; background: $surface; border: round $primary; }
"""


class Plain(ModalScreen[None]):
    """As Textual draws one."""

    DEFAULT_CSS = f"Plain {{ {LOOK} }}"

    def compose(self) -> ComposeResult:
        yield Static("a question")


class Frugal(FrugalModal[None]):
    DEFAULT_CSS = f"Frugal {{ {LOOK} }}"

    def compose(self) -> ComposeResult:
        yield Static("a question")


def look_of(app: App[None]) -> list[list[tuple[str, object, object]]]:
    """Letter, its colour where there is one to see, and the background of each cell; nothing may be clicked there."""
    rows = []
    visible_screen_stack.set(app._background_screens)
    for strip in app.screen._compositor.render_strips():
        row: list[tuple[str, object, object]] = []
        for text, style, _ in strip:
            assert style is not None
            row += [(letter, style.color if letter.strip() else None, style.bgcolor) for letter in text]
        rows.append(row)
    return rows


@pytest.mark.parametrize("above", [1, 2])
async def test_a_dialog_stands_before_what_it_covers_in_the_colours_textual_gives_it(above: int) -> None:
    seen = []
    for kind in (Plain, Frugal):
        app = Desktop()
        async with app.run_test(size=SIZE) as pilot:
            for _ in range(above):
                app.push_screen(kind())
                await pilot.pause()
            app.refresh()
            await pilot.pause()
            seen.append(look_of(app))
    assert seen[0] == seen[1]


async def test_what_changes_below_a_dialog_is_seen_beside_it() -> None:
    app = Desktop()
    async with app.run_test(size=SIZE) as pilot:
        app.push_screen(Frugal())
        await pilot.pause()
        before = look_of(app)
        app.screen_stack[0].query_one("#left", Static).update("new " * 40)
        await pilot.pause()
        await pilot.pause()
        after = look_of(app)
        told = "".join(letter for letter, _, _ in after[1])
        assert "new" in told
        assert before != after
