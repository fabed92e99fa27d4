from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_orchestrator.routing.events import Confidence, EscalationCause
from tui_orchestrator.routing.judging import Sentence, judged, question, sentence
from tui_orchestrator.routing.request import Message, Request, Role


@pytest.mark.parametrize(
    ("said", "right", "reason"),
    [
        ("RIGHT: it merges both lists", True, "it merges both lists"),
        ("WRONG: loses the tail.", False, "loses the tail"),
        ("UNSURE: needs running", None, "needs running"),
        ("**Wrong** – off by one", False, "off by one"),
        ("right", True, ""),
        ("Verdict: CORRECT.", True, ""),
        ("`INCORRECT`: 7 is prime", False, "7 is prime"),
        ("Let me think. First it says RIGHT, then WRONG.\n\nWRONG: the sum is 12", False, "the sum is 12"),
        ("The answer is RIGHT in all parts.", True, ""),
        ("It is not RIGHT.", None, ""),
        ("RIGHT or WRONG, who can tell?", None, ""),
        ("Right now I cannot tell.", None, ""),
        ("", None, ""),
        ("{}", None, ""),
        ("WRONG: it is\x1b]52;c;aGk=\x07 odd", False, "it is]52;c;aGk= odd"),
    ],
)
def test_a_verdict_is_read_where_there_is_one_and_nowhere_else(said: str, right: bool | None, reason: str) -> None:
    found = sentence(said)
    assert found.right is right
    assert found.reason == reason


@given(st.text(max_size=500))
def test_whatever_a_judge_says_can_be_read(said: str) -> None:
    found = sentence(said)
    assert len(found.reason) <= 120
    assert found.reason.isprintable()


@given(st.floats(0.0, 1.0))
def test_a_no_weighs_more_than_a_yes_and_neither_is_certain(value: float) -> None:
    before = Confidence(value)
    yes, no = judged(before, Sentence(True), "a/b").value, judged(before, Sentence(False), "a/b").value
    assert 0 < no < 1
    assert 0 < yes < 1
    if 0.35 < value < 0.65:
        assert value - no > yes - value > 0


def test_a_judge_saves_no_answer_that_failed_a_hard_check_and_silence_changes_nothing() -> None:
    refusal = Confidence(0.1, ("refuses to answer",), EscalationCause.REFUSAL)
    assert judged(refusal, Sentence(True), "a/b") == refusal
    assert judged(Confidence(0.5), Sentence(None, "hm"), "a/b") == Confidence(0.5)


def test_the_reason_names_the_judge() -> None:
    seen = judged(Confidence(0.5, ("hedges once",)), Sentence(False, "off by one"), "openai/nano")
    assert seen.reasons == ("nano judges it wrong: off by one", "hedges once")


def test_a_judge_is_shown_the_two_ends_of_a_long_answer() -> None:
    request = Request((Message("user", "first"), Message("assistant", "so"), Message("user", "Explain tides")), id="r")
    asked = question(request, "BEGIN" + "x" * 1_000_000 + "END")
    assert (asked.id, len(asked.messages), asked.temperature) == ("r", 1, None)
    assert len(asked.prompt) < 30_000
    assert all(word in asked.prompt for word in ("Explain tides", "BEGIN", "END"))


def follow_up(*before: str) -> Request:
    roles: tuple[Role, Role] = ("user", "assistant")
    said = [Message(roles[place % 2], text) for place, text in enumerate(before)]
    return Request((*said, Message("user", "And its river?")))


def test_what_was_said_before_goes_along_as_material() -> None:
    asked = question(follow_up("What is the capital of France?", "Paris."), "The Seine.").prompt
    before = "user: What is the capital of France?\n\nassistant: Paris."
    assert asked.startswith(f"<conversation>\n{before}\n</conversation>")
    assert "<question>\nAnd its river?\n</question>" in asked
    assert "<conversation>" not in question(follow_up(), "The Seine.").prompt


def test_of_a_long_conversation_it_is_the_end() -> None:
    asked = question(follow_up("an early word", "x" * 20_000, "a late word", "yes"), "The Seine.").prompt
    assert "an early word" not in asked
    assert "<conversation>\n[…]\n\nassistant: xxx" in asked
    assert "user: a late word\n\nassistant: yes" in asked
    assert len(asked) < 9_000


@pytest.mark.parametrize(
    ("before", "right", "after"),
    [
        # Odds times e^0.8, about 2.2, or divided by e^1.6, about 5.
        (0.5, True, 0.69),
        (0.5, False, 0.168),
        (0.8, True, 0.8990),
        (0.8, False, 0.4468),
        (0.2, True, 0.3575),
        # Nothing is certain before: 0.01 at least and 0.99 at most.
        (0.0, True, 0.0220),
        (0.01, True, 0.0220),
        (1.0, False, 0.9524),
        (0.99, False, 0.9524),
    ],
)
def test_a_verdict_moves_the_odds_by_its_weight(before: float, right: bool, after: float) -> None:
    seen = judged(Confidence(before), Sentence(right), "nano")
    assert seen.value == pytest.approx(after, abs=0.0001)
    assert seen.value == round(seen.value, 4)
    assert seen.reasons == (f"nano judges it {'right' if right else 'wrong'}",)
