"""The conversation on the screen: what a person sees while text streams, scrolls, folds, is copied and resized."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import Selection

from tui_orchestrator.ui import themes
from tui_orchestrator.ui.entries import SLICE, Entry, Part
from tui_orchestrator.ui.look import Look
from tui_orchestrator.ui.rows import KEPT_LINES, Rows
from tui_orchestrator.ui.transcript import Transcript

ANSWER = """\
# Title

A paragraph with **bold**, `code` and a [link](https://h.example/) that is long enough to wrap at sixty columns.

- one
- two
  1. nested
  2. again

```python
def f(x):
    return x
```

| a | b |
|---|--:|
| 中文 | 1 |

> quoted
"""


class Stage(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.transcript = Transcript()
        self.clicked: list[tuple[str, Part]] = []

    def compose(self) -> ComposeResult:
        yield self.transcript

    def on_transcript_clicked(self, message: Transcript.Clicked) -> None:
        self.clicked.append((message.key, message.part))


def seen(transcript: Transcript) -> list[str]:
    """The rows on the screen."""
    return [transcript.render_line(y).text.rstrip() for y in range(transcript.scrollable_content_region.height)]


def row_with(transcript: Transcript, text: str) -> int:
    return next(y for y, row in enumerate(seen(transcript)) if text in row)


async def drawn(pilot: Pilot[None]) -> list[str]:
    """Once nothing waits to be drawn any more."""
    transcript = pilot.app.query_one(Transcript)
    while transcript._rows.unread:
        await pilot.pause(0.01)
    await pilot.pause()
    return seen(transcript)


def paragraph_at_the_top(transcript: Transcript) -> int:
    for row in range(transcript.scroll_offset.y, -1, -1):
        found = transcript._rows.find(row)
        if found and found.line and found.line.text.startswith("mark"):
            return int(found.line.text.split()[0].removeprefix("mark"))
    return 0


def numbered(count: int, word: str = "line") -> str:
    return "\n\n".join(f"{word} {n}" for n in range(count))


def all_rows(rows: Rows) -> list[str]:
    while rows.unread:
        rows.read()
    rows.measure(0, 10**6)
    return [found.line.text if (found := rows.find(y)) and found.line else "" for y in range(rows.total)]


@given(st.lists(st.integers(0, len(ANSWER)), max_size=12), st.integers(10, 90))
@settings(max_examples=50, deadline=None)
def test_a_streamed_answer_ends_as_the_same_screen_as_a_loaded_one(cuts: list[int], width: int) -> None:
    streamed, loaded = Rows(Look.of({})), Rows(Look.of({}))
    streamed.set_width(width)
    entry = Entry.answer(heading="model", growing=True)
    streamed.add(entry)
    borders = [0, *sorted(cuts), len(ANSWER)]
    for start, end in pairwise(borders):
        entry.append(ANSWER[start:end])
        streamed.touch(entry.key)
        streamed.read()
        streamed.measure(0, streamed.total)
    entry.growing, entry.status, entry.changed = False, "done", True
    streamed.touch(entry.key)
    loaded.set_width(width)
    loaded.load([Entry.answer(ANSWER, heading="model", status="done")])
    assert all_rows(streamed) == all_rows(loaded)


async def test_a_conversation_is_seen_with_its_prompt_trail_answer_and_status() -> None:
    app = Stage()
    async with app.run_test(size=(60, 30)) as pilot:
        transcript = app.transcript
        transcript.add_prompt("What is\nthis?", ["notes.md"])
        transcript.trail("trail", [("gpt ✗ 429", "error")])
        transcript.trail("trail", [("gpt ✗ 429", "error"), (" → claude ✓", "success")])
        transcript.begin_answer("a", "claude")
        for piece in ("It is ", "**this**", ".\n\nNo ", "more."):
            transcript.append("a", piece)
        transcript.finish("a", [("1.2 s · ", "muted"), ("$0.0012", "money")])
        transcript.notice("80 % is spent", "warning")
        assert [row for row in await drawn(pilot) if row] == [
            "▌ What is",
            "▌ this?",
            "▌ ⊕ notes.md",
            "gpt ✗ 429 → claude ✓",
            "claude",
            "It is this.",
            "No more.",
            "1.2 s · $0.0012",
            "! 80 % is spent",
        ]


async def test_a_notice_is_marked_once_by_its_severity() -> None:
    app = Stage()
    async with app.run_test(size=(24, 12)) as pilot:
        app.transcript.notice("a warning that wraps around", "warning")
        app.transcript.notice("broken", "error")
        assert [row for row in await drawn(pilot) if row] == ["! a warning that", "  wraps around", "✗ broken"]


async def test_nothing_in_a_text_is_read_as_markup_or_reaches_the_terminal() -> None:
    hostile = "[@click=app.quit]x[/] [/x] \x1b]52;c;aGk=\x07\u202e"
    app = Stage()
    async with app.run_test(size=(100, 40)) as pilot:
        transcript = app.transcript
        transcript.add_prompt(hostile, [hostile])
        transcript.trail("t", hostile)
        transcript.begin_answer("a", hostile)
        transcript.append("a", hostile)
        transcript.append_thinking("a", hostile)
        transcript.entry("a").toggle(Part.THINKING)
        transcript.finish("a", hostile)
        transcript.begin_answer("b")
        transcript.append("b", hostile)
        transcript.discard("b", hostile, hostile)
        transcript.notice(hostile, "error")
        rows = await drawn(pilot)
        shown = [row for row in rows if "[@click=app.quit]x[/] [/x] ]52;c;aGk=" in row]
        assert len(shown) >= 8
        assert not any(set(row) & set("\x1b\x07\u202e") for row in rows)
        for y in range(len(rows)):
            assert all(not style or style.link is None for _, style, _ in transcript.render_line(y))


async def test_the_view_follows_the_end_until_the_user_scrolls_up() -> None:
    app = Stage()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = app.transcript
        transcript.begin_answer("a")
        transcript.append("a", numbered(30))
        assert "line 29" in (await drawn(pilot))[-1]
        transcript.focus()
        await pilot.press("pageup")
        before = await drawn(pilot)
        assert not transcript.following
        assert not transcript.new_below
        transcript.append("a", "\n\n" + numbered(30, "later"))
        assert await drawn(pilot) == before
        assert transcript.new_below
        await pilot.press("end")
        assert "later 29" in (await drawn(pilot))[-1]
        assert transcript.following
        assert not transcript.new_below
        transcript.append("a", "\n\nthe last")
        assert "the last" in (await drawn(pilot))[-1]


async def test_scrolling_down_to_the_end_follows_again() -> None:
    app = Stage()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = app.transcript
        transcript.load([Entry.answer(numbered(40))])
        transcript.focus()
        await pilot.press("up", "up")
        assert not transcript.following
        await pilot.press("down", "down")
        assert transcript.following


async def test_a_new_prompt_returns_to_the_end() -> None:
    app = Stage()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = app.transcript
        transcript.load([Entry.answer(numbered(40))])
        transcript.focus()
        await pilot.press("home")
        assert "line 0" in "".join(await drawn(pilot))
        transcript.add_prompt("next")
        assert "▌ next" in await drawn(pilot)


async def test_scrolling_up_over_estimated_heights_never_jumps() -> None:
    app = Stage()
    entries = [
        Entry.answer(f"answer {n}\n\n" + "word " * (n * 7 % 90) + "\n\n```\n" + "x\n" * (n % 5) + "```")
        for n in range(60)
    ]
    async with app.run_test(size=(40, 16)) as pilot:
        transcript = app.transcript
        transcript.load(entries)
        before = await drawn(pilot)
        for _ in range(300):
            transcript.action_scroll_rows(-1)
            after = seen(transcript)
            assert after[1:] == before[:-1]
            before = after
        for _ in range(3):
            transcript.action_scroll_pages(-1)
            after = seen(transcript)
            assert after[-2:] == before[:2]
            before = after


async def test_ten_thousand_messages_are_laid_out_only_where_one_looks() -> None:
    app = Stage()
    async with app.run_test(size=(80, 30)) as pilot:
        transcript = app.transcript
        transcript.load(
            entry
            for n in range(5_000)
            for entry in (Entry.prompt(f"question {n}"), Entry.answer(f"answer {n}\n\n" + ANSWER * 3, status="done"))
        )
        rows = await drawn(pilot)
        assert rows[-1] == "done"
        assert len(transcript._rows._kept) < 100
        transcript.focus()
        await pilot.press("home")
        assert "▌ question 0" in await drawn(pilot)
        transcript.show(transcript.entries[5_000].key)
        assert "▌ question 2500" in (await drawn(pilot))[:2]
        assert len(transcript._rows._kept) < 200


def test_however_much_is_looked_at_the_lines_that_are_kept_are_bounded() -> None:
    rows = Rows(Look.of({}))
    rows.set_width(40)
    for number in range(200):
        rows.add(Entry.answer(f"answer {number}\n\n" + ANSWER * 3))
    for top in range(0, 4 * KEPT_LINES, 20):
        rows.measure(top, top + 20)
        rows.window(top, top + 20)
    assert rows.total > 3 * KEPT_LINES
    kept = [piece.lines for drawn in rows._drawn for piece in drawn.pieces if piece.lines is not None]
    assert KEPT_LINES / 2 < sum(map(len, kept)) <= KEPT_LINES
    assert rows._kept_lines == sum(map(len, kept))


async def test_a_resize_keeps_the_reading_position() -> None:
    app = Stage()
    async with app.run_test(size=(80, 20)) as pilot:
        transcript = app.transcript
        transcript.load([Entry.answer("\n\n".join(f"mark{n} " + "word " * 40 for n in range(50)))])
        transcript.focus()
        for _ in range(5):
            await pilot.press("pageup")
        await drawn(pilot)
        before = paragraph_at_the_top(transcript)
        for size in ((40, 20), (120, 20), (23, 9), (80, 20)):
            await pilot.resize_terminal(*size)
            await drawn(pilot)
            assert abs(paragraph_at_the_top(transcript) - before) <= 1
        assert not transcript.following


async def test_a_resize_at_the_end_stays_at_the_end() -> None:
    app = Stage()
    async with app.run_test(size=(80, 20)) as pilot:
        app.transcript.load([Entry.answer("word " * 2000 + "\n\nlast words")])
        for size in ((40, 10), (100, 30), (20, 5)):
            await pilot.resize_terminal(*size)
            assert (await drawn(pilot))[-1] == "last words"


async def test_thinking_is_folded_and_opens_by_click_and_by_key() -> None:
    app = Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = app.transcript
        transcript.begin_answer("a", "model")
        transcript.append_thinking("a", "first I think of this")
        transcript.append("a", "then I say it")
        assert "▸ thinking · ~6 tokens" in await drawn(pilot)
        await pilot.click(Transcript, offset=(4, row_with(transcript, "thinking")))
        rows = await drawn(pilot)
        assert "│ first I think of this" in rows
        assert "▾ thinking · ~6 tokens" in rows
        transcript.focus()
        await pilot.press("enter")
        assert "│ first I think of this" not in await drawn(pilot)
        assert app.clicked == []


async def test_a_discarded_answer_is_one_line_until_it_is_opened() -> None:
    app = Stage()
    async with app.run_test(size=(80, 20)) as pilot:
        transcript = app.transcript
        transcript.begin_answer("a", "gpt")
        transcript.append("a", "half an\n\nansw")
        await drawn(pilot)
        transcript.discard("a", "gpt-6-luna", "stream broke", tokens=212)
        assert [row for row in await drawn(pilot) if row] == ["▸ discarded 212 tokens of gpt-6-luna: stream broke"]
        await pilot.click(Transcript, offset=(4, row_with(transcript, "discarded")))
        rows = [row for row in await drawn(pilot) if row]
        assert rows == ["▾ discarded 212 tokens of gpt-6-luna: stream broke", "│ half an", "│", "│ answ"]


async def test_a_long_prompt_is_folded() -> None:
    app = Stage()
    async with app.run_test(size=(60, 60)) as pilot:
        transcript = app.transcript
        transcript.add_prompt("\n".join(f"pasted {n}" for n in range(40)))
        rows = await drawn(pilot)
        assert "▌ ▸ 28 more lines" in rows
        assert "▌ pasted 12" not in rows
        await pilot.click(Transcript, offset=(4, row_with(transcript, "more lines")))
        assert "▌ pasted 39" in await drawn(pilot)


async def test_a_click_tells_which_part_of_which_entry_it_hit() -> None:
    app = Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = app.transcript
        transcript.begin_answer("a", "the model")
        transcript.append("a", "the body")
        transcript.finish("a", "the status")
        await drawn(pilot)
        for text in ("the status", "the body", "the model"):
            await pilot.click(Transcript, offset=(3, row_with(transcript, text)))
        assert app.clicked == [("a", Part.STATUS), ("a", Part.BODY), ("a", Part.HEADING)]


async def test_a_growing_answer_shows_where_it_grows_and_a_finished_one_does_not() -> None:
    app = Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = app.transcript
        transcript.begin_answer("a")
        transcript.append("a", "more to come")
        assert "more to come▍" in await drawn(pilot)
        transcript.finish("a")
        assert "more to come" in await drawn(pilot)


async def test_dragging_selects_and_copies_without_decoration_and_with_wrapped_lines_whole() -> None:
    app = Stage()
    async with app.run_test(size=(30, 24)) as pilot:
        transcript = app.transcript
        transcript.add_prompt("ask this")
        transcript.load(
            [
                Entry.prompt("ask this"),
                Entry.answer(
                    "> quoted words that wrap around\n\n```py\nx = 1\n    y = 2\n```\n\n- an item that wraps around too"
                ),
            ]
        )
        await drawn(pilot)
        first, last = row_with(transcript, "ask this"), row_with(transcript, "too")
        await pilot.mouse_down(Transcript, offset=(1, first))
        await pilot.hover(Transcript, offset=(20, last))
        await pilot.mouse_up(Transcript, offset=(20, last))
        assert app.screen.get_selected_text() == (
            "ask this\n\nquoted words that wrap around\n\nx = 1\n    y = 2\n\n• an item that wraps around too"
        )
        highlighted = transcript.render_line(first)
        assert [
            text for text, style, _ in highlighted if style and style.bgcolor == transcript._rows.look.selection.bgcolor
        ] == ["ask this"]


async def test_what_was_never_on_the_screen_is_copied_too() -> None:
    app = Stage()
    async with app.run_test(size=(40, 10)) as pilot:
        transcript = app.transcript
        answers = [f"answer {n} " + "word " * (n % 30) for n in range(200)]
        transcript.load(Entry.answer(answer) for answer in answers)
        transcript.focus()
        await pilot.press("home")
        await drawn(pilot)
        start = Offset(0, row_with(transcript, "answer 0"))
        await pilot.press("end")
        end = Offset(200, transcript.scroll_offset.y + len(await drawn(pilot)) - 1)
        app.screen.selections = {transcript: Selection(start, end)}
        assert app.screen.get_selected_text() == "\n\n".join(answer.strip() for answer in answers)


async def test_a_part_of_a_line_can_be_copied() -> None:
    app = Stage()
    async with app.run_test(size=(60, 24)) as pilot:
        app.transcript.load([Entry.answer("one 中文 two")])
        await drawn(pilot)
        row = row_with(app.transcript, "one")
        app.screen.selections = {app.transcript: Selection(Offset(4, row), Offset(6, row))}
        assert app.screen.get_selected_text() == "中文"


async def test_selecting_all_gives_the_whole_conversation_as_it_was_written() -> None:
    app = Stage()
    async with app.run_test(size=(60, 10)):
        app.transcript.load([Entry.prompt("ask"), *(Entry.answer(f"**{n}**") for n in range(100))])
        text = app.transcript.get_selection(Selection(None, None))
        assert text is not None
        assert text[0].startswith("ask\n\n**0**\n\n**1**")
        assert text[0].endswith("**99**")


async def test_answers_and_their_code_are_handed_out_as_written() -> None:
    app = Stage()
    async with app.run_test(size=(60, 10)):
        app.transcript.begin_answer("a")
        app.transcript.append("a", "x\n```py\n1")
        app.transcript.append("a", "2\x1b\n```")
        assert app.transcript.text_of("a") == "x\n```py\n12\n```"
        assert app.transcript.code_blocks("a") == [("py", "12\n")]


MONSTERS = {"one line": "x" * 300_000, "paragraphs": "hi\n\n" * 5_000, "brackets": "[" * 50_000}


@pytest.mark.parametrize("name", MONSTERS)
def test_a_monstrous_text_is_read_in_slices_and_laid_out_only_in_view(name: str) -> None:
    rows = Rows(Look.of({}))
    rows.set_width(80)
    entry = Entry.answer(growing=True)
    rows.add(entry)
    entry.append(MONSTERS[name])
    # With no time at all it still gets on, a slice a step.
    steps = 0
    while rows.unread:
        rows._refresh(0, until=0.0)
        steps += 1
    assert steps == -(-len(MONSTERS[name]) // SLICE)
    rows.measure(rows.total - 40, rows.total)
    assert len(rows._kept) <= 40


async def test_text_that_comes_before_the_transcript_is_on_the_screen_is_not_lost() -> None:
    app = Stage()
    app.transcript.begin_answer("a")
    app.transcript.append("a", "early")
    async with app.run_test(size=(60, 10)) as pilot:
        assert "early▍" in await drawn(pilot)


async def test_a_change_of_theme_recolours_what_is_on_the_screen() -> None:
    app = Stage()
    palettes = {palette.name: palette for palette in themes.load([Path(__file__).parents[2] / "themes"]).palettes}
    async with app.run_test(size=(60, 10)) as pilot:
        for palette in palettes.values():
            app.register_theme(palette.to_textual())
        app.transcript.load([Entry.answer("words")])
        for name in ("dusk", "paper"):
            app.theme = name
            await drawn(pilot)
            strip = app.transcript.render_line(row_with(app.transcript, "words"))
            style = next(style for text, style, _ in strip if "words" in text)
            assert style is not None
            assert style.color is not None
            assert style.color.get_truecolor().hex == palettes[name].colors["text"].lower()


async def test_clearing_leaves_an_empty_screen() -> None:
    app = Stage()
    async with app.run_test(size=(60, 10)) as pilot:
        app.transcript.load([Entry.answer(numbered(50))])
        await drawn(pilot)
        app.transcript.load(())
        assert not any(await drawn(pilot))
        assert app.transcript.entries == []
