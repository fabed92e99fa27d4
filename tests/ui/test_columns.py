"""Ensemble members side by side: how each stands, and which one the verdict names."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tui_orchestrator.routing.events import Score
from tui_orchestrator.routing.money import Cost, CostState, Money
from tui_orchestrator.ui.columns import MIN_COLUMN, Columns
from tui_orchestrator.ui.transcript import Transcript

COST = Cost(Money.from_usd("0.0041"), CostState.COMPUTED)
SCORES = (Score(2, "b/two", 0.8, 0.7, 1.0, 0.1, 0.9), Score(1, "a/[/x] one", 0.5, 0.6, 0.9, 0.0, 0.6))


class Stage(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.columns = Columns(clock=lambda: self.now)

    def compose(self) -> ComposeResult:
        yield self.columns


async def screen(pilot: Pilot[None]) -> list[str]:
    await pilot.pause()
    while any(transcript._rows.unread for transcript in pilot.app.query(Transcript) if transcript.region.width):
        await pilot.pause(0.01)
    await pilot.pause()
    app = pilot.app
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    assert len(strips) == height
    return [strip.crop(0, width).text.rstrip() for strip in strips]


async def test_members_stand_side_by_side_with_their_figures() -> None:
    app = Stage()
    async with app.run_test(size=(3 * MIN_COLUMN, 20)) as pilot:
        columns = app.columns
        columns.start([(1, "a/[/x] one"), (2, "b/two"), (3, "c/three")])
        await pilot.pause()
        app.now = 2.0
        columns.append(1, "first **answer** " + "x" * 200)
        columns.append(2, "second answer")
        columns.append_thinking(3, "hm")
        columns.finish(2, seconds=1.5, tokens=1200, tokens_per_s=800.4, cost=COST, confidence=0.86)
        columns.fail(3, "stream broke [/y]")
        columns._tick()
        rows = await screen(pilot)
        assert "● a/[/x] one" in rows[0]
        assert "✓ b/two" in rows[0]
        assert "✗ c/three" in rows[0]
        assert "2.0 s · ~54 tok · ~27 tok/s" in rows[1]
        assert "$0.0041 1.5s ↓1.2k 800 tok/s" in rows[1]
        assert "stream broke [/y]" in rows[1]
        text = "\n".join(rows)
        assert "first answer" in text
        assert "confidence 0.86" in text
        assert "▸ thinking" in text
        assert "✗ stream broke [/y]" in text


async def test_every_figure_fits_over_the_narrowest_column() -> None:
    app = Stage()
    async with app.run_test(size=(3 * MIN_COLUMN, 20)) as pilot:
        columns = app.columns
        columns.start([(1, "a/one"), (2, "b/two"), (3, "c/three")])
        dear = Cost(Money.from_usd("0.000123"), CostState.ESTIMATED)
        columns.finish(1, seconds=0.6, tokens=87, tokens_per_s=140.2, cost=COST)
        columns.finish(2, seconds=59.5, tokens=123_456, tokens_per_s=2074.9, cost=dear)
        columns.finish(3, seconds=1.5, tokens=12, tokens_per_s=None, cost=COST)
        row = (await screen(pilot))[1]
        for figures in ("$0.0041 · 0.6s · ↓87 · 140 tok/s", f"{dear} 59.5s ↓123k 2075 tok/s", "? tok/s"):
            assert figures in row
        assert "…" not in row


async def test_narrow_members_wait_behind_tabs() -> None:
    app = Stage()
    async with app.run_test(size=(2 * MIN_COLUMN - 1, 20)) as pilot:
        columns = app.columns
        columns.start([(1, "a/one"), (2, "b/two")])
        columns.append(1, "the first")
        columns.append(2, "the second")
        rows = await screen(pilot)
        assert "a/one" in rows[0]
        assert "b/two" in rows[0]
        assert "the first" in "\n".join(rows)
        assert "the second" not in "\n".join(rows)
        await pilot.click("_Tabs", offset=(rows[0].index("two"), 0))
        assert "the second" in "\n".join(await screen(pilot))
        columns.transcript(2).focus()
        await pilot.press("right")
        assert "the first" in "\n".join(await screen(pilot))
        await pilot.resize_terminal(3 * MIN_COLUMN, 20)
        text = "\n".join(await screen(pilot))
        assert "the first" in text
        assert "the second" in text


async def test_the_verdict_marks_the_winner_and_tells_agreement_and_dissent() -> None:
    app = Stage()
    async with app.run_test(size=(100, 40)) as pilot:
        columns = app.columns
        columns.start([(1, "a/[/x] one"), (2, "b/two")])
        for number in (1, 2):
            columns.append(number, "answer")
            columns.finish(number, seconds=1, tokens=9, tokens_per_s=None, cost=COST)
        columns.verdict(SCORES, 2, ["both | say *this*"], ["a/one: # differs"], method="judge")
        text = "\n".join(await screen(pilot))
        assert "★ b/two" in text.splitlines()[0]
        assert "★ b/two is the answer · judge" in text
        assert "[/x] one │  0.60 │" in text
        assert "a/[/x] one │" not in text
        assert "• both | say *this*" in text
        assert "• a/one: # differs" in text
        assert "? tok/s" in text


async def test_a_new_start_leaves_nothing_of_the_last_one() -> None:
    app = Stage()
    async with app.run_test(size=(100, 20)) as pilot:
        columns = app.columns
        columns.start([(1, "a/one"), (2, "b/two")])
        columns.append(1, "old text")
        columns.verdict(SCORES, 2, [], [])
        await screen(pilot)
        columns.start()
        columns.add(7, "z/seven")
        columns.append(7, "new text")
        text = "\n".join(await screen(pilot))
        assert "new text" in text
        assert "z/seven" in text
        assert not any(gone in text for gone in ("old text", "one", "two", "★"))
