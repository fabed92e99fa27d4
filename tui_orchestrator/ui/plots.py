"""Spending over time as a plot, and speeds as a sparkline. Slow enough (about 10 ms) to belong into a thread."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich.color import Color, ColorType
from rich.console import Console
from rich.text import Text
from textual.content import Content
from textual.renderables.sparkline import Sparkline

from tui_orchestrator.routing.money import ZERO, Money
from tui_orchestrator.services.spending import Trend

from .look import Look

LEAST_WIDTH, LEAST_HEIGHT = 24, 5
_LABELS = 8
"""Cells of the figures at the left: a fixed number, so that the plot stays where it is when they grow."""
_WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_NEAR = 2.5
"""A cap above this many times what is drawn would press everything else flat, and is told in words instead."""
_PLOTEXT = threading.Lock()
"""plotext draws on one figure of its module."""


@dataclass(frozen=True, slots=True)
class _Canvas:
    """Two points to a cell across, so that every column of blocks is drawn whole."""

    points: int
    length: float
    """What the width stands for."""
    top: float
    """Dollars."""

    def place(self, at: float) -> int:
        return max(0, min(self.points - 1, round(at / self.length * (self.points - 1))))

    @property
    def slot(self) -> int:
        """Points of a bar and the gap beside it: whole cells, so that all bars are as wide."""
        return self.points // 2 // round(self.length) * 2


def draw(trend: Trend, width: int, height: int, look: Look) -> Content:
    """Exactly `height` lines of at most `width` cells, the hours or days below the axis included."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return Content("\n" * (height - 1))
    import plotext  # type: ignore[import-untyped]  # here, because it takes a tenth of a second

    canvas = _Canvas((width - _LABELS - 1) * 2, trend.length, _top(trend))
    with _PLOTEXT:
        plotext.clear_figure()
        plotext.limit_size(False, False)
        plotext.plot_size(width, height)
        _frame(plotext, trend, canvas, look)
        if trend.span == "week":
            _bars(plotext, trend, canvas, look)
        else:
            _area(plotext, trend, canvas, look)
        _cap(plotext, trend, canvas, look)
        drawn = Text.from_ansi(plotext.build())
    return Content.from_rich_text(drawn).rstrip()


def _frame(plot: Any, trend: Trend, canvas: _Canvas, look: Look) -> None:
    plot.canvas_color("default")
    plot.axes_color("default")
    plot.ticks_color(_color(look, "muted"))
    plot.frame(False)
    plot.xaxes(True, False)
    plot.yaxes(True, False)
    plot.xlim(0, canvas.points - 1)
    plot.ylim(0, canvas.top)
    places, labels = _ticks(trend)
    slot = canvas.slot if trend.span == "week" else (canvas.points - 1) / trend.length
    plot.xticks([at * slot for at in places], labels)
    levels = (0.0, canvas.top / 2, canvas.top)
    plot.yticks(levels, [f"{_dollars(level)!s:>{_LABELS}}" for level in levels])


def _ticks(trend: Trend) -> tuple[list[float], list[str]]:
    match trend.span:
        case "today":
            hours = range(trend.hour, 25, 6 if trend.hour == 0 else 3 if trend.hour < 18 else 2)
            return [float(hour - trend.hour) for hour in hours], [f"{hour:02}" for hour in hours]
        case "week":
            first = trend.first.weekday()
            return [day + 0.5 for day in range(7)], [_WEEKDAYS[(first + day) % 7] for day in range(7)]
        case "month":
            days = range(0, int(trend.length), 7)
            return [float(day) for day in days], [str(day + 1) for day in days]


def _area(plot: Any, trend: Trend, canvas: _Canvas, look: Look) -> None:
    """All that was spent until then, and on as it would go: solid, then dotted."""
    end = canvas.place(trend.so_far)
    starts = [(canvas.place(spell.at), float(spell.amount.usd)) for spell in trend.spells]
    first = min((start for start, _ in starts), default=end + 1)
    total, heights = 0.0, []
    for point in range(first, end + 1):
        total += sum(amount for start, amount in starts if start == point)
        heights.append(total)
    if heights:
        plot.plot(list(range(first, end + 1)), heights, marker="hd", color=_color(look, "secondary"), fillx=True)
    if trend.expected is not None and end < canvas.points - 1:
        slope = (float(trend.expected.usd) - total) / (canvas.points - 1 - end)
        ahead = list(range(end + 2, canvas.points, 3))
        rising = [total + slope * (point - end) for point in ahead]
        plot.scatter(ahead, rising, marker="•", color=_color(look, "warning"))


def _bars(plot: Any, trend: Trend, canvas: _Canvas, look: Look) -> None:
    for spell in trend.spells:
        left = round(spell.at) * canvas.slot + 2
        right = max(left + 1, left + canvas.slot - 3)
        role = "accent" if spell.at + 1 > trend.so_far else "secondary"
        points = list(range(left, right + 1))
        plot.plot(points, [float(spell.amount.usd)] * len(points), marker="hd", color=_color(look, role), fillx=True)


def _cap(plot: Any, trend: Trend, canvas: _Canvas, look: Look) -> None:
    if trend.limit is None:
        return
    level, color = float(trend.limit.usd), _color(look, "error")
    said = f"cap {trend.limit}"
    if level > canvas.top:
        plot.text(f"{said} ↑", 1, canvas.top, color=color, alignment="left")
        return
    plot.plot([0, canvas.points - 1], [level, level], marker="─", color=color)
    plot.text(f"{said} ", 1, level, color=color, alignment="left")


def _top(trend: Trend) -> float:
    """A round figure above all that is drawn; it changes seldom, so that the plot does not breathe."""
    if trend.span == "week":
        drawn = max((spell.amount for spell in trend.spells), default=ZERO)
    else:
        drawn = max(trend.spent, trend.expected or ZERO)
    highest = float(drawn.usd) or 0.01
    if trend.limit and float(trend.limit.usd) <= _NEAR * highest:
        highest = max(highest, float(trend.limit.usd))
    step = 10.0 ** math.floor(math.log10(highest * 1.05))
    return next(step * factor for factor in (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12) if step * factor >= highest * 1.05)


def _dollars(level: float) -> Money:
    return Money.from_usd(Decimal(f"{level:.12f}"))


def _color(look: Look, role: str) -> tuple[int, int, int] | int | str:
    """As plotext takes it: one of the terminal's own colours by its number, which no theme of ours can know."""
    color = look.style(role).color
    if color is None or color.is_default:
        return "default"
    if color.type is ColorType.STANDARD and color.number is not None:
        return color.number
    red, green, blue = color.get_truecolor()
    return red, green, blue


def sparkline(speeds: Sequence[float], width: int, look: Look) -> Content:
    """As wide as there are speeds, at most `width`."""
    width = min(width, len(speeds))
    if width < 2:
        return Content("")
    low, high = (_color(look, role) for role in ("muted", "primary"))
    line = Sparkline(list(speeds), width=width)
    blended = isinstance(low, tuple) and isinstance(high, tuple)
    if isinstance(low, tuple) and isinstance(high, tuple):
        line = Sparkline(list(speeds), width=width, min_color=Color.from_rgb(*low), max_color=Color.from_rgb(*high))
    segments = _CONSOLE.render(line, _CONSOLE.options.update(width=width))
    # Between two of the terminal's own colours there is none.
    drawn = [(segment.text, (segment.style or "") if blended else look.style("primary")) for segment in segments]
    return Content.from_rich_text(Text.assemble(*drawn))


_CONSOLE = Console(width=200, color_system="truecolor")
