from __future__ import annotations

from datetime import date

import pytest

from tui_orchestrator.storage.spans import PERIODS, Period, Span, day_of, span_of


@pytest.mark.parametrize(
    ("period", "today", "first", "last"),
    [
        ("today", "2026-11-21", "2026-11-21", "2026-11-21"),
        ("day", "2026-11-21", "2026-11-21", "2026-11-21"),
        ("week", "2026-11-21", "2026-11-15", "2026-11-21"),
        ("week", "2026-01-03", "2025-12-28", "2026-01-03"),
        ("month", "2026-11-21", "2026-11-01", "2026-11-30"),
        ("month", "2026-12-31", "2026-12-01", "2026-12-31"),
        ("month", "2028-02-01", "2028-02-01", "2028-02-29"),
    ],
)
def test_a_period_ends_with_the_day_its_cap_ends_with(period: Period, today: str, first: str, last: str) -> None:
    assert span_of(period, date.fromisoformat(today)) == Span(date.fromisoformat(first), date.fromisoformat(last))


def test_all_time_has_no_ends_and_a_span_stays_as_it_is() -> None:
    today = date(2026, 11, 21)
    assert span_of("all", today) == Span()
    assert span_of(Span(today), today) == Span(today)
    assert {str(span_of(period, today)) for period in PERIODS} == {
        "2026-11-21",
        "2026-11-15 to 2026-11-21",
        "2026-11-01 to 2026-11-30",
        "all time",
    }


EARLY, LATE = date(2026, 1, 2), date(2026, 1, 3)


@pytest.mark.parametrize(
    ("span", "bounds", "said"),
    [
        (Span(), ("", "9999-12-31"), "all time"),
        (Span(EARLY), ("2026-01-02", "9999-12-31"), "since 2026-01-02"),
        (Span(None, LATE), ("", "2026-01-03"), "until 2026-01-03"),
        (Span(EARLY, EARLY), ("2026-01-02", "2026-01-02"), "2026-01-02"),
        (Span(EARLY, LATE), ("2026-01-02", "2026-01-03"), "2026-01-02 to 2026-01-03"),
    ],
)
def test_a_span_may_be_open_on_either_side(span: Span, bounds: tuple[str, str], said: str) -> None:
    assert (span.bounds, str(span)) == (bounds, said)


def test_a_span_that_ends_before_it_begins_is_refused_with_both_days() -> None:
    with pytest.raises(ValueError, match="would end on 2026-01-02, before it begins on 2026-01-03"):
        Span(LATE, EARLY)


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2025-12-31", "2025-12-31"),
        (" Today ", "2026-11-21"),
        ("yesterday", "2026-11-20"),
        ("0d", "2026-11-21"),
        ("7d", "2026-11-14"),
        ("2 W", "2026-11-07"),
        ("3m", "2026-08-23"),
        ("9999d", "1999-07-07"),
    ],
)
def test_a_day_may_be_said_by_how_long_ago_it_was(said: str, day: str) -> None:
    assert day_of(said, date(2026, 11, 21)) == date.fromisoformat(day)


@pytest.mark.parametrize("said", ["", "soon", "99999d", "7y", "-1d", "2026-02-30", "7d ago"])
def test_what_is_no_day_is_told_with_what_would_be_one(said: str) -> None:
    with pytest.raises(ValueError, match="is not a day; say it as 2026-11-21, or today, yesterday, or 7d, 2w, 3m"):
        day_of(said, date(2026, 11, 21))
