"""The line above an answer: every attempt of its turn, in order, and how each came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tui_orchestrator.routing.events import AttemptFinished, Cause, Recalled
from tui_orchestrator.routing.telling import check_name

from . import words
from .look import Mark


@dataclass(slots=True)
class Leg:
    """One attempt as the trail shows it."""

    number: int
    model: str
    cause: Cause
    glyph: str = "◐"
    role: str = "accent"
    detail: str = ""
    has_text: bool = False
    """In the transcript."""
    in_column: bool = False
    finished: AttemptFinished | None = None
    text: list[str] = field(default_factory=list)
    """Of a check, which is not shown before it is over."""
    checks: list[Mark] = field(default_factory=list)
    """What was found of its answer, for the trail."""
    checked_by: str = ""
    """What checks it now."""
    is_answer: bool = True
    """One of the turn's own; False for a check, and for what is about a part of the prompt."""
    part: str = ""
    """The part it is about: '3 of 12'."""

    @property
    def is_check(self) -> bool:
        return not self.is_answer and not self.part

    @property
    def about(self) -> str:
        """What it is, where it is no answer."""
        return f"part {self.part}" if self.part else check_name(self.cause)


def recalled_in_short(recalled: Recalled) -> str:
    return "from the cache" if recalled.similarity is None else f"≈ {recalled.similarity:.2f} an earlier answer"


def trail(legs: Sequence[Leg]) -> list[Mark]:
    """Empty where no answer was asked for yet."""
    marks: list[Mark] = []
    ensemble = any(leg.cause is Cause.ENSEMBLE for leg in legs)
    for leg in legs:
        if not leg.is_answer:
            continue
        if marks:
            marks.append(("  " if ensemble else " → ", "muted"))
        marks.append((f"{words.short_name(leg.model)} ", "strong" if leg.glyph in "◐✓★" else "muted"))
        marks += leg.checks
        if leg.checks and leg.glyph == "~":
            # The confidence it ends with stands there already.
            marks.append((f" {leg.detail.partition(' ')[2]}".rstrip(), leg.role))
        else:
            marks.append((f"{' ' if leg.checks else ''}{leg.glyph} {leg.detail}".rstrip(), leg.role))
        if leg.checked_by:
            marks.append((f" · {leg.checked_by} ◐", "accent"))
    return marks
