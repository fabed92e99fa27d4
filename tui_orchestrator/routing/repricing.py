"""What the candidates of a stored decision would have cost at other prices.

Who was out stays out, for want of money too: what was left of a cap at the time is not weighed again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from .budget import input_bound
from .decision import Candidate, Decision
from .money import Money, Price, Rates, Tier
from .profile import Profile


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Other prices than those a decision was made at. A model's own entry goes before its provider's."""

    prices: Mapping[str, Price] = field(default_factory=dict)
    """By a model's id."""
    factors: Mapping[str, Decimal] = field(default_factory=dict)
    """What a price is multiplied by; by a model's id or a provider's name."""

    def __bool__(self) -> bool:
        return bool(self.prices or self.factors)

    def names(self, model_id: str) -> bool:
        """Whether it says anything of that model."""
        return model_id in self.prices or self.factor(model_id) is not None

    def factor(self, model_id: str) -> Decimal | None:
        own = self.factors.get(model_id)
        return self.factors.get(model_id.partition("/")[0]) if own is None else own

    def price(self, model_id: str, known: Price | None) -> Price | None:
        """What holds of a model whose price was `known`."""
        if model_id in self.prices:
            return self.prices[model_id]
        factor = self.factor(model_id)
        return known if factor is None or known is None else _scaled(known, factor)


def reprice(decision: Decision, table: PriceTable) -> Decision:
    """The same candidates at other prices, not yet chosen from again."""
    if not table:
        return decision
    candidates = tuple(_repriced(candidate, decision.profile, table) for candidate in decision.candidates)
    return replace(decision, candidates=candidates)


def _repriced(candidate: Candidate, profile: Profile, table: PriceTable) -> Candidate:
    price = table.prices.get(candidate.model)
    if price is not None:
        tokens = profile.input_tokens if candidate.input_tokens is None else candidate.input_tokens
        expected = min(profile.output_tokens, max(1, candidate.max_tokens))
        ceiling = price.ceiling(input_bound(tokens), candidate.max_tokens)
        return replace(candidate, estimated_cost=price.expected(tokens, expected), cost_ceiling=ceiling)
    factor = table.factor(candidate.model)
    if factor is None or candidate.estimated_cost is None or candidate.cost_ceiling is None:
        return candidate
    cost, ceiling = _times(candidate.estimated_cost, factor), _times(candidate.cost_ceiling, factor)
    return replace(candidate, estimated_cost=cost, cost_ceiling=ceiling)


def _scaled(price: Price, factor: Decimal) -> Price:
    tiers = tuple(Tier(tier.over, _rates(tier.rates, factor)) for tier in price.tiers)
    return Price(_rates(price.rates, factor), tiers, _times(price.per_call, factor), f"{price.source}, × {factor}")


def _rates(rates: Rates, factor: Decimal) -> Rates:
    def maybe(rate: int | None) -> int | None:
        return None if rate is None else _up(rate, factor)

    return Rates(
        _up(rates.input, factor),
        _up(rates.output, factor),
        maybe(rates.cached_input),
        maybe(rates.cache_write),
        maybe(rates.reasoning),
        tuple((part, _up(rate, factor)) for part, rate in rates.parts),
    )


def _times(amount: Money, factor: Decimal) -> Money:
    return Money(_up(amount.picodollars, factor))


def _up(whole: int, factor: Decimal) -> int:
    return math.ceil(whole * Fraction(factor))
