from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, getcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.money import (
    BUCKETS,
    FREE,
    ZERO,
    Cost,
    CostState,
    Money,
    Price,
    Rates,
    Tier,
    Usage,
    Variant,
)
from tui_orchestrator.routing.parts import Part

from .samples import price


def test_a_dollar_is_a_million_million_picodollars() -> None:
    assert Money.from_usd("1") == Money(10**12)
    assert Money.from_usd(Decimal("0.000000000001")) == Money(1)
    assert Money.from_usd(3).usd == 3


def test_what_is_finer_than_a_picodollar_is_rounded_up() -> None:
    assert Money.from_usd("0.0000000000001") == Money(1)
    assert Money.from_usd("0.0000000000010000000000000000000000000000000001") == Money(2)
    assert Money.from_usd("9999999999999.9999999999990000000000000001") == Money(10**25)


def test_amounts_are_summed_as_numbers_are_and_never_with_numbers() -> None:
    assert sum([Money(1), Money(2)]) == Money(3)
    with pytest.raises(TypeError):
        1 + Money(1)


def test_money_from_a_float_is_refused() -> None:
    with pytest.raises(TypeError, match="loses cents"):
        Money.from_usd(0.1)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "x", "NaN", "sNaN", "inf", "-Infinity", "1e999999", "1e16", "0.1.2", "$5"])
def test_what_is_no_amount_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as 0\.05"):
        Money.from_usd(text)


@given(st.integers(-(10**15), 10**15), st.integers(-(10**15), 10**15), st.integers(0, 1000))
def test_sums_are_exact_and_read_back_exactly(a: int, b: int, times: int) -> None:
    assert Money(a) + Money(b) - Money(b) == Money(a)
    assert (Money(a) * times).picodollars == a * times
    assert Money.from_usd(Money(a).usd) == Money(a)
    assert (Money(a) < Money(b)) == (a < b)
    assert -Money(a) == Money(-a)


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        ("0", "$0"),
        ("0.000000000001", "$0.000000000001"),
        ("0.0000004", "$0.00000040"),
        ("0.00042", "$0.00042"),
        ("0.0031", "$0.0031"),
        ("0.0125", "$0.012"),
        ("0.999", "$0.999"),
        ("0.01", "$0.010"),
        ("0.0099", "$0.0099"),
        ("0.009999", "$0.0100"),
        ("0.9994", "$0.999"),
        ("0.9995", "$1.00"),
        ("1", "$1.00"),
        ("12345.678", "$12,345.68"),
        ("-0.5", "-$0.500"),
    ],
)
def test_an_amount_is_shown_with_the_digits_that_matter(usd: str, shown: str) -> None:
    assert str(Money.from_usd(usd)) == shown


@given(st.integers(-(10**16), 10**16).filter(bool))
def test_something_is_never_shown_as_nothing(amount: int) -> None:
    digits = str(Money(amount)).replace("$", "").replace(",", "")
    assert Decimal(digits) != 0
    assert abs(Decimal(digits) - Money(amount).usd) <= abs(Money(amount).usd) / 10


def test_a_call_costs_tokens_times_rate_without_rounding() -> None:
    rates = Rates.from_usd("3", "15", cached_input="0.30", cache_write="3.75", reasoning="20")
    usage = Usage(1000, 200, cached_input=600, cache_write=100, reasoning=50)
    expected = 300 * 3_000_000 + 600 * 300_000 + 100 * 3_750_000 + 150 * 15_000_000 + 50 * 20_000_000
    assert rates.cost(usage) == Money(expected)


def test_buckets_without_a_rate_of_their_own_are_billed_plainly() -> None:
    usage = Usage(1000, 200, cached_input=600, cache_write=100, reasoning=50)
    assert Rates.from_usd("3", "15").cost(usage) == Rates.from_usd("3", "15").cost(Usage(1000, 200))


def test_a_provider_that_reports_more_cached_than_input_gives_no_negative_bill() -> None:
    assert Rates.from_usd("10", "0", cached_input="0").cost(Usage(10, 0, cached_input=500)) == ZERO


def test_a_rate_is_rounded_up_to_a_microdollar_and_never_negative() -> None:
    assert Rates.from_usd("0.0000001", "1").input == 1
    with pytest.raises(ValueError, match="below zero"):
        Rates.from_usd("-1", "1")


