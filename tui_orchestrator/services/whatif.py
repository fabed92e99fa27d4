"""What if: turns that were decided, decided again under another strategy, quality threshold or price table.

Nothing is called and nothing is weighed anew: p, time and who was out are as they were. Both sides are priced at the
same tokens, those of the answer that was given where they are known: what the first pick alone would have cost, at list
price, without retries, escalations and what a prompt cache saves. How good the other answer would have been is not
known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..routing.decide import replay
from ..routing.decision import Decision
from ..routing.event_json import usd
from ..routing.events import CHECKS, Attempt, Cause, Outcome
from ..routing.money import ZERO, Cost, Money, Price, Usage
from ..routing.repricing import PriceTable, reprice
from ..routing.request import Message, Request, Strategy
from ..routing.text import spoken
from ..storage.history import Turn
from .runtime import Runtime

MOST_TURNS = 1_000
"""Of a session, or of all, the last so many: a decision whole is some kilobytes."""
MOST_PROMPTS = 10_000
NOTE = (
    "Nothing was called. Both sides are the first pick alone, at the same tokens: those the answer took where they are "
    "known, else the estimate. That the other answers would have been as good is not claimed."
)

PriceOf = Callable[[str], Price | None]
"""Of a model's id, today; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is supposed to be otherwise."""

    strategy: Strategy | None = None
    """It lifts a pin: a pinned turn has no strategy."""
    threshold: float | None = None
    prices: PriceTable = field(default_factory=PriceTable)
    priced: str = ""
    """What the prices are called, for people: a file's name, 'anthropic=0.5'."""

    def __bool__(self) -> bool:
        return self.strategy is not None or self.threshold is not None or bool(self.prices)

    def __str__(self) -> str:
        """'quality, threshold 0.9, prices of cheap.toml'"""
        said = [spoken(self.strategy)] if self.strategy is not None else []
        said += [f"threshold {self.threshold:g}"] if self.threshold is not None else []
        return ", ".join([*said, *([f"prices of {self.priced}"] if self.prices else [])]) or "as it was"

    def applied(self, decision: Decision) -> Decision:
        supposed = reprice(decision, self.prices)
        if self.strategy is not None:
            supposed = replace(supposed, pinned=False, asked=supposed.asked.unpinned())
        policy = supposed.asked.policy
        if self.threshold is not None:
            policy = replace(policy, quality_threshold=self.threshold)
        return replay(supposed, self.strategy, policy)


@dataclass(frozen=True, slots=True)
class Remade:
    """One turn, before and after."""

    turn: Turn
    after: Decision
    tokens: Usage | None
    """What both sides are priced at; None: what each pick was estimated to take."""
    before_cost: Money | None
    """None on both sides where either is not known."""
    after_cost: Money | None

    @property
    def changed(self) -> bool:
        return picks(self.turn.decision) != picks(self.after)


