"""Money, prices, token usage, and the product of the two.

Money is whole picodollars (10⁻¹² US dollars). A rate is whole micro-dollars per million tokens, so tokens × rate is a
whole number of picodollars and nothing is ever rounded per row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, InvalidOperation, localcontext
from enum import StrEnum
from functools import total_ordering
from typing import Any, Literal

PICODOLLARS_PER_DOLLAR = 10**12
_MOST_DIGITS = 16


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An amount in whole picodollars; may be negative where a difference is meant."""

    picodollars: int = 0

    @classmethod
    def from_usd(cls, usd: Decimal | str | int) -> Money:
        """Exact to the picodollar, anything finer rounded up. A float is refused: pass its text.

        Raises ValueError for text that is no finite number below 10¹⁶.
        """
        if isinstance(usd, float):
            raise TypeError("money from a float loses cents; pass a Decimal or its text")
        try:
            amount = Decimal(usd)
        except InvalidOperation:
            raise ValueError(f"{usd!r} is not an amount in US dollars, such as 0.05") from None
        if not amount.is_finite() or amount.adjusted() >= _MOST_DIGITS:
            raise ValueError(f"{usd!r} is not an amount in US dollars, such as 0.05")
        with localcontext(rounding=ROUND_CEILING):
            return cls(int((amount * PICODOLLARS_PER_DOLLAR).to_integral_value()))

    @property
    def usd(self) -> Decimal:
        return Decimal(self.picodollars).scaleb(-12)

    def __add__(self, other: Money) -> Money:
        return Money(self.picodollars + other.picodollars)

    def __sub__(self, other: Money) -> Money:
        return Money(self.picodollars - other.picodollars)

    def __mul__(self, times: int) -> Money:
        return Money(self.picodollars * times)

    def __neg__(self) -> Money:
        return Money(-self.picodollars)

    def __lt__(self, other: Money) -> bool:
        return self.picodollars < other.picodollars

    def __bool__(self) -> bool:
        return self.picodollars != 0

    def __str__(self) -> str:
        """For people: two significant digits below a cent, cents above a dollar; never a false $0.00."""
        sign = "-" if self.picodollars < 0 else ""
        amount = abs(self.usd)
        if amount == 0:
            return "$0"
        if amount >= Decimal("0.9995"):  # a tenth of a cent below would round up to $1.000
            return f"{sign}${amount:,.2f}"
        if amount >= Decimal("0.01"):
            return f"{sign}${amount:.3f}"
        places = 1 - amount.adjusted()
        return f"{sign}${amount:.{max(4, min(12, places))}f}"


ZERO = Money(0)


class CostState(StrEnum):
    """Where the figure of an attempt's cost comes from."""

    BILLED = "billed"  # the provider said what it charged
    COMPUTED = "computed"  # reported tokens × known price
    ESTIMATED = "estimated"  # tokens counted here × known price
    UNKNOWN = "unknown"  # no price known; the cost is None, not 0


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens one attempt consumed."""

    input: int = 0
    """All prompt tokens, those read from and written to a cache included."""
    output: int = 0
    """All generated tokens, hidden reasoning included: it is billed as output."""
    cached_input: int = 0
    """The part of `input` that was read from the provider's prompt cache."""
    cache_write: int = 0
    """The part of `input` that was written to the provider's prompt cache."""
    reasoning: int = 0
    """The part of `output` that was hidden reasoning."""
    source: Literal["provider", "estimated"] = "provider"

    def __add__(self, other: Usage) -> Usage:
        estimated = "estimated" in (self.source, other.source)
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cached_input + other.cached_input,
            self.cache_write + other.cache_write,
            self.reasoning + other.reasoning,
            "estimated" if estimated else "provider",
        )


