"""F1 tells what one is about to do, wherever one is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ui.conftest import Console, console
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.routing.budget import Budgets
from tui_orchestrator.routing.money import Money

SCRIPT = Script().always(Say(text="Paris."))


async def told(seat: Console, said: str, enter: str = "") -> None:
    """F1 opens the help with these words at its head, and then what Enter does; F1 once more closes it."""
    await seat.pilot.press("f1")
    await seat.sees("╭─ Help", "Here", said, "Keys here")
    assert seat.screen.index("Here") < seat.screen.index(said) < seat.screen.index("Keys here")
    if enter:
        await seat.sees(enter)
        keys = seat.screen[seat.screen.index("Keys here") :]
        assert next(line for line in keys.splitlines() if " Enter " in line).count(enter) == 1
        assert "prompt: send" not in keys or enter == "prompt: send"
    await seat.pilot.press("f1")
    await seat.sees_no("╭─ Help")


@pytest.mark.cells(1)
@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
async def test_f1_tells_what_each_pane_is_for(tmp_path: Path, size: tuple[int, int]) -> None:
    async with console(tmp_path, size=size, script=SCRIPT) as seat:
        await told(seat, "Write here. Enter sends", "prompt: send")
        panes = ("The conversation.", "Why this model", "What was spent, what is set aside", "Every model known")
        enters = ("chat.menu", "decision.history", "costs.reports", "registry.card")
        for key, said, enter in zip(("f2", "f3", "f4", "f5"), panes, enters, strict=True):
            await seat.pilot.press(key)
            await told(seat, said, enter)


async def test_f1_tells_what_enter_does_in_lists_and_settings_and_what_the_keymap_calls_it(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 24), script=SCRIPT) as seat:
        for key, there, said, enter in (
            ("ctrl+l", "╭─ Sessions", "Every conversation", "opens"),
            ("ctrl+t", "Pin a model", "A list to choose from", "pins"),
            ("f12", "[router]", "Every setting by section", "settings.edit"),
        ):
            await seat.pilot.press(key)
            await seat.sees(there)
            await told(seat, said, enter)
            await seat.pilot.press("escape", "escape")
            await seat.until(lambda: seat.app.composer.prompt.has_focus and len(seat.app.screen_stack) == 1)


async def test_f1_tells_in_every_dialog_what_it_is_for_and_leaves_it_as_it_was(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT) as seat:
        await seat.send("What is the capital of France?")
        await seat.ended()
        for keys, there, said in (
            (("ctrl+t",), "Pin a model", "A list to choose from"),
            (("ctrl+r",), "Earlier prompts", "Every prompt you ever sent"),
            (("ctrl+l",), "╭─ Sessions", "Every conversation"),
            (("alt+l",), "╭─ Rename", "One line to write"),
            (("f3", "enter"), "╭─ Decisions", "Every decision that was made"),
            (("f3", "space"), "╭─ What if", "Stored turns, decided again"),
            (("f4", "g"), "╭─ Gateway", "What other programs ask"),
            (("f5", "enter"), "What it can do", "All that is known of a model"),
            (("f5", "t"), "It costs at most", "One real question of a word"),
            (("f10",), "1 Costs", "Costs by model, task"),
            (("f12",), "[router]", "Every setting by section"),
        ):
            await seat.pilot.press(*keys)
            await seat.sees(there)
            await told(seat, said)
            await seat.sees(there)
            await seat.pilot.press("escape", "escape")
            await seat.until(lambda: seat.app.composer.prompt.has_focus and len(seat.app.screen_stack) == 1)


async def test_f1_while_a_cap_is_in_the_way_refuses_nothing(tmp_path: Path) -> None:
    async with console(tmp_path, script=SCRIPT, budgets=Budgets(daily=Money.from_usd("0.0001"))) as seat:
        await seat.send("/model lumen-dash")
        await seat.send("What is the capital of France?")
        await seat.sees("Raise it to $")
        await seat.pilot.press("f1")
        await seat.sees("A cap is in the way of a call, and the turn waits.", "does it", "Refuse")
        assert "Those that fit" not in seat.screen
        assert "that fit as it is" not in seat.screen
        await seat.pilot.press("f1")
        await told(seat, "A cap is in the way of a call, and the turn waits.")
        await seat.sees("Raise it to $")
        await seat.pilot.press("down", "enter")
        await seat.sees("Paris.", "for today")
