from __future__ import annotations

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.ratelimit import MINUTE_S, Limit, NamedLimit, RateLimits, a_minute, minutes

from .samples import model

TWENTY_A_MINUTE = model("a/y", requests_per_minute=20)
THREE_A_MINUTE = model("a/x", requests_per_minute=3)


def starts(limits: RateLimits, *asked: tuple[object, int, float]) -> list[float]:
    return [limits.claim(who, tokens, now).due for who, tokens, now in asked]  # type: ignore[arg-type]


def test_without_a_limit_nobody_waits() -> None:
    limits = RateLimits()
    assert starts(limits, *[(model("a/x"), 10**9, 5.0)] * 50) == [5.0] * 50


def test_places_are_given_in_the_order_they_are_asked_for() -> None:
    due = starts(RateLimits(), *[(THREE_A_MINUTE, 1, 0.0)] * 8)
    assert due == [0, 0, 0, 60, 60, 60, 120, 120]


def test_a_minute_is_any_sixty_seconds() -> None:
    due = starts(RateLimits(), *[(THREE_A_MINUTE, 1, at) for at in (0.0, 50.0, 55.0, 59.0, 61.0, 62.0)])
    assert due == [0, 50, 55, 60, 110, 115]


def test_tokens_are_counted_with_what_the_call_may_become() -> None:
    thousand = model("a/x", tokens_per_minute=1000)
    assert starts(RateLimits(), *[(thousand, size, 0.0) for size in (600, 400, 1, 600)]) == [0, 0, 60, 60]


def test_a_call_larger_than_the_whole_allowance_waits_for_an_empty_minute() -> None:
    thousand = model("a/x", tokens_per_minute=1000)
    assert starts(RateLimits(), (thousand, 5, 0.0), (thousand, 5000, 1.0), (thousand, 5, 2.0)) == [0, 60, 120]


def test_the_strictest_of_model_and_provider_holds() -> None:
    limits = RateLimits()
    limits.provider("a", requests=2, tokens=None, concurrent=None)
    one, other = model("a/x"), model("a/y")
    assert starts(limits, (one, 1, 0.0), (other, 1, 0.0), (one, 1, 0.0), (model("b/z"), 1, 0.0)) == [0, 0, 60, 0]


def test_a_model_that_waits_does_not_hold_up_the_others_of_its_provider() -> None:
    for provider_allows in (None, 10):
        limits = RateLimits()
        limits.provider("a", requests=provider_allows, tokens=None, concurrent=None)
        slow, free = model("a/slow", requests_per_minute=1), model("a/free")
        assert starts(limits, (slow, 1, 0.0), (slow, 1, 0.0), (free, 1, 1.0)) == [0, 60, 1]


def test_asking_how_long_takes_no_place() -> None:
    limits = RateLimits()
    for _ in range(10):
        assert limits.wait_s(THREE_A_MINUTE, 1, 0.0) == 0.0
    starts(limits, *[(THREE_A_MINUTE, 1, 0.0)] * 3)
    assert limits.wait_s(THREE_A_MINUTE, 1, 20.0) == 40.0


def test_a_limit_that_was_changed_holds_for_the_next_call() -> None:
    limits = RateLimits()
    limits.provider("a", requests=1, tokens=None, concurrent=None)
    starts(limits, (model("a/x"), 1, 0.0))
    limits.provider("a", requests=5, tokens=None, concurrent=None)
    assert limits.wait_s(model("a/x"), 1, 0.0) == 0.0


calls = st.lists(
    st.tuples(st.sampled_from([0.0, 0.3, 1.0, 7.7, 30.0, 59.9, 60.0, 90.0]), st.integers(1, 100)), max_size=40
)


@given(st.integers(1, 5), st.integers(100, 300), calls, st.data())
def test_no_sixty_seconds_ever_hold_more_than_the_limit(
    requests: int, tokens: int, calls: list[tuple[float, int]], data: st.DataObject
) -> None:
    limit, now = Limit(requests, tokens), 1000.0
    taken: list[tuple[float, int]] = []
    for pause, size in calls:
        now += pause
        limit.forget(now)
        due = limit.earliest(size, now)
        assert due >= now
        # Another limit may put the call off further: then it takes a place where this one has room as well.
        due = limit.earliest(size, due + data.draw(st.sampled_from([0.0, 0.0, 12.5, 100.0])))
        limit.take(size, due)
        taken.append((due, size))
    for start, _ in taken:
        inside = [size for due, size in taken if start <= due < start + MINUTE_S]
        assert len(inside) <= requests
        assert sum(inside) <= tokens


