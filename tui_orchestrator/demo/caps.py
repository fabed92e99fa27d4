"""Caps on demo money, so that one can be watched filling up, and hit."""

from __future__ import annotations

from dataclasses import replace

from ..routing.budget import Budgets
from ..routing.money import Money
from ..settings import DEMO, Settings

CAPS = Budgets(session=Money.from_usd(1), daily=Money.from_usd(2), monthly=Money.from_usd(20))


def capped(settings: Settings) -> Settings:
    """Each of the demo's caps where the user has set none of that kind; where they show, they say that they are the
    demo's."""
    own = settings.budgets
    budgets = replace(
        own,
        session=CAPS.session if own.session is None else own.session,
        daily=CAPS.daily if own.daily is None else own.daily,
        monthly=CAPS.monthly if own.monthly is None else own.monthly,
    )
    caps = {f"budgets.{name}_usd": getattr(budgets, name) for name in _NAMES if getattr(own, name) is None}
    return replace(
        settings,
        budgets=budgets,
        values={**settings.values, **caps},
        origins={**settings.origins, **dict.fromkeys(caps, DEMO)},
    )


_NAMES = ("session", "daily", "monthly")
