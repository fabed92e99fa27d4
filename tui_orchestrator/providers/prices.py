"""Prices, names and context windows from the `genai-prices` package, in this program's own types.

Importing that package costs a third of a second of processor time, so it is done at the first question, and a book
belongs in a thread. Nothing here touches the network: the figures are those inside the installed package.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..routing.money import Money, Price, Rates, Tier
from ..routing.text import clean_line

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice

# Price keys of genai-prices → buckets of Rates. Audio, image and per-search prices have no bucket here: such models and
# tools are not used. The 5-minute cache write is the one that providers bill unless told otherwise.
_BUCKETS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cached_input",
    "cache_write_mtok": "cache_write",
    "output_reasoning_mtok": "reasoning",
}
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
        standing = {id(prices): prices for prices in _during(model, self.at)}.values()
        if any(prices.input_mtok is not None and prices.output_mtok is None for prices in standing):
            return None, False
        priced = [price for prices in standing if (price := _convert(prices, self.source)) is not None]
        if not priced:
            free = name.lower().endswith(":free")
            return (Price(Rates(0, 0), source=f"{self.source}: offered free") if free else None), True
        dearest = max(priced, key=lambda price: price.rates.input + price.rates.output)
        if len(priced) == 1:
            return dearest, True
        # The registry holds one price a day, and a cap must not be passed at the dearest hour.
        return Price(dearest.rates, dearest.tiers, dearest.per_call, f"{self.source}, the day's dearest hours"), True


def _during(model: ModelInfo, at: datetime) -> Iterable[ModelPrice]:
    """The prices that hold at some hour of the UTC day of `at`; one, unless the price follows the clock."""
    yield model.get_prices(at)
    conditions = model.prices if isinstance(model.prices, list) else []
    for condition in conditions:
        for edge in (
            getattr(condition.constraint, "start_time", None),
            getattr(condition.constraint, "end_time", None),
        ):
            if edge is not None:
                # Each hour's price begins at an edge: a window's first moment, or the first one after it.
                zone = edge.tzinfo or UTC
                moment = datetime.combine(at.astimezone(zone).date(), edge.replace(tzinfo=None), zone)
                yield model.get_prices(moment)


def _convert(prices: ModelPrice, source: str) -> Price | None:
    """None unless both input and output have a price: half a price would make the other half free."""
    known: dict[str, Any] = {
        bucket: value for key, bucket in _BUCKETS.items() if (value := getattr(prices, key)) is not None
    }
    if "input" not in known or "output" not in known:
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

    return Rates.from_usd(**{bucket: rate(value) for bucket, value in known.items()})
