"""Prices, names and context windows from the `genai-prices` package, in this program's own types.

Importing that package costs a third of a second of processor time, so it is done at the first question, and a book
belongs in a thread. Nothing here touches the network: the figures are those inside the installed package.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..routing.money import Money, Price, Rates, Tier, Variant
from ..routing.parts import Part
from ..routing.text import clean_line

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice

# Price keys of genai-prices → buckets of Rates. Searches, characters, pages and hours of sound have none: no such tool
# or model is used here. `cache_write_mtok` is what a write costs that is kept for five minutes.
_BUCKETS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cached_input",
    "cache_write_mtok": "cache_write",
    "output_reasoning_mtok": "reasoning",
}
_PARTS = {
    "cache_write_1h_mtok": Part.CACHE_WRITE_1H,
    "input_audio_mtok": Part.AUDIO_INPUT,
    "cache_audio_read_mtok": Part.AUDIO_CACHED,
    "output_audio_mtok": Part.AUDIO_OUTPUT,
    "input_image_mtok": Part.IMAGE_INPUT,
    "cache_image_read_mtok": Part.IMAGE_CACHED,
    "output_image_mtok": Part.IMAGE_OUTPUT,
    "input_video_mtok": Part.VIDEO_INPUT,
    "output_video_mtok": Part.VIDEO_OUTPUT,
}
# What a provider says in its answer that the price book has variants for. A batch and a route are asked for, never met.
_TIER_KEYS = ("service_tier", "speed")
_BY_KIND = {"anthropic": "anthropic", "openai": "openai", "gemini": "google", "openrouter": "openrouter"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the price book. `price` None: the book does not say what a whole call costs."""

    name: str
    price: Price | None
    context_window: int | None
    deprecated: bool = False
    answers: bool = True
    """False where only input has a price: such a model classifies or embeds."""


class PriceBook:
    """Prices as of one moment. The first question takes 0.35 s of processor time, any other up to half a millisecond
    when it is new: ask in a thread. Without a question, as where every price is the user's, nothing is imported."""

    def __init__(self, at: datetime | None = None) -> None:
        """`at`, now by default, decides which dated prices hold."""
        self.at = at or datetime.now(UTC)
        self._seen: dict[tuple[str, str], Entry | None] = {}

    @cached_property
    def _snapshot(self) -> DataSnapshot:
        from genai_prices.data_snapshot import get_snapshot

        return get_snapshot()

    @cached_property
    def source(self) -> str:
        """'genai-prices 0.2.3'."""
        import genai_prices

        return f"genai-prices {genai_prices.__version__}"

    def shelf(self, kind: str, base_url: str | None) -> str | None:
        """Which of the book's providers serves at this address; None for one it does not know. A known kind behind
        another address (a company's gateway) bills what the kind bills."""
        if kind in _BY_KIND:
            return _BY_KIND[kind]
        if not base_url:
            return None
        try:
            return self._snapshot.find_provider(None, None, base_url).id
        except LookupError:
            return None

    def entry(self, shelf: str | None, name: str) -> Entry | None:
        """The entry for a name as a provider lists it, dates and aliases included; None where the book has none."""
        if shelf is None:
            return None
        key = (shelf, name)
        if key not in self._seen:
            try:
                _, model = self._snapshot.find_provider_model(name, None, shelf, None)
            except LookupError:
                self._seen[key] = None
            else:
                self._seen[key] = self._entry(name, model)
        return self._seen[key]

    def entries(self, shelf: str | None) -> list[Entry]:
        """All models of one provider, whatever they are for."""
        if shelf is None:
            return []
        provider = next((p for p in self._snapshot.providers if p.id == shelf), None)
        return [self._entry(model.id, model) for model in provider.models] if provider else []

    def _entry(self, name: str, model: ModelInfo) -> Entry:
        price, answers = self._price(name, model)
        return Entry(clean_line(name, 200), price, model.context_window or None, bool(model.deprecated), answers)

    def _price(self, name: str, model: ModelInfo) -> tuple[Price | None, bool]:
        standing = list(_standing(model, self.at))
        if any(prices.input_mtok is not None and prices.output_mtok is None for _, _, prices in standing):
            return None, False
        variants = [
            Variant(price, tier, since, hours)
            for since, hours, prices in standing
            for tier, tiered in _tiers(model, prices, since, self.at)
            if (price := _convert(tiered, self.source)) is not None
        ]
        usual = [variant for variant in variants if not variant.tier]
        if not usual:
            free = name.lower().endswith(":free")
            return (Price(Rates(0, 0), source=f"{self.source}: offered free") if free else None), True
        if len(variants) == 1:
            return usual[0].price, True
        # A price is known before its hour is, and a cap must not be passed at the dearest.
        price = replace(usual[0].price, variants=tuple(variants)).on(self.at)
        by_the_clock = any(variant.hours for variant in usual)
        source = f"{self.source}, the day's dearest hours" if by_the_clock else self.source
        return replace(price, source=source, variants=tuple(variants)), True


