"""A recommendation, and what is known of the settings when one is looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ..routing.money import Money
from .changes import Change

FEWEST = 20
"""Attempts below which nothing is advised."""


class Kind(StrEnum):
    CHEAPER_MODEL = "cheaper_model"
    FIRST_STEP = "first_step"
    NEVER_WORTH_IT = "never_worth_it"
    CAP = "cap"
    RESERVATIONS = "reservations"
    CACHE = "cache"
    RETRIES = "retries"
    CHECKS = "checks"


@dataclass(frozen=True, slots=True)
class Recommendation:
    kind: Kind
    title: str
    """What to do, in one line."""
    why: str
    """The figures it rests on, in a sentence or two."""
    saved: Money
    """Of what was spent in the turns looked at; zero where it saves no money."""
    n: int
    """Attempts, turns or requests it rests on."""
    change: Change | None
    about: frozenset[tuple[str, str]] = frozenset()
    """(model, task type) whose money it would save, so that none is counted twice."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How things are set now, as far as it bears on advice."""

    max_tokens: int = 4096
    confidence_threshold: float = 0.6
    retries_per_model: int = 1
    caching: bool = True
    cache_ttl_s: int = 86_400
    temperature: float | None = None
    checking: bool = True
    rules: Mapping[str, str] = field(default_factory=dict)
    """Task type → the user's own rule that decides it already."""
    usable: frozenset[str] | None = None
    """Ids of the models there are, without those switched off; None: all."""
    limits: Mapping[str, Money] = field(default_factory=dict)
    """Scope → the cap that holds."""

    def may_use(self, model: str) -> bool:
        return self.usable is None or model in self.usable


def rounded_up(amount: Money) -> Money:
    """To two digits, from 12 to 99: 3.07 → 3.1."""
    digits = len(str(amount.picodollars)) - 2
    unit = 10**digits if digits > 0 else 1
    return Money(-(-amount.picodollars // unit) * unit)


def usd(picodollars: float) -> str:
    return str(Money(round(picodollars)))


def time_of(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
