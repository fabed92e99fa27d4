"""When an answer is whole, and where another begins in the same stream. Over the wire: tests/wire/test_endings."""

from __future__ import annotations

import pytest

from tui_orchestrator.providers.ending import Ending, says_something, tells_of_failure
from tui_orchestrator.providers.seams import HEARD, Seams
from tui_orchestrator.routing.events import FinishReason
from tui_orchestrator.routing.money import Usage
from tui_orchestrator.routing.ports import CallPiece, Piece, TextPiece, ThinkingPiece, UsageSoFar

KNOWN = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "filter": FinishReason.CONTENT_FILTER,
    "calls": FinishReason.TOOL_CALLS,
}
TEXT = TextPiece("a")


def ending(*steps: str, closing_event: bool = True) -> Ending:
    """'a': text; 'close', 'begin', 'fail:REASON'; every other step is a finish reason."""
    made = Ending(closing_event=closing_event)
    for step in steps:
        if step == "a":
            made.after(TEXT)
        elif step == "close":
            made.close()
        elif step == "begin":
            made.begin()
        else:
            made.finish(step.removeprefix("fail:"), KNOWN, failed=step.startswith("fail:"))
    return made


@pytest.mark.parametrize(
    ("steps", "certain", "closed", "whole"),
    [
        ("", False, False, False),
        ("a", False, False, False),
        ("a close", False, False, False),
        ("a stop", True, False, True),
        ("a stop close", True, True, True),
        ("a stop a", False, False, False),
        ("a stop a close", False, False, False),
        ("a stop a stop", False, False, False),
        ("a stop a stop close", True, True, True),
        ("a stop close a", False, False, False),
        ("a stop close a close", False, False, False),
    ],
)
@pytest.mark.parametrize("closing_event", [True, False])
def test_what_ends_an_answer(steps: str, certain: bool, closed: bool, whole: bool, closing_event: bool) -> None:
    made = ending(*steps.split(), closing_event=closing_event)
    # A format without a closing event has the end of the stream for one.
    whole = whole or (not closing_event and steps.endswith("stop"))
    assert (made.certain, made.closed, made.whole) == (certain, closed, whole)


def test_two_answers_in_one_stream_are_none() -> None:
    made = ending("a", "stop", "a", "stop", "begin", closing_event=False)
    assert (made.begun_again, made.whole) == (True, False)
    assert made.why == "a second answer began in its middle"
    first = ending("begin", "a", "stop", closing_event=False)
    assert (first.begun_again, first.whole, first.why) == (False, True, "")


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ("stop", FinishReason.STOP),
        ("new", FinishReason.OTHER),
        ("length stop", FinishReason.LENGTH),
        ("filter stop", FinishReason.CONTENT_FILTER),
        ("calls stop", FinishReason.TOOL_CALLS),
        ("stop length", FinishReason.LENGTH),
        ("length filter", FinishReason.CONTENT_FILTER),
        ("new stop", FinishReason.STOP),
        ("length a stop", FinishReason.STOP),
    ],
)
def test_of_two_reasons_for_one_end_a_full_stop_says_the_least(steps: str, reason: FinishReason) -> None:
    assert ending(*steps.split()).reason is reason


@pytest.mark.parametrize(
    ("steps", "failed"),
    [
        ("abort", "abort"),
        ("abort stop", "abort"),
        ("abort length", ""),
        ("abort a", ""),
        ("abort a stop", ""),
        ("fail:stop", "stop"),
        ("fail:length stop", "length"),
        ("network_error\x1b[2J", "network_error[2J"),
        ("error" + "x" * 60, "error" + "x" * 54 + "…"),
        ("stop", ""),
        ("new", ""),
    ],
)
def test_a_reason_that_tells_of_a_failure_is_kept(steps: str, failed: str) -> None:
    made = ending(*steps.split())
    assert made.failed == failed
    assert made.why == (f"finish reason: {failed}" if failed else "")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        *((word, True) for word in ("abort", "Cancelled", "TIMEOUT", "timed_out", "time_out", "error_x", "failed")),
        *((word, True) for word in ("interrupted", "insufficient_quota", "disconnected", "overloaded", "preempted")),
        *((word, False) for word in ("stop", "eos", "length", "content_filter", "tool_calls", "")),
    ],
)
def test_words_for_an_answer_that_broke(said: str, told: bool) -> None:
    assert tells_of_failure(said) == told