@dataclass(frozen=True, slots=True)
class Rates:
    """Whole micro-dollars per million tokens. None means: billed at the plain rate of its bucket."""

    input: int
    output: int
    cached_input: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None

    @classmethod
    def from_usd(
        cls,
        input: Decimal | str,
        output: Decimal | str,
        cached_input: Decimal | str | None = None,
        cache_write: Decimal | str | None = None,
        reasoning: Decimal | str | None = None,
    ) -> Rates:
        """From dollars per million tokens, rounded up to a micro-dollar. Raises ValueError if not a number ≥ 0."""

        def rate(usd: Decimal | str) -> int:
            micro = Money.from_usd(usd).picodollars
            if micro < 0:
                raise ValueError(f"a price of {usd} dollars is below zero")
            return -(-micro // 10**6)

        def maybe(usd: Decimal | str | None) -> int | None:
            return None if usd is None else rate(usd)

        return cls(rate(input), rate(output), maybe(cached_input), maybe(cache_write), maybe(reasoning))

    @property
    def dearest_input(self) -> int:
        if self.cache_write is None and self.cached_input is None:
            return self.input
        return max(self.input, self.cache_write or 0, self.cached_input or 0)

    @property
    def dearest_output(self) -> int:
        return self.output if self.reasoning is None else max(self.output, self.reasoning)

    def cost(self, usage: Usage) -> Money:
        cached_rate = self.input if self.cached_input is None else self.cached_input
        write_rate = self.input if self.cache_write is None else self.cache_write
        reasoning_rate = self.output if self.reasoning is None else self.reasoning
        # A provider that reports more cached than input tokens must not produce a negative bill.
        plain_input = max(0, usage.input - usage.cached_input - usage.cache_write)
        plain_output = max(0, usage.output - usage.reasoning)
        return Money(
            plain_input * self.input
            + usage.cached_input * cached_rate
            + usage.cache_write * write_rate
            + plain_output * self.output
            + usage.reasoning * reasoning_rate
        )


@dataclass(frozen=True, slots=True)
class Tier:
    """Rates for the whole call once its input is longer than `over` tokens."""

    over: int
    rates: Rates


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs, with where the figures come from. A local model has a known price of zero."""

    rates: Rates
    tiers: tuple[Tier, ...] = ()
    """Ascending by `over`."""
    per_call: Money = ZERO
    source: str = ""
    """For people: 'genai-prices 0.2.3', 'your configuration', 'OpenRouter catalogue', …"""

    def rates_at(self, input_tokens: int) -> Rates:
        rates = self.rates
        for tier in self.tiers:
            if input_tokens > tier.over:
                rates = tier.rates
        return rates

    def cost(self, usage: Usage) -> Money:
        return self.rates_at(usage.input).cost(usage) + self.per_call

    def expected(self, input_tokens: int, output_tokens: int, cached_input: int = 0) -> Money:
        """As `cost` of such a usage; for the many estimates of a decision, without the steps between."""
        rates = self.rates_at(input_tokens) if self.tiers else self.rates
        amount = input_tokens * rates.input + output_tokens * rates.output + self.per_call.picodollars
        if cached_input and rates.cached_input is not None:
            amount += min(cached_input, input_tokens) * (rates.cached_input - rates.input)
        return Money(amount)

    def ceiling(self, input_tokens: int, output_tokens: int) -> Money:
        """The most a call of at most this size can cost: all its input at the dearest of the input rates, and every
        output token at the dearer of the output and the reasoning rate."""
        if self.tiers:
            dearest = max(tokens * rate + output_tokens * out for tokens, rate, out in self._dearest(input_tokens))
        else:
            dearest = input_tokens * self.rates.dearest_input + output_tokens * self.rates.dearest_output
        return Money(dearest + self.per_call.picodollars)

    def affordable_output(self, input_tokens: int, room: Money) -> int:
        """How many output tokens fit into `room` beside the input at the ceiling rates; negative when not even the
        input fits. A free model answers with a very large number."""
        if room < self.ceiling(input_tokens, 0):
            return -1
        left = (room - self.per_call).picodollars
        fits = [(left - tokens * rate) // out for tokens, rate, out in self._dearest(input_tokens) if out]
        return min(fits, default=2**31)

    def _dearest(self, input_tokens: int) -> Iterator[tuple[int, int, int]]:
        """Of each tier that an input of at most so many tokens can fall into, its largest such input and its dearest
        rates for input and output: an input shorter than was thought may fall into a dearer tier."""
        starts = (-1, *(tier.over for tier in self.tiers))
        ends = (*starts[1:], input_tokens)
        for start, end, rates in zip(starts, ends, (self.rates, *(tier.rates for tier in self.tiers)), strict=True):
            if start < input_tokens:
                yield min(end, input_tokens), rates.dearest_input, rates.dearest_output

    @property
    def free(self) -> bool:
        return not self.ceiling(2**31, 2**31)

    def to_json(self) -> dict[str, Any]:
        """For the ledger row: enough to price the row again."""

        def rates(value: Rates) -> dict[str, int]:
            named = {name: getattr(value, name) for name in Rates.__dataclass_fields__}
            return {name: rate for name, rate in named.items() if rate is not None}

        return {
            "rates": rates(self.rates),
            "tiers": [{"over": tier.over, "rates": rates(tier.rates)} for tier in self.tiers],
            "per_call": self.per_call.picodollars,
            "source": self.source,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Price:
        return cls(
            Rates(**stored["rates"]),
            tuple(Tier(tier["over"], Rates(**tier["rates"])) for tier in stored["tiers"]),
            Money(stored["per_call"]),
            stored["source"],
        )


FREE = Price(Rates(0, 0), source="runs on your own machine")


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount with its state. `amount` is None exactly when the state is unknown."""

    amount: Money | None
    state: CostState

    @classmethod
    def of(cls, usage: Usage, price: Price | None, billed: Money | None = None) -> Cost:
        """The provider's own figure wins over ours; without a price the cost is unknown, never zero."""
        if billed is not None:
            return cls(billed, CostState.BILLED)
        if price is None:
            return cls(None, CostState.UNKNOWN)
        state = CostState.COMPUTED if usage.source == "provider" else CostState.ESTIMATED
        return cls(price.cost(usage), state)

    def __str__(self) -> str:
        if self.amount is None:
            return "$?"
        return f"~{self.amount}" if self.state is CostState.ESTIMATED else str(self.amount)


NOTHING = Cost(ZERO, CostState.COMPUTED)