@given(st.lists(st.tuples(st.sampled_from(["a/x", "a/y", "b/z"]), st.sampled_from([0.0, 1.0, 40.0])), max_size=40))
def test_neither_model_nor_provider_ever_passes_its_minute(calls: list[tuple[str, float]]) -> None:
    limits, now = RateLimits(), 0.0
    limits.provider("a", requests=3, tokens=None, concurrent=None)
    taken: list[tuple[str, float]] = []
    for name, pause in calls:
        now += pause
        taken.append((name, limits.claim(model(name, requests_per_minute=2), 1, now).due))
    for _, start in taken:
        inside = [name for name, due in taken if start <= due < start + MINUTE_S]
        assert sum(name.startswith("a/") for name in inside) <= 3
        assert all(inside.count(name) <= 2 for name in inside)


def test_a_place_that_is_given_back_is_free_for_the_next_and_keeps_the_others_where_they_are() -> None:
    limits, two = RateLimits(), model("a/x", requests_per_minute=2)
    limits.provider("a", requests=3, tokens=None, concurrent=None)
    first, second, third = (limits.claim(two, 1, 0.0) for _ in range(3))
    assert (first.due, second.due, third.due) == (0, 0, 60)
    limits.give_back(second)
    assert starts(limits, (two, 1, 1.0), (two, 1, 1.0)) == [1.0, 61.0]
    limits.give_back(first)
    assert starts(limits, (model("a/y"), 1, 2.0)) == [2.0]


@pytest.mark.parametrize(
    ("calls", "tokens", "minutes"), [(2, 1000, 0), (3, 1500, 1), (7, 3500, 3), (2, 4000, 1), (3, 0, 0)]
)
def test_a_rate_limit_of_tokens_lets_as_many_calls_start_in_a_minute_as_fit(
    calls: int, tokens: int, minutes: int
) -> None:
    thousand = model("a/x", tokens_per_minute=1000)
    assert RateLimits().least_s([(thousand, calls, tokens)])[0] == minutes * MINUTE_S


@pytest.mark.parametrize(
    ("each", "requests", "tokens", "starting"),
    [
        (400, None, None, math.inf),
        (400, 3, None, 3),
        (400, None, 1000, 2),
        (500, None, 1000, 2),
        (501, None, 1000, 1),
        (5000, None, 1000, 1),
        (0.2, None, 1000, 1000),
        (1.5, None, 3, 2),
        (400, 1, 1000, 1),
        (400, 3, 1000, 2),
    ],
)
def test_so_many_calls_start_in_a_minute(
    each: float, requests: int | None, tokens: int | None, starting: float
) -> None:
    assert a_minute(each, requests, tokens) == starting


@pytest.mark.parametrize(
    ("calls", "passing"), [(-1, 0), (0, 0), (0.5, 0), (1, 0), (3, 0), (3.1, 1), (4, 1), (6, 1), (7, 2)]
)
def test_so_many_minutes_pass_before_the_last_call_starts(calls: float, passing: int) -> None:
    assert minutes(calls, 1, 3, None) == passing
    assert minutes(calls, 1, None, None) == 0


def test_the_limit_that_a_batch_waits_longest_for_is_named() -> None:
    limits = RateLimits()
    limits.provider("a", requests=4, tokens=None, concurrent=None)
    quick, slow = model("a/y", requests_per_minute=20), model("a/x", requests_per_minute=1)
    of_provider, of_slow = NamedLimit("provider a", 4, None), NamedLimit("a/x", 1, None)
    assert limits.least_s([(quick, 4, 4)]) == limits.least_s([(model("b/z"), 99, 99)]) == (0.0, None)
    assert limits.least_s([]) == (0.0, None)
    assert limits.least_s([(quick, 9, 9)]) == (120.0, of_provider)
    assert limits.least_s([(quick, 5, 5), (slow, 4, 4)]) == (180.0, of_slow)
    # Each alone would be quick: together they fill the provider's minutes.
    assert limits.least_s([(quick, 4, 4), (model("a/w"), 4, 4), (slow, 1, 1)]) == (120.0, of_provider)


