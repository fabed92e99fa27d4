"""What each sign that was weighed by hand adds to the log-odds of an answer, where nothing learned counts: up to where
it counts, and from where."""

from __future__ import annotations

from typing import Any

import pytest

from tui_orchestrator.routing.ability import logit
from tui_orchestrator.routing.added import Opinion
from tui_orchestrator.routing.answer_features import Task
from tui_orchestrator.routing.confidence import assess
from tui_orchestrator.routing.events import Confidence, EscalationCause, FinishReason
from tui_orchestrator.routing.features import estimate_tokens
from tui_orchestrator.routing.learned import Weights
from tui_orchestrator.routing.profile import TaskType
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.request import Message, Request, Shape
from tui_orchestrator.routing.tools import Tool, ToolCall

from .samples import profile as sample

ONES = dict.fromkeys(Task, 1.0)
NOTHING_LEARNED = Weights({task: {} for task in Task}, dict.fromkeys(Task, 0.0), ONES, ONES, {})
WHY = "Explain how tides work"
WHO = "Who?"
TRANSLATE = "Translate to German: Who?"
ESSAY = "Describe the trade of Rome"
CLIPS = "How many clips did she sell?"
HOLDS = "Which holds?\nA. 1 kg\nB. 2 kg\nC. 3 kg\nD. 4 kg"
THREE = "1. What is a lion?\n2. What is a wolf?\n3. What is an owl?"


def trust(prompt: str | Request, answer: str, success: float = 0.6, **more: Any) -> Confidence:
    asked = Request((Message("user", prompt),)) if isinstance(prompt, str) else prompt
    about = more.pop("about", None) or profile(asked)
    finish = more.pop("finish", FinishReason.STOP)
    return assess(asked, about, answer, finish, success, trained=NOTHING_LEARNED, **more)


def weighs(prompt: str | Request, answer: str, **more: Any) -> float:
    """Log-odds of the answer beside those of its model."""
    return logit(trust(prompt, answer, **more).value) - logit(more.get("success", 0.6))


def words(count: int, *others: str) -> str:
    """So many different words, the others among them, in one sentence."""
    return " ".join(
        [
            *others,
            *(
                f"w{'abcdefghij'[n // 10 % 10]}{'abcdefghij'[n % 10]}x{'y' * (n // 100)}"
                for n in range(count - len(others) - 1)
            ),
            "end.",
        ]
    )


@pytest.mark.parametrize(
    ("prompt", "answer", "weight"),
    [
        (WHY, words(60), 0.0),
        # Doubt of its own, in an answer of fewer than 80 words and in a longer one.
        (WHY, words(79, "unsure"), -1.9),
        (WHY, words(80, "unsure"), -1.1),
        (WHY, words(79, "unsure", "unsure"), -3.8),
        (WHY, words(80, "unsure", "unsure"), -2.2),
        (WHY, words(79, *["unsure"] * 3), -4.5),
        # Guarded words: one in sixty is good manners.
        (WHO, words(10, "maybe"), -0.35 * (1 - 10 / 60)),
        (WHO, words(10, "maybe", "perhaps"), -0.35 * (2 - 10 / 60)),
        (WHO, words(25, "maybe"), -0.35 * (1 - 25 / 60)),
        (WHO, words(26, "maybe"), 0.0),
        (WHO, words(10, *["maybe"] * 3), -0.35 * (3 - 10 / 60)),
        (WHO, words(10, *["maybe"] * 4), -1.2),
        # Both: the guarded add to the doubt, up to 4.5.
        (WHO, words(10, "unsure", "maybe"), -1.9 - 0.35 * (1 - 10 / 60)),
        (WHO, words(10, "unsure", "unsure", *["maybe"] * 5), -4.5),
        (WHO, words(70, "unsure", "maybe"), -1.9),
        # In words that are somebody else's, a fifth.
        (TRANSLATE, words(10, "unsure"), -0.38),
        (TRANSLATE, words(10, *["maybe"] * 4), -0.24),
        (TRANSLATE, words(10, "oops"), -0.26),
        # Where no spaces part the words, four characters are one more.
        (WHO, "我不太确定，我不知道。", -2 * 1.9),
        (WHO, "也许是悉尼。" + "这" * 6, -0.35 * (1 - (2 + 3) / 60)),
        (WHO, "也许是，或许是。" + "这" * 4, -0.35 * (2 - (3 + 3) / 60)),
        (WHO, "更正：是悉尼。", -1.3),
        (WHO, "éa " + words(6, "maybe"), -0.35 * (1 - (7 + len("éa " + words(6, "maybe")) / 4) / 60)),
        # What it takes back.
        (WHO, words(10, "oops"), -1.3),
        (WHO, words(10, "oops", "oops"), -2.4),
        (WHO, words(10, "oops", "oops", "oops"), -2.4),
        # The same words over and over: fewer than 12 in 100 are different, of the first 1,200.
        (WHY, "same " * 150 + ".", 0.0),
        (WHY, "same " * 151 + ".", -1.8),
        (WHY, " ".join([words(24), "same " * 176]) + ".", 0.0),
        (WHY, " ".join([words(22), "same " * 178]) + ".", -1.8),
        (WHY, " ".join([words(145), "same " * 1500]) + ".", 0.0),
        (WHY, " ".join([words(143), "same " * 1500]) + ".", 0.0),
        (WHY, " ".join([words(142), "same " * 1500]) + ".", -1.8),
    ],
)
def test_doubt_and_repetition_weigh_so_much(prompt: str, answer: str, weight: float) -> None:
    assert weighs(prompt, answer) == pytest.approx(weight, abs=0.003 if weight > -4 else 0.02)


