"""What could be cheaper or better, with the figures it rests on and the change that does it; and a score.

The score is 100 × needed × answered. `needed` is the share of the money that the recommendations would not have saved:
the product of 1 − saved ÷ spent over them, each taken of what the others leave. `answered` is the share of turns that
ended with an answer the user did not turn down; turns the user cancelled and turns that a cap refused count neither
way. Multiplied, because the money of a turn without an answer is lost whatever it cost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import prod
from pathlib import Path
from typing import Any

from ..locations import config_file
from ..routing.errors import ErrorKind
from ..routing.events import Outcome
from ..routing.money import ZERO, Money
from ..routing.request import Check
from ..settings import Settings
from ..storage.evidence import Evidence, read_evidence
from ..storage.spans import Period, Span, span_of
from .changes import Change
from .recommendation import FEWEST, Habits, Recommendation
from .recommending import recommendations
from .runtime import Runtime
from .walks import Walk, walks

MONTH_DAYS = 30
_LEAST_DAYS = 7
_LEAST_SAVED = Money.from_usd("0.01")
"""A month; what saves less is not worth reading, unless it saves something other than money."""


@dataclass(frozen=True, slots=True)
class Score:
    needed: float
    answered: float
    turns: int
    """Those that count for `answered`."""
    spent: Money
    avoidable: Money

    @property
    def value(self) -> int:
        """From 0 to 100."""
        return round(100 * self.needed * self.answered)

    def formula(self) -> str:
        """In words, with the figures put in."""
        return (
            f"{self.value} = 100 × {self.needed:.2f} × {self.answered:.2f}: {self.avoidable} of {self.spent} could "
            f"have been saved by the advice here, and {self.answered:.0%} of {self.turns} turns gave an answer that "
            f"stood"
        )


@dataclass(frozen=True, slots=True)
class Advice:
    attempts: int
    days: int
    """From the first day with an attempt to the last one."""
    recommendations: tuple[Recommendation, ...]
    score: Score | None
    """None without enough attempts."""
    more: bool = False
    """It rests on the newest attempts alone."""

    def a_month(self, amount: Money) -> Money:
        """What an amount of these days comes to in thirty. Fewer than seven days count as seven, so that the first
        evening makes no promises."""
        return Money(amount.picodollars * MONTH_DAYS // max(_LEAST_DAYS, self.days))

    def basis(self) -> str:
        if self.score is None:
            return (
                f"{self.attempts:,} attempt{'' if self.attempts == 1 else 's'} so far; advice begins at about {FEWEST}."
            )
        newest = "the newest " if self.more else ""
        return f"From {newest}{self.attempts:,} attempts in {self.days} {'day' if self.days == 1 else 'days'}."

    def saving(self, one: Recommendation) -> str:
        """'≈ $1.20 a month'; '' where it saves no money."""
        return f"≈ {self.a_month(one.saved)} a month" if one.saved else ""

    def lines(self) -> list[str]:
        """For the end of another report, without the changes themselves."""
        if not self.recommendations:
            nothing = "" if self.score is None else " Nothing to advise."
            return [*self._scored(), self.basis() + nothing]
        said = []
        for number, one in enumerate(self.recommendations, 1):
            saving = self.saving(one)
            said.append(f"{number}. {one.title}{f' ({saving}, an estimate)' if saving else ''}")
            said.append(f"   {one.why}")
        return [*self._scored(), self.basis(), *said]

    def _scored(self) -> list[str]:
        return [] if self.score is None else [f"Optimisation score {self.score.formula()}."]


async def advise(runtime: Runtime, span: Period | Span = "month") -> Advice:
    """From the ledger, beside the event loop. Raises StoreError."""
    evidence = await read_evidence(runtime.database, advised_span(span, runtime.clock.today()))
    # On a thread: of as many attempts as are read it takes most of a second.
    return await asyncio.to_thread(advice_from, evidence, habits_of(runtime))


def advised_span(span: Period | Span, today: date) -> Span:
    """As `span_of`, but a month is the last thirty days: on its first day the calendar's has nothing to tell."""
    if span == "month":
        return Span(date.fromordinal(today.toordinal() - MONTH_DAYS + 1))
    return span_of(span, today)


