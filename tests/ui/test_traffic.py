"""What other programs ask through the gateway, as the console shows it while it happens."""

from __future__ import annotations

from pathlib import Path

from tests.ui.conftest import Console, console
from tui_orchestrator.routing.request import ASKED_FOR, CLIENT, Message, Request
from tui_orchestrator.services.runtime import Runtime


def asked(prompt: str, client: str, **fields: object) -> Request:
    return Request((Message("user", prompt),), metadata={CLIENT: client, ASKED_FOR: "auto"}, **fields)  # type: ignore[arg-type]


async def answer(seat: Console, request: Request) -> None:
    """As the gateway of another copy of the program would, over the same store."""
    assert seat.app.runtime is not None
    async with await Runtime.open(seat.app.runtime.settings, demo=False) as other:
        await other.refresh(forget=False)
        async with other.stream(request) as turn:
            async for _ in turn:
                pass


async def test_what_another_copy_answers_comes_into_the_open_list(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await seat.send("/gateway")
        await seat.sees("╭─ Gateway", "No other program has asked yet")
        await seat.sees_no("Enter shows the card")
        await answer(seat, asked("What is the capital of France?", "aider/0.86"))
        await seat.sees("aider/0.86", "asked for", "1 answered today", "Enter shows the card")
        await answer(seat, asked("And of Spain?", "llm/0.28\x1b[2J", model="openai/nobody"))
        await seat.sees("llm/0.28", "no model", "1 not answered")
        assert "\x1b" not in seat.screen


async def test_its_card_is_shown_and_a_narrow_screen_has_two_lines(tmp_path: Path) -> None:
    async with console(tmp_path, size=(80, 24)) as seat:
        await answer(seat, asked("Prove that there are infinitely many primes", "a-script"))
        await seat.send("/gateway")
        await seat.sees("a-script asked for auto")
        await seat.pilot.press("enter")
        await seat.sees("Decision", "Candidates")


async def test_a_turn_of_the_console_s_own_is_not_in_it(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await seat.send("hello")
        await seat.ended()
        await seat.pilot.press("f4", "g")
        await seat.sees("╭─ Gateway", "No other program has asked yet")