@dataclass(frozen=True, slots=True)
class Comparison:
    change: Change
    turns: tuple[Remade, ...]

    @property
    def changed(self) -> tuple[Remade, ...]:
        return tuple(one for one in self.turns if one.changed)

    @property
    def moves(self) -> tuple[tuple[str, str, int], ...]:
        """From which pick to which, and how many turns; the most frequent first."""
        counted = Counter((named(one.turn.decision), named(one.after)) for one in self.changed)
        return tuple((*move, count) for move, count in sorted(counted.items(), key=lambda item: (-item[1], item[0])))

    @property
    def before(self) -> Money:
        return sum((one.before_cost for one in self.turns if one.before_cost is not None), ZERO)

    @property
    def after(self) -> Money:
        return sum((one.after_cost for one in self.turns if one.after_cost is not None), ZERO)

    @property
    def left_out(self) -> int:
        """Turns in neither sum: a side has no pick, or one of unknown price, or the prompt was cut into parts."""
        return sum(one.before_cost is None for one in self.turns)

    @property
    def measured(self) -> int:
        """Turns priced at the tokens they took."""
        return sum(one.tokens is not None and one.before_cost is not None for one in self.turns)

    @property
    def paid(self) -> Cost | None:
        """What all attempts of these turns really cost; None where nothing was asked."""
        costs = [attempt.cost for one in self.turns for attempt in one.turn.attempts]
        return Cost.sum(costs) if costs else None

    def in_words(self) -> str:
        """'5 of 12 picks would change; ~$0.042 → ~$0.019, $0.023 less (55 %)'"""
        count = len(self.turns)
        head = f"{len(self.changed):,} of {count:,} picks would change"
        if self.left_out == count:
            return f"{head}; what it would cost is not known"
        return f"{head}; {about(self.before)} → {about(self.after)}, {difference_in_words(self.before, self.after)}"

    def basis(self) -> str:
        """What the figures rest on: '10 turns at the tokens they took, 2 at the estimate; 1 left out …'"""
        priced = len(self.turns) - self.left_out
        said = [f"{self.measured} of {priced} at the tokens the answer took, the others at the estimate"]
        if self.measured in (0, priced):
            said = [f"all at {'the tokens the answers took' if self.measured else 'the estimate'}"] if priced else []
        if self.left_out:
            said.append(f"{self.left_out} left out, in parts or without a pick or its price")
        if self.paid is not None:
            said.append(f"paid at the time, every attempt counted: {self.paid}")
        return "; ".join(said)

    def as_json(self) -> dict[str, Any]:
        prices = self.change.prices
        return {
            "supposed": {
                "strategy": self.change.strategy and self.change.strategy.value,
                "threshold": self.change.threshold,
                "prices": {
                    **{name: price.to_json() for name, price in prices.prices.items()},
                    **{name: {"times": str(factor)} for name, factor in prices.factors.items()},
                },
            },
            "turns": len(self.turns),
            "changed": len(self.changed),
            "moves": [{"from": one, "to": other, "turns": count} for one, other, count in self.moves],
            "before_usd": usd(self.before),
            "after_usd": usd(self.after),
            "difference_usd": usd(self.after - self.before),
            "at_reported_tokens": self.measured,
            "left_out": self.left_out,
            "paid_usd": self.paid and usd(self.paid.amount),
            "note": NOTE,
            "decisions": [_row_json(one) for one in self.turns],
        }


def about(amount: Money | None) -> str:
    """As an estimate; nothing is nothing."""
    return "$?" if amount is None else f"~{amount}" if amount else "$0"


def difference_in_words(before: Money, after: Money) -> str:
    if before == after:
        return "the same"
    apart = after - before if after > before else before - after
    said = f"{apart} {'more' if after > before else 'less'}"
    if not before:
        return said
    share = apart.picodollars / before.picodollars
    if share >= 2:
        return f"{said} ({after.picodollars / before.picodollars:.0f} times as much)"
    return f"{said} ({f'{share:.0%}'.replace('%', ' %') if share >= 0.01 else 'under 1 %'})"


def picks(decision: Decision) -> frozenset[str]:
    """Whom a decision sends the prompt to at first: an ensemble's members, else one model; nobody where all are out."""
    if decision.strategy is Strategy.ENSEMBLE:
        return frozenset(decision.chain)
    return frozenset() if decision.model is None else frozenset({decision.model})


def named(decision: Decision) -> str:
    """The picks in words."""
    together = [decision.model, *(name for name in decision.chain if name != decision.model)]
    if decision.model is None:
        return "no model"
    if decision.strategy is Strategy.ENSEMBLE:
        return " + ".join(filter(None, together))
    return decision.model


def compare(turns: Iterable[Turn], change: Change, price_of: PriceOf) -> Comparison:
    """Pure. About a third of a millisecond a turn among 20 models."""
    return Comparison(change, tuple(_remade(turn, change, price_of) for turn in turns))