@pytest.mark.parametrize(
    ("prompt", "answer", "weight"),
    [
        (THREE, "A lion is a big cat.", -2.2 * 2 / 3),
        (THREE, "A big cat.\n\nA wild dog.", -2.2 / 3),
        (THREE, "A big cat. A wild dog. A bird.", -2.2 / 3),
        (THREE, "A big cat. A wild dog. A bird. Yes. Really. All.", 0.15),
        (THREE, "- A big cat.\n- A wild dog.\n- A bird.", 0.15),
        ("1. Describe a lion.\n2. Describe a wolf.", "A cat.", -1.1),
        ("1. Describe a lion.", "A cat.", 0.0),
        ("What is a lion?", "A cat.", 0.0),
        ("What is a lion? And what is a wolf?", "A cat.", -1.1),
        ("What is a lion? And what is a wolf?", "A cat. Fine.", -1.1),
        ("狮子是什么？狼是什么？", "猫。", -1.1),
        ("What is a? " * 6, "A cat.", -2.2 * 5 / 6),
        ("What is a? " * 9, "A cat.", -2.2 * 5 / 6),
        ("Translate: What is a lion? What is a wolf?", "Was ist ein Wolf?", 0.0),
        (HOLDS.replace("Which holds?", "Which holds? Which of these?"), "(A)", 0.0),
    ],
)
def test_parts_that_are_left_out_weigh_by_their_share(prompt: str, answer: str, weight: float) -> None:
    assert weighs(prompt, answer) == pytest.approx(weight, abs=0.003)


ENDED = " and the water rises in the bay"


@pytest.mark.parametrize(
    ("answer", "weight"),
    [
        (words(60) + ENDED, -0.8),
        *((words(60) + ENDED + sign, -0.8) for sign in ",:;(-"),
        (words(60) + ENDED + ".", 0.0),
        (words(60) + ENDED + "!", 0.0),
        ("x" * 199 + "a", 0.0),
        ("x" * 200 + "a", -0.8),
        (words(60) + "\n" + "x" * 59, 0.0),
        (words(60) + "\n" + "x" * 60, -0.8),
    ],
)
def test_an_answer_that_breaks_off_weighs_so_much_and_not_where_words_are_others(answer: str, weight: float) -> None:
    assert weighs(WHY, answer) == pytest.approx(weight, abs=0.003)
    assert weighs(TRANSLATE, answer) == pytest.approx(0.0, abs=0.003)


@pytest.mark.parametrize(
    ("prompt", "more", "weight"),
    [
        (ESSAY, {}, -0.8),
        ("Write an essay on Rome", {}, -2.2),
        (ESSAY, {"output_tokens": 200}, -0.8),
        (ESSAY, {"output_tokens": 199}, 0.0),
        (ESSAY, {"task_type": TaskType.SUMMARIZATION}, 0.0),
        ("Why Rome?", {}, 0.0),
    ],
)
def test_an_answer_of_less_than_a_tenth_of_what_is_expected_weighs_so_much(
    prompt: str, more: dict[str, Any], weight: float
) -> None:
    about = sample(**({"task_type": TaskType.ANALYSIS, "task_probabilities": {}, "output_tokens": 400} | more))
    assert weighs(prompt, "Rome was big.", about=about) == pytest.approx(weight, abs=0.003)
    assert weighs(prompt, "Rome `was` big.", about=about) == pytest.approx(weight, abs=0.003)


