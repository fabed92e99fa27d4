"""The line above an answer: every attempt of its turn, in order, and how each came out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tui_orchestrator.routing.events import (
    CHECKS,
    Attempt,
    AttemptFinished,
    Cause,
    Finding,
    Outcome,
    Recalled,
    Verdict,
)
from tui_orchestrator.routing.telling import KILLED, check_name, said

from . import words
from .look import Mark

_PART = "part "


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
    """Where it is not shown before it is over."""
    thoughts: list[str] = field(default_factory=list)
    """The same."""
    why: str = ""
    """It is not the turn's answer, as far as that is known."""
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
        return f"{_PART}{self.part}" if self.part else check_name(self.cause)

    def fail(self, cancelled: bool, status: int | None, kind: str, seconds: float) -> None:
        """`status`: of HTTP, where there is one."""
        self.glyph, self.role = ("■", "warning") if cancelled else ("✗", "error")
        self.detail = f"{status or words.spoken(kind)} {words.seconds(seconds)}"


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


def weighed(why: str) -> str:
    """Of why a turn went on from an answer: '0.41 < 0.60'."""
    return re.split("[:;]", why)[0]


def tell_check(answer: Leg, finding: Finding, legs: Mapping[int, Leg]) -> None:
    """What a check of the answer found; `legs` are all of its turn."""
    if not answer.checks:
        answer.checks.append((f"~ {finding.before:.2f}", "muted"))
    who = check_name(finding.how)
    if finding.how is not Cause.SAMPLE:
        who += f" {words.short_name(finding.model)}"
    if finding.agrees is None:
        faults = [leg.detail for number in finding.attempts if (leg := legs[number]).glyph == "✗"]
        answer.checks.append((f" · {who} {f'✗ {faults[0]}' if finding.failed else said(finding)}", "muted"))
    else:
        answer.checks.append((f" · {who} {said(finding)} → ", "muted"))
        answer.checks.append((f"{finding.after:.2f}", "success" if finding.agrees else "warning"))


def mark(legs: Mapping[int, Leg], verdict: Verdict) -> None:
    """With the scores of an ensemble's members, and the star of the one that won, in place of one before."""
    for score in verdict.scores:
        if (leg := legs.get(score.attempt)) is not None:
            leg.detail, leg.glyph, leg.role = f"{score.total:.2f}", "✓", "success"
            if score.attempt == verdict.winner:
                leg.glyph, leg.role = "★", "warning"


def legs_of(attempts: Sequence[Attempt], stands: int | None, whys: Mapping[int, str]) -> dict[int, Leg]:
    """Of a turn that is over. `stands`: whose answer is the turn's; `whys`: why the turn went on from the others."""
    legs = {one.number: _leg(one, whys.get(one.number, "")) for one in attempts}
    for number, leg in legs.items():
        # A second opinion was there already when the turn would have gone on to it.
        taken = any(one.onward is not None and one.onward.taken and one.onward.model == leg.model for one in attempts)
        leg.is_answer = leg.is_answer or number == stands or (leg.is_check and taken)
    answers = [one for one in attempts if legs[one.number].is_answer]
    for one in answers:
        for finding in one.findings:
            if legs.keys() >= set(finding.attempts):
                tell_check(legs[one.number], finding, legs)
    for one, following in pairwise(answers):
        if one.outcome is Outcome.FINISHED and following.cause in (Cause.ESCALATION, *CHECKS):
            leg = legs[one.number]
            sure = "" if one.confidence is None else f"{one.confidence:.2f}"
            leg.glyph, leg.role, leg.detail = "~", "warning", weighed(whys.get(one.number, sure))
    return legs


def _leg(one: Attempt, why: str) -> Leg:
    part = why.removeprefix(_PART) if why.startswith(_PART) else ""
    is_answer = one.cause not in CHECKS and one.cause is not Cause.PART and not part
    leg = Leg(one.number, one.model, one.cause, is_answer=is_answer, part=part)
    if one.outcome is Outcome.FINISHED:
        leg.glyph, leg.role = "✓", "success"
        leg.detail = "" if one.recalled is None else recalled_in_short(one.recalled)
        return leg
    if one.error_message == KILLED:
        leg.glyph, leg.role, leg.detail = "■", "warning", "interrupted"
        return leg
    leg.fail(one.outcome is Outcome.CANCELLED, one.error_status, one.error_kind or one.outcome, one.latency_s)
    return leg
