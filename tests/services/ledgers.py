"""Ledgers to read by eye: a line a turn.

    30 × code/4 cheap ✓ 0.01            thirty turns of code, complexity 4: cheap answered, for a cent each
    30 × code/4 cheap ~ 0.01, dear ✓ 0.10     cheap's answer was not trusted, dear's was
    5 × code/4 cheap ✓- 0.01            voted down;  ✓+ voted up
    cheap ✗ 0.002                       failed;  ↻ a retry of the same model;  ? a second opinion

A turn ends with its last ✓; without one it failed. Four turns an hour, from 1 November 2026 on.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from tui_orchestrator.routing.errors import ErrorKind
from tui_orchestrator.routing.events import Cause, Outcome
from tui_orchestrator.routing.money import Money
from tui_orchestrator.storage.alerts import Refused
from tui_orchestrator.storage.evidence import End, Evidence, Opinion, Row

START = datetime(2026, 11, 1, 8, tzinfo=UTC)
_LINE = re.compile(r"(?:(\d+) × )?([\w]+)/(\d+) (.+)")
_STEP = re.compile(r"(↻ |\? )?(\S+) ([✓✗~])([+-]?)(?: ([\d.]+))?(?: (\d+)tok)?(?: (\d+)s)?")


def ledger(text: str, *, strategy: str = "balanced", same: bool = False, refused: tuple[Refused, ...] = ()) -> Evidence:
    """`same`: each line's turns ask word for word the same."""
    rows: list[Row] = []
    ends: list[End] = []
    opinions: list[Opinion] = []
    turn = 0
    for place, line in enumerate(part.strip() for part in text.strip().splitlines()):
        found = _LINE.fullmatch(line)
        assert found, line
        count, task, complexity, steps = found.groups()
        for _ in range(int(count or 1)):
            turn += 1
            name, at = f"r{turn}", START + timedelta(minutes=15 * turn)
            answered = None
            for number, step in enumerate(steps.split(", "), 1):
                read = _STEP.fullmatch(step)
                assert read, step
                sort, model, sign, vote, cost, tokens, seconds = read.groups()
                before = rows[-1] if number > 1 else None
                if vote:
                    opinions.append(Opinion(name, number, vote == "+"))
                if sign == "✓" and sort != "? ":
                    answered = model
                rows.append(
                    Row(
                        name,
                        number,
                        model,
                        strategy,
                        task,
                        _cause(sort, before),
                        Outcome.FAILED if sign == "✗" else Outcome.FINISHED,
                        at.date().isoformat(),
                        Money.from_usd(cost or "0").picodollars,
                        int(tokens or 300),
                        0,
                        float(seconds or 3),
                        None if sign == "✗" else 0.9 if sign == "✓" else 0.4,
                        ErrorKind.OVERLOADED if sign == "✗" else None,
                        0,
                    )
                )
            failed = None if answered else ErrorKind.OVERLOADED
            digest = f"d{place}" if same else f"d{turn}"
            ends.append(End(name, at.isoformat(), int(complexity), answered, answered is not None, failed, digest))
    return Evidence(tuple(rows), tuple(ends), tuple(opinions), refused)


def _cause(sort: str | None, before: Row | None) -> str:
    if sort == "↻ ":
        return Cause.RETRY
    if sort == "? ":
        return Cause.SECOND_OPINION
    if before is None:
        return Cause.FIRST
    return Cause.FALLBACK if before.outcome == Outcome.FAILED else Cause.ESCALATION


def refusals(count: int, scope: str = "day", cap: str = "1", spent: str = "0.98") -> tuple[Refused, ...]:
    """Two a day."""
    days = [START + timedelta(days=number // 2) for number in range(count)]
    return tuple(
        Refused(f"q{number}", at, scope, at.date().isoformat(), Money.from_usd(cap), Money.from_usd(spent))
        for number, at in enumerate(days)
    )
