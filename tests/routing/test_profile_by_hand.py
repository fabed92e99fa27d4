"""What the conversation, its size and its words make of a profile, where what was learned is made up: numbers that can
be worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tui_orchestrator.routing.features import read
from tui_orchestrator.routing.prediction import HEADS, Weights
from tui_orchestrator.routing.profile import Ability, Profile, Published, TaskType
from tui_orchestrator.routing.profiler import profile, wants_json
from tui_orchestrator.routing.request import Image, Message, Request, Role, Shape

from .trained import trained

STEP = math.sqrt(2) / 6
"""Of a prompt of one word, which has two n-grams, a weight counts for what it is."""
LOW, HIGH = (4 - 1.25 * 2 - 0.6) / 9.6, (4 + 1.25 * 4 - 0.6) / 9.6
"""Difficulties of prompts that are rated 2 and 8."""


def learned(kind: str = "", share: float = 0.0, tokens: float = 300.0, **more: Any) -> Weights:
    """Every prompt is rated 2, but 'poem' 8; a type is given a share, all others have equal parts of the rest."""
    bias = {"perceived": 2.0, "output": math.log(tokens), "everyday": 50.0}
    if kind:
        bias[kind] = math.log(16 * share / (1 - share))
    return trained(bias=bias, grams={"poem": {"perceived": 6, "creative": 20}}, step=STEP, **more)


def asked(*turns: str, **more: Any) -> Request:
    roles: tuple[Role, Role] = ("user", "assistant")
    return Request(tuple(Message(roles[at % 2], text) for at, text in enumerate(turns)), **more)


def of(*turns: str, weights: Weights | None = None, **more: Any) -> Profile:
    return profile(asked(*turns, **more), weights or learned())


def evidence(seen: Profile) -> list[str]:
    return [one.feature for one in seen.evidence]


def test_shares_of_types_are_those_of_their_weights_the_largest_first() -> None:
    seen = of("xa", weights=learned("code", 0.52))
    assert seen.task_type is TaskType.CODE
    assert next(iter(seen.task_probabilities.items())) == (TaskType.CODE, pytest.approx(0.52))
    assert len(seen.task_probabilities) == 17
    assert list(seen.task_probabilities.values())[1:] == pytest.approx([0.03] * 16)
    assert of("poem").task_probabilities[TaskType.CREATIVE] == pytest.approx(1, abs=1e-7)
    assert of("").task_probabilities == {TaskType.CONVERSATION: 1}
    assert profile(Request(()), learned()).task_probabilities == {TaskType.CONVERSATION: 1}
    sure = of("xa", weights=trained(bias={"code": 2000, "everyday": 2000}))
    assert sure.task_probabilities[TaskType.CODE] == 1


def test_what_is_said_of_a_prompt_is_not_worked_out() -> None:
    plain, kind, hard = of("poem"), of("poem", task_type=TaskType.CODE), of("poem", difficulty=0.55)
    assert (plain.difficulty, plain.complexity) == (pytest.approx(HIGH), 8)
    assert evidence(plain)[-1] == "'poem' speaks for creative"
    assert (kind.task_type, kind.task_probabilities) == (TaskType.CODE, {TaskType.CODE: 1})
    assert evidence(kind)[-1] == "said to be code"
    assert kind.difficulty == plain.difficulty
    assert (hard.difficulty, hard.complexity, hard.novelty) == (0.55, 6, 0)
    assert [(one.feature, one.effect) for one in hard.evidence] == [
        ("said to be of difficulty 0.55", 0),
        ("'poem' speaks for creative", 0),
    ]
    assert [of("xa", difficulty=value).complexity for value in (0, 0.5, 1)] == [1, 6, 10]
    assert hard.task_probabilities == plain.task_probabilities
    assert of("xa xb xc xd xe xf").novelty == 1


FIVE = "xa xb xc xd xe "


@pytest.mark.parametrize(
    ("prompt", "weights", "share"),
    [
        ("and xa", learned(), 0.7),
        ("xa xb and", learned(), 0.7),
        ("xa xb xc and", learned(), 0.4),
        ("xa xb", learned(), 0.4),
        ("再来一次", learned(), 0.7),
        ("来一次再", learned(), 0.4),
        # In at most 25 words.
        (f"and {FIVE * 4}xa xb xc xd", learned(), 0.7),
        (f"and {FIVE * 5}", learned(), 0),
        # What says much by itself leans on nothing, unless it opens like a follow-up; thanks do not.
        ("xa xb", learned("code", 0.59), 0.4),
        ("xa xb", learned("code", 0.61), 0),
        ("and xa", learned("code", 0.99), 0.7),
        ("xa xb", learned("conversation", 0.49), 0.4),
        ("xa xb", learned("conversation", 0.51), 0),
        ("and xa", learned("conversation", 0.89), 0.7),
        ("and xa", learned("conversation", 0.91), 0),
    ],
)
def test_a_follow_up_is_so_much_like_the_turn_before_it(prompt: str, weights: Weights, share: float) -> None:
    seen, before = of("poem", "yes", prompt, weights=weights), of("poem", weights=weights)
    alone = of(prompt, weights=weights)
    assert alone.difficulty == pytest.approx(LOW)
    assert seen.difficulty == pytest.approx(LOW + share * (HIGH - LOW))
    assert seen.complexity == {0: 2, 0.4: 4, 0.7: 6}[share]
    for kind, value in seen.task_probabilities.items():
        mixed = (1 - share) * alone.task_probabilities[kind] + share * before.task_probabilities[kind]
        assert value == pytest.approx(mixed)
    told = f"follows on from {before.task_type.value}"
    assert (told in evidence(seen)) is (share > 0)


@pytest.mark.parametrize(
    ("roles", "leans"),
    [
        ("user:poem user:and", True),
        ("user:xa user:poem user:and", True),
        ("user:poem user:xa user:and", False),
        ("user:poem assistant:x assistant:y user:and", True),
        ("user:poem assistant:x assistant:y assistant:z user:and", False),
        ("assistant:poem user:and", False),
        ("assistant:and", False),
        ("user:and", False),
    ],
)
def test_the_turn_before_is_the_users_last_of_three_messages(roles: str, leans: bool) -> None:
    said: list[Message] = []
    for each in roles.split():
        role, _, text = each.partition(":")
        said.append(Message(role, text))  # type: ignore[arg-type]
    seen = profile(Request(tuple(said)), learned())
    assert (seen.difficulty > LOW + 0.01) is leans


@pytest.mark.parametrize(
    ("said", "more", "tokens"),
    [
        ("a" * 420, {}, 200),
        ("a" * 42 * 19, {}, 110),
        ("a" * 42 * 20, {}, 100),
        ("a" * 42 * 25, {}, 100),
        ("a" * 420, {"max_tokens": 201}, 101),
        ("a" * 420, {"max_tokens": 50}, 50),
    ],
)
def test_of_an_answer_that_is_gone_on_with_the_rest_is_expected(said: str, more: dict[str, Any], tokens: int) -> None:
    go_on = "Go on."
    rest = of("poem", said, go_on, continues=True, **more)
    assert rest.output_tokens == tokens
    assert (rest.difficulty, rest.task_type) == (pytest.approx(HIGH), TaskType.CREATIVE)
    assert rest.input_tokens == of("poem", said, go_on).input_tokens
    assert rest.mix == of("poem", said, go_on).mix


def test_what_is_gone_on_with_may_itself_follow_on() -> None:
    rest = of("poem", "yes", "and xa", "so", "Go on.", continues=True)
    assert rest.task_probabilities == of("poem", "yes", "and xa").task_probabilities
    assert rest.difficulty == of("poem", "yes", "and xa").difficulty
    assert of("poem", "Go on.", continues=True).output_tokens == 300


@pytest.mark.parametrize(
    ("letters", "tokens", "share"),
    [
        (134_379, 31_999, 0),
        (134_383, 32_000, 0.8),
        (268_783, 64_000, 0.85),
        (2_000_000, 476_194, 0.97),
    ],
)
def test_a_long_text_is_of_long_context_by_its_size(letters: int, tokens: int, share: float) -> None:
    seen = of("a" * letters, weights=learned("code", 0.52))
    assert seen.input_tokens == tokens
    assert seen.task_probabilities.get(TaskType.LONG_CONTEXT, 0) == pytest.approx(share, abs=0.0001)
    assert seen.task_probabilities[TaskType.CODE] == pytest.approx(0.52 * (1 - share), abs=0.0001)
    assert (Ability.LONG_CONTEXT in seen.needs) is (share > 0)
    told = [(one.feature, one.effect) for one in seen.evidence if "of input" in one.feature]
    assert told == ([(f"about {tokens:,} tokens of input", 0)] if share else [])


@pytest.mark.parametrize(("count", "told"), [(1, "1 image attached"), (2, "2 images attached")])
def test_images_take_nine_tenths(count: int, told: str) -> None:
    images = (Image("image/png", b""),) * count
    seen = profile(Request((Message("user", "xa", images),)), learned("code", 0.52))
    assert seen.task_probabilities[TaskType.MULTIMODAL] == pytest.approx(0.9)
    assert seen.task_probabilities[TaskType.CODE] == pytest.approx(0.052)
    assert [(one.feature, one.effect) for one in seen.evidence][-1] == (told, 0)
    assert seen.needs == {Ability.VISION}


def like(share: float) -> Weights:
    """A prompt of one kind of published questions by a share, and else an everyday one."""
    bias = dict.fromkeys(HEADS[-8:], -50.0) | {"mmlu": math.log(share / (1 - share)), "everyday": 0.0}
    return trained(bias={"perceived": 2.0} | bias, published={"m": [0.2] * 5 + [0.6, 0.2]})


def test_a_prompt_like_published_questions_is_told_of_from_a_trust_of_a_half_on() -> None:
    told = "like published questions of examination subjects"
    more, less = like(0.75), like(0.65)
    assert told in evidence(of("xa", weights=more))
    assert told not in evidence(of("xa", weights=less))
    assert of("xa", weights=more).published.chances["m"] == pytest.approx(0.6, abs=0.01)
    assert of("xa", weights=more, task_type=TaskType.CODE).published == of("xa", weights=more).published
    # What else is known of it counts instead.
    for other in (
        of("xa", weights=more, difficulty=0.5),
        of("xa", "yes", "and so", weights=more),
        profile(Request((Message("user", "xa", (Image("image/png", b""),)),)), more),
    ):
        assert other.published == Published()
        assert told not in evidence(other)


@pytest.mark.parametrize(
    ("prompt", "wanted"),
    [
        ("return xa xb xc xd xe json", True),
        ("return xa xb xc xd xe xf json", False),
        ("as json", True),
        ("xa return json", True),
        ("json as xa", False),
        ("json xa xb as json", True),
        ("What is JSON?", False),
        ("return xa", False),
        *((cue, True) for cue in ("JSON格式", "JSON形式", "JSONで", "用JSON", "以JSON")),
        ("什么是JSON？", False),
    ],
)
def test_json_is_wanted_where_the_answer_is_to_be_it(prompt: str, wanted: bool) -> None:
    assert wants_json(read(prompt)) is wanted


def test_what_a_request_brings_is_needed() -> None:
    assert of("xa").needs == frozenset()
    assert of("xa", shape=Shape()).needs == of("xa yaml").needs == {Ability.STRUCTURED_OUTPUT}
    assert of("xa", metadata={"tools": "yes"}).needs == {Ability.TOOLS}


def text(tokens: int) -> str:
    return "a" * round(4.2 * tokens)


T = TaskType


@pytest.mark.parametrize(
    ("kind", "prompt", "learned_tokens", "tokens"),
    [
        (T.CODE, "xa", 300, 300),
        (T.CODE, "xa", 5, 10),
        (T.CODE, "xa", 11, 11),
        (T.CODE, "xa", 9000, round(math.exp(9))),
        (T.CODE, text(1000), 300, 300),
        # As long as the text it is about.
        (T.TRANSLATION, text(29), 300, 30),
        (T.TRANSLATION, text(31), 300, 31),
        (T.TRANSLATION, text(1000), 300, 1000),
        (T.SUMMARIZATION, text(150), 300, 300),
        (T.SUMMARIZATION, text(151), 300, 80),
        (T.SUMMARIZATION, text(1000), 300, 250),
        (T.SUMMARIZATION, text(2400), 300, 500),
        *((kind, text(50), 300, 300) for kind in (T.DEBUGGING, T.CODE_REFACTOR)),
        *((kind, text(200), 300, 400) for kind in (T.DEBUGGING, T.CODE_REFACTOR)),
        *((kind, text(5000), 300, 4000) for kind in (T.DEBUGGING, T.CODE_REFACTOR)),
        # Thorough, or one of two words.
        (T.CODE, "xa thorough", 300, 900),
        (T.CODE, "xa thorough", 1000, 1000),
        (T.CODE, "xa yes or no", 300, 40),
        (T.CODE, "xa yes or no", 20, 20),
        (T.CODE, "xa yes no or", 300, 300),
        (T.CODE, "xa thorough yes or no", 300, 900),
        # As many words, sentences and so on as are said.
        (T.CODE, "xa 500 words", 300, 700),
        (T.CODE, "xa 500 long words", 300, 700),
        (T.CODE, "xa 500 xb xc words", 300, 300),
        (T.CODE, "500 words", 300, 700),
        (T.CODE, "words 500", 300, 300),
        (T.CODE, "xa 3 sentences", 300, 84),
        (T.CODE, "xa 5 paragraphs", 300, 600),
        (T.CODE, "xa 2 pages", 300, 1300),
        (T.CODE, "xa 4 bullets", 300, 160),
        (T.CODE, "xa 30 pages", 300, 16_000),
        (T.CODE, "xa 10000 words", 300, 14_000),
        (T.CODE, "xa 100000 words", 300, 300),
        (T.CODE, "xa 0 words, 20 words", 300, 28),
        *(
            (T.CODE, f"xa {numeral} sentences", 300, 28 * count)
            for numeral, count in (
                *(("one", 1), ("two", 2), ("three", 3), ("four", 4), ("five", 5), ("ten", 10)),
                *(("zwei", 2), ("tres", 3), ("cinq", 5), ("zehn", 10)),
            )
        ),
        # 'A word' and 'one word of advice' ask for no length; 'in one word' does.
        (T.CODE, "xa a word", 300, 300),
        (T.CODE, "xa a page", 300, 300),
        (T.CODE, "xa one page", 300, 650),
        (T.CODE, "xa one word", 300, 300),
        (T.CODE, "xa two words", 300, 8),
        (T.CODE, "xa 6 words", 300, 8),
        (T.CODE, "xa 7 words", 300, 10),
        (T.CODE, "in one word", 300, 8),
        (T.CODE, "xb xa in one word", 300, 8),
        (T.CODE, "xb in xa one word", 300, 300),
        (T.CODE, "one word", 300, 300),
        (T.CODE, "写800字", 300, 800),
        (T.CODE, "写800文字", 300, 800),
        (T.CODE, "写5字", 300, 8),
        (T.CODE, "写9字", 300, 9),
        (T.CODE, "写99999字", 300, 16_000),
        (T.CODE, "写15999字", 300, 15_999),
        (T.CODE, "写100000字", 300, 300),
        (T.CODE, "字800", 300, 300),
        (T.CODE, "写字和800字", 300, 800),
        # Forms of literature, among the first eight words, of so many as are said.
        (T.CREATIVE, "a haiku", 300, 25),
        (T.CREATIVE, "haiku", 300, 25),
        (T.CREATIVE, "xa slogan", 300, 15),
        (T.CREATIVE, "xa limerick", 300, 60),
        (T.CREATIVE, "three haikus", 300, 75),
        (T.CREATIVE, "999 haikus", 300, 24_975),
        (T.CREATIVE, "1000 haikus", 300, 25),
        (T.CREATIVE, "0 slogans", 300, 10),
        (T.CREATIVE, "xa " * 7 + "haiku", 300, 25),
        (T.CREATIVE, "xa " * 8 + "haiku", 300, 300),
        (T.CREATIVE, "about xa haiku", 300, 300),
        (T.CREATIVE, "xa story haiku", 300, 300),
        (T.CREATIVE, "haiku about a story", 300, 25),
        (T.CODE, "a haiku", 300, 300),
        *((T.CREATIVE, f"写{form}", 300, tokens) for form, tokens in (("俳句", 30), ("川柳", 30), ("短歌", 50))),
        *((T.CREATIVE, f"写{form}", 300, 20) for form in ("标语", "口号")),
        (T.CREATIVE, "写" * 38 + "俳句", 300, 30),
        (T.CREATIVE, "写" * 39 + "俳句", 300, 300),
        (T.CREATIVE, "写故事俳句", 300, 300),
        (T.CREATIVE, "写写写", 300, 300),
    ],
)  # fmt: skip
def test_so_many_tokens_are_expected(kind: TaskType, prompt: str, learned_tokens: float, tokens: int) -> None:
    weights = learned(tokens=learned_tokens)
    assert of(prompt, weights=weights, task_type=kind).output_tokens == tokens
    assert of(prompt, weights=weights, task_type=kind, max_tokens=7).output_tokens == 7
    assert of(prompt, weights=weights, task_type=kind, max_tokens=tokens + 1).output_tokens == tokens
