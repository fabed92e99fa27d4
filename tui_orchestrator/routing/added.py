"""What others add to the routing: strategies that weigh models by a function of their own, and checks of answers.

Their code is trusted to be there, not to be right: with what it is given it cannot change anything, what it returns is
looked at, and what it raises ends here. See `plugins` for where they come from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .contained import contained, told
from .request import Strategy
from .text import clean_line

if TYPE_CHECKING:
    from .decision import Candidate
    from .profile import Profile

MOST_SCORE = 1e6
"""What a strategy gives beyond ± this counts as that."""
MOST_EVIDENCE = 3.0
"""Log-odds: from 0.5 to 0.95."""


@dataclass(frozen=True, slots=True)
class Option:
    """One model as a strategy sees it, for one prompt."""

    model: str
    """Its id."""
    provider: str
    p: float
    """How likely a good answer is."""
    cost_usd: float | None
    """Expected, to be weighed and not to be added up; None: no price is known. 0 is free."""
    latency_s: float
    """Expected, until the whole answer is there."""
    local: bool
    open_weights: bool
    task_type: str
    difficulty: float
    """Of the prompt, 0–1."""


@dataclass(frozen=True, slots=True)
class Given:
    """A finished answer that is to be looked at."""

    prompt: str
    text: str
    model: str
    """The id of who gave it."""
    task_type: str


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is found of an answer."""

    reason: str
    """Some words: 'names no source'."""
    weight: float = 0.0
    """Log-odds that the answer is good, above zero for it; beyond ±3 it counts as ±3."""
    falls_short: bool = False
    """It is not good enough, whatever else speaks for it."""


class AnswerCheck(Protocol):
    name: str

    async def look(self, given: Given) -> Opinion | None:
        """Raises nothing. What it returns is clean, its weight within bounds, its reason begins with its name."""
        ...


class NotWeighed(Exception):
    """Why a strategy did not weigh a model, in a sentence that names it."""


@dataclass(frozen=True, slots=True)
class AddedStrategy:
    name: str
    picks: str
    """What it picks, in some words."""
    source: str
    """Who brings it: 'thrifty-plugin 1.0'."""
    objective: Callable[[Option], float]

    def score(self, candidate: Candidate, profile: Profile) -> float:
        """More is better. Raises NotWeighed."""
        cost = candidate.estimated_cost
        option = Option(
            candidate.model,
            candidate.provider,
            candidate.success_probability,
            None if cost is None else float(cost.usd),
            candidate.estimated_latency_s,
            candidate.local,
            candidate.open_weights,
            profile.task_type.value,
            profile.difficulty,
        )
        try:
            with contained():
                value = self.objective(option)
                number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
                said = "" if number else repr(value)
        except Exception as error:  # whatever it is, it is the plugin's
            raise NotWeighed(f"{self.name} of {self.source} failed ({clean_line(told(error), 160)})") from error
        if not number:
            raise NotWeighed(f"{self.name} of {self.source} gave {clean_line(said, 40)}, which is no number")
        return max(-MOST_SCORE, min(MOST_SCORE, float(value)))


_added: dict[Strategy, AddedStrategy] = {}


def adopt(strategies: Iterable[AddedStrategy]) -> None:
    """From now on `Strategy` has these beside its own, and no others. For the whole process: what is installed is
    there for all of it."""
    named = {Strategy.named(one.name): one for one in strategies}
    _added.clear()
    _added.update(named)
    Strategy.offer(named)


def added(strategy: Strategy) -> AddedStrategy | None:
    """None for one of the program's own, and for one that is not there any more."""
    return _added.get(strategy)
