"""What is told of experiments: tables for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..routing.event_json import usd
from ..services.findings import ArmFigures, Findings, interval_in_words, sentence
from .manners import note, say
from .printing import as_json, table


def tell(found: Findings, as_object: bool) -> None:
    if as_object:
        say(as_json(findings_json(found)))
        return
    one = found.experiment
    what = "your own turns" if found.kept.kind == "traffic" else "a file"
    say(f"{one.name} · {found.state} · on {what} · since {found.kept.started:%Y-%m-%d %H:%M} UTC")
    rows = [_row(figures) for figures in (found.a, found.b)]
    head = ("", "way", "turns", "outcomes", "good", "95 % interval", "a turn", "in all", "seconds")
    say(table(head, rows, right=("turns", "outcomes", "good", "a turn", "in all", "seconds")))
    say("")
    say(sentence(found))
    if found.interval is not None:
        say(f"B against A: {interval_in_words(found.interval)} at 95 %, however often one looks.")
    if one.judge:
        unsure = f", {found.unsure:,} times unsure" if found.unsure else ""
        say(f"Judged by {one.judge} for {found.judging}{unsure}.")
    elif found.unsure:
        say(f"{found.unsure:,} answers cannot be compared with the expected one; --judge MODEL would tell.")


def _row(figures: ArmFigures) -> tuple[str, ...]:
    per_turn = "$?" if figures.per_turn is None and figures.turns else str(figures.per_turn or "")
    rate = figures.rate
    return (
        figures.side.upper(),
        figures.arm.short,
        f"{figures.turns:,}",
        f"{figures.outcomes:,}",
        "" if rate is None else f"{rate:.0%}".replace("%", " %"),
        "" if rate is None else f"{figures.interval.low * 100:.0f} to {figures.interval.high * 100:.0f} %",
        per_turn if figures.turns else "",
        str(figures.cost),
        "" if figures.seconds is None else f"{figures.seconds:.1f}",
    )


def tell_all(every: Sequence[Findings], as_object: bool) -> None:
    if as_object:
        say(as_json({"experiments": [findings_json(found) for found in every]}))
        return
    if not every:
        note("There is no experiment yet; `experiment start` begins one.")
        return
    rows = [
        (
            found.experiment.name,
            found.state,
            found.experiment.a.short,
            found.experiment.b.short,
            f"{found.a.turns + found.b.turns:,}",
            sentence(found),
        )
        for found in every
    ]
    say(table(("experiment", "state", "A", "B", "turns", "what it has found"), rows, right=("turns",)))


# -- for programs


def findings_json(found: Findings) -> dict[str, Any]:
    one, reading = found.experiment, found.reading
    return {
        "name": one.name,
        "on": found.kept.kind,
        "state": found.state,
        "started": found.kept.started.isoformat(),
        "stopped": found.kept.stopped and found.kept.stopped.isoformat(),
        "share_of_b": one.share,
        "judge": one.judge,
        "a": _arm_json(found.a),
        "b": _arm_json(found.b),
        "difference": _round(found.difference),
        "interval_95": None if found.interval is None else [_round(end) for end in found.interval],
        "p_value": _round(1 / reading.strongest),
        "decided_after": reading.decided_after,
        "better": reading.better,
        "outcomes_needed": reading.more,
        "judging_cost_usd": usd(found.judging.amount),
        "unsure": found.unsure,
        "sentence": sentence(found),
    }


def _arm_json(figures: ArmFigures) -> dict[str, Any]:
    return {
        "way": figures.arm.says,
        "turns": figures.turns,
        "outcomes": figures.outcomes,
        "good": figures.good,
        "rate": _round(figures.rate),
        "interval_95": [_round(end) for end in figures.interval],
        "cost_usd": usd(figures.cost.amount),
        "cost_state": figures.cost.state.value,
        "cost_per_turn_usd": usd(figures.per_turn),
        "seconds": _round(figures.seconds),
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