def unknown_names(turns: Iterable[Turn], prices: PriceTable) -> str:
    """A sentence where a price table says nothing of any model that these turns weighed; else empty."""
    if not prices or any(prices.names(c.model) for turn in turns for c in turn.decision.candidates):
        return ""
    named = sorted({*prices.prices, *prices.factors})
    return f"the prices name {', '.join(named[:3])}, and no model of these turns is called so; `models` lists names"


def _remade(turn: Turn, change: Change, price_of: PriceOf) -> Remade:
    after = change.applied(turn.decision)
    if turn.decision.division is not None or after.division is not None:
        # What each of the parts would have cost elsewhere is not known, nor into how many it would have been cut.
        return Remade(turn, after, None, None, None)
    tokens = _tokens(turn.attempts)
    applied = {attempt.model: attempt.price for attempt in turn.attempts if attempt.price is not None}

    def old(model: str) -> Price | None:
        return applied.get(model) or price_of(model)

    def new(model: str) -> Price | None:
        return change.prices.price(model, old(model))

    if tokens is not None:
        before_cost, after_cost = _at(tokens, turn.decision, old), _at(tokens, after, new)
        if before_cost is not None and after_cost is not None:
            return Remade(turn, after, tokens, before_cost, after_cost)
    before_cost, after_cost = _estimated(turn.decision), _estimated(after)
    if before_cost is None or after_cost is None:
        before_cost = after_cost = None
    return Remade(turn, after, None, before_cost, after_cost)


def _tokens(attempts: Sequence[Attempt]) -> Usage | None:
    """Of the answer, as plain input and output: what a cache saved one model says nothing of another."""
    # An answer that was written from those of an earlier turn is its turn's own.
    merged = all(a.cause is Cause.SYNTHESIS for a in attempts)
    helpers = CHECKS if merged else CHECKS | {Cause.SYNTHESIS}
    whole = [a for a in attempts if a.outcome is Outcome.FINISHED and not a.from_cache and a.cause not in helpers]
    if not whole or not (whole[-1].usage.input or whole[-1].usage.output):
        return None
    usage = whole[-1].usage
    return Usage(usage.input, usage.output, source=usage.source)


def _at(tokens: Usage, decision: Decision, price_of: PriceOf) -> Money | None:
    prices = [price_of(model) for model in picks(decision)]
    costs = [price.cost(tokens) for price in prices if price is not None]
    return sum(costs, ZERO) if costs and len(costs) == len(prices) else None


def _estimated(decision: Decision) -> Money | None:
    chosen = picks(decision)
    costs = [one.estimated_cost for one in decision.candidates if one.model in chosen]
    known = [cost for cost in costs if cost is not None]
    return sum(known, ZERO) if known and len(known) == len(chosen) else None


def _row_json(one: Remade) -> dict[str, Any]:
    before, after = one.turn.decision, one.after
    return {
        "request_id": before.request_id,
        "at": one.turn.at and one.turn.at.isoformat(),
        "from": before.model,
        "to": after.model,
        "from_strategy": before.strategy_name,
        "to_strategy": after.strategy_name,
        "changed": one.changed,
        "before_usd": usd(one.before_cost),
        "after_usd": usd(one.after_cost),
        "tokens": one.tokens and {"input": one.tokens.input, "output": one.tokens.output},
        "reason": after.reason,
    }


# What there is to compare


async def decide_prompts(runtime: Runtime, named: Sequence[tuple[str, str]]) -> tuple[Turn, ...]:
    """Prompts by name, decided as they would be now. Raises ValueError for too many."""
    if len(named) > MOST_PROMPTS:
        raise ValueError(f"there are {len(named):,} prompts, more than {MOST_PROMPTS:,}; split the file")
    turns = []
    for name, prompt in named:
        request = Request((Message("user", prompt),), id=name)
        turns.append(Turn(await runtime.decide(request), None, prompt))
    return tuple(turns)


def price_of(runtime: Runtime) -> PriceOf:
    registry = runtime.registry

    def price(model_id: str) -> Price | None:
        known = registry.get(model_id)
        return known.price if known is not None else None

    return price
