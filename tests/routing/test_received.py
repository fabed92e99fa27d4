"""What a call comes to, whatever became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.storage.samples import ATTEMPT, DECISION, PROFILE, REQUEST
from tui_orchestrator.routing.budget import Cap, Lost
from tui_orchestrator.routing.deadline import Deadline
from tui_orchestrator.routing.errors import (
    Cancelled,
    Connection,
    ErrorKind,
    RateLimited,
    StreamBroken,
    Timeout,
    TurnError,
)
from tui_orchestrator.routing.events import Attempt, Cause, Confidence, FinishReason, Outcome, Recalled, ToolCalled
from tui_orchestrator.routing.model import Model
from tui_orchestrator.routing.money import NOTHING, Cost, CostState, Money, Price, Rates, Usage, Variant
from tui_orchestrator.routing.parts import Part
from tui_orchestrator.routing.ports import CachedAnswer, CallPiece, Done, TextPiece, ThinkingPiece, UsageSoFar
from tui_orchestrator.routing.received import (
    Plan,
    Received,
    called,
    cost_of,
    from_cache,
    if_lost,
    recalled,
    row,
    to_cache,
)

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
MODEL = Model("openai", "small", price=Price(Rates(1, 10)))


def received(reported: Usage | None, seen: int, billed: int | None = None, most: int | None = None) -> Received:
    """An answer of which `seen` tokens came."""
    cost = None if billed is None else Money(billed)
    return Received(["…"], reported=reported, billed=cost, sent=1.0, first=1.1, most=most, count=lambda *_: seen)


@pytest.mark.parametrize(
    ("seen", "most", "output"),
    [(5, 100, 50), (70, 100, 70), (200, 100, 100), (200, None, 200)],
)
def test_what_broke_off_is_paid_for_by_what_was_reported_or_seen_whichever_is_more(
    seen: int, most: int | None, output: int
) -> None:
    broken = received(Usage(10, 50), seen, most=most)
    assert broken.usage(PROFILE, StreamBroken()) == Usage(10, output, source="estimated")


@pytest.mark.parametrize(("billed", "cost"), [(900, 900), (100, 510), (None, 510)])
def test_what_a_provider_has_billed_before_the_break_is_the_least_it_costs(billed: int | None, cost: int) -> None:
    usage = Usage(10, 50, source="estimated")
    assert cost_of(received(usage, 5, billed), usage, MODEL, AT)[0] == Cost(Money(cost), CostState.ESTIMATED)


def test_of_a_whole_answer_the_provider_has_the_last_word() -> None:
    whole = received(Usage(10, 50), 70, 100)
    whole.end(Done(FinishReason.STOP, Usage(10, 50)), 1.2)
    assert whole.usage(PROFILE, None) == Usage(10, 50)
    assert cost_of(whole, Usage(10, 50), MODEL, AT)[0] == Cost(Money(100), CostState.BILLED)


@pytest.mark.parametrize(
    ("error", "taken_in"), [(Timeout(), True), (StreamBroken(), True), (Connection(), False), (RateLimited(), False)]
)
def test_a_request_that_was_taken_in_and_not_answered_costs_its_input(error: TurnError, taken_in: bool) -> None:
    silent = Received(sent=1.0, count=lambda *_: 0)
    assert silent.usage(PROFILE, error).input == (PROFILE.input_tokens if taken_in else 0)
    assert Received(count=lambda *_: 0).usage(PROFILE, error) == Usage(), "what was never sent"


@pytest.mark.parametrize(
    ("sent", "first", "ended", "error", "usage"),
    [
        # Nothing came: it costs its input, where the request was taken in.
        (1.0, None, False, Timeout(), Usage(1200, 0, source="estimated")),
        (1.0, None, False, RateLimited(), Usage()),
        (None, None, False, Timeout(), Usage()),
        (None, None, False, None, Usage()),
        # What had come was answered, whatever ended it.
        (1.0, 1.1, False, RateLimited(), Usage(1200, 70, source="estimated")),
        (1.0, 1.1, False, Connection(), Usage(1200, 70, source="estimated")),
        (1.0, 1.1, True, None, Usage(1200, 70, source="estimated")),
        (1.0, None, True, None, Usage(1200, 0, source="estimated")),
        (1.0, None, True, RateLimited(), Usage(1200, 0, source="estimated")),
    ],
)
def test_what_came_is_paid_for_also_where_nothing_was_counted(
    sent: float | None, first: float | None, ended: bool, error: TurnError | None, usage: Usage
) -> None:
    heard = Received(["…"] if first else [], sent=sent, first=first, count=lambda text, _: 70 if text else 0)
    if ended:
        heard.done = Done(FinishReason.STOP, None)
    assert heard.usage(PROFILE, error) == usage


def reports(*reported: Usage, window: int | None = 200_000, most: int | None = 100, seen: int = 10) -> Received:
    heard = Received(["…"], window=window, most=most, input_tokens=1000, sent=1.0, first=1.1, count=lambda *_: seen)
    for usage in reported:
        heard.report(UsageSoFar(usage))
    return heard


@pytest.mark.parametrize(
    ("reported", "more", "kept", "doubt"),
    [
        # What can be is kept, up to the window, or four times what is expected.
        ([Usage(200_000, 100)], {}, Usage(200_000, 100), None),
        ([Usage(200_001, 100)], {}, Usage(0, 100), "200,001 input tokens"),
        ([Usage(200_000, 100)], {"window": 5}, Usage(200_000, 100), None),
        ([Usage(200_001, 100)], {"window": 5}, Usage(0, 100), "200,001 input tokens"),
        ([Usage(2_000_000, 100)], {"window": None}, Usage(2_000_000, 100), None),
        ([Usage(2_000_001, 100)], {"window": None}, Usage(0, 100), "2,000,001 input tokens"),
        ([Usage(10, 200_000)], {}, Usage(10, 200_000), None),
        ([Usage(10, 200_001)], {}, Usage(10, 0), "200,001 output tokens"),
        ([Usage(10, 300_000)], {"most": 300_000}, Usage(10, 300_000), None),
        ([Usage(10, 300_001)], {"most": 300_000}, Usage(10, 0), "300,001 output tokens"),
        ([Usage(10, 200_001)], {"most": None}, Usage(10, 0), "200,001 output tokens"),
        ([Usage(10, 240_000)], {"seen": 60_000}, Usage(10, 240_000), None),
        ([Usage(10, 240_001)], {"seen": 60_000}, Usage(10, 0), "240,001 output tokens"),
        # A later report replaces an earlier one, but for a side that went down or cannot be.
        ([Usage(10, 5), Usage(10, 7)], {}, Usage(10, 7), None),
        ([Usage(10, 5, 3, 2, 1), Usage(9, 7)], {}, Usage(10, 7, 3, 2), None),
        ([Usage(10, 5, reasoning=2), Usage(12, 4, 6)], {}, Usage(12, 5, 6, reasoning=2), None),
        ([Usage(10, 5), Usage(300_000, 7)], {}, Usage(10, 7), "300,000 input tokens"),
        (
            [
                Usage(10, 5, parts=((Part.AUDIO_INPUT, 2), (Part.AUDIO_OUTPUT, 3))),
                Usage(9, 7, parts=((Part.AUDIO_OUTPUT, 4), (Part.IMAGE_INPUT, 1))),
            ],
            {},
            Usage(10, 7, parts=((Part.AUDIO_INPUT, 2), (Part.AUDIO_OUTPUT, 4))),
            None,
        ),
        (
            [
                Usage(10, 5, parts=((Part.AUDIO_INPUT, 2), (Part.AUDIO_OUTPUT, 3))),
                Usage(11, 4, parts=((Part.AUDIO_OUTPUT, 4), (Part.IMAGE_INPUT, 1))),
            ],
            {},
            Usage(11, 5, parts=((Part.AUDIO_OUTPUT, 3), (Part.IMAGE_INPUT, 1))),
            None,
        ),
    ],
)
def test_a_count_that_cannot_be_is_not_believed_and_the_other_side_is(
    reported: list[Usage], more: dict[str, Any], kept: Usage, doubt: str | None
) -> None:
    heard = reports(*reported, **more)
    assert heard.reported == kept
    assert heard.doubts == ([] if doubt is None else [doubt])
    went_down = [(later.input < one.input, later.output < one.output) for one, later in pairwise(reported)]
    assert heard.input_believed is not (doubt == f"{reported[-1].input:,} input tokens" or (True, False) in went_down)
    assert heard.output_believed is not (
        doubt == f"{reported[-1].output:,} output tokens" or (False, True) in went_down
    )


def test_a_long_prompt_may_be_counted_as_four_times_its_estimate() -> None:
    heard = Received(input_tokens=1_000_000, window=200_000)
    heard.report(UsageSoFar(Usage(4_000_000, 1)))
    assert heard.doubts == []
    heard.report(UsageSoFar(Usage(4_000_001, 1)))
    heard.report(UsageSoFar(Usage(4_000_001, 1)))
    assert heard.doubts == ["4,000,001 input tokens"]


WHOLE = Done(FinishReason.STOP, Usage(10, 50))


@pytest.mark.parametrize(
    ("reported", "ended", "more", "usage"),
    [
        (Usage(10, 50), WHOLE, {}, Usage(10, 50)),
        (Usage(10, 50), None, {}, Usage(10, 70, source="estimated")),
        (Usage(10, 90), None, {}, Usage(10, 90, source="estimated")),
        (Usage(10, 90), None, {"most": 60}, Usage(10, 90, source="estimated")),
        (Usage(10, 50), Done(FinishReason.STOP, None), {}, Usage(10, 70, source="estimated")),
        # No input was counted, or more output than was asked for: it no longer follows from what was agreed.
        (None, Done(FinishReason.STOP, Usage(0, 50)), {}, Usage(1200, 50, source="estimated")),
        (None, Done(FinishReason.STOP, Usage(0, 50)), {"input_tokens": 7}, Usage(7, 50, source="estimated")),
        (None, WHOLE, {"most": 50}, Usage(10, 50)),
        (None, WHOLE, {"most": 49}, Usage(10, 50, source="estimated")),
        # Nothing was counted for words that came: they are, beside the reasoning that was.
        (None, Done(FinishReason.STOP, Usage(10, 0)), {}, Usage(10, 70, source="estimated")),
        (None, Done(FinishReason.STOP, Usage(10, 0)), {"most": 60}, Usage(10, 60, source="estimated")),
        (
            *(None, Done(FinishReason.STOP, Usage(10, 30, reasoning=30)), {}),
            Usage(10, 100, reasoning=30, source="estimated"),
        ),
        (
            *(None, Done(FinishReason.STOP, Usage(10, 30, reasoning=30)), {"most": 80}),
            Usage(10, 80, reasoning=30, source="estimated"),
        ),
        (None, Done(FinishReason.STOP, Usage(10, 30, reasoning=20)), {}, Usage(10, 30, reasoning=20)),
        # Nothing was reported at all.
        (None, Done(FinishReason.STOP, None), {}, Usage(1200, 70, source="estimated")),
        (None, Done(FinishReason.STOP, None), {"most": 60}, Usage(1200, 60, source="estimated")),
    ],
)
def test_what_is_paid_for_is_reported_or_estimated(
    reported: Usage | None, ended: Done | None, more: dict[str, Any], usage: Usage
) -> None:
    heard = Received(["…"], reported=reported, sent=1.0, first=1.1, **({"count": lambda *_: 70} | more))
    if ended is not None:
        heard.end(ended, 1.2)
    assert heard.usage(PROFILE, None if ended else StreamBroken()) == usage


def test_thinking_that_nothing_was_counted_for_is_estimated_and_silence_is_not() -> None:
    for thinking, output in (("Hm.", 70), (" ", 0)):
        heard = Received([], [thinking], sent=1.0, first=1.1, count=lambda *_: 70)
        heard.end(Done(FinishReason.STOP, Usage(10, 0)), 1.2)
        assert heard.usage(PROFILE, None).output == output


def test_an_answer_whose_count_went_down_is_estimated() -> None:
    heard = reports(Usage(10, 50), seen=70)
    heard.end(Done(FinishReason.STOP, Usage(10, 40)), 1.2)
    assert heard.usage(PROFILE, None) == Usage(10, 70, source="estimated")
    heard = reports(Usage(10, 50), seen=70)
    heard.end(Done(FinishReason.STOP, Usage(9, 60)), 1.2)
    assert heard.usage(PROFILE, None) == Usage(10, 60, source="estimated")


@pytest.mark.parametrize(
    ("first", "last", "output", "speed"),
    [(1.0, 3.0, 8, 4.0), (1.0, 3.0, 7, None), (1.0, 1.0, 8, None), (None, None, 8, None), (3.0, 1.0, 8, None)],
)
def test_a_speed_needs_eight_tokens_and_some_time(
    first: float | None, last: float | None, output: int, speed: float | None
) -> None:
    assert Received(first=first, last=last).tokens_per_s(Usage(0, output)) == speed


@pytest.mark.parametrize(
    ("error", "done", "outcome"),
    [
        (None, WHOLE, Outcome.FINISHED),
        (None, None, Outcome.FAILED),
        (StreamBroken(), None, Outcome.FAILED),
        (StreamBroken(), WHOLE, Outcome.FAILED),
        (Cancelled(), None, Outcome.CANCELLED),
        (Cancelled(), WHOLE, Outcome.CANCELLED),
    ],
)
def test_how_a_call_ended(error: TurnError | None, done: Done | None, outcome: Outcome) -> None:
    assert Received(done=done).outcome(error) is outcome


@pytest.mark.parametrize(
    ("tier", "usage", "billed", "cost"),
    [
        ("", Usage(10, 50), None, Cost(Money(510), CostState.COMPUTED)),
        ("flex", Usage(10, 50), None, Cost(Money(255), CostState.COMPUTED)),
        # A tier whose price nobody knows is reckoned at the usual one.
        ("priority", Usage(10, 50), None, Cost(Money(510), CostState.ESTIMATED)),
        ("priority", Usage(10, 50), 7, Cost(Money(7), CostState.BILLED)),
        ("priority", Usage(), None, NOTHING),
        ("", Usage(), 7, Cost(Money(7), CostState.BILLED)),
    ],
)
def test_a_call_is_reckoned_at_its_service_tier(tier: str, usage: Usage, billed: int | None, cost: Cost) -> None:
    usual = Price(Rates(1, 10))
    half = Price(Rates(1, 5), per_call=Money(-5))
    tiered = replace(MODEL, price=replace(usual, variants=(Variant(half, "flex"),)))
    amount = None if billed is None else Money(billed)
    heard = Received(tier=tier, billed=amount, done=WHOLE)
    assert cost_of(heard, usage, tiered, AT) == (cost, half if tier == "flex" else usual)
    assert cost_of(heard, Usage(10, 50), replace(MODEL, price=None), AT) == (
        Cost.of(Usage(10, 50), None, amount),
        None,
    )


def test_what_was_billed_before_a_break_counts_also_without_a_price() -> None:
    broken = Received(billed=Money(7))
    assert cost_of(broken, Usage(10, 0), replace(MODEL, price=None), AT)[0] == Cost(Money(7), CostState.ESTIMATED)


def test_the_last_that_is_billed_and_the_last_tier_that_is_named_hold() -> None:
    heard = Received()
    heard.report(UsageSoFar(Usage(1, 1), Money(5), "flex"))
    heard.report(UsageSoFar(Usage(2, 2)))
    assert (heard.billed, heard.tier, heard.reported) == (Money(5), "flex", Usage(2, 2))
    heard.end(Done(FinishReason.STOP, None, Money(0), tier="fast"), 1.0)
    assert (heard.billed, heard.tier, heard.reported) == (Money(0), "fast", Usage(2, 2))


def test_what_the_user_should_know_of_a_count_is_a_sentence() -> None:
    doubtful = reports(Usage(300_000, 900_000))
    assert doubtful.told_of_usage("a/x", Usage(1000, 70)) == (
        "a/x reported 300,000 input tokens and 900,000 output tokens, which cannot be: "
        "booked with 1,000 in and 70 out, estimated from what came"
    )
    limited = reports(Usage(10, 1001), most=1000)
    said = "a/x counted 1,001 output tokens, and 1,000 were the most it was allowed"
    assert limited.told_of_usage("a/x", Usage(10, 1001)) == said
    assert limited.told_of_usage("a/x", Usage(10, 1000)) == ""
    assert reports(most=None).told_of_usage("a/x", Usage(10, 1001)) == ""


def test_pieces_of_calls_are_told_clean_and_in_their_places() -> None:
    heard = Received()
    first = heard.call(CallPiece(0, '{"a":', "call\n1", "look\x1b", "sig"), 1.0)
    assert first == CallPiece(0, '{"a":', "call 1", "look", "sig")
    assert heard.call(CallPiece(0, " 1}", "ignored", "ignored"), 2.0) == CallPiece(0, " 1}")
    beyond = heard.call(CallPiece(9, "{}", "", "n" * 99), 3.0)
    assert (beyond.index, beyond.name, beyond.id[:5], len(beyond.id)) == (1, "n" * 63 + "…", "call_", 29)
    assert heard.call(CallPiece(-1, " "), 4.0).index == 0
    assert heard.call(CallPiece(2, "", "i" * 300), 4.0).id == "i" * 255 + "…"
    assert [(call.name, call.arguments, call.signature) for call in heard.calls] == [
        ("look", '{"a": 1} ', "sig"),
        ("n" * 63 + "…", "{}", ""),
        ("", "", ""),
    ]
    assert heard.written == 'look{"a": 1} ' + "n" * 63 + "…{}"
    assert (heard.first, heard.last) == (1.0, 4.0)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (FinishReason.STOP, FinishReason.TOOL_CALLS),
        (FinishReason.OTHER, FinishReason.TOOL_CALLS),
        (FinishReason.LENGTH, FinishReason.LENGTH),
        (FinishReason.TOOL_CALLS, FinishReason.TOOL_CALLS),
    ],
)
def test_an_answer_that_calls_tools_ends_with_that_whatever_its_provider_says(
    said: FinishReason, kept: FinishReason
) -> None:
    calling, plain = Received(), Received()
    calling.call(CallPiece(0, "{}", "1", "look"), 1.0)
    for heard, reason in ((calling, kept), (plain, said)):
        heard.end(Done(said, None), 1.0)
        assert heard.done is not None
        assert heard.done.finish_reason is reason


def test_text_and_thinking_are_cleaned_apart_and_half_a_character_waits_for_the_other() -> None:
    heard = Received()
    assert heard.hear(ThinkingPiece("Hm.\x1b"), 1.0) == "Hm."
    assert heard.hear(TextPiece("a\ud83d"), 2.0) == "a"
    assert heard.hear(ThinkingPiece("!"), 3.0) == "!"
    assert heard.hear(TextPiece("\ude00"), 4.0) == "😀"
    assert heard.hear(TextPiece("\x1b"), 5.0) == ""
    assert (heard.text, heard.thinking, heard.first, heard.last) == ("a😀", "Hm.!", 1.0, 4.0)
    assert heard.hear(TextPiece("\ud83d"), 6.0) == ""
    rest = heard.end(Done(FinishReason.STOP, None, served_by="x\ny" + "z" * 300), 7.0)
    assert heard.text == "a😀" + rest
    assert (len(rest), heard.last) == (1, 7.0)
    assert heard.served_by == "x y" + "z" * 196 + "…"
    assert Received().served_by == Received(done=WHOLE).served_by == ""


def test_an_answer_from_the_cache_costs_nothing_and_is_judged_as_it_was() -> None:
    hit = CachedAnswer("a/x", "Four.", "Two and two.", Usage(10, 50), Money(5), FinishReason.LENGTH, AT, -0.25)
    heard = from_cache(hit)
    assert (heard.text, heard.thinking, heard.usage(PROFILE, None)) == ("Four.", "Two and two.", Usage())
    assert heard.done == Done(FinishReason.LENGTH, Usage(), mean_logprob=-0.25)
    assert from_cache(replace(hit, thinking="")).thinking_pieces == []


def test_what_is_told_of_a_cached_answer_is_the_prompt_it_was_to_where_that_is_another() -> None:
    hit = CachedAnswer("a/x", "Four.", "", Usage(), None, FinishReason.STOP, AT)
    assert recalled(hit) == Recalled(AT)
    other = replace(hit, prompt="What\nis  2 + 2" + "?" * 300, similarity=0.912345)
    assert recalled(other) == Recalled(AT, "What is 2 + 2" + "?" * 146 + "…", 0.9123)
    assert recalled(replace(other, similarity=1.01)).similarity == 1.0


CAPS = (Cap("request", "r1", None), Cap("day", "2026-11-21", None), Cap("month", "2026-11", None))
TRUSTED = Confidence(0.75, ("complete, without hedging",))


def plan() -> Plan:
    return Plan(REQUEST, DECISION, MODEL, DECISION.candidates[0], 3, Cause.FALLBACK, CAPS, Deadline(60.0))


async def test_a_whole_call_is_booked_with_all_that_is_known_of_it() -> None:
    heard = Received(["Four."], sent=1.0)
    heard.first, heard.last = 1.5, 6.5
    heard.end(WHOLE, 6.5)
    assert row(plan(), heard, None, TRUSTED, AT, 5.75) == Attempt(
        *("r1", 3, "s1", "openai/small", "openai", "balanced", "code", Cause.FALLBACK, AT, "2026-11-21"),
        outcome=Outcome.FINISHED,
        usage=Usage(10, 50),
        cost=Cost(Money(510), CostState.COMPUTED),
        price=MODEL.price,
        latency_s=5.75,
        first_token_s=0.5,
        tokens_per_s=10.0,
        confidence=0.75,
        finish_reason=FinishReason.STOP,
        reasons=TRUSTED.reasons,
    )


async def test_a_call_that_failed_is_booked_with_its_error() -> None:
    failed = row(plan(), Received(), RateLimited("Too many.", status=429), None, AT, 0.25)
    assert (failed.outcome, failed.usage, failed.cost) == (Outcome.FAILED, Usage(), NOTHING)
    assert (failed.error_kind, failed.error_message, failed.error_status) == (ErrorKind.RATE_LIMITED, "Too many.", 429)
    assert (failed.first_token_s, failed.tokens_per_s, failed.confidence, failed.finish_reason) == (None,) * 4
    assert failed.reasons == ()
    never_sent = Received(first=1.0)
    assert row(plan(), never_sent, None, None, AT, 0.25).first_token_s is None


async def test_of_a_call_whose_process_dies_the_expected_is_booked() -> None:
    assert if_lost(plan(), MODEL.price, 77) == Lost(
        "s1", "balanced", "code", "fallback", MODEL.price, Usage(77, 300, source="estimated")
    )


async def test_a_call_of_a_tool_is_told_with_its_attempt() -> None:
    piece = CallPiece(1, "{}", "call_1", "look", "sig")
    assert called(plan(), AT, piece) == ToolCalled("r1", AT, 3, 1, "{}", "call_1", "look", "sig")


@pytest.mark.parametrize("done", [None, Done(FinishReason.LENGTH, None, mean_logprob=-0.25)])
def test_what_is_kept_for_the_next_who_asks_is_the_answer_and_what_it_cost(done: Done | None) -> None:
    heard = Received(["Four."], ["Two and two."], done=done)
    reason = None if done is None else done.finish_reason
    kept = to_cache(MODEL, heard, replace(ATTEMPT, finish_reason=reason), AT)
    assert kept == CachedAnswer(
        *("openai/small", "Four.", "Two and two.", ATTEMPT.usage, ATTEMPT.cost.amount),
        *(FinishReason.STOP if done is None else FinishReason.LENGTH, AT, None if done is None else -0.25),
    )


def test_what_brings_nothing_new_is_no_sign_of_life() -> None:
    received = Received()
    count = UsageSoFar(Usage(12, 5))
    news = [
        (lambda: received.report(count), True),
        (lambda: received.report(count), False),
        (lambda: received.report(UsageSoFar(Usage(12, 6))), True),
        (lambda: received.hear(TextPiece("Well"), 1.0), True),
        (lambda: received.hear(TextPiece(""), 1.0), False),
        (lambda: received.hear(TextPiece("\x00"), 1.0), False),
        (lambda: received.hear(ThinkingPiece("Hm"), 1.0), True),
        (lambda: received.call(CallPiece(0, "", "c1", "look"), 1.0), True),
        (lambda: received.call(CallPiece(0, ""), 1.0), False),
        (lambda: received.call(CallPiece(0, "{}"), 1.0), True),
    ]
    for number, (came, is_news) in enumerate(news):
        before = received.heard
        came()
        assert (received.heard > before) is is_news, number