@pytest.mark.parametrize(("rivers", "weight"), [(27, -0.8), (28, 0.0)])
def test_a_tenth_is_forty_tokens_of_four_hundred(rivers: int, weight: float) -> None:
    about = sample(task_type=TaskType.ANALYSIS, task_probabilities={}, output_tokens=400)
    assert estimate_tokens(("river " * rivers).strip() + ".") == rivers + 12
    assert weighs(ESSAY, ("river " * rivers).strip() + ".", about=about) == pytest.approx(weight, abs=0.003)


@pytest.mark.parametrize(
    ("prompt", "answer", "weight", "reason"),
    [
        (HOLDS, "(H)", -2.0, "picks H, which is not among the options"),
        (HOLDS, "(B)", 0.0, "complete, without hedging"),
        (CLIPS, "48 + 24 = 82. The answer is 82.", -0.8, "a sum does not come out: 48 + 24 = 82"),
        (CLIPS, "48 + 24 = 72. The answer is 72.", 0.0, "complete, without hedging"),
        (CLIPS, "7.5", -2.2, "counts to a fraction: 7.5"),
        (CLIPS, "-24", -2.2, "counts to less than nothing: -24"),
        (CLIPS, "72", 0.0, "complete, without hedging"),
        ("How many hours did she walk?", "7.5", 0.0, "complete, without hedging"),
        ("How many hours did she walk?", "-7", 0.0, "complete, without hedging"),
    ],
)
def test_a_result_that_cannot_be_weighs_so_much(prompt: str, answer: str, weight: float, reason: str) -> None:
    assert weighs(prompt, answer) == pytest.approx(weight, abs=0.003)
    assert trust(prompt, answer).reasons == (reason,)


@pytest.mark.parametrize(
    ("mean", "weight", "said"),
    [
        (None, 0.0, "complete, without hedging"),
        (float("-inf"), 0.0, "complete, without hedging"),
        (float("nan"), 0.0, "complete, without hedging"),
        (0.0, 0.5, "sure of its words: mean log-probability 0.00"),
        (-0.03, 0.5, "sure of its words: mean log-probability -0.03"),
        (-0.05, 0.48, "sure of its words: mean log-probability -0.05"),
        (-0.101, 0.398, "complete, without hedging"),
        (-0.287, 0.1008, "complete, without hedging"),
        (-0.288, 0.0, "complete, without hedging"),
        (-0.412, 0.0, "complete, without hedging"),
        (-0.413, -0.1008, "complete, without hedging"),
        (-0.474, -0.198, "complete, without hedging"),
        (-0.475, -0.2, "unsure of its words: mean log-probability -0.47"),
        (-0.476, -0.2016, "unsure of its words: mean log-probability -0.48"),
        (-1.2, -1.36, "unsure of its words: mean log-probability -1.20"),
        (-1.5, -1.4, "unsure of its words: mean log-probability -1.50"),
    ],
)
def test_log_probabilities_weigh_so_much_and_are_told_of_from_a_fifth_on(
    mean: float | None, weight: float, said: str
) -> None:
    assert weighs(WHY, words(60), mean_logprob=mean) == pytest.approx(weight, abs=0.003)
    assert trust(WHY, words(60), mean_logprob=mean).reasons == (said,)


@pytest.mark.parametrize(("success", "as_if"), [(0.0, 0.01), (0.01, 0.01), (0.3, 0.3), (0.99, 0.99), (1.0, 0.99)])
def test_no_model_is_so_sure_or_so_unsure_that_nothing_counts(success: float, as_if: float) -> None:
    assert trust(WHY, words(60), success).value == pytest.approx(as_if, abs=0.0001)


@pytest.mark.parametrize(
    ("success", "told"), [(0.49, "hard for this model: 49% likely to do well"), (0.5, "complete, without hedging")]
)
def test_less_likely_than_not_is_told_of(success: float, told: str) -> None:
    assert trust(WHY, words(60), success).reasons == (told,)


SAID = words(60)
CODE = "Write a Python function that merges two sorted lists"
JSON = "Answer in JSON: who?"
REFUSED = "I'm sorry, but I can't help with that. " + SAID


