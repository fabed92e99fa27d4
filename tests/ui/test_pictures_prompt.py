"""Pictures of the prompt: what may complete it, what goes along, what was sent before."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.clock import ManualClock
from tests.ui.picturing import Console, console_of, decision, in_turn, sees
from tests.ui.test_prompt import PASTE, png
from tui_orchestrator.routing.money import Money
from tui_orchestrator.services.enclosing import Burden
from tui_orchestrator.storage.prompts import Past, words_of
from tui_orchestrator.storage.search import Snippet
from tui_orchestrator.ui.recall import PromptSearch

SENT = (
    ("Why is the sky blue, and why is it red in the evening, when the sun is as far away as it was at noon?", 0.1),
    ("Name three rivers that are blue", 3),
    ("Why is grass green,\nand not blue?", 30),
    ("天空为什么是蓝色的 blue", 800),
)


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "src").mkdir()
    for name in ("main.py", "merge.py", "树.py", "two words.md"):
        (tmp_path / "src" / name).write_text("x = 1\n" * 40)
    (tmp_path / "plan.png").write_bytes(png(1280, 720))
    monkeypatch.chdir(tmp_path)


@in_turn(0)
def test_commands_that_may_be_meant(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        await pilot.press("slash", "r")
        await sees(pilot, "▸ /rename")

    assert snap_compare(Console("contrast"), terminal_size=size, run_before=show)


@in_turn(1)
def test_a_folded_paste_a_picture_and_paths_that_may_be_meant(snap_compare: Any, size: tuple[int, int]) -> None:
    async def show(pilot: Pilot[Any]) -> None:
        composer = console_of(pilot).composer
        composer.weigh = lambda draft: decision()
        composer.weight = lambda chosen, weighed: Burden(weighed.tokens, Money.from_usd("0.0012"), False)
        composer.prompt.replace_draft(PASTE)
        composer.prompt.insert(" is what @plan.png shows, as in @src/main.py and @lost.md\nand @src/")
        await sees(pilot, "⟦paste 1", "image plan.png", "src/merge.py", "difficulty")

    assert snap_compare(Console(), terminal_size=size, run_before=show)


@in_turn(0)
def test_a_search_in_all_that_was_sent(snap_compare: Any, size: tuple[int, int]) -> None:
    clock = ManualClock()

    async def found(typed: str, limit: int, stopped: object) -> tuple[Past, ...]:
        marks = [words_of(typed).marks(" ".join(text.split())) for text, _ in SENT]
        return tuple(
            Past(number, clock.now() - timedelta(hours=hours), Snippet(" ".join(text.split()), marks[number]), text)
            for number, (text, hours) in enumerate(SENT)
        )

    runtime: Any = SimpleNamespace(conversations=SimpleNamespace(find_prompts=found), clock=clock)

    async def show(pilot: Pilot[Any]) -> None:
        pilot.app.push_screen(PromptSearch(runtime))
        await pilot.pause()
        await pilot.press(*"blue")
        await sees(pilot, "Name three rivers")

    assert snap_compare(Console("paper"), terminal_size=size, run_before=show)
