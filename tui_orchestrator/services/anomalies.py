"""Whether a cost is far outside its own history: of a turn, of a day, of a model's day. Pure.

Costs of like things differ by factors, not by amounts, so they are compared by their logarithms. Centre and spread are
the median and the median distance from it, which a few outliers in the history do not move:

    z = (ln cost − median) / max(1.4826 × median distance of those above it, 0.35)

Those above it alone, because costs run out further upwards than downwards. 1.4826 makes the deviation of a normal
distribution out of that distance. Below 0.35 (a factor of 1.4) the spread is not believed: a history of one kind of
question would otherwise make news of the next kind. News is what passes all of z, a factor and an amount; only costs
above the usual are news. The bounds are judgements (November 2026): with 4.5 for a turn, simulated ordinary spending
raised 14 false alarms in 20,000 turns, with 4 it raised 44 (tests/services/test_anomalies.py has the spending).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from ..routing.money import Money

_TO_DEVIATION = 1.4826
_LEAST_SPREAD = 0.35


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a cost must pass to be news."""

    fewest: int
    """Costs in the history; with fewer nothing is usual yet."""
    z: float
    factor: float
    """Times the median."""
    least: Money
    """$0.001 instead of $0.0001 is no news, however often it is the usual."""


TURN = Bounds(fewest=20, z=4.5, factor=4.0, least=Money.from_usd("0.02"))
DAY = Bounds(fewest=7, z=4.0, factor=3.0, least=Money.from_usd("0.50"))
MODEL_DAY = Bounds(fewest=7, z=4.0, factor=4.0, least=Money.from_usd("0.25"))


@dataclass(frozen=True, slots=True)
class Unusual:
    cost: Money
    usual: Money
    """The median of the history."""
    n: int
    """Costs in the history."""


def unusual(cost: Money, history: Sequence[Money], bounds: Bounds) -> Unusual | None:
    """None where the cost is ordinary, or the history, of which only costs above zero count, too short to tell."""
    known = [one.picodollars for one in history if one.picodollars > 0]
    if len(known) < bounds.fewest or cost < bounds.least or not cost:
        return None
    logs = [math.log(one) for one in known]
    centre = median(logs)
    spread = _TO_DEVIATION * median(value - centre for value in logs if value >= centre)
    distance = math.log(cost.picodollars) - centre
    z = distance / max(spread, _LEAST_SPREAD)
    if z < bounds.z or distance < math.log(bounds.factor):
        return None
    # Of an even number of costs the median lies between two; the lower one was really paid.
    usual = sorted(known)[(len(known) - 1) // 2]
    return Unusual(cost, Money(usual), len(known))


def told(what: str, found: Unusual, usual_for: str) -> str:
    """'This turn cost $0.42, 9 times your usual for code ($0.045)'"""
    return f"{what} {found.cost}, {times(found.cost, found.usual)} your usual {usual_for} ({found.usual})"


def times(cost: Money, usual: Money) -> str:
    """'4.5 times', '12 times'"""
    factor = cost.picodollars / max(1, usual.picodollars)
    return f"{factor:.0f} times" if factor >= 9.5 else f"{factor:.1f} times".replace(".0 ", " ")