@pytest.mark.parametrize(
    ("prompt", "answer", "finish", "value", "cause", "reasons"),
    [
        (WHY, SAID, FinishReason.STOP, 0.99, None, ("complete, without hedging",)),
        (
            WHY,
            SAID,
            FinishReason.CONTENT_FILTER,
            0.1,
            EscalationCause.REFUSAL,
            ("stopped by the provider's content filter",),
        ),
        (
            WHY,
            "",
            FinishReason.CONTENT_FILTER,
            0.0,
            EscalationCause.REFUSAL,
            ("withheld by the provider's content filter",),
        ),
        (WHY, "", FinishReason.STOP, 0.0, EscalationCause.EMPTY, ("the answer is empty",)),
        (WHY, "", FinishReason.TOOL_CALLS, 0.5, None, ("calls a tool instead of answering",)),
        (WHY, SAID, FinishReason.TOOL_CALLS, 0.99, None, ("complete, without hedging",)),
        (WHY, SAID, FinishReason.OTHER, 0.3, None, ("ended for a reason its provider does not explain",)),
        (WHY, SAID, FinishReason.LENGTH, 0.3, EscalationCause.TRUNCATED, ("cut off at the length limit",)),
        (WHY, SAID + "```", FinishReason.STOP, 0.35, EscalationCause.TRUNCATED, ("ends inside a block of code",)),
        (WHY, f"```\n{SAID}\n```", FinishReason.STOP, 0.99, None, ("complete, without hedging",)),
        (WHY, REFUSED, FinishReason.STOP, 0.1, EscalationCause.REFUSAL, ("refuses to answer",)),
        # The lowest ceiling comes first, and its cause; what is cut off need not be the JSON.
        (
            *(WHY, REFUSED, FinishReason.LENGTH, 0.1, EscalationCause.REFUSAL),
            ("refuses to answer", "cut off at the length limit"),
        ),
        (JSON, SAID, FinishReason.LENGTH, 0.3, EscalationCause.TRUNCATED, ("cut off at the length limit",)),
        (JSON, SAID, FinishReason.STOP, 0.4, None, ("no valid JSON though JSON was asked for",)),
        (JSON, "[1]", FinishReason.STOP, 0.99, None, ("complete, without hedging",)),
        (CODE, SAID, FinishReason.STOP, 0.4, None, ("no code though code was asked for",)),
        (CODE, SAID, FinishReason.OTHER, 0.3, None, ("ended for a reason its provider does not explain",)),
        (CODE, f"`x` {SAID}", FinishReason.STOP, 0.99, None, ("complete, without hedging",)),
    ],
)
def test_a_hard_check_is_a_ceiling_whatever_the_rest_says(
    prompt: str,
    answer: str,
    finish: FinishReason,
    value: float,
    cause: EscalationCause | None,
    reasons: tuple[str, ...],
) -> None:
    assert trust(prompt, answer, 0.99, finish=finish) == Confidence(value, reasons, cause)


@pytest.mark.parametrize(
    ("answer", "holds"),
    [
        ('{"who": "Ada"}', True),
        ("[1]", True),
        ("1", True),
        ("Here: [1] and more.", True),
        ("Here: [1 and more.", False),
        ("Here: ] and [", False),
        ("```json\n[1]\n```", True),
        ("```\n[1]\n```", True),
        ("So:\n```js\n[1]\n```\nand then {", True),
        ("```json\n1\n```", True),
        ("```\n1\n```", True),
        ('{"a": 1} and [', True),
        ("So [1].", True),
        ("```[1]```", True),
        ("```[1]\n,2]```", False),
        ('{"a": [1]}', True),
        ('[{"a": 1}]', True),
        ("[1}", False),
    ],
)
def test_json_is_looked_for_in_the_answer_and_in_its_block(answer: str, holds: bool) -> None:
    assert (trust(JSON, answer, 0.99).reasons == ("complete, without hedging",)) is holds


@pytest.mark.parametrize("size", [400_000, 400_001])
def test_up_to_400000_characters_json_is_parsed(size: int) -> None:
    assert (trust(JSON, "[x" + " " * (size - 3) + "]", 0.99).value == 0.4) is (size == 400_000)
    assert trust(JSON, "[x" + " " * (size - 3) + "!", 0.99).value == 0.4


@pytest.mark.parametrize(
    ("answer", "refuses"),
    [
        (REFUSED, True),
        (REFUSED + "." * (900 - len(REFUSED)), True),
        (REFUSED + "." * (901 - len(REFUSED)), False),
        ("." * 201 + " I can't help", True),
        ("." * 240 + " I can't help", False),
        ('"I can\'t help you."', False),
        ("“I can’t help you.”", False),
    ],
)
def test_a_refusal_opens_an_answer_and_is_most_of_it(answer: str, refuses: bool) -> None:
    assert ("refuses to answer" in trust(WHY, answer).reasons) is refuses


