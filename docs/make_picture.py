"""Draws docs/console.svg: the console on the demo models, after a question that fell back and escalated, before the
next.

.venv/bin/python docs/make_picture.py
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

QUESTIONS = (
    "/strategy cheapest",
    "Check whether a word is a palindrome in Python",
    "/strategy balanced",
)
WALKED = re.compile(r"✗ 429 .* → .* ~ 0\.\d\d < 0\.60 → .* ✓")
"""What the picture is to show, and what the router makes of the question by itself: one model is busy, the next one's
answer is not good enough."""
NEXT = "Write a Python function that merges two sorted lists"
PICTURE = Path(__file__).with_name("console.svg")
_FONT_FACE = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)


async def draw() -> None:
    from tui_orchestrator.settings import load
    from tui_orchestrator.ui.app import ConsoleApp

    app = ConsoleApp(load(), demo=True, pace=0.3)
    async with app.run_test(size=(150, 44)) as pilot:
        await _until(pilot, lambda: app.talk is not None)
        for question in QUESTIONS:
            app.composer.prompt.replace_draft(question)
            await pilot.press("enter")
            await pilot.pause(0.5)
            await _until(pilot, lambda: not app.running)
        seen = [strip.text for strip in app.screen._compositor.render_strips()]
        if not any(WALKED.search(line) for line in seen):
            sys.exit("Nothing fell back and escalated: take another question.")
        app.clear_notifications()
        await pilot.press(*NEXT)
        await pilot.pause(1.0)
        # Readers' own monospace font, rather than one fetched from elsewhere.
        PICTURE.write_text(_FONT_FACE.sub("", app.export_screenshot(title="tui-orchestrator")), encoding="utf-8")


async def _until(pilot: Pilot[int], holds: Callable[[], bool]) -> None:
    while not holds():
        await pilot.pause(0.05)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["TUI_ORCHESTRATOR_HOME"] = home
        asyncio.run(draw())
    sys.stdout.write(f"{PICTURE}\n")
