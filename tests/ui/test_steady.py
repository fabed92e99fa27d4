"""What is drawn often has no more laid out and styled than it must."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.content import Content
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Static

from tests.ui.conftest import console
from tui_orchestrator.ui.steady import Steady


class Counting(Screen[None]):
    layouts = 0

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        self.layouts += 1
        super()._refresh_layout(size, scroll)


class Two(App[None]):
    CSS = "Static { height: auto; }"

    def get_default_screen(self) -> Screen[None]:
        return Counting()

    def compose(self) -> ComposeResult:
        yield Steady("one", id="steady")
        yield Static("below", id="below")


async def test_text_of_the_same_height_has_nothing_laid_out_and_of_another_all() -> None:
    app = Two()
    async with app.run_test(size=(20, 8)) as pilot:
        steady, screen = app.query_one(Steady), app.screen
        assert isinstance(screen, Counting)
        for text, rows, again in (("another", 1, 0), ("of\ntwo rows", 2, 1), ("a line too long for one row", 2, 0)):
            await pilot.pause()
            before = screen.layouts
            steady.update(Content(text))
            await pilot.pause()
            seen = [strip.text.rstrip() for strip in screen._compositor.render_strips()]
            assert " ".join(seen[:rows]) == text.replace("\n", " ")
            assert seen[rows] == "below"
            assert screen.layouts - before == again, text


async def test_a_console_is_styled_once_before_it_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apply, styled = Stylesheet.apply, Counter[DOMNode]()

    def counted(sheet: Stylesheet, node: DOMNode, **how: Any) -> None:
        styled[node] += 1
        apply(sheet, node, **how)

    monkeypatch.setattr(Stylesheet, "apply", counted)
    async with console(tmp_path) as seat:
        ways = [node for node in seat.app.screen.walk_children() if not node.has_focus]
        assert {node: styled[node] for node in ways if styled[node] != 1} == {}