def test_a_limit_of_tokens_counts_all_that_fall_under_it() -> None:
    limits = RateLimits()
    limits.provider("a", requests=None, tokens=1000, concurrent=None)
    of_provider = NamedLimit("provider a", None, 1000)
    asked = [(model("a/x"), 2, 1600), (model("a/y"), 2, 400)]
    assert limits.least_s(asked) == (60.0, of_provider)
    assert limits.least_s(asked[:1]) == (60.0, of_provider)
    assert limits.least_s(asked[1:]) == (0.0, None)


@pytest.mark.parametrize(
    ("of_provider", "more", "limited", "named"),
    [
        (None, {}, False, []),
        ((None, None, 3), {}, False, []),
        ((9, None, None), {}, True, ["provider a: 9 requests a minute"]),
        ((None, 9000, None), {}, True, ["provider a: 9,000 tokens a minute"]),
        (None, {"requests_per_minute": 1}, True, ["a/x: 1 requests a minute"]),
        (None, {"tokens_per_minute": 1}, True, ["a/x: 1 tokens a minute"]),
        (
            *((9, 9, None), {"requests_per_minute": 2_000, "tokens_per_minute": 1}, True),
            ["provider a: 9 requests and 9 tokens a minute", "a/x: 2,000 requests and 1 tokens a minute"],
        ),
    ],
)
def test_a_model_is_limited_by_itself_or_by_its_provider(
    of_provider: tuple[int | None, int | None, int | None] | None,
    more: dict[str, int],
    limited: bool,
    named: list[str],
) -> None:
    limits = RateLimits()
    if of_provider is not None:
        limits.provider("a", *of_provider)
    one = model("a/x", **more)
    assert limits.limited(one) is limited
    assert [f"{limit.name}: {limit.told}" for limit in limits.named(one)] == named
    assert not limits.limited(model("b/x"))
    assert limits.named(model("b/x")) == ()


def test_nobody_starts_before_the_last_of_all_copies_of_the_program() -> None:
    limits = RateLimits()
    limits.hear(THREE_A_MINUTE, 7.0)
    assert (limits.wait_s(THREE_A_MINUTE, 1, 2.0), limits.wait_s(THREE_A_MINUTE, 1, 9.0)) == (5.0, 0.0)
    assert limits.wait_s(TWENTY_A_MINUTE, 1, 2.0) == 0.0
    for _ in range(3):
        limits.claim(THREE_A_MINUTE, 1, 0.0)
    assert limits.wait_s(THREE_A_MINUTE, 1, 2.0) == 58.0


@pytest.mark.parametrize(
    ("sizes", "now", "calls", "seconds"),
    [
        ([], 0.0, 9, 0.0),
        ([400, 400], 0.0, 0, 0.0),
        ([400, 400, 400], 0.0, 0, 60.0),
        ([400, 400, 400], 20.0, 0, 40.0),
        ([400, 400, 400], 20.0, -1, 40.0),
        ([400, 400, 400], 20.0, 1, 40.0),
        ([400, 400, 400], 20.0, 2, 100.0),
        ([400, 400, 400], 20.0, 4, 160.0),
        # As large as those of the last minute are on the average.
        ([100, 500], 10.0, 1, 0.0),
        ([100, 500], 10.0, 2, 50.0),
        ([100, 500], 10.0, 4, 50.0),
        ([100, 500], 10.0, 5, 110.0),
        ([100, 500], 61.0, 9, 0.0),
        ([5000], 10.0, 1, 50.0),
        ([5000], 10.0, 2, 110.0),
    ],
)
def test_further_calls_are_taken_to_be_like_those_of_the_last_minute(
    sizes: list[int], now: float, calls: float, seconds: float
) -> None:
    limits, thousand = RateLimits(), model("a/x", tokens_per_minute=1000)
    for size in sizes:
        limits.claim(thousand, size, 0.0)
    assert limits.further_s([(thousand, calls)], now) == seconds


def test_the_next_minute_begins_when_the_first_place_has_left_the_one_that_is_full() -> None:
    limits = RateLimits()
    for at in (0.0, 30.0, 40.0):
        limits.claim(THREE_A_MINUTE, 1, at)
    assert [limits.further_s([(THREE_A_MINUTE, calls)], 40.0) for calls in (1, 2, 4, 5)] == [20.0, 50.0, 50.0, 110.0]


