"""What is cleaned commands no terminal, whatever it was."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks.terminal.pseudoterminal import foreign
from tui_orchestrator.routing.text import Cleaning, clean, clean_line, unjoined

from .made_up import at_length, hostile, repeated


def harmless(text: str) -> None:
    assert foreign(text.encode()) == []
    assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]


@at_length
@given(hostile | repeated | st.text(st.characters(), max_size=300))
def test_a_text(text: str) -> None:
    cleaned = clean(text)
    harmless(cleaned)
    assert clean(cleaned) == cleaned
    harmless(unjoined(cleaned))


@at_length
@given(hostile, st.lists(st.integers(0, 200), max_size=8))
@example("a \ud800\udfff", [3])
@example("\ud800\ud800\x00\udfff", [1, 2, 3])
def test_a_text_that_comes_in_pieces(text: str, cuts: list[int]) -> None:
    borders = [0, *sorted(cuts), len(text)]
    cleaning = Cleaning()
    pieces = [cleaning.next(text[start:end]) for start, end in pairwise(borders)]
    assert "".join([*pieces, cleaning.rest()]) == clean(text)


@at_length
@given(hostile | repeated | st.text(st.characters(), max_size=300), st.integers(1, 400))
@example("\U0001f466\u200d\u200d", 5)
@example("\U0001f466\ufe0f\u200d\ufe0f\u200d\u200da", 5)
def test_a_line(text: str, limit: int) -> None:
    line = clean_line(text, limit)
    harmless(line)
    assert len(line) <= limit
    assert not set(line) & {"\n", "\t"}
    assert line == line.strip()
    assert clean_line(line, limit) == line
