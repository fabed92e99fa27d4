"""What is drawn anew while text streams in, and that nothing else has to be."""

from __future__ import annotations

from itertools import pairwise
from time import monotonic, perf_counter

from rich.console import Console
from textual.app import App, ComposeResult
from textual.events import AppFocus, Key
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot
from textual.strip import Strip

from tui_orchestrator.ui.entries import Entry
from tui_orchestrator.ui.reader import Reader
from tui_orchestrator.ui.terminal import LATEST_S, AtTerminal, Terminal
from tui_orchestrator.ui.transcript import Transcript


class Stage(App[None]):
    def __init__(self, transcript: Transcript) -> None:
        super().__init__()
        self.transcript = transcript

    def compose(self) -> ComposeResult:
        yield self.transcript


async def rows(pilot: Pilot[None], padded: bool = True) -> list[Strip]:
    """As Textual is given them, once nothing waits to be drawn; `padded`: to the edge, and not to the scroll bar."""
    transcript = pilot.app.query_one(Transcript)
    while transcript._rows.unread:
        await pilot.pause(0.01)
    await pilot.pause()
    width, height = transcript.outer_size
    return transcript.render_lines(Region(0, 0, width if padded else transcript.row_width, height))


def asked_to_draw(transcript: Transcript) -> set[int]:
    return {y for region in transcript._repaint_regions for y in region.line_range}


async def test_of_a_growing_paragraph_the_last_row_alone_is_drawn_anew() -> None:
    app = Stage(Reader())
    async with app.run_test(size=(40, 12)) as pilot:
        app.transcript.begin_answer("a", "model")
        app.transcript.append("a", "# Title\n\n" + "words that wrap " * 8)
        before = await rows(pilot, padded=False)
        app.transcript.append("a", "more")
        app.transcript._flush()
        now = await rows(pilot, padded=False)
        changed = [y for y, (old, new) in enumerate(zip(before, now, strict=True)) if old is not new]
        last = max(y for y, strip in enumerate(before) if strip.text.strip())
        assert changed == [last]


async def test_what_is_asked_to_be_drawn_is_all_that_looks_otherwise() -> None:
    app = Stage(Transcript())
    async with app.run_test(size=(50, 14)) as pilot:
        app.transcript.begin_answer("a", "model")
        shown = [strip.text for strip in await rows(pilot)]
        text = "A paragraph.\n\n- one\n- two\n\n```python\nx = 1\n```\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\n" * 3
        for start, end in pairwise(range(0, len(text), 7)):
            app.transcript.append("a", text[start:end])
            app.transcript._rests_until = 0.0
            app.transcript._flush()
            asked = asked_to_draw(app.transcript)
            now = [strip.text for strip in app.transcript.render_lines(app.transcript.outer_size.region)]
            assert {y for y, (old, new) in enumerate(zip(shown, now, strict=True)) if old != new} <= asked
            shown = now
            await pilot.pause()


async def test_every_row_is_as_wide_as_the_view() -> None:
    for transcript in (Transcript(), Reader()):
        app = Stage(transcript)
        async with app.run_test(size=(33, 9)) as pilot:
            app.transcript.add_prompt("日本語 and more")
            assert {strip.cell_length for strip in await rows(pilot)} == {33}
            await pilot.resize_terminal(50, 9)
            while transcript.outer_size.width != 50:
                await pilot.pause(0.01)
            assert {strip.cell_length for strip in await rows(pilot)} == {50}


async def test_the_scroll_bar_looks_as_textual_would_draw_it() -> None:
    app = Stage(Transcript())
    async with app.run_test(size=(30, 10)) as pilot:
        app.transcript.begin_answer("a")
        for number in range(40):
            app.transcript.append("a", f"line {number}\n\n")
            app.transcript._rests_until = 0.0
            app.transcript._flush()
            await pilot.pause()
            bar = app.transcript.vertical_scrollbar
            if not bar.display:
                continue
            drawn = [strip.text for strip in bar.render_lines(Region(0, 0, bar.size.width, bar.size.height))]
            wanted = Console(width=1, height=bar.size.height).render_lines(bar.render(), pad=False)
            assert drawn == ["".join(segment.text for segment in row) for row in wanted if row][: len(drawn)]


async def test_the_scroll_bar_is_not_drawn_for_the_rows_beside_it() -> None:
    app = Stage(Transcript())
    async with app.run_test(size=(30, 10)) as pilot:
        app.transcript.begin_answer("a")
        app.transcript.append("a", "line\n\n" * 40)
        await rows(pilot)
        bar = app.transcript.vertical_scrollbar
        assert bar.display
        app.transcript.append("a", "a new line")
        app.transcript._rests_until = 0.0
        app.transcript._flush()
        asked = app.transcript._repaint_regions
        assert asked
        assert not any(region.translate(app.transcript.region.offset).overlaps(bar.region) for region in asked)


async def test_what_nobody_has_looked_at_is_not_laid_out_because_it_has_changed() -> None:
    app = Stage(Transcript())
    async with app.run_test(size=(40, 10)) as pilot:
        app.transcript.load(Entry.answer(f"# Answer {n}\n\ntext", key=f"a{n}") for n in range(100))
        await rows(pilot)
        app.transcript.finish("a3", "a line under it")
        assert not app.transcript._rows.unread
        app.transcript.show("a3")
        assert any("a line under it" in strip.text for strip in await rows(pilot))


class Typing(AtTerminal):
    def __init__(self, transcript: Transcript) -> None:
        super().__init__()
        self.transcript = transcript
        self.typing = True

    def compose(self) -> ComposeResult:
        yield self.transcript

    @property
    def hurried(self) -> bool:
        return self.typing


async def test_what_streams_in_gives_way_to_a_key_that_is_not_drawn_yet() -> None:
    app = Typing(Transcript())
    async with app.run_test(size=(40, 10)):
        app.transcript.begin_answer("a")
        app.transcript._flushed, app.transcript._rests_until = perf_counter(), 0.0
        app.transcript.append("a", "it streams")
        app.transcript._flush()
        assert app.transcript._rows.unread
        app.typing = False
        app.transcript._flush()
        assert not app.transcript._rows.unread


async def test_who_types_without_a_pause_sees_what_streams_in_all_the_same() -> None:
    app = Typing(Transcript())
    async with app.run_test(size=(40, 10)):
        app.transcript.begin_answer("a")
        app.transcript._flushed, app.transcript._rests_until = perf_counter() - LATEST_S, 0.0
        app.transcript.append("a", "it streams")
        app.transcript._flush()
        assert not app.transcript._rows.unread


class Deaf:
    async def _post_message(self, message: Message) -> None:
        pass


async def test_a_key_is_known_of_before_the_event_loop_hears_of_it() -> None:
    driver = Terminal(Deaf())
    driver.process_message(AppFocus())
    assert driver.keyed < 0
    driver.process_message(Key("a", "a"))
    assert driver.keyed <= monotonic()
    assert driver.keyed > monotonic() - 60
