"""Answers from the cache on the screen: marked, with the key that asks for real."""

from __future__ import annotations

from pathlib import Path

from tests.ui.conftest import Console, console
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.services.chat import Chat
from tui_orchestrator.settings import CacheSettings

FIRST, REWORDED = "How do I sort a list in Python?", "How can I sort a Python list?"


async def opened(seat: Console, prompt: str) -> None:
    """A new session with this as its first prompt, answered."""
    await seat.pilot.press("ctrl+n")
    await seat.until(lambda: seat.app.talk is not None and seat.app.talk.last is None, "a new session")
    await seat.send(prompt)
    await seat.ended()


async def begun(seat: Console) -> None:
    for command in ("/model rush-pro", "/cache on"):
        await seat.send(command)
    await seat.until(lambda: seat.app.options.use_cache, "the cache in use")
    await seat.send(FIRST)
    await seat.ended()


async def test_a_hit_is_marked_and_alt_r_asks_for_real(tmp_path: Path) -> None:
    script = Script().then(Say(text="Use sorted()."), "rush-pro").then(Say(text="Call sort()."), "rush-pro")
    async with console(tmp_path, script=script) as seat:
        await begun(seat)
        await opened(seat, FIRST)
        await seat.sees("Use sorted().", "◇ from the cache", "Alt+R asks for real", "saved $")
        await seat.pilot.press("alt+r")
        await seat.ended()
        await seat.sees("Call sort().")
        await seat.sees_no("Alt+R asks for real")


async def test_an_answer_to_other_words_says_to_which(tmp_path: Path) -> None:
    async with console(tmp_path, size=(100, 30), cache=CacheSettings(semantic=True)) as seat:
        await begun(seat)
        await opened(seat, REWORDED)
        await seat.sees("≈ from an earlier answer to:", "Alt+R asks for real", "saved ~$")
        await seat.line("≈ from an earlier answer to: «How do I sort a list in")
        # And as it was, when the session is opened again.
        assert seat.app.talk is not None
        assert seat.app.runtime is not None
        earlier = await Chat.resume(seat.app.runtime, seat.app.talk.id)
        await opened(seat, "What is DNS?")
        await seat.app._begin(earlier)
        await seat.sees("≈ from an earlier answer to:")


async def test_what_is_kept_is_listed_and_cleared(tmp_path: Path) -> None:
    async with console(tmp_path) as seat:
        await begun(seat)
        await seat.pilot.press("ctrl+p")
        await seat.write("show what is kept")
        await seat.sees("cache: show what is kept, and clear it")
        await seat.pilot.press("enter")
        await seat.sees("Kept answers", "demo-openai/rush-pro", "1 kept", "everything")
        await seat.pilot.press("enter")
        await seat.sees("1 answer forgotten.")
        await seat.send("/cache")
        await seat.sees("No answer is kept")
