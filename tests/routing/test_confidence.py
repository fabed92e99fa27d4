"""How far an answer is trusted: tables of a prompt, an answer, and what a careful reader would say of it."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tui_orchestrator.routing.answer_features import Answer, Asked, Task, features
from tui_orchestrator.routing.confidence import assess
from tui_orchestrator.routing.events import Confidence, EscalationCause, FinishReason
from tui_orchestrator.routing.learned import weights
from tui_orchestrator.routing.profiler import profile
from tui_orchestrator.routing.request import Message, Request
from tui_orchestrator.routing.signs import SIGNS

FIT = 0.85
"""Success probability of a model that is up to the prompt."""
MERGE = "Write a Python function that merges two sorted lists"
MERGED = "```python\ndef merge(a, b):\n    return sorted(a + b)\n```\nIt runs in O(n log n)."
TIDES = (
    "The moon's gravity pulls on the oceans. The water nearest to it is pulled most, so it bulges towards the moon, "
    "and a second bulge forms on the far side. As the Earth turns, each coast passes through both bulges, which gives "
    "two high and two low tides a day. The sun adds to this: at new and full moon both pull in line and the tides are "
    "highest."
)


def trust(
    prompt: str,
    answer: str,
    finish: FinishReason = FinishReason.STOP,
    success: float = FIT,
    logprob: float | None = None,
    max_tokens_hit: bool = False,
) -> Confidence:
    asked = Request((Message("user", prompt),))
    return assess(asked, profile(asked), answer, finish, success, logprob, max_tokens_hit)


GOOD = [
    ("Hi", "Hello! How can I help?"),
    ("thanks", "You're welcome!"),
    ("What is 2+2?", "4"),
    ("What is the capital of France?", "Paris."),
    ("Wie heißt die Hauptstadt von Peru?", "Lima."),
    ("法国的首都是哪里？", "巴黎。"),
    ("Is the earth flat?", "No."),
    ("Explain how tides work", TIDES),
    ("Why is the sky blue?", "Air scatters blue light more than red."),
    (MERGE, MERGED),
    ("find all files larger than 1GB in the current directory", "find . -type f -size +1G"),
    ("Return the names as a JSON object", '{"names": ["Ada"]}'),
    ("Return the names as a JSON object", 'Here you are:\n```json\n{"names": ["Ada"]}\n```\nAnything else?'),
    ("Translate to English: Es tut mir leid, ich kann dir nicht helfen.", "I'm sorry, I can't help you."),
    ("Translate to German: I'm not sure, maybe, I don't know.", "Ich bin mir nicht sicher, vielleicht, weiß nicht."),
    ("How should I decline a job offer?", '"I\'m sorry, but I cannot accept your offer." Keep it short and kind.'),
    ("My cat died yesterday", "I'm sorry to hear that. Losing a companion hurts; take the time you need."),
    ("1. What is a lion?\n2. What is a wolf?\n3. What is an owl?", "1. A big cat.\n2. A wild dog.\n3. A bird."),
    (
        "Write a story about a lighthouse",
        "Perhaps it was the wind. " + "The keeper climbed the stairs again. Who knew? " * 8,
    ),
]


@pytest.mark.parametrize(("prompt", "answer"), GOOD, ids=[answer[:20] for _, answer in GOOD])
def test_a_good_answer_from_a_fit_model_is_trusted(prompt: str, answer: str) -> None:
    seen = trust(prompt, answer)
    assert seen.value >= 0.75, seen.reasons
    assert seen.cause is None


HEDGING = [
    ("What is the capital of Australia?", "I'm not sure, I might be wrong, it could perhaps be Sydney."),
    ("What is the capital of Australia?", "I don't know. I’m not certain, but possibly Sydney?"),
    ("Was ist die Hauptstadt von Australien?", "Ich bin mir nicht sicher, vielleicht Sydney, das könnte falsch sein."),
    ("Quelle est la capitale ?", "Je ne suis pas sûr, peut-être Sydney, je peux me tromper."),
    ("¿Cuál es la capital?", "No estoy seguro, quizás Sídney, puedo equivocarme."),
    ("澳大利亚的首都是哪里？", "我不太确定，也许是悉尼，可能不对。"),
    ("オーストラリアの首都は？", "自信がありませんが、シドニーかもしれません。間違っているかもしれません。"),
]


@pytest.mark.parametrize(("prompt", "answer"), HEDGING)
def test_a_hedging_answer_is_not_trusted_even_from_the_best_model(prompt: str, answer: str) -> None:
    seen = trust(prompt, answer, success=0.97)
    assert seen.value <= 0.45, seen.reasons
    assert seen.reasons[0].startswith("hedges ")
    assert seen.cause is None


REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, but I can’t help with that.",
    "I cannot assist with this request.",
    "As an AI language model, I don't have opinions on that.",
    "Sorry, I won't be able to do that. I am unable to provide such information.",
    "Es tut mir leid, aber dabei kann ich dir nicht helfen.",
    "Je suis désolé, mais je ne peux pas vous aider.",
    "Lo siento, pero no puedo ayudar con eso.",
    "抱歉，我无法提供这方面的帮助。",
    "申し訳ありませんが、お手伝いできません。",
]


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_refusal_is_hardly_trusted_in_any_language(answer: str) -> None:
    seen = trust("How do I open this lock without a key?", answer)
    assert seen.value <= 0.15
    assert seen.cause is EscalationCause.REFUSAL
    assert seen.reasons[0] == "refuses to answer"


NO_REFUSALS = [
    ("Write a polite refusal to a dinner invitation", "I'm sorry, but I won't be able to come. " * 8),
    ("Translate to English: Lo siento, pero no puedo ayudar.", "I'm sorry, but I can't help."),
    ("How does the lock work?", "The pins hold the plug. You can't open it without a key, but a locksmith can. " * 3),
    ("Explain how tides work", TIDES * 4 + " I'm sorry, but I can't help with more."),
    ("What did the sign say?", 'It said: "I cannot help you here."'),
]


@pytest.mark.parametrize(("prompt", "answer"), NO_REFUSALS, ids=[prompt[:20] for prompt, _ in NO_REFUSALS])
def test_words_of_refusal_alone_make_no_refusal(prompt: str, answer: str) -> None:
    assert trust(prompt, answer).cause is None


HARD = [
    (MERGE, MERGED, FinishReason.OTHER, 0.35, None, "ended for a reason its provider does not explain"),
    (MERGE, "", FinishReason.STOP, 0.0, EscalationCause.EMPTY, "the answer is empty"),
    (MERGE, " \n\t ", FinishReason.STOP, 0.0, EscalationCause.EMPTY, "the answer is empty"),
    (MERGE, "\u200b", FinishReason.STOP, 0.0, EscalationCause.EMPTY, "the answer is empty"),
    (MERGE, "\u2060\u00a0\u200d\n\ufeff\u00ad", FinishReason.STOP, 0.0, EscalationCause.EMPTY, "the answer is empty"),
    (MERGE, MERGED, FinishReason.LENGTH, 0.35, EscalationCause.TRUNCATED, "cut off at the length limit"),
    (MERGE, "```python\ndef f(", FinishReason.STOP, 0.35, EscalationCause.TRUNCATED, "ends inside a block of code"),
    (
        TIDES,
        "The",
        FinishReason.CONTENT_FILTER,
        0.15,
        EscalationCause.REFUSAL,
        "stopped by the provider's content filter",
    ),
    (MERGE, "You walk through both lists.", FinishReason.STOP, 0.4, None, "no code though code was asked for"),
    ("Answer in JSON: who?", "Ada", FinishReason.STOP, 0.4, None, "no valid JSON though JSON was asked for"),
    ("Answer in JSON: who?", '{"who": }', FinishReason.STOP, 0.4, None, "no valid JSON though JSON was asked for"),
    ("Answer in JSON: who?", "[" * 100_000, FinishReason.STOP, 0.4, None, "no valid JSON though JSON was asked for"),
]


@pytest.mark.parametrize(
    ("prompt", "answer", "finish", "most", "cause", "reason"), HARD, ids=[f"{row[1][:12]} {row[-1]}" for row in HARD]
)
def test_a_failed_hard_check_caps_the_confidence_and_is_the_first_reason(
    prompt: str, answer: str, finish: FinishReason, most: float, cause: EscalationCause | None, reason: str
) -> None:
    seen = trust(prompt, answer, finish, success=0.99)
    assert seen.value <= most
    assert seen.cause is cause
    assert seen.reasons[0] == reason


@pytest.mark.parametrize(("end", "holds"), [("1]", True), ("1", False)])
def test_of_json_that_is_too_long_to_parse_the_brackets_are_looked_at(end: str, holds: bool) -> None:
    seen = trust("Answer in JSON: which?", "[" + "1," * 250_000 + end)
    assert ("no valid JSON though JSON was asked for" not in seen.reasons) is holds


def test_an_answer_that_used_all_its_tokens_counts_as_cut_off() -> None:
    assert trust("Explain how tides work", TIDES, max_tokens_hit=True).cause is EscalationCause.TRUNCATED


def test_a_call_for_a_tool_without_text_is_not_an_empty_answer() -> None:
    seen = trust("Weather?", "", FinishReason.TOOL_CALLS)
    assert seen.cause is None
    assert seen.value == 0.5


HOLDS = "Which holds?\nA. 1 kg\nB. 2 kg\nC. 3 kg\nD. 4 kg"
PRICE = "What does a calculator listed at $100 cost after discounts of 40% and 25%?\nA. $65\nB. $45\nC. $35\nD. $60"
CLIPS = "Natalia sold 48 clips in April and half as many in May. How many clips did she sell altogether?"
KLAMMERN = "Natalia verkaufte im April 48 Klammern und im Mai halb so viele. Wie viele waren es zusammen?"
CALL = "def f(text):\n    return text.upper()\n\nWhat does the following call return?\nf('abc')"

WEAKER = [
    # prompt, better answer, worse answer, what is said of the worse
    ("What is 17*23?", "17*23 = 391.", "17*23 = 401. Wait, no. Let me recalculate: 391.", "takes back what it said"),
    ("17乘23等于多少？", "等于391。", "等于401。等等，不对，应该是391。", "takes back what it said"),
    ("Write an essay on Rome", TIDES * 3, "Rome was big.", "very short"),
    (
        "1. What is a lion?\n2. What is a wolf?\n3. What is an owl?",
        "1. A big cat.\n2. A wild dog.\n3. A bird.",
        "A lion is a big cat.",
        "answers about 1 of 3 parts",
    ),
    (
        "1. Describe a lion.\n2. Describe a wolf.",
        "1. A big cat.\n2. A wild dog.",
        "A lion is a big cat.",
        "answers about 1 of 2 parts",
    ),
    ("Explain how tides work", TIDES, TIDES[:-30] + " and then", "breaks off in mid-sentence"),
    ("Explain how tides work", TIDES, "the moon pulls and " * 80 + ".", "repeats itself"),
    (
        HOLDS,
        "The answer is (B).",
        "The mass is 2.5 kg. None of the options match, the closest is (B).",
        "says that no option fits its result",
    ),
    (HOLDS, "The answer is (B).", "It depends.", "names none of the options"),
    (HOLDS, "The answer is (B).", "The answer is (H).", "picks H, which is not among the options"),
    (
        PRICE,
        "$100 × 0.6 = $60, and $60 × 0.75 = $45. The answer is (B).",
        "$100 × 0.6 = $60, and $60 × 0.75 = $45. The answer is (A).",
        "its working does not lead to option A",
    ),
    (
        CLIPS,
        "In May she sold 48 / 2 = 24 clips. Altogether she sold 48 + 24 = 72 clips. The answer is 72.",
        "In May she sold 48 / 2 = 24 clips. Altogether she sold 48 + 24 = 82 clips. The answer is 82.",
        "a sum does not come out: 48 + 24 = 82",
    ),
    (
        KLAMMERN,
        "Im Mai waren es 48 : 2 = 24, zusammen 48 + 24 = 72. Die Antwort ist 72.",
        "Im Mai waren es 48 : 2 = 24, zusammen 48 + 24 = 62. Die Antwort ist 62.",
        "a sum does not come out: 48 + 24 = 62",
    ),
    (CLIPS, "The answer is 72.", "The answer is 7.5.", "counts to a fraction: 7.5"),
    (CLIPS, "The answer is 72.", "The answer is -24.", "counts to less than nothing: -24"),
    (CALL, "'ABC'", "ABC'", "predicts what is no Python value"),
]


@pytest.mark.parametrize(("prompt", "better", "worse", "reason"), WEAKER, ids=[row[-1] for row in WEAKER])
def test_the_weaker_answer_is_trusted_less_and_is_told_why(prompt: str, better: str, worse: str, reason: str) -> None:
    good, bad = trust(prompt, better), trust(prompt, worse)
    assert bad.value < good.value - 0.08
    assert any(said.startswith(reason) for said in bad.reasons)
    assert not any(said.startswith(reason) for said in good.reasons)


def test_a_short_form_is_not_called_too_short() -> None:
    haiku = "Leaves let go the branch,\nthe river keeps the colour\nuntil the first frost."
    seen = trust("Write a haiku about autumn", haiku)
    assert not any("short" in said for said in seen.reasons)


def test_a_model_that_is_not_up_to_the_prompt_is_trusted_less() -> None:
    values = [trust("Explain how tides work", TIDES, success=p).value for p in (0.05, 0.3, 0.6, 0.9)]
    assert values == sorted(values)
    assert values[0] < 0.6 < values[2]
    assert "hard for this model" in trust("Explain how tides work", TIDES, success=0.3).reasons[0]


def test_log_probabilities_count_where_they_are_given() -> None:
    sure, unknown, unsure = (trust("Explain how tides work", TIDES, logprob=p).value for p in (-0.05, None, -1.5))
    assert unsure < unknown < sure


def test_more_hedging_is_trusted_less_but_one_careful_word_is_not_punished() -> None:
    careful = trust("Explain how tides work", TIDES + " Local coasts may be different.")
    assert careful.value == trust("Explain how tides work", TIDES).value
    doubts = [trust("Explain how tides work", TIDES + " I'm not sure." * n).value for n in (0, 1, 2)]
    assert doubts[0] > doubts[1] > doubts[2]


def test_what_is_taken_back_once_is_trusted_less_and_twice_less_again_and_no_more_counts_on() -> None:
    never, once, twice, often = (trust("Explain how tides work", TIDES + " Oops." * n).value for n in (0, 1, 2, 4))
    assert never - once > 0.15
    assert once - twice > 0.15
    assert abs(twice - often) < 0.02


def test_the_weightiest_reason_comes_first() -> None:
    reasons = trust("Explain how tides work", TIDES[:-30] + " I don't know. I don't know. I might be wrong and").reasons
    assert reasons[0].startswith("hedges")
    assert "breaks off in mid-sentence" in reasons


HARDER = [
    # an easier question, a harder one, the answer to both
    (
        HOLDS,
        HOLDS.replace("Which", "A body of 2.5 kg at 30 m/s and 4 bodies of 12, 17, 19 and 23 kg meet: which"),
        "(B)",
    ),
    (CALL, CALL.replace(".upper()", ".strip('x').partition('-')[2].replace('a', 'b').upper().rjust(12)"), "'ABC'"),
    (CLIPS, CLIPS + " Of 7 boxes 3 held 12 and 4 held 15; 9 broke, 6 were lost, 2 found.", "The answer is 72."),
]


@pytest.mark.parametrize(("easier", "harder", "answer"), HARDER)
def test_an_answer_to_a_harder_question_of_one_kind_is_trusted_less(easier: str, harder: str, answer: str) -> None:
    assert trust(harder, answer).value < trust(easier, answer).value - 0.03


REFUSAL = "I'm sorry, but I can't help with that."


@given(st.sampled_from([MERGED, TIDES, "4", "The answer is (B).", "'ABC'", "I'm not sure, maybe Sydney."]))
@settings(deadline=None)
def test_adding_a_refusal_or_being_cut_off_never_raises_the_confidence(answer: str) -> None:
    for prompt in (MERGE, HOLDS, CLIPS, CALL, "Explain how tides work"):
        whole = trust(prompt, answer)
        assert trust(prompt, f"{REFUSAL} {answer}").value <= whole.value
        assert trust(prompt, answer, FinishReason.LENGTH).value <= whole.value
        assert trust(prompt, answer, max_tokens_hit=True).value <= whole.value
        assert trust(prompt, answer, FinishReason.CONTENT_FILTER).value <= whole.value


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.sampled_from([MERGE, HOLDS, CLIPS, CALL]))
@settings(deadline=None)
def test_the_likelier_model_is_trusted_no_less(one: float, other: float, prompt: str) -> None:
    low, high = sorted((one, other))
    assert (
        trust(prompt, "The answer is (B).", success=low).value
        <= trust(prompt, "The answer is (B).", success=high).value
    )


def test_every_learned_weight_is_of_a_feature_that_is_read_and_told_of() -> None:
    seen = features(Asked(HOLDS), Answer("The answer is (B)."), None)
    learned = {name for table in weights().features.values() for name in table}
    assert learned <= seen.keys() == SIGNS.keys()
    assert set(weights().features) == set(Task)


@pytest.mark.parametrize("filling", ["word ", "3 + 4 = 7. ", "\\boxed{", "[", "1+", " ", "\n", "The answer is (", "9^"])
def test_work_does_not_grow_with_the_answer(filling: str) -> None:
    """Ten times the text in no more than a few times the steps: only the two ends are read."""
    short, long = (filling * (size // len(filling)) + "end" for size in (20_000, 200_000))
    assert steps(lambda: trust(HOLDS, long)) < 3 * steps(lambda: trust(HOLDS, short)) + 1000


def steps(work: Callable[[], object]) -> int:
    """Calls of functions, built-in ones among them."""
    count = 0

    def called(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@given(
    st.text(max_size=300),
    st.text(max_size=600),
    st.sampled_from(FinishReason),
    st.floats(allow_nan=False),
    st.none() | st.floats(),
    st.booleans(),
)
@example("json", "```json", FinishReason.STOP, 0.5, None, False)
@example("in json", "```\n{}\n```", FinishReason.STOP, 0.5, float("nan"), False)
@example("", "\ud800", FinishReason.OTHER, 2.0, float("-inf"), False)
@settings(max_examples=75, deadline=None)
def test_any_answer_to_anything_can_be_judged(
    prompt: str, answer: str, finish: FinishReason, success: float, logprob: float | None, hit: bool
) -> None:
    seen = trust(prompt, answer, finish, success, logprob, max_tokens_hit=hit)
    assert 0 <= seen.value <= 1
    assert seen.reasons
    assert all(seen.reasons)
    assert seen == trust(prompt, answer, finish, success, logprob, max_tokens_hit=hit)