def test_a_tier_prices_the_whole_call_once_the_input_is_longer() -> None:
    tiered = Price(Rates.from_usd("2", "12"), (Tier(200, Rates.from_usd("4", "18")),))
    assert tiered.cost(Usage(200, 10)) == Rates.from_usd("2", "12").cost(Usage(200, 10))
    assert tiered.cost(Usage(201, 10)) == Rates.from_usd("4", "18").cost(Usage(201, 10))


def test_a_fee_per_call_is_added_once() -> None:
    fee = Money.from_usd("0.01")
    assert price(per_call=fee).cost(Usage()) == fee
    assert price(per_call=fee).ceiling(0, 0) == fee


rates = st.integers(0, 10**8)
maybe = st.one_of(st.none(), rates)
all_rates = st.builds(Rates, rates, rates, maybe, maybe, maybe)
prices = st.builds(
    lambda first, tiers, fee: Price(first, tuple(Tier(over, r) for over, r in sorted(tiers.items())), Money(fee)),
    all_rates,
    st.dictionaries(st.integers(0, 3000), all_rates, max_size=3),
    rates,
)


@given(prices, st.integers(0, 4000), st.integers(0, 4000), st.data())
def test_no_usage_within_its_bounds_costs_more_than_the_ceiling(
    price: Price, most_in: int, most_out: int, data: st.DataObject
) -> None:
    tokens_in = data.draw(st.integers(0, most_in))
    cached = data.draw(st.integers(0, tokens_in))
    written = data.draw(st.integers(0, tokens_in - cached))
    tokens_out = data.draw(st.integers(0, most_out))
    usage = Usage(tokens_in, tokens_out, cached, written, data.draw(st.integers(0, tokens_out)))
    assert price.cost(usage) <= price.ceiling(most_in, most_out)


def test_a_prompt_that_may_be_written_to_a_cache_is_reserved_for_at_that_rate() -> None:
    price = Price(Rates(10, 0, cached_input=1, cache_write=25))
    assert price.ceiling(100, 0) == price.cost(Usage(100, 0, cache_write=100)) == Money(2_500)


def test_a_dear_tier_is_reserved_for_no_further_than_it_reaches() -> None:
    price = Price(Rates(10, 1), (Tier(100, Rates(2, 1)),))
    assert price.ceiling(1000, 0) == Money(2_000)
    assert price.ceiling(120, 0) == Money(1_000)


@given(prices, st.integers(0, 4000), st.integers(0, 10**13))
def test_what_is_affordable_fits_and_one_token_more_does_not(price: Price, tokens_in: int, room: int) -> None:
    affordable = price.affordable_output(tokens_in, Money(room))
    if affordable < 0:
        assert price.ceiling(tokens_in, 0) > Money(room)
        return
    assert price.ceiling(tokens_in, affordable) <= Money(room) or affordable == 2**31
    assert price.ceiling(tokens_in, affordable + 1) > Money(room) or affordable == 2**31


@given(prices)
def test_a_price_is_read_back_from_the_row_as_it_was(price: Price) -> None:
    assert Price.from_json(price.to_json()) == price


def test_a_row_keeps_a_price_under_names_that_stay() -> None:
    """Rows of years are priced again from them."""
    rates = Rates(1, 2, 3, 4, 5, ((Part.IMAGE_INPUT, 6),))
    dear = Price(rates, (Tier(200, Rates(7, 8)),), Money(9), "your configuration", (Variant(FREE, "flex"),))
    kept = {
        "rates": {"input": 1, "output": 2, "cached_input": 3, "cache_write": 4, "reasoning": 5}
        | {"parts": {Part.IMAGE_INPUT: 6}},
        "tiers": [{"over": 200, "rates": {"input": 7, "output": 8}}],
        "per_call": 9,
        "source": "your configuration",
    }
    assert dear.to_json() == kept
    assert Price.from_json(kept) == replace(dear, variants=())
    assert [str(part) for part in kept["rates"]["parts"]] == ["image_input"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("rates", "read", "written"),
    [
        (Rates(3, 5), 3, 5),
        (Rates(3, 5, cached_input=4), 4, 5),
        (Rates(3, 5, cache_write=4), 4, 5),
        (Rates(3, 5, 1, 1, 1), 3, 5),
        (Rates(3, 5, reasoning=7), 3, 7),
        (Rates(3, 5, parts=((Part.IMAGE_INPUT, 9),)), 9, 5),
        (Rates(3, 5, parts=((Part.IMAGE_CACHED, 9),)), 9, 5),
        (Rates(3, 5, parts=((Part.AUDIO_INPUT, 9), (Part.CACHE_WRITE_1H, 9))), 3, 5),
        (Rates(3, 5, parts=((Part.AUDIO_OUTPUT, 9),)), 3, 9),
        (Rates(0, 0), 0, 0),
    ],
)
def test_the_dearest_a_call_can_be_billed_for(rates: Rates, read: int, written: int) -> None:
    assert (rates.dearest_input, rates.dearest_output) == (read, written)
    assert Price(rates).ceiling(100, 10) == Money(100 * read + 10 * written)


