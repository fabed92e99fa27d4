"""The rows and columns of the table of models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from tui_orchestrator.routing.explanation import SHOWN
from tui_orchestrator.routing.health import HealthState

from . import words
from .tabular import NAME, Column

if TYPE_CHECKING:
    from tui_orchestrator.routing.model import Model
    from tui_orchestrator.routing.profile import TaskType
    from tui_orchestrator.services.runtime import Runtime

LEVELS = {"basic": 1, "intermediate": 2, "advanced": 3, "expert": 4}


@dataclass(frozen=True, slots=True)
class Row:
    """A model with what is only known while the program runs."""

    model: Model
    state: str
    """A key of words.HEALTH."""
    detail: str = ""
    """Seconds left, or why it is out."""
    pinned: bool = False
    favourite: bool = False
    tokens_per_s: float | None = None
    """Measured by this user's own calls; None: none yet."""
    votes: tuple[int, int] = (0, 0)
    """For and against."""
    learned: tuple[TaskType, float] | None = None
    """Where what the user did with its answers moved the ability the most."""


def rows_of(runtime: Runtime, pinned: str | None) -> list[Row]:
    rows = []
    for model in runtime.registry:
        health = runtime.health(model.id)
        detail = health.detail if health.seconds_left is None else f"{health.seconds_left:.0f} s"
        if health.state is HealthState.UNREACHABLE and health.seconds_left is not None:
            detail += f" · {health.detail}"
        experience = runtime.router.experience
        lesson, speed = experience.lesson(model.id, runtime.clock.now()), experience.of(model.id).tokens_per_s
        learned = lesson.largest_shift(runtime.settings.policy.discrimination)
        favourite = model.id in runtime.favourites
        rows.append(Row(model, health.state, detail, model.id == pinned, favourite, speed, lesson.votes, learned))
    return rows


def _price(row: Row, which: str) -> str:
    price = row.model.price
    if price is None:
        return "?"
    return "free" if price.free else words.rate(getattr(price.rates, which))


def _price_order(row: Row, which: str) -> float:
    # An unknown price sorts as the dearest: it is not to be taken for a bargain.
    return float("inf") if row.model.price is None else getattr(row.model.price.rates, which)


def health(row: Row) -> str:
    glyph, _, word = words.HEALTH[row.state]
    return f"{glyph} {word}" + (f" · {row.detail}" if row.detail else "")


def abilities(model: Model) -> str:
    """One letter each in a fixed order, a dot where it lacks: 'VT·L·'."""
    return "".join(letter if ability in model.abilities else "·" for ability, letter in words.ABILITY_LETTERS.items())


def _votes(row: Row) -> str:
    return " ".join(f"{sign}{count}" for sign, count in zip("▲▼", row.votes, strict=True) if count) or "–"


def _learned(row: Row) -> str:
    if row.learned is None or abs(row.learned[1]) < SHOWN:
        return "–"
    task, shift = row.learned
    return f"{words.spoken(task)} {shift:+.2f}".replace("-", "−")


def marks(row: Row) -> str:
    """MARKS cells: pinned, and among the favourites."""
    return ("★" if row.pinned else " ") + ("*" if row.favourite else " ")


def _fit(texts: Sequence[str], room: int) -> list[str]:
    names = words.fit_models([text[MARKS:] for text in texts], room - MARKS)
    return [text[:MARKS] + name for text, name in zip(texts, names, strict=True)]


def _style(row: Row) -> str:
    return words.MUTED if row.state == "disabled" else ""


def _column(
    title: str,
    cell: Callable[[Row], str],
    order: Callable[[Row], Any],
    drop: int,
    justify: Literal["left", "right"] = "left",
) -> Column[Row]:
    return Column(title, cell, order, justify, drop, style=_style)


MARKS = 2
COLUMNS: tuple[Column[Row], ...] = (
    Column(
        "model",
        lambda row: f"{marks(row)}{row.model.id}",
        lambda row: row.model.id,
        "left",
        # Told whole in its card.
        shrink=NAME,
        style=lambda row: "bold" if row.pinned and row.state != "disabled" else _style(row),
        fit=_fit,
    ),
    _column("level", lambda row: row.model.level, lambda row: (LEVELS[row.model.level], row.model.ability), 7),
    _column("$ in/M", lambda row: _price(row, "input"), lambda row: _price_order(row, "input"), 2, "right"),
    _column("$ out/M", lambda row: _price(row, "output"), lambda row: _price_order(row, "output"), 1, "right"),
    _column(
        "context",
        lambda row: "?" if row.model.context_window is None else words.tokens(row.model.context_window),
        lambda row: -(row.model.context_window or 0),
        5,
        "right",
    ),
    _column("can", lambda row: abilities(row.model), lambda row: -len(row.model.abilities), 3),
    _column(
        "tok/s",
        lambda row: "–" if row.tokens_per_s is None else f"{row.tokens_per_s:.0f}",
        lambda row: -(row.tokens_per_s or 0),
        6,
        "right",
    ),
    _column("votes", _votes, lambda row: row.votes[1] - row.votes[0], 4),
    _column("learned", _learned, lambda row: -(row.learned[1] if row.learned else 0.0), 8),
    Column(
        "health",
        health,
        lambda row: list(words.HEALTH).index(row.state),
        "left",
        # Why a model is out is told whole in its card.
        shrink=21,
        style=lambda row: words.HEALTH[row.state][1],
    ),
)


NARROW = 48
"""Cells below which a model is told without its provider where no other is called the same."""


def by_name(rows: Iterable[Row]) -> Column[Row]:
    """The first column, without providers."""
    count = Counter(words.short_name(row.model.id) for row in rows)

    def named(row: Row) -> str:
        name = words.short_name(row.model.id)
        return f"{marks(row)}{name if count[name] == 1 else row.model.id}"

    return replace(COLUMNS[0], cell=named)
