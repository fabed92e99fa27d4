"""What keys do can be done with the mouse."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from inspect import isfunction
from pathlib import Path

from textual.message_pump import MessagePump

from tests.ui.conftest import Console, console
from tests.ui.test_models import RUSH
from tui_orchestrator import ui
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.money import Money

SCRIPT = Script().always(Say(text="Two ways:\n\n```python\nsorted(items)\n```\n"))


async def closed(seat: Console, title: str) -> None:
    await seat.click("Esc ")
    await seat.sees_no(title)


async def test_panes_lists_and_dialogs_are_opened_gone_through_and_closed(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT) as seat:
        await seat.click("F5 Models")
        await seat.click("$ out/M")
        await seat.sees("$ out/M ▴")
        await seat.click("$ out/M ▴")
        await seat.sees("$ out/M ▾")
        await seat.click(RUSH)
        await seat.click("t Test")
        await seat.sees(f"Test {RUSH}", "It costs at most")
        await seat.click("ask it: one real call")
        await seat.sees("▸ ask it")
        await seat.click("Enter asks it")
        await seat.sees("✓ Two ways:")
        await closed(seat, f"Test {RUSH}")
        await seat.click(RUSH)
        await seat.sees("What it can do")
        await seat.click("f favourite")
        await seat.sees(f" *{RUSH}")
        await seat.click("F4 Costs")
        await seat.sees("By model ─")
        await seat.click("space Group")
        await seat.sees("By provider ─")
        await seat.click("g Gateway")
        await seat.sees("╭─ Gateway")
        await closed(seat, "╭─ Gateway")
        await seat.click("⏎ Reports")
        await seat.click("2 Performance")
        await seat.sees("success")
        await seat.click("this month")
        await seat.click("last 7 days")
        await seat.sees_no("this month")
        await seat.click("esc Back")
        await seat.click("Ask anything")
        await seat.click("^S Strategy")
        await seat.click("likeliest good answer")
        await seat.until(lambda: "quality" in seat.screen.splitlines()[0], "the strategy in the header")
        await seat.click("^P Palette")
        await seat.sees("view: decision")


async def test_the_words_of_the_header_lead_to_what_they_tell(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30), script=SCRIPT) as seat:
        await seat.send("How do I sort?")
        await seat.ended()
        await seat.send("/model lumen-dash")
        await seat.sees("★ lumen-dash")
        await seat.click("balanced")
        await seat.sees("╭─ Strategy")
        await closed(seat, "╭─ Strategy")
        await seat.click("today $")
        await seat.sees("By model ─")
        await seat.click("How do I sort?")
        await seat.sees("╭─ Sessions")
        await closed(seat, "╭─ Sessions")
        await seat.click("★ lumen-dash")
        await seat.sees("╭─ Pin a model")
        await closed(seat, "╭─ Pin a model")
        column, row = await seat.place("balanced")
        plain = seat.app.screen._compositor.render_strips()[row].crop(column, column + 1)
        await seat.pilot.hover(offset=(column + 1, row))
        await seat.until(
            lambda: seat.app.screen._compositor.render_strips()[row].crop(column, column + 1) != plain, "a hover sign"
        )


async def test_an_answer_is_found_folded_quoted_and_its_menu_used(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT) as seat:
        await seat.type("How do I sort?")
        await seat.click("⏎ Send")
        await seat.ended()
        await seat.pilot.press("ctrl+f")
        await seat.write("sorted")
        await seat.sees("1 of 1")
        await closed(seat, "Esc closes")
        await seat.click("Two ways", button=3)
        await seat.click("quote")
        await seat.sees("> Two ways:")


async def test_a_cap_is_raised_and_a_list_left(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT, budgets=Budgets(daily=Money.from_usd("0.0001"))) as seat:
        await seat.click("^T Pin model")
        await closed(seat, "╭─ Pin a model")
        await seat.send("/model lumen-dash")
        await seat.sees("★ lumen-dash")
        await seat.send("How do I sort?")
        await seat.click("in this copy of the program alone")
        await seat.sees("▸ for today")
        await seat.click("Enter raises it for today")
        await seat.sees("sorted(items)", "for today")


async def test_the_mouse_may_be_moved_over_any_dialog(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT) as seat:
        for key in ("ctrl+s", "ctrl+t", "ctrl+l", "ctrl+r", "ctrl+p", "f1", "f9", "f10", "f12"):
            await seat.pilot.press(key)
            await seat.until(lambda: len(seat.app.screen_stack) == 2, f"what {key} opens")
            for place in ((10, 10), (80, 24), (120, 40)):
                await seat.pilot.hover(offset=place)
            assert len(seat.app.screen_stack) == 2
            await seat.pilot.press("escape")
            await seat.until(lambda: len(seat.app.screen_stack) == 1, f"what {key} opens closed")


def test_what_is_named_as_a_handler_is_one() -> None:
    modules = [import_module(f"{ui.__name__}.{found.name}") for found in pkgutil.iter_modules(ui.__path__)]
    own = {one for module in modules for one in vars(module).values() if isinstance(one, type)}
    widgets = [one for one in own if issubclass(one, MessagePump) and one.__module__.startswith(ui.__name__)]
    named = [(one, name) for one in widgets for name in vars(one) if name.startswith(("on_", "_on_"))]
    assert named
    assert [f"{one.__name__}.{name}" for one, name in named if not isfunction(vars(one)[name])] == []