def test_a_free_model_answers_with_as_much_as_it_likes() -> None:
    assert FREE.affordable_output(10, ZERO) == 2**31
    assert Price(Rates(0, 2), (Tier(5, Rates(0, 0)),)).affordable_output(10, Money(9)) == 4
    assert Price(Rates(1, 2), per_call=Money(3)).affordable_output(10, Money(13)) == 0
    assert Price(Rates(1, 2), per_call=Money(3)).affordable_output(10, Money(12)) == -1


def test_of_the_tiers_an_input_may_fall_into_the_one_that_leaves_least_counts() -> None:
    dear, cheap = Tier(5, Rates(1, 10)), Tier(8, Rates(1, 2))
    assert Price(Rates(1, 5), (dear, cheap)).affordable_output(10, Money(50)) == 4
    assert Price(Rates(1, 5), (dear, cheap)).affordable_output(5, Money(50)) == 9


def test_a_tier_begins_behind_its_last_token() -> None:
    tiered = Price(Rates(1, 1), (Tier(10, Rates(5, 1)), Tier(20, Rates(7, 1))))
    assert [tiered.ceiling(n, 0).picodollars for n in (0, 1, 10, 11, 20, 21)] == [0, 1, 10, 55, 100, 147]
    assert [tiered.expected(n, 2).picodollars for n in (0, 1, 10, 11, 20, 21)] == [2, 3, 12, 57, 102, 149]


def test_only_what_can_never_cost_anything_is_free() -> None:
    assert FREE.free
    assert not price(per_call=Money(1)).free
    assert not Price(Rates(0, 0, reasoning=1)).free
    assert not Price(Rates(0, 0), (Tier(10, Rates(1, 0)),)).free


def test_the_state_of_a_cost_says_where_it_comes_from() -> None:
    usage = Usage(10, 10)
    guessed = Usage(10, 10, source="estimated")
    assert Cost.of(usage, price(), Money(7)) == Cost(Money(7), CostState.BILLED)
    assert Cost.of(usage, price()).state is CostState.COMPUTED
    assert Cost.of(guessed, price()).state is CostState.ESTIMATED
    assert Cost.of(usage, None) == Cost(None, CostState.UNKNOWN)


def test_an_unknown_cost_is_shown_as_a_question_and_an_estimate_with_a_tilde() -> None:
    assert str(Cost(None, CostState.UNKNOWN)) == "$?"
    assert str(Cost(Money.from_usd("2"), CostState.ESTIMATED)) == "~$2.00"
    assert str(Cost(Money.from_usd("2"), CostState.BILLED)) == "$2.00"


def test_usages_add_up_bucket_by_bucket_and_part_by_part() -> None:
    one = Usage(100, 20, 30, 4, 5, parts=((Part.AUDIO_INPUT, 7), (Part.IMAGE_INPUT, 1)))
    other = Usage(2000, 300, 500, 60, 70, parts=((Part.IMAGE_INPUT, 2),))
    both = Usage(2100, 320, 530, 64, 75, parts=((Part.AUDIO_INPUT, 7), (Part.IMAGE_INPUT, 3)))
    assert one + other == other + one == both
    assert one + Usage() == Usage() + one == one
    assert (one + replace(other, source="estimated")).source == (replace(one, source="estimated") + other).source
    assert (one + other).source == "provider"


