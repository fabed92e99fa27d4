"""Whatever a model writes, its lines fit, hold nothing that acts, and do not depend on how they came."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from benchmarks.terminal.pseudoterminal import foreign
from tests.ui.test_markdown import MARKDOWN
from tui_orchestrator.routing.text import clean
from tui_orchestrator.ui import markdown
from tui_orchestrator.ui.blocks import MAX_CHARACTERS, MAX_LINES, Block, Splitter
from tui_orchestrator.ui.entries import Entry
from tui_orchestrator.ui.look import Look
from tui_orchestrator.ui.rows import Rows

from .made_up import at_length, hostile, repeated

LOOK = Look.of({})
nested = st.lists(st.sampled_from(["- ", "> ", "1. ", "  ", "   ", "    ", "* ", "\t"]), max_size=80).map("".join)
answers = st.lists(hostile | MARKDOWN | nested | repeated.map(lambda text: text[:6_000]), max_size=5).map("".join)


def blocks_of(text: str, cuts: list[int]) -> list[Block]:
    splitter = Splitter()
    borders = [0, *sorted(cuts), len(text)]
    for start, end in pairwise(borders):
        splitter.feed(text[start:end])
        splitter.growing()
    splitter.finish()
    return splitter.settled


@at_length
@given(answers, st.lists(st.integers(0, 400), max_size=6), st.integers(1, 200))
@example("\u200d\u200d]52;c;SE9TVElMRQ==", [], 1)
def test_blocks_and_their_lines(text: str, cuts: list[int], width: int) -> None:
    text = clean(text)
    blocks = blocks_of(text, cuts)
    assert blocks == blocks_of(text, [])
    for block in blocks:
        assert len(block.text) <= 2 * MAX_CHARACTERS + 1
        assert block.text.count("\n") < MAX_LINES
        for line in markdown.lay_out(block, width, LOOK):
            assert cell_len(line.text) <= max(markdown.MIN_WIDTH, width)
            assert not set(line.text) & {"\n", "\t"}
            assert foreign(line.text.encode()) == []
            strip = line.to_strip(max(markdown.MIN_WIDTH, width), LOOK.base)
            assert strip.cell_length == max(markdown.MIN_WIDTH, width)
            assert all(segment.style is None or not segment.style.link for segment in strip)


@at_length
@given(answers)
def test_blocks_of_code_that_can_be_copied(text: str) -> None:
    for language, code in markdown.fences(clean(text)):
        (language + code).encode()


@at_length
@given(st.lists(answers, max_size=4), answers, hostile, st.integers(10, 120), st.booleans())
@example([], "", "\t0000000", 10, False)
@example([], "", "]52;c;SE9TVElMRQ==**00000\u1100\r\n", 27, False)
def test_an_answer_in_the_transcript(
    pieces: list[str], thinking: str, heading: str, width: int, discarded: bool
) -> None:
    rows = Rows(LOOK)
    rows.set_width(width)
    entry = Entry.answer(heading=heading, thinking=thinking, growing=True)
    rows.add(entry)
    for piece in pieces:
        entry.append(piece)
        rows.touch(entry.key)
        rows.read()
        rows.measure(0, 50)
    entry.growing, entry.status, entry.changed = False, heading, True
    if discarded:
        entry.discarded = heading
    rows.touch(entry.key)
    while rows.unread:
        rows.read()
    rows.measure(0, 10**6)
    for row in range(rows.total):
        if (found := rows.find(row)) and found.line:
            assert foreign(found.line.text.encode()) == []
            assert cell_len(found.line.text) <= width