def advice_from(evidence: Evidence, habits: Habits) -> Advice:
    """Pure."""
    days = sorted({row.day for row in evidence.rows})
    length = (date.fromisoformat(days[-1]) - date.fromisoformat(days[0])).days + 1 if days else 0
    attempts = len(evidence.rows)
    if attempts < FEWEST:
        return Advice(attempts, length, (), None, evidence.more)
    turns = walks(evidence, habits.confidence_threshold)
    known = [turn for turn in turns if turn.end is not None]
    found = recommendations(known, evidence.refused, habits)
    advice = Advice(attempts, length, tuple(found), None, evidence.more)
    worth = tuple(one for one in found if not one.saved or advice.a_month(one.saved) >= _LEAST_SAVED)
    scored = score(turns, worth)
    return Advice(attempts, length, worth, scored if scored.turns else None, evidence.more)


def score(turns: Sequence[Walk], found: Sequence[Recommendation]) -> Score:
    spent = sum(turn.cost for turn in turns)
    needed = prod(1 - min(1.0, one.saved.picodollars / spent) for one in found) if spent else 1.0
    stood = [_stood(turn) for turn in turns]
    counted = [one for one in stood if one is not None]
    answered = sum(counted) / len(counted) if counted else 1.0
    return Score(needed, answered, len(counted), Money(spent), Money(round(spent * (1 - needed))))


def _stood(turn: Walk) -> bool | None:
    """Whether the turn gave an answer that was not turned down; None where it does not count."""
    end = turn.end
    if end is None or end.success is None or end.error_kind in (ErrorKind.CANCELLED, ErrorKind.BUDGET_EXCEEDED):
        return None
    if not end.success:
        return False
    given = [step for step in turn.steps if step.row.model == end.answered_by and step.row.outcome == Outcome.FINISHED]
    # A weak answer stood as well, unless the user said otherwise.
    return not any(step.turned_down for step in given[-1:])


def habits_of(runtime: Runtime) -> Habits:
    policy, settings = runtime.router.policy, runtime.settings
    decided = {
        task.value: rule.name
        for rule in reversed(runtime.router.rules)
        if rule.primary and not (rule.words or rule.pattern or rule.domains or rule.attachment or rule.tags)
        for task in rule.task_types
    }
    return Habits(
        max_tokens=policy.max_tokens,
        confidence_threshold=policy.confidence_threshold,
        retries_per_model=policy.retries.per_model,
        caching=settings.cache.exact,
        cache_ttl_s=settings.cache.ttl_s,
        temperature=settings.default_temperature,
        checking=policy.check is not Check.OFF,
        rules=decided,
        usable=frozenset(model.id for model in runtime.registry if model.id not in runtime.registry.out),
        limits=runtime.router.budgets.limits,
    )


def kept_in(settings: Settings, change: Change) -> Path:
    """The file a change belongs into: where one of its keys is set now, else the user's own."""
    for key, _ in change.settings:
        place, _, line = settings.origins.get(key, "").rpartition(":")
        if line.isdecimal() and place.endswith(".toml"):
            return Path(place)
    return settings.file or config_file()


def as_json(advice: Advice) -> dict[str, Any]:
    from ..routing.event_json import usd

    return {
        "attempts": advice.attempts,
        "days": advice.days,
        "newest_only": advice.more,
        "score": advice.score
        and {
            "value": advice.score.value,
            "needed": round(advice.score.needed, 4),
            "answered": round(advice.score.answered, 4),
            "turns": advice.score.turns,
            "spent_usd": usd(advice.score.spent),
            "avoidable_usd": usd(advice.score.avoidable),
            "formula": advice.score.formula(),
        },
        "recommendations": [
            {
                "kind": one.kind.value,
                "title": one.title,
                "why": one.why,
                "n": one.n,
                "saved_usd": usd(one.saved),
                "saved_usd_a_month": usd(advice.a_month(one.saved)) if one.saved else usd(ZERO),
                "estimate": True,
                "toml": one.change.toml() if one.change else None,
            }
            for one in advice.recommendations
        ],
    }