def test_a_sum_with_an_estimate_in_it_is_an_estimate() -> None:
    assert (Usage(1, 2, 1, 0, 1) + Usage(3, 4, source="estimated")) == Usage(4, 6, 1, 0, 1, "estimated")


def test_reading_money_leaves_the_callers_rounding_alone() -> None:
    before = getcontext().rounding
    Money.from_usd("0.1")
    assert getcontext().rounding == before


@given(
    st.integers(0, 500_000),
    st.integers(0, 100_000),
    st.integers(0, 500_000),
    st.sampled_from([None, 0, 100_000]),
    st.booleans(),
)
def test_an_estimate_is_the_cost_of_such_a_usage(
    input_tokens: int, output_tokens: int, cached: int, cached_rate: int | None, tiers: bool
) -> None:
    cached = min(cached, input_tokens)
    dear = (Tier(200_000, Rates(2_000_000, 7_500_000, cached_input=cached_rate)),) if tiers else ()
    price = Price(Rates(1_000_000, 5_000_000, cached_input=cached_rate), dear, per_call=Money(7))
    assert price.expected(input_tokens, output_tokens, cached) == price.cost(Usage(input_tokens, output_tokens, cached))


def known(usd: str, state: CostState = CostState.COMPUTED) -> Cost:
    return Cost(Money.from_usd(usd), state)


@pytest.mark.parametrize(
    ("costs", "told"),
    [
        ([], "$0"),
        ([known("1", CostState.BILLED), known("2", CostState.BILLED)], "$3.00"),
        ([known("1", CostState.ESTIMATED), known("2", CostState.BILLED)], "~$3.00"),
        ([known("0", CostState.ESTIMATED), known("2")], "$2.00"),
        ([Cost(None, CostState.UNKNOWN)], "$?"),
        ([Cost(None, CostState.UNKNOWN), known("2"), known("1", CostState.ESTIMATED)], "~$3.00+?"),
        ([Cost(None, CostState.UNKNOWN, Money.from_usd("3")), known("2")], "$5.00+?"),
    ],
)
def test_a_sum_is_as_sure_as_the_least_sure_of_its_parts(costs: list[Cost], told: str) -> None:
    assert str(Cost.sum(costs)) == told


@pytest.mark.parametrize(
    ("costs", "summed"),
    [
        ([known("0", CostState.BILLED), known("0")], known("0")),
        ([known("0", CostState.ESTIMATED)], known("0", CostState.ESTIMATED)),
        ([known("1"), known("1", CostState.BILLED), known("0", CostState.ESTIMATED)], known("2")),
        (
            [Cost(None, CostState.UNKNOWN), known("1", CostState.BILLED)],
            Cost(None, CostState.UNKNOWN, Money.from_usd("1")),
        ),
        (
            [Cost(None, CostState.UNKNOWN, Money(4), roughly=True), Cost(None, CostState.UNKNOWN, Money(5))],
            Cost(None, CostState.UNKNOWN, Money(9), roughly=True),
        ),
    ],
)
def test_a_sum_has_its_state_and_what_is_known_of_it(costs: list[Cost], summed: Cost) -> None:
    assert Cost.sum(costs) == Cost.sum(reversed(costs)) == summed


def test_tokens_counted_here_at_a_price_of_nothing_cost_exactly_nothing() -> None:
    assert Cost.of(Usage(10, 10, source="estimated"), FREE) == Cost(ZERO, CostState.COMPUTED)


def test_a_sum_is_billed_only_when_all_of_it_is() -> None:
    billed = known("1", CostState.BILLED)
    assert Cost.sum([billed, billed]).state is CostState.BILLED
    assert Cost.sum([billed, known("1")]).state is CostState.COMPUTED
    assert Cost.sum([billed, known("0")]).state is CostState.BILLED
    assert Cost.sum([known("0", CostState.BILLED)]).state is CostState.BILLED


states = st.sampled_from([CostState.BILLED, CostState.COMPUTED, CostState.ESTIMATED])
some_costs = st.one_of(
    st.builds(lambda a, state: Cost(Money(a), state), st.integers(0, 10**12), states),
    st.builds(lambda a: Cost(None, CostState.UNKNOWN, Money(a)), st.integers(0, 10**12)),
)