def test_what_a_plugins_check_found_counts_by_its_weight_or_as_a_ceiling() -> None:
    good, bad = Opinion("cites its sources", 0.05), Opinion("cites no source", -1.0)
    assert weighs(WHY, SAID, opinions=(good, bad)) == pytest.approx(-0.95, abs=0.003)
    assert trust(WHY, SAID, opinions=(good, bad)).reasons == (bad.reason, good.reason)
    short = Opinion("is not German", 0.0, falls_short=True)
    assert trust(WHY, SAID, 0.99, opinions=(short, good)) == Confidence(0.3, (short.reason, good.reason))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (words(10, "unsure"), "hedges once"),
        (words(10, "maybe"), "hedges once"),
        (words(10, "unsure", "maybe"), "hedges 2 times"),
        (words(10, "unsure", "unsure", "maybe"), "hedges 3 times"),
    ],
)
def test_how_often_it_hedges_is_said(answer: str, said: str) -> None:
    assert trust(WHO, answer).reasons == (said,)


@pytest.mark.parametrize(
    ("before", "share", "wanted"), [(24, 1.0, True), (25, 1.0, False), (24, 0.6, True), (24, 0.59, False)]
)
def test_code_is_wanted_where_a_prompt_about_it_begins_with_building(before: int, share: float, wanted: bool) -> None:
    about = sample(task_probabilities={TaskType.CODE: share})
    missing = "no code though code was asked for" in trust("so " * before + "write it", SAID, about=about).reasons
    assert missing is wanted


@pytest.mark.parametrize(("at", "holds"), [(3_999, True), (4_000, False)])
def test_code_is_looked_for_in_the_first_4000_characters(at: int, holds: bool) -> None:
    reasons = trust(CODE, "x" * at + "=" + "y" * 99).reasons
    assert ("no code though code was asked for" not in reasons) is holds


ASKED = Request((Message("user", "Look it up"),), tools=(Tool("look"), Tool("find")))
LOOKS = ToolCall("1", "look", "{}")


@pytest.mark.parametrize(
    ("calls", "finish", "trusted"),
    [
        ([LOOKS], FinishReason.TOOL_CALLS, Confidence(0.9, ("calls look as offered",))),
        (
            [LOOKS, ToolCall("2", "find"), LOOKS],
            *(FinishReason.TOOL_CALLS, Confidence(0.9, ("calls look, find as offered",))),
        ),
        (
            [ToolCall("1", "buy")],
            *(FinishReason.TOOL_CALLS, Confidence(0.2, ("calls buy, which is not offered",))),
        ),
        (
            *([LOOKS], FinishReason.LENGTH),
            Confidence(0.2, ("cut off at the length limit",), EscalationCause.TRUNCATED),
        ),
    ],
)
def test_calls_of_tools_are_trusted_by_whether_they_can_be_carried_out(
    calls: list[ToolCall], finish: FinishReason, trusted: Confidence
) -> None:
    assert trust(ASKED, "", 0.3, finish=finish, calls=calls) == trust(ASKED, "?", finish=finish, calls=calls) == trusted


@pytest.mark.parametrize(
    ("answer", "finish", "value", "reasons"),
    [
        ("{}", FinishReason.STOP, 0.99, ("complete, without hedging",)),
        (SAID, FinishReason.STOP, 0.3, ("is not the JSON that was asked for",)),
        (SAID, FinishReason.LENGTH, 0.3, ("cut off at the length limit",)),
    ],
)
def test_a_shape_that_was_asked_for_is_held_to(
    answer: str, finish: FinishReason, value: float, reasons: tuple[str, ...]
) -> None:
    shaped = Request((Message("user", "Who?"),), shape=Shape())
    seen = trust(shaped, answer, 0.99, finish=finish)
    assert (seen.value, seen.reasons) == (value, reasons)


def test_a_confidence_has_four_digits_and_a_check_of_no_weight_stands_between_both_sides() -> None:
    assert trust(WHY, SAID, 1 / 3).value == 0.3333
    opinions = [Opinion(name, weight) for name, weight in {"for": 1.0, "neither": 0.0, "against": -1.0}.items()]
    assert trust(WHY, SAID, opinions=opinions).reasons == ("against", "neither", "for")


def test_the_reasons_against_come_first_and_of_each_side_the_weightiest() -> None:
    opinions = [Opinion(name, weight) for name, weight in {"a": 1.0, "b": -1.0, "c": 2.0, "d": -2.0}.items()]
    assert trust(WHY, SAID, opinions=opinions).reasons == ("d", "b", "c", "a")
