"""Stored decisions, made again: as they were, or as they would have been."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..routing.decide import replay
from ..routing.decision import Decision
from ..routing.event_json import decision_json
from ..routing.explanation import compared, differences, what_if
from ..routing.request import Strategy
from .decisions import decision_lines, headline, strategies_table
from .lines import prompt_lines
from .manners import FAILED, USAGE, Invocation, Stop, say
from .printing import as_json, table

if TYPE_CHECKING:
    from ..services.runtime import Runtime
    from ..services.whatif import Change, Comparison
    from ..storage.history import Turn

EXAMPLE = '{"id": …, "prompt": "…"}'
SESSION = "session:"
CHANGES_SHOWN = 40


def supposed_change(strategy: str | None, threshold: float | None, prices: str | None) -> Change:
    """Of the command's options; without a strategy for 'all'. Raises Stop for prices that are none."""
    from ..services.whatif import Change
    from ..settings.price_table import price_table

    named = Strategy.named(strategy) if strategy not in (None, "all") else None
    if prices is None:
        return Change(named, threshold)
    try:
        return Change(named, threshold, price_table(prices), prices)
    except ValueError as error:
        raise Stop(str(error), USAGE) from None


async def replay_any(invocation: Invocation, wanted: str, change: Change, every: bool, as_object: bool) -> None:
    """One decision, those of a session, or those of a file of prompts; `every`: under each of the strategies. Raises
    Stop where a stored one does not come out the same by itself."""
    is_file = _names_a_file(wanted)
    if is_file:
        if not (change or every):
            raise Stop("say what to suppose of these prompts: -s, --threshold or --prices", USAGE)
        prompts = [(str(line.said.get("id", line.number)), line.prompt) for line in prompt_lines(Path(wanted), EXAMPLE)]
    async with invocation.runtime(look=is_file, to_read=True) as runtime:
        if is_file:
            turns = await _decided(runtime, prompts)
            await _compare(runtime, turns, change, every, as_object, wanted)
        elif wanted.startswith(SESSION):
            session, turns = await _of_session(runtime, wanted.removeprefix(SESSION))
            _check(turns)
            await _compare(runtime, turns, change, every, as_object, f"session {session}")
        else:
            await _replay_one(runtime, wanted, change, every, as_object)


def _names_a_file(wanted: str) -> bool:
    return wanted == "-" or wanted.endswith(".jsonl") or (not wanted.startswith(SESSION) and Path(wanted).is_file())


async def _decided(runtime: Runtime, prompts: Sequence[tuple[str, str]]) -> tuple[Turn, ...]:
    from ..services.whatif import decide_prompts

    if not prompts:
        raise Stop(f"the file holds no prompts; a line is {EXAMPLE}", USAGE)
    try:
        return await decide_prompts(runtime, prompts)
    except ValueError as error:
        raise Stop(str(error), USAGE) from None


async def _of_session(runtime: Runtime, beginning: str) -> tuple[str, tuple[Turn, ...]]:
    from ..services.whatif import MOST_TURNS

    try:
        session = await runtime.history.session(beginning)
    except LookupError as error:
        raise Stop(str(error.args[0]), USAGE) from None
    return session, await runtime.history.turns(MOST_TURNS, session)


def _check(turns: Sequence[Turn]) -> None:
    otherwise = [turn for turn in turns if differences(turn.decision, replay(turn.decision))]
    if otherwise:
        named = ", ".join(turn.decision.request_id for turn in otherwise[:3])
        raise Stop(f"{len(otherwise)} of {len(turns)} come out otherwise when they are made again: {named}", FAILED)


# Several


async def _compare(
    runtime: Runtime, turns: tuple[Turn, ...], change: Change, every: bool, as_object: bool, what: str
) -> None:
    from ..services.whatif import NOTE, compare, price_of, unknown_names

    if problem := unknown_names(turns, change.prices):
        raise Stop(problem, USAGE)
    changes = [replace(change, strategy=strategy) for strategy in Strategy] if every else [change]
    prices = price_of(runtime)
    compared = [await asyncio.to_thread(compare, turns, one, prices) for one in changes]
    if as_object:
        said = {str(one.change.strategy): one.as_json() for one in compared} if every else compared[0].as_json()
        say(as_json({"of": what, **({"under": said} if every else said)}))
        return
    count = f"{len(turns):,} {'decision' if len(turns) == 1 else 'decisions'}"
    if not (change or every):
        say(f"{what}: {count}; made again from what was stored, they come out the same.")
        return
    say(f"{what}: {count}, nothing is called")
    if every:
        say(_strategies(compared))
    else:
        for line in _told(compared[0]):
            say(line)
    say(NOTE)