@pytest.mark.parametrize(
    ("piece", "something"),
    [
        (TextPiece("a"), True),
        (TextPiece(" \n"), False),
        (ThinkingPiece("a"), True),
        (ThinkingPiece(""), False),
        (CallPiece(0), True),
        (UsageSoFar(Usage(1, 1)), False),
    ],
)
def test_blanks_and_counts_say_nothing(piece: Piece, something: bool) -> None:
    assert says_something(piece) == something
    made = ending("a", "stop")
    made.after(piece)
    assert made.certain != something


@pytest.mark.parametrize(
    ("raw", "spared"),
    [
        (b"data: garbage", True),
        (b"<html>", True),
        (b"{garbage}", True),
        (b"data: {}", True),
        (b'data: {"a"', False),
        (b'data: { "a"', False),
        (b"data: {", False),
        (b"data: { ", False),
        (b"event: error\ndata: no", False),
        (b"data: no\nevent:error", False),
        (b"event: errors", True),
        (b"no event: error", True),
    ],
)
def test_behind_the_end_what_cannot_be_words_is_spared(raw: bytes, spared: bool) -> None:
    assert ending("a", "stop").spares(raw) == spared
    assert not ending("a").spares(raw)


# id, whether its role is named, whether it has text: '*' an id that is known to return, '-' none
Event = tuple[str, bool | None, bool]


def another(*events: Event) -> list[bool]:
    seams = Seams()
    return [seams.another(id_ or None, opens=opens, speaks=speaks) for id_, opens, speaks in events]


OPENS, SPEAKS = ("A", True, False), ("A", False, True)


@pytest.mark.parametrize(
    ("events", "at"),
    [
        ([OPENS, SPEAKS, SPEAKS], None),
        # An id that stayed changes: without a role named it may be a server's habit.
        ([OPENS, SPEAKS, SPEAKS, ("B", True, False)], 3),
        ([OPENS, SPEAKS, ("B", True, False)], 2),
        ([OPENS, ("B", True, False)], None),
        ([("A", True, True), ("B", True, True), ("B", False, True)], 2),
        ([OPENS, SPEAKS, SPEAKS, ("B", False, True)], None),
        # The role is named again behind two events of text.
        ([OPENS, SPEAKS, SPEAKS, OPENS], 3),
        ([OPENS, SPEAKS, OPENS], None),
        ([SPEAKS, OPENS], None),
        ([SPEAKS, SPEAKS, OPENS], 2),
        ([("", True, False), ("", False, True), ("", False, True), ("", True, True)], 3),
        ([("", True, True)] * 9, None),
        # An id for every event.
        ([(f"{n}", True, True) for n in range(9)], None),
        ([(f"{n}", False, True) for n in range(9)], None),
        ([(f"{n}", None, True) for n in range(9)], None),
        # Two in turns.
        ([("A", False, True), ("B", False, True), ("A", False, True)], 2),
        ([("A", False, True), ("B", False, False), ("A", False, True)], None),
        # A format that names the role always.
        ([("A", None, True), ("A", None, True), ("B", None, True)], 2),
        ([("A", None, True), ("B", None, True), ("B", None, True)], 2),
        ([("A", None, True), ("B", None, True), ("B", None, False)], 2),
        ([("A", None, True), ("B", None, False), ("B", None, True)], None),
        ([("A", None, False), ("B", None, True), ("B", None, True)], None),
    ],
)
def test_where_another_answer_begins(events: list[Event], at: int | None) -> None:
    found = another(*events)
    assert (found.index(True) if True in found else None) == at


def test_an_id_that_returns_is_known_for_a_while() -> None:
    def returning(between: int) -> bool:
        return another(("A", False, True), *((f"{n}", False, True) for n in range(between)), ("A", False, True))[-1]

    assert returning(HEARD - 1)
    assert not returning(HEARD)


def test_an_id_that_is_no_text_is_none() -> None:
    seams = Seams()
    assert not any(seams.another(odd, opens=False, speaks=True) for odd in (5, None, ["A"], "A", 5, "A"))
