"""That lines of the screen do what Textual's do, and bring no caches that they do not use."""

from __future__ import annotations

import gc
import weakref

import pytest
from rich.segment import Segment
from rich.style import Style
from textual._styles_cache import StylesCache
from textual.cache import FIFOCache
from textual.color import Color
from textual.strip import Strip

from tui_orchestrator.ui import strips

strips.lighten()


def line() -> Strip:
    return Strip([Segment("some "), Segment("words", Style(bold=True))])


def test_a_line_makes_a_cache_when_it_first_uses_it() -> None:
    made = line()
    assert not [one for one in gc.get_referents(made) if isinstance(one, FIFOCache)]
    assert made.crop(2, 7) is made.crop(2, 7)
    assert len([one for one in gc.get_referents(made) if isinstance(one, FIFOCache)]) == 1


def test_a_line_is_cut_joined_and_coloured_as_before() -> None:
    made = line()
    assert made.cell_length == 10
    assert [part.text for part in made.divide([3, 10])] == ["som", "e words"]
    assert made.crop_extend(6, 14, None).text == "ords    "
    assert made.adjust_cell_length(12).text == "some words  "
    assert made.apply_style(Style(italic=True)) == Strip(
        [Segment("some ", Style(italic=True)), Segment("words", Style(bold=True, italic=True))]
    )
    assert made.apply_offsets(0, 1) is made.apply_offsets(0, 1)


def test_every_cache_of_a_line_is_known() -> None:
    made = line()
    for name in Strip.__slots__:
        getattr(made, name)


def test_what_a_line_has_not_is_missed_by_its_name() -> None:
    with pytest.raises(AttributeError, match="colour"):
        _ = line().colour  # type: ignore[attr-defined]


def test_the_lines_of_a_widget_go_with_it() -> None:
    of_widget, black, white = StylesCache(), Color(0, 0, 0), Color(255, 255, 255)
    inner, outer = of_widget.get_inner_outer(black, white)
    assert (inner.background, outer.background) == (white, black)
    gone = weakref.ref(of_widget)
    del of_widget
    assert gone() is None