_CHANGES = ("turn", "from", "to", "before", "after")


def _told(found: Comparison) -> list[str]:
    """What a person reads of one comparison."""
    from ..services.whatif import about, named

    lines = [f"Under {found.change}: {found.in_words()}."]
    if basis := found.basis():
        lines.append(f"{basis[0].upper()}{basis[1:]}.")
    if found.moves:
        moves = [(one, other, f"{count:,}") for one, other, count in found.moves]
        lines += ["", table(("from", "to", "turns"), moves, right=("turns",))]
        shown = found.changed[:CHANGES_SHOWN]
        rows = [
            (
                one.turn.prompt[:40] or one.turn.decision.request_id,
                named(one.turn.decision),
                named(one.after),
                about(one.before_cost),
                about(one.after_cost),
            )
            for one in shown
        ]
        lines += ["", table(_CHANGES, rows, right=("before", "after"))]
        if len(found.changed) > len(shown):
            lines.append(f"{len(shown)} of {len(found.changed):,} that change; --json has all.")
        lines.append("")
    return lines


def _strategies(compared: Sequence[Comparison]) -> str:
    from ..services.whatif import about, difference_in_words

    rows = [
        (
            str(one.change.strategy),
            f"{len(one.changed):,}",
            about(one.before),
            about(one.after),
            difference_in_words(one.before, one.after),
            f"{one.left_out:,}",
        )
        for one in compared
    ]
    head = ("strategy", "picks changed", "before", "after", "difference", "left out")
    return table(head, rows, right=("picks changed", "before", "after", "left out"))


# One


async def _replay_one(runtime: Runtime, wanted: str, change: Change, every: bool, as_object: bool) -> None:
    from ..services.whatif import NOTE, compare, price_of, unknown_names

    try:
        stored, at = await runtime.reports.decision_by(wanted)
    except LookupError as error:
        raise Stop(str(error.args[0]), USAGE) from None
    again = replay(stored)
    changed = differences(stored, again)
    turn = await runtime.history.turn(stored.request_id)
    assert turn is not None
    if problem := unknown_names([turn], change.prices):
        raise Stop(problem, USAGE)
    comparison = compare([turn], change, price_of(runtime)) if change else None
    if every and not change:
        under: Mapping[Strategy, Decision] = what_if(stored)
    elif every:
        under = {strategy: replace(change, strategy=strategy).applied(stored) for strategy in Strategy}
    else:
        under = {change.strategy or stored.strategy: change.applied(stored)} if change else {}
    if as_object:
        said = _object(stored, again, at, changed, under)
        if comparison is not None and not every:
            said["what_if"] = comparison.as_json()
        say(as_json(said))
    else:
        say(f"{at.astimezone():%Y-%m-%d %H:%M} · request {stored.request_id}")
        say(headline(again))
        for line in decision_lines(again):
            say(f"  {line}")
        if not changed:
            say("Made again from what was stored, it comes out the same.")
        if every:
            say(strategies_table(list(under.values())))
        elif comparison is not None:
            say(f"Under {change}: {_instead(stored, next(iter(under.values())))}")
            say(f"{comparison.in_words()}; {comparison.basis()}.")
            say(NOTE)
    if changed:
        raise Stop(f"Made again from what was stored, it comes out otherwise: {'; '.join(changed)}", FAILED)


def _instead(stored: Decision, other: Decision) -> str:
    if other.model is None:
        return f"no model; {other.reason}"
    if other.chain == stored.chain:
        return f"the same, {other.model}; {other.reason}"
    before, after = stored.chosen, other.chosen
    if before is None or after is None:
        return f"{other.model}; {other.reason}"
    if other.model == stored.model:
        return f"{other.model} as well, then {' → '.join(other.chain[1:]) or 'nobody'}; {other.reason}"
    return f"{other.model} instead of {stored.model}, {compared(after, before)}; {other.reason}"


def _object(
    stored: Decision, again: Decision, at: datetime, changed: list[str], under: Mapping[Strategy, Decision]
) -> dict[str, Any]:
    return {
        "request_id": stored.request_id,
        "at": at.isoformat(),
        "same": not changed,
        "differences": changed,
        "stored": decision_json(stored),
        "replayed": decision_json(again),
        "under": {name.value: decision_json(other) for name, other in under.items()},
    }
