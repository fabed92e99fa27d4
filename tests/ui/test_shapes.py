"""State is told by shape as well as by colour."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tui_orchestrator.ui import bill, history, report_tables, traffic, words
from tui_orchestrator.ui.words import ACCENT, BAD, GOOD, MUTED, WARN

TABLES: dict[str, Mapping[str, tuple[str, str]]] = {
    "attempts": {outcome.value: shown for outcome, shown in bill._OUTCOMES.items()},
    "reports": report_tables._OUTCOMES,
    "decisions": history._OUTCOMES,
    "gateway": traffic._STATES,
    "models": {state: (glyph, style) for state, (glyph, style, _) in words.HEALTH.items()},
}


@pytest.mark.parametrize("table", TABLES)
def test_what_differs_in_colour_differs_in_shape(table: str) -> None:
    colours: dict[str, set[str]] = {}
    for glyph, style in TABLES[table].values():
        colours.setdefault(glyph, set()).add(style)
    assert len(colours) > 2
    assert {glyph: styles for glyph, styles in colours.items() if len(styles) > 1} == {}
    assert {style for styles in colours.values() for style in styles} <= {ACCENT, BAD, GOOD, MUTED, WARN}
