"""The price book says what genai-prices says, to the picodollar."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider, TimeOfDateConstraint
from genai_prices.types import Usage as TheirUsage

from tui_orchestrator.providers.prices import PriceBook
from tui_orchestrator.routing.money import Money, Rates, Usage
from tui_orchestrator.routing.parts import Part

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
USAGES = (
    Usage(input=1, output=1),
    Usage(input=812, output=1400),
    Usage(input=90_000, output=3000, cached_input=60_000),
    Usage(input=90_000, output=3000, cached_input=60_000, cache_write=12_345),
    Usage(input=100_000, output=10),
    Usage(input=100_001, output=10),
    Usage(input=272_001, output=128_000, cached_input=1),
    Usage(input=900_000, output=9000, cached_input=200_000, cache_write=1000, reasoning=4000),
    Usage(input=9000, output=10, cache_write=5000, parts=((Part.CACHE_WRITE_1H, 4000),)),
)
MANY_PARTS = Usage(
    input=300_001,
    output=5000,
    cached_input=70_000,
    parts=(
        (Part.AUDIO_CACHED, 10_000),
        (Part.AUDIO_INPUT, 20_000),
        (Part.AUDIO_OUTPUT, 300),
        (Part.IMAGE_CACHED, 2000),
        (Part.IMAGE_INPUT, 1500),
        (Part.IMAGE_OUTPUT, 1290),
        (Part.VIDEO_INPUT, 700),
        (Part.VIDEO_OUTPUT, 50),
    ),
)
"""What reasoning and one-hour writes are priced at is not asked beside it: no model prices those and sound as well."""


def chat_models() -> list[tuple[Provider, ModelInfo]]:
    return [(p, m) for p in get_snapshot().providers for m in p.models]


def by_the_clock(model: ModelInfo) -> bool:
    prices = model.prices if isinstance(model.prices, list) else []
    return any(isinstance(price.constraint, TimeOfDateConstraint) for price in prices)


def theirs(provider: Provider, model: ModelInfo, usage: Usage, at: datetime = AT, **context: str) -> Decimal:
    """Where theirs counts a modality's cached tokens inside its input, ours counts them beside it."""
    parts = dict(usage.parts)
    counts = TheirUsage(
        input_tokens=usage.input,
        output_tokens=usage.output,
        cache_read_tokens=usage.cached_input,
        cache_write_tokens=usage.cache_write,
        output_reasoning_tokens=usage.reasoning,
        cache_write_1h_tokens=parts.get(Part.CACHE_WRITE_1H, 0),
        input_audio_tokens=parts.get(Part.AUDIO_INPUT, 0) + parts.get(Part.AUDIO_CACHED, 0),
        cache_audio_read_tokens=parts.get(Part.AUDIO_CACHED, 0),
        output_audio_tokens=parts.get(Part.AUDIO_OUTPUT, 0),
        input_image_tokens=parts.get(Part.IMAGE_INPUT, 0) + parts.get(Part.IMAGE_CACHED, 0),
        cache_image_read_tokens=parts.get(Part.IMAGE_CACHED, 0),
        output_image_tokens=parts.get(Part.IMAGE_OUTPUT, 0),
        input_video_tokens=parts.get(Part.VIDEO_INPUT, 0),
        output_video_tokens=parts.get(Part.VIDEO_OUTPUT, 0),
    )
    return model.calc_price(counts, provider, genai_request_timestamp=at, price_context=context or None).total_price


def finer_than_a_micro_dollar(model: ModelInfo) -> bool:
    """Rates such as 0.0833… dollars, which no whole number of micro-dollars is; they are rounded up."""
    prices = model.get_prices(AT)
    keys = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok")
    values = [getattr(prices, key) for key in keys]
    flat = [v for value in values if value for v in (getattr(value, "base", value), *_tier_prices(value))]
    return any(rate * 10**6 % 1 for rate in flat)


def _tier_prices(value: object) -> list[Decimal]:
    return [tier.price for tier in getattr(value, "tiers", ())]


def test_every_priced_model_costs_what_genai_prices_calculates() -> None:
    book, compared = PriceBook(AT), 0
    for provider, model in chat_models():
        entry = book._entry(model.id, model)
        if entry.price is None or by_the_clock(model) or finer_than_a_micro_dollar(model):
            continue
        for usage in USAGES:
            cost = entry.price.cost(usage)
            assert cost.usd == theirs(provider, model, usage), f"{provider.id} {model.id} {usage}"
            compared += 1
    assert compared > 10_000


