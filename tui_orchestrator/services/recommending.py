"""What could be cheaper or better, found in a user's own turns. Pure functions from turns to recommendations.

Each looks at one habit, says nothing below FEWEST judged attempts, and compares by bounds that hold nine times in ten
(`services.walks`), so that a run of luck is no advice. Money is what it would have saved in the turns that were looked
at; `services.advice` makes a month of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..storage.alerts import Refused
from . import model_habits, money_habits
from .recommendation import Habits, Recommendation
from .walks import Walk


def recommendations(turns: Sequence[Walk], refused: Sequence[Refused], habits: Habits) -> list[Recommendation]:
    """The most money first; of those about the same money the one that saves most."""
    found = [
        *model_habits.never_worth_it(turns, habits),
        *model_habits.cheaper_models(turns, habits),
        *model_habits.first_steps(turns, habits),
        *money_habits.caps(turns, refused, habits),
        *money_habits.reservations(turns, refused, habits),
        *money_habits.cache(turns, habits),
        *money_habits.retries(turns, habits),
        *money_habits.checks(turns, habits),
    ]
    found.sort(key=lambda one: (-one.saved.picodollars, -one.n))
    kept: list[Recommendation] = []
    for one in found:
        if not any(one.about & other.about for other in kept):
            kept.append(one)
    return kept
