"""A stored decision, made again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..routing.decide import replay
from ..routing.decision import Decision
from ..routing.event_json import decision_json
from ..routing.explanation import compared, differences, what_if
from ..routing.request import Strategy
from .decisions import decision_lines, headline, strategies_table
from .manners import FAILED, USAGE, Stop, say
from .printing import as_json

if TYPE_CHECKING:
    from ..services.runtime import Runtime


async def replay_stored(runtime: Runtime, wanted: str, strategy: str | None, as_object: bool) -> None:
    """Says whether it comes out the same, and what would change under `strategy`, or under 'all'. Raises Stop where it
    does not come out the same."""
    try:
        stored, at = await runtime.reports.decision_by(wanted)
    except LookupError as error:
        raise Stop(str(error.args[0]), USAGE) from None
    again = replay(stored)
    changed = differences(stored, again)
    others = what_if(stored)
    under = others if strategy == "all" else {Strategy(strategy): others[Strategy(strategy)]} if strategy else {}
    if as_object:
        say(as_json(_object(stored, again, at, changed, under)))
    else:
        say(f"{at.astimezone():%Y-%m-%d %H:%M} · request {stored.request_id}")
        say(headline(again))
        for line in decision_lines(again):
            say(f"  {line}")
        if not changed:
            say("Made again from what was stored, it comes out the same.")
        for text in _under(stored, under, strategy == "all"):
            say(text)
    if changed:
        raise Stop(f"Made again from what was stored, it comes out otherwise: {'; '.join(changed)}", FAILED)


def _under(stored: Decision, under: dict[Strategy, Decision], everything: bool) -> list[str]:
    if everything:
        return [strategies_table(list(under.values()))]
    return [f"Under {name.value}: {_instead(stored, other)}" for name, other in under.items()]


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
    stored: Decision, again: Decision, at: datetime, changed: list[str], under: dict[Strategy, Decision]
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
