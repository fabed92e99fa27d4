"""What a selection with the mouse copies: the words and the tables, and nothing that is drawn only for its looks."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.geometry import Offset
from textual.selection import Selection

from tests.ui.conftest import console
from tests.ui.test_copying import live_in, surroundings, tool
from tests.ui.test_transcript import Stage, drawn, row_with
from tui_orchestrator.demo import Say, Script
from tui_orchestrator.ui.entries import Entry

TABLE = """\
| Fruit | Price | What is good about it |
|---|--:|:-:|
| apple | 1 | It keeps for **many** weeks in a cool and dry cellar |
| pear | 12 | `a|b` and soft |
| fig | 3 | sweet, but it<br>does not keep |
""".replace("`a|b`", "`a\\|b`")
HEAD, RULE, *ROWS = TABLE.replace("|---|--:|:-:|", "| --- | --: | :-: |").splitlines()


async def selected(text: str, first: str, last: str, width: int = 44, *, after: int = 0, growing: bool = False) -> str:
    """From where the one stands on the screen to behind the other, which begins no earlier."""
    app = Stage()
    async with app.run_test(size=(width, 40)) as pilot:
        app.transcript.load([Entry.answer(text, growing=growing)])
        rows = await drawn(pilot)
        top = row_with(app.transcript, first)
        bottom = next(row for row in range(top, len(rows)) if last in rows[row])
        start = Offset(rows[top].index(first), top)
        end = Offset(rows[bottom].index(last) + len(last) + after, bottom)
        app.screen.selections = {app.transcript: Selection(start, end)}
        return app.screen.get_selected_text() or ""


@pytest.mark.parametrize(
    ("first", "last", "copied"),
    [
        ("Price", "fig", [HEAD, RULE, *ROWS]),
        ("weeks", "soft", [HEAD, RULE, *ROWS[:2]]),
        ("pear", "soft", [HEAD, RULE, ROWS[1]]),
        ("pear", "does not", [HEAD, RULE, *ROWS[1:]]),
        ("Fruit", "Price", [HEAD, RULE]),
    ],
    ids=["header-on", "from-within", "a-row", "last-rows", "the-header"],
)
async def test_of_a_tables_rows_the_markdown_is_copied(first: str, last: str, copied: list[str]) -> None:
    assert await selected(TABLE, first, last) == "\n".join(copied)


@pytest.mark.parametrize(
    ("first", "last", "copied"),
    [
        ("apple", "apple", "apple"),
        ("12", "12", "12"),
        ("keeps", "for", "keeps for"),
        ("It keeps", "cellar", "It keeps for many weeks in a cool and dry cellar"),
        ("keeps for", "weeks", "keeps for many weeks"),
        ("sweet", "not keep", "sweet, but it\ndoes not keep"),
    ],
)
async def test_of_one_cell_its_text_is_copied_unwrapped(first: str, last: str, copied: str) -> None:
    assert await selected(TABLE, first, last) == copied


async def test_the_padding_beside_a_cell_belongs_to_it() -> None:
    assert await selected(TABLE, "fig", "fig", after=2) == "fig"


async def test_text_around_a_table_is_copied_with_it() -> None:
    said = await selected(f"Look at\nthis:\n\n{TABLE}\nThat is **all**.", "this", "That is all.")
    assert said == "\n".join(["this:", "", HEAD, RULE, *ROWS, "", "That is all."])


async def test_rows_told_one_by_one_are_copied_as_a_table_too() -> None:
    assert await selected(TABLE, "apple", "pear", width=20) == "\n".join([HEAD, RULE, *ROWS[:2]])
    assert await selected(TABLE, "many", "cellar", width=20) == "many weeks in a cool and dry cellar"


async def test_a_table_laid_out_in_parts_is_copied_as_one() -> None:
    rows = [f"| {n} | row {n} |" for n in range(60)]
    table = "\n".join(["| n | what |", "|---|---|", *rows])
    app = Stage()
    async with app.run_test(size=(60, 20)) as pilot:
        app.transcript.load([Entry.answer(table)])
        await drawn(pilot)
        last = app.transcript.max_scroll_y + 19
        app.screen.selections = {app.transcript: Selection(Offset(0, 0), Offset(60, last))}
        said = app.screen.get_selected_text() or ""
    assert said.splitlines() == ["| n | what |", "| --- | --- |", *rows]


async def test_a_table_within_a_quote_or_an_item_is_copied_without_what_stands_beside_it() -> None:
    short = ["| a | b |", "| --- | --- |", "| 1 | 2 |"]
    quoted = "\n".join(f"> {row}" for row in short)
    assert await selected(quoted, "a ", "2") == "\n".join(short)
    assert await selected(quoted, "2", "2") == "2"
    listed = "- this:\n\n" + "\n".join(f"  {row}" for row in short)
    assert await selected(listed, "a ", "2") == "\n".join(short)
    assert await selected(listed, "2", "2") == "2"


async def test_the_bar_of_a_quote_in_an_item_and_the_mark_of_growing_text_are_not_copied() -> None:
    assert await selected("- > quoted in an item\n  > and on", "• ", "and on") == "quoted in an item\nand on"
    assert await selected("more to come", "more", "▍", growing=True) == "more to come"


async def test_a_table_selected_with_the_mouse_is_copied_and_quoted_as_markdown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    got = tool(tmp_path / "bin", "xclip")
    live_in(monkeypatch, surroundings(tmp_path / "bin", DISPLAY=":0"))
    async with console(tmp_path, script=Script().always(Say(text=TABLE))) as seat:
        await seat.send("Which fruit?")
        await seat.ended()
        start = await seat.place("apple")
        end = await seat.place("soft")
        await seat.pilot.mouse_down(offset=start)
        await seat.pilot.hover(offset=end)
        await seat.pilot.mouse_up(offset=end)
        await seat.pilot.press("ctrl+c")
        await seat.until(lambda: got.exists() and got.read_text() != "", "something in the clipboard")
        rows = [HEAD, RULE, *ROWS[:2]]
        assert got.read_text() == "\n".join(rows)
        await seat.pilot.press("alt+q")
        assert seat.app.composer.prompt.text == "".join(f"> {row}\n" for row in rows) + "\n"
