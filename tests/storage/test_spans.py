from __future__ import annotations

from datetime import date

import pytest

from tui_orchestrator.storage.spans import Period, Span, span_of


@pytest.mark.parametrize(
    ("period", "today", "first", "last"),
    [
        ("today", "2026-11-21", "2026-11-21", "2026-11-21"),
        ("week", "2026-11-21", "2026-11-15", "2026-11-21"),
        ("week", "2026-01-03", "2025-12-28", "2026-01-03"),
        ("month", "2026-11-21", "2026-11-01", "2026-11-30"),
        ("month", "2026-12-31", "2026-12-01", "2026-12-31"),
        ("month", "2028-02-01", "2028-02-01", "2028-02-29"),
    ],
)
def test_a_period_ends_with_the_day_its_cap_ends_with(period: Period, today: str, first: str, last: str) -> None:
    assert span_of(period, date.fromisoformat(today)) == Span(date.fromisoformat(first), date.fromisoformat(last))
