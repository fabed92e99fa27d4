"""What second answers do to the confidence in a first: a table, and what must hold of any of them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_orchestrator.routing.ability import logit
from tui_orchestrator.routing.confidence import assess
from tui_orchestrator.routing.corroboration import agree
from tui_orchestrator.routing.events import Confidence, EscalationCause, FinishReason
from tui_orchestrator.routing.learned import Weights
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.request import Message, Request

WHICH = "Which metal is liquid at room temperature?\nA. Iron\nB. Mercury\nC. Gold\nD. Tin"
CLIPS = "Natalia sold 48 clips in April and half as many in May. How many clips did she sell altogether?"
CALL = "def f(text):\n    return list(text)\n\nWhat does the following call return?\nf('ab')"
TIDES = (
    "The moon's gravity pulls on the oceans. The water nearest to the moon bulges towards it. "
    "A second bulge forms on the far side. Each coast passes through both bulges, hence two high tides a day."
)
OTHER_TIDES = (
    "Gravity of the moon pulls on the oceans. Water nearest to the moon bulges towards it. "
    "On the far side a second bulge forms. Each coast passes both bulges: two high tides a day."
)
WINDS = "Warm air rises over land. Cool air flows in from the sea. At night the breeze turns round."


def after(
    prompt: str, answer: str, *second: str, same_model: bool = False, first: Confidence | None = None
) -> Confidence:
    request = Request((Message("user", prompt),))
    before = first or Confidence(0.6, ("as it was",))
    return agree(request, profile(request), answer, before, second, same_model=same_model)


SECOND = [
    # prompt, answer, second answer, direction, what is said
    (WHICH, "(B)", "Mercury melts at −39 °C. The answer is (B).", 1, "a second model gives the same final answer, B"),
    (WHICH, "(B)", "B", 1, "a second model gives the same final answer, B"),
    (WHICH, "It is mercury.", "(C)", -1, "a second model answers C instead of B"),
    (CLIPS, "48 + 24 = 72", "The answer is 72 clips.", 1, "a second model gives the same final answer, 72"),
    (CLIPS, "48 + 24 = 72", "She sold 96.", -1, "a second model answers 96 instead of 72"),
    (CLIPS, "Es sind 72.", "共72个。", 1, "a second model gives the same final answer, 72"),
    (CALL, "['a', 'b']", '["a", "b"]', 1, "a second model gives the same final answer, ['a', 'b']"),
    (CALL, "['a', 'b']", "['b', 'a']", -1, "a second model answers ['b', 'a'] instead of ['a', 'b']"),
    ("Is the earth flat?", "No.", "No, it is round.", 1, "a second model gives the same final answer, no"),
    ("Is the earth flat?", "No.", "Yes.", -1, "a second model answers yes instead of no"),
    ("Explain how tides work", TIDES, OTHER_TIDES, 1, "a second model makes 100% of the same points"),
    ("Explain how tides work", TIDES, WINDS, -1, "a second model makes 0% of the same points"),
]


@pytest.mark.parametrize(("prompt", "answer", "second", "direction", "reason"), SECOND)
def test_a_second_answer_that_agrees_raises_and_one_that_differs_lowers(
    prompt: str, answer: str, second: str, direction: int, reason: str
) -> None:
    seen = after(prompt, answer, second)
    assert (seen.value - 0.6) * direction > 0.02
    assert seen.reasons == (reason, "as it was")


AUSTRALIA = "What is the capital of Australia?"
HAUPTSTADT = "Was ist die Hauptstadt von Australien?"
CAPITALE = "Quelle est la capitale de l'Australie ?"
SHOUDU = "澳大利亚的首都是哪里？"
HAMLET = "Who wrote Hamlet?"
WALL = "When did the Berlin Wall fall?"
FACTS = [
    # prompt, answer, second answer, direction
    (AUSTRALIA, "Canberra is the capital of Australia.", "The capital of Australia is Canberra.", 1),
    (AUSTRALIA, "Canberra is the capital of Australia.", "Canberra", 1),
    (AUSTRALIA, "**Canberra**", "Australia's capital is Canberra.", 1),
    (
        AUSTRALIA,
        "Canberra.",
        "The capital is Canberra, which was chosen as a compromise between Sydney and Melbourne.",
        1,
    ),
    (AUSTRALIA, "Canberra is the capital of Australia.", "The capital of Australia is Sydney.", -1),
    (AUSTRALIA, "Sydney", "The capital of Australia is Canberra.", -1),
    (
        AUSTRALIA,
        "Sydney.",
        "The capital is Canberra, which was chosen as a compromise between Sydney and Melbourne.",
        -1,
    ),
    (AUSTRALIA, "Canberra.", "It is not Sydney.", 0),
    (AUSTRALIA, "Sydney.", "Either Sydney or Canberra.", 0),
    (AUSTRALIA, "Canberra.", "堪培拉", 0),
    (HAUPTSTADT, "Canberra ist die Hauptstadt von Australien.", "Die Hauptstadt von Australien ist Canberra.", 1),
    (HAUPTSTADT, "Die Hauptstadt ist Canberra, nicht Sydney.", "Canberra", 1),
    (HAUPTSTADT, "Canberra ist die Hauptstadt von Australien.", "Die Hauptstadt von Australien ist Sydney.", -1),
    (CAPITALE, "La capitale de l’Australie est Canberra.", "Canberra est la capitale de l'Australie.", 1),
    (CAPITALE, "C'est Canberra.", "La capitale de l'Australie est Canberra.", 1),
    (CAPITALE, "La capitale de l'Australie est Canberra.", "La capitale de l'Australie est Sydney.", -1),
    (SHOUDU, "澳大利亚的首都是堪培拉。", "堪培拉是澳大利亚的首都。", 1),
    (SHOUDU, "堪培拉", "澳大利亚的首都是堪培拉。", 1),
    (SHOUDU, "澳大利亚的首都是堪培拉。", "澳大利亚的首都是悉尼。", -1),
    (SHOUDU, "堪培拉。", "不是悉尼。", 0),
    (HAMLET, "Shakespeare wrote Hamlet.", "Hamlet was written by William Shakespeare.", 1),
    (HAMLET, "It was written by Christopher Marlowe.", "Hamlet was written by William Shakespeare.", -1),
    (WALL, "The Berlin Wall fell on November 9, 1989.", "It fell in 1989.", 1),
    (WALL, "The Berlin Wall fell on November 9, 1989.", "It fell in 1991.", -1),
    ("Which colours has the flag of France?", "Blue, white and red.", "Red, white and blue.", 1),
    ("Is Paris or London larger?", "London is larger than Paris.", "Paris is larger than London.", 0),
    ("Is Paris or London larger?", "London", "Paris", -1),
    ("Who won?", "Germany defeated France", "France defeated Germany", 0),
    ("Suggest a name for a coffee shop", "Bean There", "Daily Grind", 0),
    ("Why is the sky blue?", "Air scatters blue light most.", "Short wavelengths are spread by molecules.", 0),
]


@pytest.mark.parametrize(("prompt", "answer", "second", "direction"), FACTS)
def test_short_answers_agree_when_they_state_the_same_fact(
    prompt: str, answer: str, second: str, direction: int
) -> None:
    for one, other in ((answer, second), (second, answer)):
        moved = after(prompt, one, other).value - 0.6
        assert moved * direction > 0.02 if direction else moved == 0, (one, other, moved)


LEARNED = Weights(
    *({}, {}, {}, {}),
    agreement={"model_agrees": 0.8, "model_differs": -1.0, "sample_agrees": 0.4, "sample_differs": -0.6},
)
TWO = "Which?\nA. one\nB. two"
HOW = "Explain how tides work"


@pytest.mark.parametrize(
    ("prompt", "answer", "second", "models", "samples"),
    [
        # Chance agrees with one of four in a quarter, with one of two or a yes in a half, with a number never.
        (WHICH, "(B)", ["B"], 0.75 * 0.8, 0.75 * 0.4),
        (WHICH, "(B)", ["C"], 0.75 * -1.0, 0.75 * -0.6),
        (TWO, "(B)", ["B"], 0.5 * 0.8, 0.5 * 0.4),
        ("Is the earth flat?", "No.", ["No."], 0.5 * 0.8, 0.5 * 0.4),
        ("Is the earth flat?", "No.", ["Yes."], 0.5 * -1.0, 0.5 * -0.6),
        (CLIPS, "72", ["72"], 0.8, 0.4),
        (CLIPS, "72", ["96"], -1.0, -0.6),
        # Several say more by the root of their number, and those that say nothing are none.
        (CLIPS, "72", ["96", "96"], -2.0 / math.sqrt(2), -1.2 / math.sqrt(2)),
        (CLIPS, "72", ["96", "", "72", " "], -0.2 / math.sqrt(2), -0.2 / math.sqrt(2)),
        (CLIPS, "72", ["72", "72", "72", "96"], (2.4 - 1.0) / 2, (1.2 - 0.6) / 2),
        # Nine are read.
        (CLIPS, "72", [*["72"] * 8, "96"], (6.4 - 1.0) / 3, (3.2 - 0.6) / 3),
        (CLIPS, "72", [*["72"] * 9, "96"], 2.4, 1.2),
        # Of open answers the share of the points counts, up to a half of them.
        (HOW, TIDES, [OTHER_TIDES], 0.5, 0.5),
        (HOW, TIDES, [OTHER_TIDES, WINDS], 0.5, 0.5),
        (HOW, TIDES, [WINDS, OTHER_TIDES, WINDS], -0.5 + 2 / 3, -0.5 + 2 / 3),
        (HOW, TIDES, [WINDS], -0.5, -0.5),
        (HOW, TIDES, ["Yes.", WINDS], -0.5, -0.5),
        (HOW, TIDES + " " * 12_000 + WINDS, [WINDS], -0.5, -0.5),
        (HOW, TIDES, [WINDS + " " * 12_000 + TIDES], -0.5, -0.5),
    ],
)
def test_second_answers_weigh_so_much(
    prompt: str, answer: str, second: list[str], models: float, samples: float
) -> None:
    request = Request((Message("user", prompt),))
    for same_model, weight in ((False, models), (True, samples)):
        given = agree(
            *(request, profile(request), answer, Confidence(0.6, ()), second), same_model=same_model, trained=LEARNED
        )
        assert logit(given.value) - logit(0.6) == pytest.approx(weight, abs=0.003)
    by_models = agree(request, profile(request), answer, Confidence(0.6, ()), second, trained=LEARNED)
    assert logit(by_models.value) - logit(0.6) == pytest.approx(models, abs=0.003)
    assert by_models.reasons == agree(request, profile(request), answer, Confidence(0.6, ()), second).reasons


@pytest.mark.parametrize(
    ("before", "agreed", "differed"),
    [(0.0, 0.01, 0.0), (0.005, 0.01, 0.005), (0.5, 0.5, 0.5), (0.995, 0.995, 0.99), (1.0, 1.0, 0.99)],
)
def test_what_is_nearly_sure_either_way_counts_as_one_in_a_hundred(
    before: float, agreed: float, differed: float
) -> None:
    def moved(p: float, weight: float) -> float:
        return 1 / (1 + math.exp(-(logit(p) + weight)))

    request, first = Request((Message("user", CLIPS),)), Confidence(before, ())
    same, other = (agree(request, profile(request), "72", first, [text], trained=LEARNED) for text in ("72", "96"))
    assert same.value == pytest.approx(max(before, moved(min(agreed, 0.99), 0.8)), abs=0.0001)
    assert other.value == pytest.approx(min(before, moved(max(differed, 0.01), -1.0)), abs=0.0001)


@pytest.mark.parametrize(
    ("prompt", "answer", "second", "models", "samples"),
    [
        (
            *(CLIPS, "72", ["72"], "a second model gives the same final answer, 72"),
            "a second answer of the same model gives the same final answer, 72",
        ),
        (
            *(CLIPS, "72", ["72", "96"], "1 of 2 other models give the same final answer, 72"),
            "1 of 2 more answers of the same model give the same final answer, 72",
        ),
        (
            *(HOW, TIDES, [OTHER_TIDES], "a second model makes 100% of the same points"),
            "a second answer of the same model makes 100% of the same points",
        ),
        (
            *(HOW, TIDES, [OTHER_TIDES, WINDS], "2 other models make 50% of the same points"),
            "2 more answers of the same model make 50% of the same points",
        ),
    ],
)
def test_whose_the_second_answers_are_is_said(
    prompt: str, answer: str, second: list[str], models: str, samples: str
) -> None:
    assert after(prompt, answer, *second).reasons[0] == models
    assert after(prompt, answer, *second, same_model=True).reasons[0] == samples


def test_more_answers_say_more_and_samples_of_one_model_say_less() -> None:
    one, three = after(WHICH, "(B)", "B").value, after(WHICH, "(B)", "B", "B", "B").value
    samples = after(WHICH, "(B)", "B", "B", "B", same_model=True)
    assert one < three
    assert samples.value < three
    assert samples.reasons[0] == "3 of 3 more answers of the same model give the same final answer, B"
    mixed = after(WHICH, "(B)", "B", "C", "B")
    assert after(WHICH, "(B)", "B", "C", "C").value < mixed.value < three
    assert mixed.reasons[0] == "2 of 3 other models give the same final answer, B"


def test_agreement_by_chance_says_less() -> None:
    ten = "Which?\n" + "\n".join(f"{letter}. {letter * 3}" for letter in "ABCDEFGHIJ")
    assert after("Which?\nA. one\nB. two", "(B)", "B").value < after(ten, "(B)", "B").value


@pytest.mark.parametrize("second", [(), ("",), (" \n",), ("It depends.",)])
def test_without_an_answer_to_compare_nothing_changes(second: tuple[str, ...]) -> None:
    assert after(WHICH, "(B)", *second) == Confidence(0.6, ("as it was",))


def test_no_agreement_saves_a_refusal_or_an_answer_cut_off() -> None:
    for cause in (EscalationCause.REFUSAL, EscalationCause.TRUNCATED, EscalationCause.EMPTY):
        first = Confidence(0.1, ("failed",), cause)
        assert after(WHICH, "(B)", "B", "B", first=first) == first


ANSWERS = st.sampled_from(["(B)", "(C)", "B", "72", "96", "yes", "No.", "['a', 'b']", TIDES, WINDS, "", "It depends."])


@given(
    st.sampled_from([WHICH, CLIPS, CALL, "Is the earth flat?", "Explain how tides work"]),
    ANSWERS,
    st.lists(ANSWERS, max_size=12),
    st.integers(0, 10_000),
    st.booleans(),
)
@settings(max_examples=75, deadline=None)
def test_agreement_never_lowers_and_one_more_that_agrees_never_hurts(
    prompt: str, answer: str, second: list[str], value: int, same_model: bool
) -> None:
    first = Confidence(value / 10_000, ("as it was",))
    seen = after(prompt, answer, *second, same_model=same_model, first=first)
    assert 0 <= seen.value <= 1
    if answer != "It depends.":
        assert after(prompt, answer, answer, same_model=same_model, first=first).value >= first.value


@given(st.text(max_size=200), st.text(max_size=200), st.lists(st.text(max_size=200), max_size=3))
@settings(max_examples=75, deadline=None)
def test_any_answers_can_be_compared(prompt: str, answer: str, second: list[str]) -> None:
    request = Request((Message("user", prompt),))
    shown = profile(request)
    first = assess(request, shown, answer, FinishReason.STOP, 0.7)
    seen = agree(request, shown, answer, first, second)
    assert 0 <= seen.value <= 1
    assert seen.reasons
