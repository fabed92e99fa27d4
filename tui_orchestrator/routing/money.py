"""Money, prices, token usage, and the product of the two.

Money is whole picodollars (10⁻¹² US dollars). A rate is whole micro-dollars per million tokens, so tokens × rate is a
whole number of picodollars and nothing is ever rounded per row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, Decimal, InvalidOperation, localcontext
from enum import StrEnum
from typing import Any, Literal

from .parts import Counts, Part, added

PICODOLLARS_PER_DOLLAR = 10**12
_MOST_DIGITS = 16


@dataclass(frozen=True, slots=True, order=True)
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

    def __radd__(self, other: int) -> Money:
        """For `sum()`, which begins with 0."""
        return self if other == 0 else NotImplemented

    def __sub__(self, other: Money) -> Money:
        return Money(self.picodollars - other.picodollars)

    def __mul__(self, times: int) -> Money:
        return Money(self.picodollars * times)

    def __neg__(self) -> Money:
        return Money(-self.picodollars)

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
    parts: Counts = ()
    """Those reported and not zero, each inside its bucket and, for input and output, outside the others above."""

    def __add__(self, other: Usage) -> Usage:
        estimated = "estimated" in (self.source, other.source)
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cached_input + other.cached_input,
            self.cache_write + other.cache_write,
            self.reasoning + other.reasoning,
            "estimated" if estimated else "provider",
            added(self.parts, other.parts),
        )


BUCKETS = ("input", "output", "cached_input", "cache_write", "reasoning")


@dataclass(frozen=True, slots=True)
class Rates:
    """Whole micro-dollars per million tokens. None means: billed at the plain rate of its bucket."""

    input: int
    output: int
    cached_input: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    parts: Counts = ()
    """Ascending by name; a part that is left out is billed at the rate of its bucket."""
    dearest_input: int = field(init=False, repr=False, compare=False)
    """Of what a call of this program can be billed for: it sends images, but no audio or video, and asks no provider to
    keep a prompt for an hour. Kept, as the next, because a decision asks every model for it."""
    dearest_output: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        images = [rate for part, rate in self.parts if part in (Part.IMAGE_INPUT, Part.IMAGE_CACHED)]
        read = max(self.input, self.cache_write or 0, self.cached_input or 0, *images)
        written = [rate for part, rate in self.parts if part.bucket == "output"]
        object.__setattr__(self, "dearest_input", read)
        object.__setattr__(self, "dearest_output", max(self.output, self.reasoning or 0, *written))

    @classmethod
    def from_usd(
        cls,
        input: Decimal | str,
        output: Decimal | str,
        cached_input: Decimal | str | None = None,
        cache_write: Decimal | str | None = None,
        reasoning: Decimal | str | None = None,
        parts: Mapping[Part, Decimal | str] | None = None,
    ) -> Rates:
        """From dollars per million tokens, rounded up to a micro-dollar. Raises ValueError if not a number ≥ 0."""

        def rate(usd: Decimal | str) -> int:
            micro = Money.from_usd(usd).picodollars
            if micro < 0:
                raise ValueError(f"a price of {usd} dollars is below zero")
            return -(-micro // 10**6)

        def maybe(usd: Decimal | str | None) -> int | None:
            return None if usd is None else rate(usd)

        priced = tuple(sorted((part, rate(usd)) for part, usd in (parts or {}).items()))
        return cls(rate(input), rate(output), maybe(cached_input), maybe(cache_write), maybe(reasoning), priced)

    def cost(self, usage: Usage) -> Money:
        cached_rate = self.input if self.cached_input is None else self.cached_input
        write_rate = self.input if self.cache_write is None else self.cache_write
        reasoning_rate = self.output if self.reasoning is None else self.reasoning
        # A provider that reports more cached than input tokens must not produce a negative bill.
        plain_input = max(0, usage.input - usage.cached_input - usage.cache_write)
        plain_output = max(0, usage.output - usage.reasoning)
        amount = (
            plain_input * self.input
            + usage.cached_input * cached_rate
            + usage.cache_write * write_rate
            + plain_output * self.output
            + usage.reasoning * reasoning_rate
        )
        if usage.parts and self.parts:
            own = dict(self.parts)
            left = {
                "input": (plain_input, self.input),
                "cached_input": (usage.cached_input, cached_rate),
                "cache_write": (usage.cache_write, write_rate),
                "output": (plain_output, self.output),
            }
            for part, reported in usage.parts:
                there, rate = left[part.bucket]
                count = min(reported, there)
                left[part.bucket] = there - count, rate
                amount += count * (own.get(part, own.get(part.unread, rate)) - rate)
        return Money(amount)

    def to_json(self) -> dict[str, Any]:
        named = {name: rate for name in BUCKETS if (rate := getattr(self, name)) is not None}
        return named | ({"parts": dict(self.parts)} if self.parts else {})

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Rates:
        return cls(**{**stored, "parts": tuple((Part(name), rate) for name, rate in stored.get("parts", {}).items())})


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
    variants: tuple[Variant, ...] = ()
    """What holds at some hours, from some day, or for another service tier; where several hold, the last one. The rates
    above are those to reckon with beforehand. A price that was applied to a call has none."""

    def on(self, at: datetime) -> Price:
        """What to reckon with on that UTC day before a call: the dearest of its hours, at the usual service tier."""
        if not self.variants:
            return self
        day = at.astimezone(UTC)
        minutes = {0, *(minute for variant in self.variants if variant.hours for minute in variant.hours)}
        standing = [self.applied(day.replace(hour=m // 60, minute=m % 60)) for m in sorted(minutes)]
        return max((price for price in standing if price), key=lambda p: p.rates.input + p.rates.output)

    def applied(self, at: datetime, tier: str = "") -> Price | None:
        """What a call begun at `at` is billed at; `tier` as the provider named it, '' for the usual one. None where
        that tier's price is not known."""
        if not self.variants:
            return None if tier else self
        holding = [variant.price for variant in self.variants if variant.tier == tier and variant.holds(at)]
        if holding:
            return holding[-1]
        return None if tier else replace(self, variants=())

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
            rates = self.rates
            dearest = input_tokens * rates.dearest_input + output_tokens * rates.dearest_output
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
        """For the ledger row: enough to price the row again. Without the variants: a row keeps what was applied."""
        return {
            "rates": self.rates.to_json(),
            "tiers": [{"over": tier.over, "rates": tier.rates.to_json()} for tier in self.tiers],
            "per_call": self.per_call.picodollars,
            "source": self.source,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Price:
        return cls(
            Rates.from_json(stored["rates"]),
            tuple(Tier(tier["over"], Rates.from_json(tier["rates"])) for tier in stored["tiers"]),
            Money(stored["per_call"]),
            stored["source"],
        )


@dataclass(frozen=True, slots=True)
class Variant:
    """A price under a condition."""

    price: Price
    """Without variants of its own."""
    tier: str = ""
    """The service tier it is for, as the provider names it in its answer: 'flex', 'priority', 'fast'."""
    since: date | None = None
    """A day in UTC."""
    hours: tuple[int, int] | None = None
    """From and until, in minutes of the UTC day; past midnight where the first is the larger."""

    def holds(self, at: datetime) -> bool:
        at = at.astimezone(UTC)
        if self.since is not None and at.date() < self.since:
            return False
        if self.hours is None:
            return True
        start, end = self.hours
        minute = at.hour * 60 + at.minute
        return start <= minute < end if start <= end else minute >= start or minute < end


FREE = Price(Rates(0, 0), source="runs on your own machine")


@dataclass(frozen=True, slots=True)
class Cost:
    """An amount with its state. `amount` is None exactly when the state is unknown."""

    amount: Money | None
    state: CostState
    at_least: Money = ZERO
    """Of a sum that is unknown, what is known of it."""
    roughly: bool = False
    """A part of `at_least` was estimated."""

    @classmethod
    def of(cls, usage: Usage, price: Price | None, billed: Money | None = None) -> Cost:
        """The provider's own figure wins over ours; without a price the cost is unknown, never zero."""
        if billed is not None:
            return cls(billed, CostState.BILLED)
        if price is None:
            return cls(None, CostState.UNKNOWN)
        # However many tokens there were, at a price of zero they cost nothing.
        exact = usage.source == "provider" or price.free
        state = CostState.COMPUTED if exact else CostState.ESTIMATED
        return cls(price.cost(usage), state)

    @classmethod
    def sum(cls, costs: Iterable[Cost]) -> Cost:
        """As sure as the least sure of those that are not nothing: unknown as soon as one is unknown, then estimated,
        then computed, and billed only when all are."""
        every = tuple(costs)
        amount = ZERO
        for cost in every:
            amount += cost.at_least if cost.amount is None else cost.amount
        states = {cost.state for cost in every if cost.amount is None or cost.amount} or {cost.state for cost in every}
        if CostState.UNKNOWN in states:
            roughly = CostState.ESTIMATED in states or any(cost.roughly for cost in every)
            return cls(None, CostState.UNKNOWN, amount, roughly)
        if CostState.ESTIMATED in states:
            return cls(amount, CostState.ESTIMATED)
        return cls(amount, CostState.BILLED if states == {CostState.BILLED} else CostState.COMPUTED)

    def __str__(self) -> str:
        if self.amount is None:
            return f"{'~' if self.roughly else ''}{self.at_least}+?" if self.at_least else "$?"
        return f"~{self.amount}" if self.state is CostState.ESTIMATED else str(self.amount)


NOTHING = Cost(ZERO, CostState.COMPUTED)