@given(st.lists(some_costs, max_size=6), st.lists(some_costs, max_size=6))
def test_sums_may_be_summed_in_any_grouping(one: list[Cost], other: list[Cost]) -> None:
    whole = Cost.sum([*one, *other])
    apart = Cost.sum([Cost.sum(one), Cost.sum(other)])
    assert (whole.amount, whole.at_least) == (apart.amount, apart.at_least)
    amounts = [cost.amount for cost in (*one, *other)]
    assert (whole.amount is None) == (None in amounts)
    if whole.amount is not None:
        assert whole.amount.picodollars == sum(amount.picodollars for amount in amounts if amount is not None)


parts = st.dictionaries(st.sampled_from(list(Part)), st.integers(1, 5000), max_size=4)
part_rates = st.dictionaries(st.sampled_from(list(Part)), rates, max_size=4)


@given(all_rates, part_rates, st.integers(0, 5000), st.integers(0, 5000), parts)
def test_a_part_is_billed_once_at_its_own_rate_and_never_below_nothing(
    plain: Rates, priced: dict[Part, int], tokens_in: int, tokens_out: int, counts: dict[Part, int]
) -> None:
    priced_rates = Rates(*(getattr(plain, name) for name in BUCKETS), parts=tuple(sorted(priced.items())))
    usage = Usage(tokens_in, tokens_out, parts=tuple(sorted(counts.items())))
    cost = priced_rates.cost(usage)
    assert cost >= ZERO
    dearest = max(plain.input, plain.output, plain.cached_input or 0, plain.cache_write or 0, *priced.values(), 0)
    assert cost <= Money((tokens_in + tokens_out) * dearest)
    if not set(counts) & set(priced) and not {part.unread for part in counts} & set(priced):
        assert cost == plain.cost(usage)


@pytest.mark.parametrize(
    ("usage", "amount"),
    [
        (Usage(100, 0, parts=((Part.IMAGE_INPUT, 30),)), 70 * 2 + 30 * 9),
        # No more than there is is billed apart, of each bucket for itself.
        (Usage(20, 0, parts=((Part.IMAGE_INPUT, 30),)), 20 * 9),
        (Usage(100, 0, 80, parts=((Part.IMAGE_INPUT, 30),)), 20 * 9 + 80),
        (Usage(100, 0, 80, parts=((Part.IMAGE_CACHED, 30),)), 20 * 2 + 50 + 30 * 4),
        # What no rate is known for is billed as its kind unread from a cache, or as its bucket.
        (Usage(100, 0, 80, parts=((Part.AUDIO_CACHED, 30),)), 20 * 2 + 50 + 30 * 7),
        (Usage(100, 0, parts=((Part.VIDEO_INPUT, 30),)), 100 * 2),
        (Usage(0, 50, 0, 0, 20, parts=((Part.AUDIO_OUTPUT, 40),)), 20 * 6 + 30 * 8),
        (Usage(100, 0, parts=((Part.AUDIO_INPUT, 60), (Part.IMAGE_INPUT, 60))), 60 * 7 + 40 * 9),
    ],
)
def test_parts_are_billed_at_their_rates_as_far_as_their_bucket_reaches(usage: Usage, amount: int) -> None:
    priced = ((Part.AUDIO_INPUT, 7), (Part.AUDIO_OUTPUT, 8), (Part.IMAGE_CACHED, 4), (Part.IMAGE_INPUT, 9))
    assert Rates(2, 5, 1, 3, 6, priced).cost(usage) == Money(amount)


def test_an_hour_in_the_cache_is_a_rate_of_its_own() -> None:
    own = Rates(2_000_000, 10_000_000, 100_000, 2_500_000, parts=((Part.CACHE_WRITE_1H, 4_000_000),))
    usage = Usage(5000, 0, cache_write=4000, parts=((Part.CACHE_WRITE_1H, 3000),))
    assert own.cost(usage) == Money(1000 * 2_000_000 + 1000 * 2_500_000 + 3000 * 4_000_000)