def test_a_rate_finer_than_a_micro_dollar_is_rounded_up_and_never_down() -> None:
    book, compared = PriceBook(AT), 0
    for provider, model in chat_models():
        if by_the_clock(model) or not finer_than_a_micro_dollar(model):
            continue
        price = book._entry(model.id, model).price
        assert price is not None
        for usage in USAGES:
            exact, ours = theirs(provider, model, usage), price.cost(usage).usd
            assert (
                exact
                <= ours
                <= exact + Decimal("0.000001") * (usage.input + usage.output) / 1_000_000 + Decimal(10) ** -12
            )
            compared += 1
    assert compared > 50


def test_a_price_that_follows_the_clock_is_the_dearest_of_the_day() -> None:
    book, compared = PriceBook(AT), 0
    for provider, model in chat_models():
        if not by_the_clock(model):
            continue
        price = book._entry(model.id, model).price
        assert price is not None
        hours = [theirs(provider, model, USAGES[1], AT.replace(hour=hour, minute=45)) for hour in range(24)]
        assert price.cost(USAGES[1]).usd == max(hours)
        assert "dearest hours" in price.source
        compared += 1
    assert compared >= 5


def test_each_hour_of_such_a_price_is_applied_to_the_calls_it_is_for() -> None:
    book, compared = PriceBook(AT), 0
    for provider, model in chat_models():
        if not by_the_clock(model):
            continue
        price = book._entry(model.id, model).price
        assert price is not None
        for minute in range(0, 24 * 60, 10):
            at = AT.replace(hour=minute // 60, minute=minute % 60)
            applied = price.applied(at)
            assert applied is not None
            assert applied.cost(USAGES[2]).usd == theirs(provider, model, USAGES[2], at), f"{model.id} {at}"
            compared += 1
    assert compared > 700


def test_sound_pictures_and_film_cost_what_genai_prices_calculates() -> None:
    book, compared = PriceBook(AT), 0
    for provider, model in chat_models():
        price = book._entry(model.id, model).price
        if price is None or not any(part.bucket != "cache_write" for part, _ in price.rates.parts):
            continue
        applied = price.applied(AT)
        assert applied is not None
        assert applied.cost(MANY_PARTS).usd == theirs(provider, model, MANY_PARTS), f"{provider.id} {model.id}"
        compared += 1
    assert compared > 15


def test_every_service_tier_costs_what_genai_prices_calculates() -> None:
    book, compared = PriceBook(AT), 0
    for provider, model in chat_models():
        price = book._entry(model.id, model).price
        tiers = {v.when[key] for v in model.price_variants or () for key in ("service_tier", "speed") if key in v.when}
        if price is None:
            continue
        for tier in tiers - {"default"}:
            key = "speed" if provider.id == "anthropic" else "service_tier"
            applied = price.applied(AT, tier)
            assert applied is not None, f"{provider.id} {model.id} {tier}"
            for usage in USAGES:
                assert applied.cost(usage).usd == theirs(provider, model, usage, **{key: tier}), f"{model.id} {tier}"
                compared += 1
    assert compared > 500


def test_a_tier_that_is_not_priced_is_not_known(book: PriceBook) -> None:
    entry = book.entry("openai", "gpt-6-luna")
    assert entry is not None
    assert entry.price is not None
    assert entry.price.applied(AT, "scale") is None
    assert entry.price.applied(AT) == entry.price.on(AT)


def test_a_program_left_running_reckons_with_the_price_of_the_day_of_each_call(book: PriceBook) -> None:
    """Gemini 4 Argon's introductory price ends with November 2026."""
    entry = book.entry("google", "gemini-4-argon")
    assert entry is not None
    price = entry.price
    assert price is not None
    last, first = datetime(2026, 11, 30, 23, 59, tzinfo=UTC), datetime(2026, 12, 1, 0, 0, tzinfo=UTC)
    for asked in (price.on, price.applied):
        before, after = asked(last), asked(first)
        assert before is not None
        assert after is not None
        assert (before.rates.input, after.rates.input) == (2_000_000, 4_000_000)


def test_a_price_changes_on_the_day_it_is_announced_for() -> None:
    """Gemini 4 Argon's introductory price ends with November 2026."""
    before = PriceBook(datetime(2026, 11, 30, 23, tzinfo=UTC)).entry("google", "gemini-4-argon")
    after = PriceBook(datetime(2026, 12, 1, 1, tzinfo=UTC)).entry("google", "gemini-4-argon")
    assert before is not None
    assert before.price is not None
    assert (before.price.rates.input, before.price.rates.output) == (2_000_000, 10_000_000)
    assert after is not None
    assert after.price is not None
    assert (after.price.rates.input, after.price.rates.output) == (4_000_000, 20_000_000)


def test_a_tier_starts_above_its_threshold_for_the_whole_call(book: PriceBook) -> None:
    """Claude Haiku 5.5: $0.10 up to 100,000 tokens of prompt, $0.50 beyond."""
    entry = book.entry("anthropic", "claude-haiku-5-5")
    assert entry is not None
    assert entry.price is not None
    assert entry.price.rates == Rates(100_000, 500_000, 10_000, 125_000, parts=((Part.CACHE_WRITE_1H, 200_000),))
    assert entry.price.cost(Usage(input=100_000)) == Money.from_usd("0.01")
    assert entry.price.cost(Usage(input=100_001)) == Money.from_usd("0.0500005")


@pytest.mark.parametrize(
    ("shelf", "listed", "same_as"),
    [
        ("openai", "gpt-6-luna-2026-09-22", "gpt-6-luna"),
        ("openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("anthropic", "claude-opus-4-5-20251101", "claude-opus-4-5"),
        ("google", "gemini-flash-latest", "gemini-3.8-flash"),
        ("openrouter", "anthropic/claude-sonnet-5.5", "anthropic/claude-sonnet-5.5"),
    ],
)
def test_a_dated_or_aliased_name_gets_its_models_price(book: PriceBook, shelf: str, listed: str, same_as: str) -> None:
    found, model = book.entry(shelf, listed), book.entry(shelf, same_as)
    assert found is not None
    assert model is not None
    assert found.price is not None
    assert found.price == model.price
    assert found.name == listed


def test_an_unknown_name_has_no_entry_and_so_no_price(book: PriceBook) -> None:
    assert book.entry("openai", "gpt-99-nova") is None
    assert book.entry(None, "gpt-6-luna") is None


def test_half_a_price_is_no_price(book: PriceBook) -> None:
    entry = book.entry("openai", "text-embedding-3-small")
    assert entry is not None
    assert entry.price is None
    assert not entry.answers


def test_a_model_without_any_price_is_unknown_and_not_free(book: PriceBook) -> None:
    entry = book.entry("google", "gemma-4-31b-it")
    assert entry is not None
    assert entry.price is None


def test_a_model_sold_as_free_is_free(book: PriceBook) -> None:
    entry = book.entry("openrouter", "mistralai/mistral-nemo:free")
    assert entry is not None
    assert entry.price is not None
    assert entry.price.free


@pytest.mark.parametrize(
    ("kind", "url", "shelf"),
    [
        ("openai", None, "openai"),
        ("gemini", "http://127.0.0.1:9999", "google"),
        ("openrouter", None, "openrouter"),
        ("openai-compatible", "https://api.groq.com/openai/v1", "groq"),
        ("openai-compatible", "https://api.deepseek.com/v1", "deepseek"),
        ("openai-compatible", "http://192.168.1.20:8000/v1", None),
        ("openai-compatible", None, None),
    ],
)
def test_the_address_says_whose_prices_hold(book: PriceBook, kind: str, url: str | None, shelf: str | None) -> None:
    assert book.shelf(kind, url) == shelf


def test_the_source_names_the_package_and_its_version() -> None:
    book = PriceBook()
    entry = book.entry("openai", "gpt-6-luna")
    assert entry is not None
    assert entry.price is not None
    name, version = entry.price.source.split(" ")
    assert name == "genai-prices"
    assert version[0].isdigit()


def test_importing_the_catalogue_loads_neither_prices_nor_sdks_nor_http() -> None:
    code = (
        "import sys, tui_orchestrator.providers.catalogue\n"
        "heavy = {'genai_prices', 'httpx2', 'openai', 'anthropic', 'google.genai', 'textual', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