def _standing(model: ModelInfo, at: datetime) -> Iterator[tuple[date | None, tuple[int, int] | None, ModelPrice]]:
    """The prices of the UTC day of `at` and those announced for a later one, the last that holds first to be believed:
    from which day, at which minutes of the UTC day, and what."""
    if not isinstance(model.prices, list):
        yield None, None, model.prices
        return
    today = at.astimezone(UTC).date()
    dated = [c for c in model.prices if getattr(c.constraint, "start_time", None) is None]
    begun = [c for c in dated if getattr(c.constraint, "start_date", date.min) <= today]
    past = begun[:-1]
    for condition in model.prices:
        if any(condition is old for old in past):
            continue
        constraint: Any = condition.constraint
        if (start := getattr(constraint, "start_time", None)) is not None:
            yield None, (_utc_minute(start, today), _utc_minute(constraint.end_time, today)), condition.prices
        else:
            since = getattr(constraint, "start_date", None)
            yield since if since and since > today else None, None, condition.prices


def _utc_minute(edge: time, day: date) -> int:
    moment = datetime.combine(day, edge if edge.tzinfo else edge.replace(tzinfo=UTC)).astimezone(UTC)
    return moment.hour * 60 + moment.minute


def _tiers(model: ModelInfo, prices: ModelPrice, since: date | None, at: datetime) -> Iterator[tuple[str, ModelPrice]]:
    """A price at the usual service tier, '', and at those that have prices of their own."""
    yield "", prices
    moment = at if since is None else datetime.combine(since, time(), UTC)
    tiers = {
        value
        for variant in model.price_variants or ()
        if len(variant.when) == 1 and (variant.constraint is None or variant.constraint.active(moment))
        for key, value in variant.when.items()
        if key in _TIER_KEYS and any(price is not None for price in vars(variant.prices).values())
    }
    for tier in sorted(tiers):
        override: dict[str, Any] = {}
        for variant in model.price_variants or ():
            asked = tuple(variant.when.items())
            if asked in tuple(((key, tier),) for key in _TIER_KEYS) and (
                variant.constraint is None or variant.constraint.active(moment)
            ):
                for key, price in vars(variant.prices).items():
                    if price is not None:
                        override.setdefault(key, price)
        yield tier, type(prices)(**{**vars(prices), **override})


def _convert(prices: ModelPrice, source: str) -> Price | None:
    """None unless both input and output have a price: half a price would make the other half free."""
    known = {key: value for key in (*_BUCKETS, *_PARTS) if (value := getattr(prices, key)) is not None}
    if "input_mtok" not in known or "output_mtok" not in known:
        return None
    starts = sorted({tier.start for value in known.values() for tier in getattr(value, "tiers", ())})
    per_thousand_calls = prices.requests_kcount
    per_call = Money()
    if isinstance(per_thousand_calls, Decimal):
        per_call = Money.from_usd(per_thousand_calls / 1000)
    return Price(
        _rates(known, None), tuple(Tier(start, _rates(known, start)) for start in starts), per_call, source=source
    )


def _rates(known: dict[str, Any], start: int | None) -> Rates:
    """Base rates, or those in force above `start` input tokens."""

    def rate(value: Any) -> Decimal:
        chosen: Decimal = getattr(value, "base", value)
        for tier in getattr(value, "tiers", ()):
            if start is not None and tier.start <= start:
                chosen = tier.price
        return chosen

    plain = {bucket: rate(known[key]) for key, bucket in _BUCKETS.items() if key in known}
    return Rates.from_usd(**plain, parts={part: rate(known[key]) for key, part in _PARTS.items() if key in known})