def test_a_tier_and_an_hour_decide_what_is_applied_and_a_day_what_is_reckoned_with() -> None:
    night, noon, flex = Price(Rates(1, 1)), Price(Rates(5, 5)), Price(Rates(2, 2))
    both = replace(noon, variants=(Variant(night), Variant(noon, hours=(600, 1200)), Variant(flex, "flex")))
    early, midday = datetime(2026, 11, 21, 9, 59, tzinfo=UTC), datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
    assert both.applied(early) == night
    assert both.applied(midday) == both.applied(datetime(2026, 11, 21, 19, 59, tzinfo=UTC)) == noon
    assert both.applied(datetime(2026, 11, 21, 20, 0, tzinfo=UTC)) == night
    assert both.applied(midday, "flex") == flex
    assert both.applied(midday, "priority") is None
    assert both.on(early) == noon


def test_a_price_without_variants_stands_as_it_is_and_for_no_other_tier() -> None:
    at = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    assert FREE.on(at) is FREE is FREE.applied(at)
    assert FREE.applied(at, "flex") is None


def test_of_a_day_the_dearest_hour_is_reckoned_with_by_input_and_output() -> None:
    cheap, dear = Price(Rates(6, 1)), Price(Rates(1, 8))
    by_hours = replace(cheap, variants=(Variant(cheap), Variant(dear, hours=(1320, 1321))))
    assert by_hours.on(datetime(2026, 11, 21, 20, 30, tzinfo=UTC)) == dear
    # At 23:30 an hour west of Greenwich it is the next day already, and the price of that day.
    late = datetime(2026, 11, 21, 23, 30, tzinfo=timezone(timedelta(hours=-1)))
    from_then = replace(cheap, variants=(Variant(dear, since=date(2026, 11, 22)),))
    assert from_then.on(late) == dear
    assert from_then.on(late - timedelta(hours=1)) == cheap
    assert from_then.applied(late - timedelta(minutes=31)) == cheap


@pytest.mark.parametrize(
    ("hours", "minute", "holds"),
    [
        ((60, 120), 59, False),
        ((60, 120), 60, True),
        ((60, 120), 119, True),
        ((60, 120), 120, False),
        ((120, 60), 119, False),
        ((120, 60), 120, True),
        ((120, 60), 59, True),
        ((120, 60), 60, False),
        ((60, 60), 60, False),
        ((60, 60), 61, False),
    ],
)
def test_hours_begin_with_their_first_minute_and_end_before_their_last(
    hours: tuple[int, int], minute: int, holds: bool
) -> None:
    at = datetime(2026, 11, 21, minute // 60, minute % 60, 59, tzinfo=UTC)
    assert Variant(FREE, hours=hours).holds(at) is holds


def test_hours_may_pass_midnight_and_are_of_the_utc_day() -> None:
    late = Variant(Price(Rates(1, 1)), hours=(1400, 60))
    assert late.holds(datetime(2026, 11, 21, 23, 30, tzinfo=UTC))
    assert late.holds(datetime(2026, 11, 22, 0, 59, tzinfo=UTC))
    assert not late.holds(datetime(2026, 11, 22, 1, 0, tzinfo=UTC))
    assert late.holds(datetime(2026, 11, 22, 1, 30, tzinfo=timezone(timedelta(hours=1))))


def test_no_more_than_the_input_is_expected_from_a_cache() -> None:
    price = Price(Rates(1_000, 2_000, cached_input=100))
    assert price.expected(10, 5) == Money(20_000)
    assert price.expected(10, 5, cached_input=400) == price.expected(10, 5, cached_input=10)


@pytest.mark.parametrize(
    ("price", "free"),
    [
        (Price(Rates(0, 0)), True),
        (Price(Rates(1, 0)), False),
        (Price(Rates(0, 1)), False),
        (Price(Rates(0, 0, reasoning=1)), False),
        (Price(Rates(0, 0, cache_write=1)), False),
        (Price(Rates(0, 0), per_call=Money(1)), False),
        # Also what costs something only from some length on, however long that is.
        (Price(Rates(0, 0), tiers=(Tier(1_000_000, Rates(1, 0)),)), False),
        (Price(Rates(0, 0), tiers=(Tier(1_000_000, Rates(0, 1)),)), False),
        (Price(Rates(0, 0), tiers=(Tier(1_000_000, Rates(0, 0)),)), True),
    ],
)
def test_free_is_what_costs_nothing_whatever_is_asked(price: Price, free: bool) -> None:
    assert price.free is free
