"""What stands under an answer and above it, and how a turn is seen while it happens."""

from __future__ import annotations

import re
from pathlib import Path

from tests.ui.conftest import console
from tests.ui.test_turns import GOOD, PROMPT, STALLING
from tui_orchestrator.demo import Break, Phase, Reply, Say, Script
from tui_orchestrator.locations import shipped_themes
from tui_orchestrator.settings import UiSettings
from tui_orchestrator.ui import themes


async def test_under_an_answer_stands_who_gave_it_how_and_what_it_took(tmp_path: Path) -> None:
    async with console(tmp_path, script=Script().always(Say(text=GOOD))) as seat:
        await seat.send("/model rush-pro")
        await seat.send(PROMPT)
        await seat.ended()
        parts = (r"rush-pro", r"demo-openai", r"balanced", r"↑\d+ ↓\d+", r"\d+(\.\d)? s", r"\d+ tok/s", r"\$0\.\d+")
        line = re.compile(" · ".join((*parts, r"confidence 0\.\d\d")))
        await seat.until(lambda: line.search(" ".join(seat.screen.replace("│", " ").split())), "the whole line")


async def test_an_escalation_is_seen_as_it_happens_and_what_was_said_is_folded_beneath(tmp_path: Path) -> None:
    hedging = "I'm not sure, but I think it might possibly be this. I could be wrong. Perhaps. I don't know really."
    script = (
        Script().always(Reply(429), "rush-mini").always(Say(text=hedging), "tern-lite").always(STALLING, "rush-pro")
    )
    async with console(tmp_path, script=script) as seat:
        await seat.send("/chain rush-mini, tern-lite, rush-pro")
        await seat.send(PROMPT)
        walked = r"rush-mini ✗ 429 \d+(\.\d)? s → tern-lite ~ 0\.\d\d < 0\.60 → rush-pro "
        await seat.until(lambda: re.search(walked + "◐", seat.screen), "the third at work")
        await seat.sees("word word", "▸ discarded", "of tern-lite")
        assert "I could be wrong" not in seat.screen
        row = await seat.line("▸ discarded")
        await seat.click(row.strip(" │")[:20])
        await seat.sees("▾ discarded", "I could be wrong")
        await seat.pilot.press("escape")
        await seat.ended()
        await seat.until(lambda: re.search(walked + "■", seat.screen), "the third cancelled")


async def test_code_is_highlighted_while_it_streams(tmp_path: Path) -> None:
    code = "```python\n" + "def f(x):\n    return x\n" * 30 + "```\n"
    script = Script().always(Break("silence", Phase.MID_STREAM, Say(text=code)))
    async with console(tmp_path, script=script, ui=UiSettings(theme="paper")) as seat:
        await seat.send(PROMPT)
        await seat.sees("Esc cancels", "return x")
        palette = next(one for one in themes.load(shipped_themes()).palettes if one.name == "paper")

        def colours(word: str) -> set[str]:
            strips = seat.app.screen._compositor.render_strips()
            segments = (one for strip in strips for one in strip if one.text.strip() == word and one.style)
            return {one.style.color.name for one in segments if one.style and one.style.color}

        assert colours("return") == {palette.code["keyword"].lower()}


async def test_one_member_that_fails_and_one_that_is_slow_do_not_hold_the_third(tmp_path: Path) -> None:
    async with console(tmp_path, script=(script := Script())) as seat:
        await seat.send("/ensemble 3")
        app = seat.app
        assert app.runtime is not None
        assert app.talk is not None
        names = [one.partition("/")[2] for one in app.runtime.preview(app.talk.request(PROMPT, (), app.options)).chain]
        script.always(Reply(400), names[0]).always(STALLING, names[1]).always(Say(text=GOOD), names[2])
        await seat.send(PROMPT)
        await seat.sees(f"✗ 1 {names[0]}", f"● 2 {names[1]}", f"✓ 3 {names[2]}", "word word", "on the Seine")
        await seat.pilot.press("f2", "e")
        await seat.ended()
        await seat.sees(f"✗ 1 {names[0]}", f"■ 2 {names[1]}", "on the Seine")
