"""What the reports can be asked: which of them, of what time, a row for each what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from tui_orchestrator.storage.reports import Aspect, Dimension, Span
from tui_orchestrator.storage.spans import span_of

from . import words

Tab = Literal["costs", "performance", "advice"]
TABS: tuple[Tab, ...] = ("costs", "performance", "advice")
EACH = "attempt"
COST_GROUPINGS: tuple[tuple[str, ...], ...] = (
    ("model",), ("provider",), ("task",), ("strategy",), ("day",), ("week",), ("month",), ("session",), ("cause",),
    ("outcome",), ("cost_state",), ("model", "task"), ("model", "cause"), ("model", "outcome"), ("task", "strategy"),
    ("day", "model"), (EACH,),
)  # fmt: skip
ASPECT_GROUPINGS: tuple[tuple[Aspect, ...], ...] = (
    ("model", "task"), ("model",), ("task",), ("provider",), ("strategy",), ("model", "strategy"),
)  # fmt: skip


def periods(today: date) -> dict[str, Span]:
    """By how they are called, the shortest first. With an end each, as `span_of` says why."""
    last_month = today.replace(day=1) - timedelta(days=1)
    return {
        "today": span_of("today", today),
        "yesterday": Span(today - timedelta(days=1), today - timedelta(days=1)),
        "last 7 days": span_of("week", today),
        "this month": span_of("month", today),
        "last month": Span(last_month.replace(day=1), last_month),
        "last 90 days": Span(today - timedelta(days=89), today),
        "this year": Span(today.replace(month=1, day=1), today.replace(month=12, day=31)),
        "all time": Span(),
    }


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at."""

    tab: Tab = "costs"
    period: str = "this month"
    by: tuple[str, ...] = ("model",)
    where: tuple[tuple[Dimension, str], ...] = ()
    """Of one group alone: the row that was opened."""
    sorted_by: str = ""
    """Title of a column; '': as they come, the dearest, the most used or the latest first."""
    turned: bool = False


def view_of(tab: Tab) -> View:
    return View(tab, by=("model", "task") if tab == "performance" else ("model",))


def joined(by: Sequence[str]) -> str:
    return " and ".join(words.spoken(one) for one in by)