def test_calls_of_next_to_nothing_count_as_one_token() -> None:
    limits, two = RateLimits(), model("a/x", tokens_per_minute=2)
    assert starts(limits, (two, 0, 0.0), (two, 1, 0.0), (two, 2, 0.0)) == [0, 0, 60]
    assert limits.further_s([(two, 1)], 60.0) == 60.0
    limits = RateLimits()
    assert starts(limits, (two, 0, 0.0)) == [0]
    assert [limits.further_s([(two, calls)], 0.0) for calls in (1, 2, 3)] == [0.0, 60.0, 60.0]


def test_of_several_models_the_last_that_starts_counts_and_calls_under_one_limit_are_added() -> None:
    limits = RateLimits()
    limits.provider("a", requests=2, tokens=None, concurrent=None)
    one, other = model("a/x"), model("a/y", requests_per_minute=1)
    assert limits.further_s([], 0.0) == limits.further_s([(one, 5)], 0.0) == 0.0
    limits.claim(other, 1, 0.0)
    assert limits.further_s([(one, 1)], 0.0) == 0.0
    assert limits.further_s([(one, 1), (other, 1)], 0.0) == 60.0
    assert limits.further_s([(one, 2)], 0.0) == 60.0
    assert limits.further_s([(one, 1), (one, 1)], 0.0) == 60.0


def test_a_place_that_is_over_is_given_back_to_nobody() -> None:
    limits = RateLimits()
    place = limits.claim(THREE_A_MINUTE, 1, 0.0)
    limits.claim(THREE_A_MINUTE, 1, 60.5)
    limits.give_back(place)
    limits.give_back(place)
    assert starts(limits, *[(THREE_A_MINUTE, 1, 61.0)] * 3) == [61.0, 61.0, 120.5]


async def test_a_number_of_calls_at_once_that_was_changed_holds_for_the_next() -> None:
    limits = RateLimits()
    limits.provider("a", None, None, concurrent=1)
    one = model("a/x")
    async with limits.one_of_many(one):
        assert limits.busy(one)
        assert not limits.busy(model("b/x"))
        limits.provider("a", None, None, concurrent=2)
        assert not limits.busy(one)
        async with limits.one_of_many(one), limits.one_of_many(one):
            assert limits.busy(one)
    async with limits.one_of_many(own := model("a/x", max_concurrent=1)):
        assert limits.busy(own)
        assert not limits.busy(model("a/y", max_concurrent=1))


async def test_only_so_many_calls_run_at_once_and_the_next_goes_when_one_ends() -> None:
    limits = RateLimits()
    limits.provider("a", None, None, concurrent=2)
    one, other = model("a/x", max_concurrent=1), model("a/y")
    running: list[str] = []
    ends = {name: asyncio.Event() for name in "pqr"}

    async def call(name: str, who: object) -> None:
        async with limits.one_of_many(who):  # type: ignore[arg-type]
            running.append(name)
            await ends[name].wait()
        running.remove(name)

    async def settle() -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(call(*started)) for started in (("p", one), ("q", one), ("r", other))]
    await settle()
    assert running == ["p"]
    assert limits.busy(one)
    ends["p"].set()
    await settle()
    assert running == ["q", "r"]
    for end in ends.values():
        end.set()
    await asyncio.gather(*tasks)
    assert not limits.busy(one)
    assert not limits.busy(other)


@pytest.mark.parametrize(
    ("asked", "further", "seconds"),
    [(9, 11, 0), (9, 12, 60), (9, 50, 120), (20, 1, 60), (24, 16, 60), (24, 17, 120)],
)
def test_until_when_further_calls_could_start_counts_those_in_line(asked: int, further: int, seconds: float) -> None:
    limits = RateLimits()
    for _ in range(asked):
        limits.claim(TWENTY_A_MINUTE, 1, 0.0)
    assert limits.further_s([(TWENTY_A_MINUTE, further)], 0.0) == seconds
    last = max(limits.claim(TWENTY_A_MINUTE, 1, 0.0).due for _ in range(further))
    assert last == seconds


def test_a_call_never_starts_before_it_is_asked_for_also_behind_a_place_that_is_long_over() -> None:
    limit = Limit(1, None)
    for due in (0.0, 200.0):
        limit.take(1, due)
    assert [limit.earliest(1, at) for at in (0.0, 60.0, 139.0, 141.0, 210.0, 260.0)] == [60, 60, 139, 260, 260, 260]
